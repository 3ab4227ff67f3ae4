use session_runtime::store::StoreErrorKind;
use session_runtime::{Admin, Error, MemoryStore};
use session_tests::{Fault, Kept, is_stored, now};

use crate::place::{Place, Visitor, store_visits, stores, visit};

#[tokio::test]
async fn a_destroyed_session_is_gone_and_whoever_holds_it_cannot_store_it() {
    for store in stores().await {
        let sessions = Kept::<Visitor, _>::new(store.clone());
        store_visits(&sessions, &["42"]).await;
        let mut held = sessions.load("42").await.expect("a load");
        visit(&mut held);

        let admin = Admin::new(store.clone());
        assert!(admin.destroy("visitor", "42").await.expect("an answer"));
        assert!(!is_stored(&store, "visitor", "42").await);
        assert!(matches!(held.commit().await, Err(Error::Destroyed)));
        held.discard();
        assert!(!admin.destroy("visitor", "42").await.expect("an answer"), "it is gone already");
        assert!(!admin.destroy("visitor", "never").await.expect("an answer"));
    }
}

#[tokio::test]
async fn whoever_holds_an_emptied_session_cannot_store_it_after_it_was_destroyed() {
    for store in stores().await {
        let sessions = Kept::<Visitor, _>::new(store.clone());
        store_visits(&sessions, &["42"]).await;
        sessions.update("42", |visitor| *visitor.edit().visits() = 0).await.expect("a commit");
        let mut held = sessions.load("42").await.expect("a load");
        assert!(!Admin::new(store).destroy("visitor", "42").await.expect("an answer"), "it was not stored");
        visit(&mut held);
        assert!(matches!(held.commit().await, Err(Error::Destroyed)));
        held.discard();
    }
}

/// Destroys the session and creates it anew, past the faulty.
fn replace(memory: &MemoryStore) {
    let sessions = Kept::<Visitor, _>::new(memory.clone());
    now(async {
        sessions.load("42").await.expect("a load").destroy().await.expect("its end");
        sessions.update("42", visit).await.expect("a commit");
    });
}

#[test]
fn a_session_that_took_the_place_of_the_one_that_was_looked_at_is_destroyed_too() {
    let place = Place::default();
    let sessions = Kept::<Visitor, _>::new(place.clone());
    now(store_visits(&sessions, &["42"]));
    for _ in 0..3 {
        let memory = place.inner().clone();
        place.meanwhile(move || replace(&memory));
    }
    assert!(now(Admin::new(place.clone()).destroy("visitor", "42")).expect("an answer"));
    assert!(!now(is_stored(&place, "visitor", "42")));
}

#[test]
fn a_session_that_is_created_anew_again_and_again_is_not_chased_forever() {
    let place = Place::default();
    let sessions = Kept::<Visitor, _>::new(place.clone());
    now(store_visits(&sessions, &["42"]));
    for _ in 0..1000 {
        let memory = place.inner().clone();
        place.meanwhile(move || replace(&memory));
    }
    match now(Admin::new(place.clone()).destroy("visitor", "42")) {
        Err(Error::Store(error)) => assert_eq!(error.kind(), StoreErrorKind::Busy),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_error_of_the_store_is_told_and_the_destruction_can_be_tried_again() {
    let place = Place::default();
    now(store_visits(&Kept::<Visitor, _>::new(place.clone()), &["42"]));
    let admin = Admin::new(place.clone());
    place.fail_commit(Fault::LostBefore);
    assert!(matches!(now(admin.destroy("visitor", "42")), Err(Error::Store(_))));
    assert!(now(admin.destroy("visitor", "42")).expect("an answer"));
}
