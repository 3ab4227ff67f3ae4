//! A build stores what another one of the same version cannot decode: somebody forgot to raise the version.

use session_runtime::expiry::ClockOffset;
use session_runtime::store::Housekeeping;
use session_runtime::{Admin, Error, OnUndecodable, Outcome};
use session_tests::{Kept, Shared, is_stored, stored};

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

pub async fn run<S: Housekeeping>(store: S) {
    let older = Kept::<older::Guest, _>::new(Shared::new(store.clone(), NAME));
    let newer = |what| Kept::<newer::Guest, _>::builder(Shared::new(store.clone(), NAME)).on_undecodable(what).build();
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
    assert_eq!(stored(&store, ASIDE, "43").await, undecodable, "what is set aside stays where it is");

    let admin = Admin::new(store.clone());
    assert!(matches!(admin.put_back(NAME, "42").await, Err(Error::Occupied)));
    guest.destroy().await.expect("an end");
    assert!(admin.put_back(NAME, "42").await.expect("the key is free"));
    assert!(!admin.put_back(NAME, "42").await.expect("an answer"), "nothing is left to put back");
    assert_eq!(stored(&store, NAME, "42").await, undecodable);
    assert!(!is_stored(&store, ASIDE, "42").await);
    assert!(admin.destroy(ASIDE, "43").await.expect("an answer"));
    assert!(!is_stored(&store, ASIDE, "43").await);
    moving.destroy().await.expect("an end");
    assert_eq!(stored(&store, NAME, "41").await, undecodable, "and nothing else was changed");
}
