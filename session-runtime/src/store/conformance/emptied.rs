//! Sessions whose fields all went back to their initial values.

use super::fixture::{Draft, Fixture, applied, are, conflict, ended, fields, head};
use crate::store::{Ended, Head, Key};

/// A session that was stored and is emptied now: its header before and after.
async fn emptied(fixture: &Fixture, key: &Key) -> (Head, Head) {
    let created = fixture.create(key, &[("visits", "1")]).await;
    let answer = applied(fixture.commit(key, &fixture.change(&created).unset("visits")).await);
    assert!(answer.was_stored && !answer.is_stored, "{answer:?}");
    (created, head(answer))
}

/// A session whose last stored field went back is no longer stored: neither listed nor counted.
pub(super) async fn p01_a_session_without_differences_is_not_stored(fixture: Fixture) {
    let key = fixture.key("emptied");
    let (created, emptied) = emptied(&fixture, &key).await;
    assert_eq!(fixture.count().await, 0);
    assert_eq!(fixture.listed(10).await, Vec::<String>::new());

    let record = fixture.record(&key).await;
    assert_eq!(record.head, emptied);
    assert!(!record.head.stored && record.fields.is_empty());
    assert_eq!((record.head.incarnation, record.head.revision), (created.incarnation, 2));
}

/// An emptied session can be stored again, in the same life.
pub(super) async fn p01_an_emptied_session_can_be_stored_again(fixture: Fixture) {
    let key = fixture.key("again");
    let (created, emptied) = emptied(&fixture, &key).await;
    let answer = applied(fixture.commit(&key, &fixture.change(&emptied).set("theme", "dark")).await);
    assert!(!answer.was_stored && answer.is_stored, "{answer:?}");

    let record = fixture.record(&key).await;
    assert_eq!((record.head.incarnation, record.head.revision), (created.incarnation, 3));
    assert_eq!(record.head.created_at, created.created_at);
    assert_eq!(fields(&record), are(&[("theme", "dark")]));
    assert_eq!(fixture.count().await, 1);
}

/// The store decides that a session has become empty: two commits that each remove a field need not know.
pub(super) async fn p01_the_store_notices_that_the_last_field_went(fixture: Fixture) {
    let key = fixture.key("last");
    let created = fixture.create(&key, &[("visits", "1"), ("theme", "dark")]).await;
    let first = applied(fixture.commit(&key, &fixture.change(&created).unset("visits")).await);
    assert!(first.is_stored);
    let told = conflict(fixture.commit(&key, &fixture.change(&created).unset("theme")).await);
    let second = applied(fixture.commit(&key, &fixture.change(&told.head).unset("theme")).await);
    assert!(second.was_stored && !second.is_stored);
    assert_eq!(fixture.count().await, 0);
}

/// A replacement by nothing empties a session as well.
pub(super) async fn p01_a_replacement_without_fields_empties(fixture: Fixture) {
    let key = fixture.key("replaced");
    let created = fixture.create(&key, &[("visits", "1"), ("theme", "dark")]).await;
    let answer = applied(fixture.commit(&key, &fixture.change(&created).replace()).await);
    assert!(answer.was_stored && !answer.is_stored);
    let record = fixture.record(&key).await;
    assert!(!record.head.stored && record.fields.is_empty());
}

/// A session type that is always stored stays stored without fields.
pub(super) async fn p01_a_session_that_is_always_stored_stays_without_fields(fixture: Fixture) {
    let key = fixture.key("always");
    let answer = applied(fixture.commit(&key, &fixture.creation(None).keep_empty()).await);
    assert!(!answer.was_stored && answer.is_stored, "{answer:?}");
    assert_eq!(fixture.listed(10).await, ["always"]);

    let change = fixture.change(&head(answer)).set("visits", "1").keep_empty();
    let changed = head(applied(fixture.commit(&key, &change).await));
    let answer = applied(fixture.commit(&key, &fixture.change(&changed).unset("visits").keep_empty()).await);
    assert!(answer.was_stored && answer.is_stored);
    let record = fixture.record(&key).await;
    assert!(record.head.stored && record.fields.is_empty());
    assert_eq!(fixture.count().await, 1);
}

/// A handler that loaded the session before it was emptied is told about it.
pub(super) async fn p05_a_stale_change_conflicts_with_an_emptied_session(fixture: Fixture) {
    let key = fixture.key("stale");
    let (created, emptied) = emptied(&fixture, &key).await;
    let told = conflict(fixture.commit(&key, &fixture.change(&created).set("theme", "dark")).await);
    assert_eq!(told.head, emptied);
    assert!(told.fields.is_empty());

    let rebased = fixture.change(&told.head).set("theme", "dark");
    assert!(applied(fixture.commit(&key, &rebased).await).is_stored);
    assert_eq!(fields(&fixture.record(&key).await), are(&[("theme", "dark")]));
}

/// A handler that saw the absence from which the emptied session was created belongs to the same life.
pub(super) async fn p05_a_first_commit_conflicts_with_an_emptied_session(fixture: Fixture) {
    let key = fixture.key("first");
    let (_, emptied) = emptied(&fixture, &key).await;
    let told = conflict(fixture.commit(&key, &fixture.creation(None).set("theme", "dark")).await);
    assert_eq!(told.head, emptied);
    assert!(!told.head.stored && told.fields.is_empty());
}

/// Two sessions that are emptied twice and stored twice never mix their revisions up.
pub(super) async fn p06_emptying_and_storing_again_is_no_way_back_for_stale_changes(fixture: Fixture) {
    let key = fixture.key("cycle");
    let (created, mut current) = emptied(&fixture, &key).await;
    for round in 0..3 {
        let stored = head(applied(fixture.commit(&key, &fixture.change(&current).set("visits", "1")).await));
        assert_eq!(stored.revision, current.revision + 1);
        conflict(fixture.commit(&key, &fixture.change(&created).set("theme", "dark")).await);
        conflict(fixture.commit(&key, &fixture.change(&current).set("theme", "dark")).await);
        current = head(applied(fixture.commit(&key, &fixture.change(&stored).unset("visits")).await));
        assert_eq!(current.revision, 4 + 2 * round);
    }
}

/// Destroying an emptied session ends its life: handlers of both states are refused.
pub(super) async fn p06_an_emptied_session_can_be_destroyed(fixture: Fixture) {
    let key = fixture.key("destroyed");
    let (created, emptied) = emptied(&fixture, &key).await;
    let answer = fixture.destroy(&key, &emptied).await;
    assert!(!answer.was_stored && !answer.is_stored && answer.head.is_none(), "{answer:?}");
    for base in [created, emptied] {
        assert_eq!(ended(fixture.commit(&key, &fixture.change(&base).set("visits", "2")).await), Ended::Destroyed);
    }
    assert_eq!(fixture.absence(&key).await, Some(created.incarnation));
}
