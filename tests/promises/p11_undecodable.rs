//! Records that cannot be decoded are kept, in their place or aside.

use std::time::{Duration, SystemTime};

use session_runtime::store::{Call, Housekeeping};
use session_runtime::{Error, Expiry, OnUndecodable, Outcome};
use session_tests::{Fault, Kept, KeptBuilder, is_stored, record, stored, write};

use crate::visitor::{TestStore, Visitor, fields, test_store};

const ASIDE: &str = "visitor#aside";
const DAY: Duration = Duration::from_secs(24 * 3600);

fn setting_aside(store: &TestStore) -> KeptBuilder<Visitor, TestStore> {
    Kept::builder(store.clone()).on_undecodable(OnUndecodable::SetAside)
}

/// Makes the record of `key` one whose visits are no number.
async fn spoil(store: &TestStore, key: &str) {
    Kept::<Visitor, _>::new(store.clone()).update(key, |visitor| *visitor.edit().visits() = 1).await.expect("a commit");
    write(store, "visitor", key, &[("visits", Some("many")), ("theme", Some(r#""dark""#))]).await;
}

fn spoiled() -> Vec<(String, String)> {
    fields(&[("theme", r#""dark""#), ("visits", "many")])
}

#[tokio::test]
async fn p11_an_undecodable_record_is_refused_unless_the_program_asks_to_set_it_aside() {
    let store = test_store();
    spoil(&store, "42").await;
    let refused = Kept::<Visitor, _>::new(store.clone()).load("42").await;
    assert!(matches!(refused, Err(Error::Decode { .. })));
    assert_eq!(stored(&store, "visitor", "42").await, spoiled());
    assert!(!is_stored(&store, ASIDE, "42").await);
}

#[tokio::test]
async fn p11_an_undecodable_session_can_be_destroyed_by_its_key() {
    let store = test_store();
    spoil(&store, "42").await;
    let destroyed = Kept::<Visitor, _>::new(store.clone()).destroy("42").await;
    assert_eq!(destroyed.expect("a removal"), Outcome::Removed);
    assert!(!is_stored(&store, "visitor", "42").await);
}

#[tokio::test]
async fn p11_what_is_set_aside_is_kept_byte_for_byte_and_the_session_starts_anew() {
    let store = test_store();
    spoil(&store, "42").await;
    let before = record(&store, "visitor", "42").await.expect("a record").head;
    let sessions = setting_aside(&store).build();
    let mut visitor = sessions.load("42").await.expect("a new session");
    assert!(visitor.is_new() && visitor.visits == 0);
    assert_eq!(stored(&store, ASIDE, "42").await, spoiled());
    let after = record(&store, ASIDE, "42").await.expect("it is kept").head;
    assert_eq!(
        (after.version, after.registration, after.created_at),
        (before.version, before.registration, before.created_at)
    );

    *visitor.edit().visits() = 7;
    assert_eq!(visitor.commit().await.expect("a commit").outcome(), Outcome::Created);
    assert_eq!(stored(&store, "visitor", "42").await, fields(&[("visits", "7")]));
    assert_eq!(stored(&store, ASIDE, "42").await, spoiled());
}

#[tokio::test]
async fn p11_no_key_of_a_user_reaches_what_is_set_aside() {
    let store = test_store();
    spoil(&store, "42").await;
    let sessions = setting_aside(&store).build();
    sessions.load("42").await.expect("a new session");
    for key in ["#aside", "aside", "#aside:42", "visitor#aside:42", "42#aside", "visitor#aside"] {
        assert!(sessions.load(key).await.expect("a load").is_new());
    }
    assert_eq!(store.count("visitor", session_runtime::expiry::ClockOffset(0)).await.expect("a count"), 0);
}

#[tokio::test]
async fn p11_what_is_set_aside_is_never_written_over() {
    let store = test_store();
    let sessions = setting_aside(&store).build();
    spoil(&store, "42").await;
    sessions.load("42").await.expect("a new session");
    spoil(&store, "42").await;
    write(&store, "visitor", "42", &[("visits", Some("more"))]).await;
    for _ in 0..2 {
        assert!(matches!(sessions.load("42").await, Err(Error::Decode { .. })), "one is kept already");
    }
    assert_eq!(stored(&store, ASIDE, "42").await, spoiled());
    assert_eq!(stored(&store, "visitor", "42").await, fields(&[("theme", r#""dark""#), ("visits", "more")]));
}

#[tokio::test]
async fn p11_what_is_set_aside_keeps_its_expiry() {
    let store = test_store();
    let sliding = || setting_aside(&store).expiry(Expiry::AfterInactivity(DAY)).build();
    sliding().update("42", |visitor| *visitor.edit().visits() = 1).await.expect("a commit");
    write(&store, "visitor", "42", &[("visits", Some("many"))]).await;
    spoil(&store, "43").await;
    let mut dated = setting_aside(&store).build().load("44").await.expect("a load");
    let date = SystemTime::UNIX_EPOCH + Duration::from_secs(4_000_000_000);
    *dated.edit().visits() = 1;
    dated.expire_at(date);
    dated.commit().await.expect("a commit");
    write(&store, "visitor", "44", &[("visits", Some("many"))]).await;

    for key in ["42", "43", "44"] {
        let before = record(&store, "visitor", key).await.expect("a record").head.expires_at;
        // The rule of the program that sets it aside is not the record's.
        setting_aside(&store).expiry(Expiry::AfterCreation(3 * DAY)).build().load(key).await.expect("a new session");
        let aside = record(&store, ASIDE, key).await.expect("it is kept").head.expires_at;
        assert_eq!(aside, before, "{key}");
    }
    assert_eq!(record(&store, ASIDE, "43").await.expect("it is kept").head.expires_at, None);
    assert_eq!(record(&store, ASIDE, "44").await.expect("it is kept").head.expires_at, Some(date.into()));
}

#[tokio::test]
async fn p11_only_the_record_that_could_not_be_decoded_is_set_aside() {
    let store = test_store();
    spoil(&store, "42").await;
    // Loaded, but not set aside yet, when another program repairs it.
    let sessions = setting_aside(&store).build();
    sessions.prepare().await.expect("a store");
    store.inner().fail_commit(Fault::Refused);
    assert!(matches!(sessions.load("42").await, Err(Error::Store(_))), "a failed load is an error");
    assert_eq!(stored(&store, "visitor", "42").await, spoiled());
    write(&store, "visitor", "42", &[("visits", Some("8"))]).await;
    assert_eq!(sessions.load("42").await.expect("it was repaired").visits, 8);
    assert!(!is_stored(&store, ASIDE, "42").await);
}

#[tokio::test]
async fn p11_many_loads_at_once_set_a_record_aside_once() {
    let store = test_store();
    spoil(&store, "42").await;
    let sessions = setting_aside(&store).build();
    let loads: Vec<_> = (0..8)
        .map(|_| {
            let sessions = sessions.clone();
            tokio::spawn(async move { sessions.load("42").await.map(|visitor| visitor.is_new()) })
        })
        .collect();
    for load in loads {
        assert!(load.await.expect("no panic").expect("a new session"));
    }
    assert_eq!(stored(&store, ASIDE, "42").await, spoiled());
}

#[tokio::test]
async fn p11_what_is_set_aside_stays_whatever_becomes_of_the_new_session() {
    let store = test_store();
    let sessions = setting_aside(&store).build();
    for key in ["42", "43"] {
        spoil(&store, key).await;
    }
    let mut ending = sessions.load("42").await.expect("a new session");
    let mut moving = sessions.load("43").await.expect("a new session");
    *ending.edit().visits() = 2;
    *moving.edit().visits() = 2;
    ending.commit().await.expect("a commit");
    store.take().clear();
    ending.destroy().await.expect("an end");
    moving.renew("44").await.expect("a move");
    assert_eq!(store.take().len(), 2, "one call each: the way of a session knows nothing of what is set aside");
    assert_eq!(stored(&store, ASIDE, "42").await, spoiled());
    assert_eq!(stored(&store, ASIDE, "43").await, spoiled());
}

#[tokio::test]
async fn p11_what_is_set_aside_can_be_put_back() {
    let store = test_store();
    spoil(&store, "42").await;
    let sessions = setting_aside(&store).build();
    let mut visitor = sessions.load("42").await.expect("a new session");
    *visitor.edit().visits() = 2;
    visitor.commit().await.expect("a commit");
    let admin = sessions.housekeeping();
    assert!(matches!(admin.put_back("visitor", "42").await, Err(Error::Occupied)));
    assert_eq!(stored(&store, ASIDE, "42").await, spoiled());
    visitor.destroy().await.expect("an end");
    assert!(admin.put_back("visitor", "42").await.expect("the key is free"));
    assert!(!admin.put_back("visitor", "42").await.expect("an answer"), "nothing is left to put back");
    assert_eq!(stored(&store, "visitor", "42").await, spoiled());
}

#[tokio::test]
async fn p11_a_record_of_another_registration_or_version_is_not_set_aside() {
    let store = test_store();
    spoil(&store, "42").await;
    store.withdraw("visitor", 0).await.expect("a withdrawal");
    let sessions = setting_aside(&store).build();
    assert!(matches!(sessions.load("42").await, Err(Error::RegistrationGone)));
    assert_eq!(stored(&store, "visitor", "42").await, spoiled());

    let newer = Kept::<newer::Visitor, _>::builder(store.clone()).on_undecodable(OnUndecodable::SetAside).build();
    Kept::<Visitor, _>::new(store.clone())
        .update("43", |visitor| *visitor.edit().visits() = 1)
        .await
        .expect("a commit");
    write(&store, "visitor", "43", &[("visits", Some("many"))]).await;
    assert!(matches!(newer.load("43").await, Err(Error::Decode { .. })), "an older version is not this program's");
    newer.update("44", |visitor| *visitor.edit().visits() = "one".to_owned()).await.expect("a commit");
    assert!(matches!(sessions.load("44").await, Err(Error::NewerVersion { .. })));
    for key in ["42", "43", "44"] {
        assert!(is_stored(&store, "visitor", key).await && !is_stored(&store, ASIDE, key).await);
    }
}

mod newer {
    #[derive(session_runtime::Session)]
    #[session(name = "visitor", version = 7, from = super::Visitor)]
    pub struct Visitor {
        pub visits: String,
    }

    impl From<super::Visitor> for Visitor {
        fn from(old: super::Visitor) -> Self {
            Self { visits: old.visits.to_string() }
        }
    }
}

#[tokio::test]
async fn p11_a_program_that_could_set_records_aside_pays_nothing_for_it() {
    let store = test_store();
    let sessions = setting_aside(&store).build();
    sessions.prepare().await.expect("a store");
    let _ = store.take();
    sessions.update("42", |visitor| *visitor.edit().visits() += 1).await.expect("a commit");
    let set = fields(&[("visits", "1")]);
    let commit = Call::Commit { key: "42".to_owned(), set, unset: Vec::new() };
    assert_eq!(store.take(), [Call::Load { key: "42".to_owned(), touched: false }, commit]);
}
