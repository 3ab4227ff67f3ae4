//! A build stores what another one of the same version cannot decode: somebody forgot to raise the version.

use session_runtime::expiry::ClockOffset;
use session_runtime::store::Store;
use session_runtime::{Error, OnUndecodable, Outcome, Sessions};
use session_tests::{Shared, is_stored, stored};

const NAME: &str = "guest";
const ASIDE: &str = "guest#aside";

mod older {
    #[derive(Debug, session_runtime::Session)]
    #[session(name = "guest-older")]
    pub struct Guest {
        pub seen: Option<String>,
    }
}

mod newer {
    #[derive(Debug, session_runtime::Session)]
    #[session(name = "guest-newer")]
    pub struct Guest {
        pub seen: Option<u64>,
    }
}

pub async fn run<S: Store>(store: S) {
    let older = Sessions::<older::Guest, _>::new(Shared::new(store.clone(), NAME));
    let newer =
        |what| Sessions::<newer::Guest, _>::builder(Shared::new(store.clone(), NAME)).on_undecodable(what).build();
    for key in ["41", "42", "43"] {
        older.update(key, |guest| *guest.edit().seen() = Some("yesterday".to_owned())).await.expect("a commit");
    }
    let undecodable = [("seen".to_owned(), r#""yesterday""#.to_owned())];

    let refusing = newer(OnUndecodable::Refuse);
    assert!(matches!(refusing.load("42").await, Err(Error::Decode { .. })));
    assert_eq!(stored(&store, NAME, "42").await, undecodable);

    let setting_aside = newer(OnUndecodable::SetAside);
    let mut guest = setting_aside.load("42").await.expect("a new session");
    assert!(guest.is_new());
    *guest.edit().seen() = Some(5);
    assert_eq!(guest.commit().await.expect("a commit").outcome(), Outcome::Created);
    assert_eq!(stored(&store, ASIDE, "42").await, undecodable);
    assert!(matches!(older.load("42").await, Err(Error::Decode { .. })), "neither can read the other's");

    let page = store.keys(NAME, None, 10, ClockOffset(0)).await.expect("keys");
    let mut keys: Vec<_> = page.keys.iter().map(session_runtime::store::Key::id).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["41", "42", "43"], "what is set aside is no session");
    assert_eq!(store.count(NAME, ClockOffset(0)).await.expect("a count"), 3);

    let mut moving = setting_aside.load("43").await.expect("a new session");
    *moving.edit().seen() = Some(6);
    moving.renew("44").await.expect("a move");
    assert_eq!(stored(&store, ASIDE, "44").await, undecodable);
    assert!(!is_stored(&store, ASIDE, "43").await);

    guest.destroy().await.expect("an end");
    moving.destroy().await.expect("an end");
    for key in ["42", "43", "44"] {
        assert!(!is_stored(&store, NAME, key).await && !is_stored(&store, ASIDE, key).await);
    }
    assert_eq!(stored(&store, NAME, "41").await, undecodable, "and nothing else was touched");
}
