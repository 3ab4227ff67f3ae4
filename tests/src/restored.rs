//! A store that somebody restores from an older backup while sessions are in use.

use session_runtime::store::Housekeeping;
use session_runtime::{Error, Handle, Outcome, Session};

use crate::{Kept, emptied_under_running_sessions};

#[derive(Session)]
#[session(name = "restored")]
struct Visitor {
    visits: u32,
    #[session(initial = "light".to_owned())]
    theme: String,
}

/// What the backup does not hold is gone, and what it holds is there again, as it was then. Whatever is done first after
/// that, what is acknowledged from then on can be read, also by programs that start later; no session comes back in
/// parts, and nothing is put on top of what a handler does not see.
///
/// `restore` puts back what the store held when `back_up` was called last.
///
/// # Panics
/// When it is otherwise.
pub async fn restored_under_running_sessions<B, R>(
    store: impl Housekeeping,
    back_up: impl Fn() -> B,
    restore: impl Fn() -> R,
) where
    B: Future<Output = ()>,
    R: Future<Output = ()>,
{
    // A backup of the time before the first session.
    back_up().await;
    Box::pin(emptied_under_running_sessions(store.clone(), &restore)).await;

    let sessions = Kept::<Visitor, _>::new(store.clone());
    let set = |visits| move |visitor: &mut Handle<Visitor>| *visitor.edit().visits() = visits;
    for first in ["load", "commit", "renew", "destroy", "update"] {
        let [kept, moved, doomed, gone, later, new] =
            ["kept", "moved", "doomed", "gone", "later", "new"].map(|key| format!("{first} {key}"));
        for key in [&kept, &moved, &doomed, &gone] {
            sessions.update(key, set(1)).await.expect("a commit");
        }
        back_up().await;
        for key in [&kept, &moved, &doomed, &later] {
            sessions.update(key, set(2)).await.expect("a commit");
        }
        sessions.load(&gone).await.expect("a load").destroy().await.expect("a removal");
        let load = async |key: &str| sessions.load(key).await.expect("a load");
        let (mut keeping, mut moving, mut dooming) = (load(&kept).await, load(&moved).await, load(&doomed).await);
        let (mut going, mut late, mut beginning) = (load(&gone).await, load(&later).await, load(&new).await);
        restore().await;
        match first {
            "load" => assert_eq!(load(&kept).await.visits, 1, "as it was when the backup was made"),
            "commit" => {
                *beginning.edit().visits() = 3;
                assert_eq!(beginning.commit().await.expect("a commit").outcome(), Outcome::Created);
            }
            "renew" => {
                "dark".clone_into(moving.edit().theme());
                moving.renew(&new).await.expect("a renewal");
                assert_eq!(moving.visits, 1);
            }
            "destroy" => assert_eq!(dooming.destroy().await.expect("a removal"), Outcome::Removed),
            _ => sessions.update(&new, set(3)).await.expect("an update"),
        }
        "dark".clone_into(keeping.edit().theme());
        assert_eq!(keeping.commit().await.expect("a commit").outcome(), Outcome::Updated);
        assert_eq!((keeping.visits, keeping.theme.as_str()), (1, "dark"), "the handler sees what is there");
        for refused in [&mut late, &mut going] {
            *refused.edit().visits() = 3;
            assert!(matches!(refused.commit().await, Err(Error::Destroyed)), "{first}: it is of another life");
        }
        late.discard();
        going.discard();

        let newcomer = Kept::<Visitor, _>::new(store.clone());
        let mut expected = vec![(&kept, 1, "dark"), (&gone, 1, "light"), (&later, 0, "light")];
        match first {
            "commit" | "update" => expected.extend([(&new, 3, "light"), (&moved, 1, "light"), (&doomed, 1, "light")]),
            "renew" => expected.extend([(&new, 1, "dark"), (&moved, 0, "light"), (&doomed, 1, "light")]),
            "destroy" => expected.extend([(&new, 0, "light"), (&moved, 1, "light"), (&doomed, 0, "light")]),
            _ => {}
        }
        for (key, visits, theme) in expected {
            let found = newcomer.load(key).await.expect("a load");
            assert_eq!((found.visits, found.theme.as_str()), (visits, theme), "{key}");
        }
    }
}
