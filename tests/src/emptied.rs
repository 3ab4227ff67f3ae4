//! A store that somebody empties while sessions are in use.

use session_runtime::store::Housekeeping;
use session_runtime::{Error, Handle, Outcome, Session};

use crate::Kept;

#[derive(Session)]
#[session(name = "emptied")]
struct Visitor {
    visits: u32,
    #[session(initial = "light".to_owned())]
    theme: String,
}

/// Whatever is done first after a store was emptied, what is acknowledged from then on can be read, also by programs
/// that start later; and what was emptied does not come back in parts.
///
/// # Panics
/// When it is otherwise.
pub async fn emptied_under_running_sessions<F: Future<Output = ()>>(store: impl Housekeeping, empty: impl Fn() -> F) {
    let sessions = Kept::<Visitor, _>::new(store.clone());
    let set = |visits| move |visitor: &mut Handle<Visitor>| *visitor.edit().visits() = visits;
    for first in ["commit", "renew", "destroy", "update"] {
        for key in ["stored", "doomed"] {
            sessions.update(key, set(1)).await.expect("a commit");
        }
        let before = store.registration("emptied", 0).await.expect("an answer");
        let mut stored = sessions.load("stored").await.expect("a load");
        let mut doomed = sessions.load("doomed").await.expect("a load");
        let mut new = sessions.load("new").await.expect("a load");
        empty().await;
        match first {
            "commit" => {
                *new.edit().visits() = 2;
                assert_eq!(new.commit().await.expect("a commit").outcome(), Outcome::Created);
            }
            "renew" => {
                *new.edit().visits() = 2;
                new.renew("moved").await.expect("a renewal");
            }
            "destroy" => assert!(matches!(doomed.destroy().await, Err(Error::OutcomeUnknown))),
            _ => sessions.update("new", set(2)).await.expect("an update"),
        }
        *stored.edit().visits() = 2;
        assert!(matches!(stored.commit().await, Err(Error::Destroyed)), "it is gone, and not to come back in parts");
        stored.discard();
        sessions.update("next", set(3)).await.expect("an update");
        assert_eq!(store.registration("emptied", 0).await.expect("an answer"), before, "{first}: as it was agreed on");
        let later = Kept::<Visitor, _>::new(store.clone());
        let kept = if first == "renew" { "moved" } else { "new" };
        let visits = if first == "destroy" { 0 } else { 2 };
        for (key, visits) in [(kept, visits), ("next", 3), ("stored", 0), ("doomed", 0)] {
            assert_eq!(later.load(key).await.expect("a load").visits, visits, "{first}: {key}");
        }
        empty().await;
    }
}
