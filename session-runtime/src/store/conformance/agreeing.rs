//! Sessions whose agreement a store loses while they run.

use super::fixture::Fixture;
use super::visiting::load;
use crate::store::{Housekeeping, Store};
use crate::{Error, Handle, Outcome, Session};

/// Sets the visits of a session.
macro_rules! set {
    ($type:ty, $visits:expr) => {
        |session: &mut Handle<$type>| *session.edit().visits() = $visits
    };
}

/// A session type of whose registration no other case knows.
#[derive(Session)]
#[session(crate = crate, name = "conformance-lost")]
struct Lost {
    visits: u32,
    #[session(initial = "light".to_owned())]
    theme: String,
}

/// Sessions go on when the store loses what was agreed on: whatever comes next registers it again, under the same id,
/// so that nothing that was acknowledged is unreadable to those who start later.
pub(super) async fn p10_a_lost_agreement_is_made_again(fixture: Fixture) {
    let sessions = fixture.sessions::<Lost>();
    let [old, kept, new, renewed, moved, gone] =
        ["old", "kept", "new", "renewed", "moved", "gone"].map(|id| fixture.id(id));
    for id in [&old, &kept, &renewed, &gone] {
        sessions.update(id, set!(Lost, 1)).await.expect("a commit");
    }
    let lose = || async { fixture.store.withdraw("conformance-lost", 0).await.expect("a withdrawal") };
    lose().await;
    sessions.update(&old, set!(Lost, 2)).await.expect("an update");
    lose().await;
    sessions.update(&new, set!(Lost, 2)).await.expect("a creation");
    let mut renewing = load(&sessions, &renewed).await;
    let mut destroying = load(&sessions, &gone).await;
    lose().await;
    *renewing.edit().visits() = 2;
    renewing.renew(&moved).await.expect("a renewal");
    lose().await;
    assert_eq!(destroying.destroy().await.expect("a removal"), Outcome::Removed);
    let mut emptying = load(&sessions, &old).await;
    *emptying.edit().visits() = 0;
    assert_eq!(emptying.commit().await.expect("a commit").outcome(), Outcome::Removed);
    *emptying.edit().visits() = 3;
    assert_eq!(emptying.commit().await.expect("a commit").outcome(), Outcome::Created);

    let later = fixture.sessions::<Lost>();
    for (id, visits) in [(&old, 3), (&kept, 1), (&new, 2), (&renewed, 0), (&moved, 2), (&gone, 0)] {
        let session = load(&later, id).await;
        assert_eq!((session.visits, session.theme.as_str()), (visits, "light"), "{id}");
    }
}

/// A session type that several instances register, one after the other.
#[derive(Session)]
#[session(crate = crate, name = "conformance-same")]
struct Same {
    visits: u32,
    #[session(initial = "light".to_owned())]
    theme: String,
}

/// Where others have registered the same values meanwhile, an instance follows them, whatever it does first, and all
/// records stay readable: by it, by them, and by those who start later.
pub(super) async fn p10_an_agreement_that_others_made_first_is_followed(fixture: Fixture) {
    let lose = || async { fixture.store.withdraw("conformance-same", 0).await.expect("a withdrawal") };
    lose().await;
    let sessions = fixture.sessions::<Same>();
    for first in ["load", "commit", "renew", "destroy", "update"] {
        let [old, kept, moved, gone, theirs, new] =
            ["old", "kept", "moved", "gone", "theirs", "new"].map(|id| fixture.id(&format!("{first} {id}")));
        for id in [&old, &kept, &moved, &gone] {
            sessions.update(id, set!(Same, 1)).await.expect("a commit");
        }
        let (mut changing, mut moving) = (load(&sessions, &old).await, load(&sessions, &moved).await);
        let mut destroying = load(&sessions, &gone).await;
        lose().await;
        let others = fixture.sessions::<Same>();
        others.update(&theirs, set!(Same, 3)).await.expect("a commit");
        assert!(matches!(others.load(&kept).await, Err(Error::RegistrationGone)), "nobody has said so yet");
        match first {
            "load" => assert_eq!(load(&sessions, &theirs).await.visits, 3, "the same values by another id"),
            "commit" => {
                *changing.edit().visits() = 2;
                changing.commit().await.expect("a commit");
            }
            "renew" => {
                *moving.edit().visits() = 2;
                moving.renew(&new).await.expect("a renewal");
            }
            "destroy" => assert_eq!(destroying.destroy().await.expect("a removal"), Outcome::Removed),
            _ => sessions.update(&new, set!(Same, 2)).await.expect("an update"),
        }
        let after = fixture.id(&format!("{first} after"));
        sessions.update(&after, set!(Same, 4)).await.expect("an update");
        let mut expected = vec![(&kept, 1), (&theirs, 3), (&after, 4)];
        match first {
            "commit" => expected.push((&old, 2)),
            "renew" => expected.extend([(&new, 2), (&moved, 0)]),
            "destroy" => expected.push((&gone, 0)),
            "update" => expected.push((&new, 2)),
            _ => {}
        }
        for sessions in [&sessions, &others, &fixture.sessions::<Same>()] {
            for (id, visits) in &expected {
                let session = load(sessions, id).await;
                assert_eq!((session.visits, session.theme.as_str()), (*visits, "light"), "{first}: {id}");
            }
        }
    }
}

/// A session type that instances register with other values.
#[derive(Session)]
#[session(crate = crate, name = "conformance-other")]
struct Other {
    visits: u32,
    #[session(initial = "light".to_owned())]
    theme: String,
}

/// Where others have registered other values meanwhile, an instance acknowledges nothing, and says why, whatever it does:
/// nobody reads with their values what it wrote with its own. It adds nothing to what they agreed on, and can still end
/// its sessions.
pub(super) async fn p10_an_instance_says_so_when_others_agreed_on_other_values(fixture: Fixture) {
    let lose = || async { fixture.store.withdraw("conformance-other", 0).await.expect("a withdrawal") };
    lose().await;
    let sessions = fixture.sessions::<Other>();
    let [old, moved, gone, theirs] = ["old", "moved", "gone", "theirs"].map(|id| fixture.id(id));
    let [to, one, two] = ["to", "one", "two"].map(|id| fixture.id(id));
    for id in [&old, &moved, &gone] {
        sessions.update(id, set!(Other, 1)).await.expect("a commit");
    }
    let (mut changing, mut moving) = (load(&sessions, &old).await, load(&sessions, &moved).await);
    let mut destroying = load(&sessions, &gone).await;
    lose().await;
    let dark = || Other { visits: 0, theme: "dark".to_owned() };
    let others = fixture.sessions_with::<Other, _>(|builder| builder.initial(dark));
    others.update(&theirs, set!(Other, 3)).await.expect("a commit");
    let registered = || async { fixture.store.registration("conformance-other", 0).await.expect("an answer") };
    let agreed = registered().await;

    let is_refusal = |refused: &Error| {
        assert!(
            matches!(refused, Error::InitialStateMismatch { fields } if &*fields[0].field == "theme"),
            "{refused:?}"
        );
    };
    *changing.edit().visits() = 5;
    *moving.edit().visits() = 5;
    for new in [&one, &two] {
        is_refusal(&sessions.load(&theirs).await.map(drop).expect_err("it would be read with another theme"));
        is_refusal(&changing.commit().await.map(drop).expect_err("they would read it with another theme"));
        is_refusal(&moving.renew(&to).await.map(drop).expect_err("they would read it with another theme"));
        is_refusal(&sessions.update(new, set!(Other, 1)).await.expect_err("they would read it with another theme"));
    }
    assert_eq!((changing.visits, moving.visits), (5, 5), "the handles keep their changes");
    changing.discard();
    moving.discard();
    assert_eq!(destroying.destroy().await.expect("a removal"), Outcome::Removed);

    assert_eq!(registered().await, agreed, "nothing was added");
    let later = fixture.sessions_with::<Other, _>(|builder| builder.initial(dark));
    for (id, visits) in [(&theirs, 3), (&gone, 0)] {
        let session = load(&later, id).await;
        assert_eq!((session.visits, session.theme.as_str()), (visits, "dark"), "{id}");
    }
    // A store that sees the registration only beside the commit may have stored it.
    for id in [&to, &one, &two] {
        match later.load(id).await {
            Ok(session) => assert!(session.is_new(), "{id}"),
            Err(error) => assert!(matches!(error, Error::RegistrationGone), "{id}: {error:?}"),
        }
    }
}
