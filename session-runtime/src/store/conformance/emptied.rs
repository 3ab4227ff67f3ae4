//! Sessions whose fields all went back to their initial values.

use super::scene::{Draft, Scene, applied, are, conflict, ended, fields, head};
use crate::store::{Ended, Head, Key};

/// A session that was stored and is emptied now: its header before and after.
async fn emptied(scene: &Scene, key: &Key) -> (Head, Head) {
    let created = scene.create(key, &[("visits", "1")]).await;
    let answer = applied(scene.commit(key, &scene.change(&created).unset("visits")).await);
    assert!(answer.was_stored && !answer.is_stored, "{answer:?}");
    (created, head(answer))
}

/// A session whose last stored field went back is no longer stored: neither listed nor counted.
pub(super) async fn p01_a_session_without_differences_is_not_stored(scene: Scene) {
    let key = scene.key("emptied");
    let (created, emptied) = emptied(&scene, &key).await;
    assert_eq!(scene.count().await, 0);
    assert_eq!(scene.listed(10).await, Vec::<String>::new());

    let record = scene.record(&key).await;
    assert_eq!(record.head, emptied);
    assert!(!record.head.stored && record.fields.is_empty());
    assert_eq!((record.head.incarnation, record.head.revision), (created.incarnation, 2));
}

/// An emptied session can be stored again, in the same life.
pub(super) async fn p01_an_emptied_session_can_be_stored_again(scene: Scene) {
    let key = scene.key("again");
    let (created, emptied) = emptied(&scene, &key).await;
    let answer = applied(scene.commit(&key, &scene.change(&emptied).set("theme", "dark")).await);
    assert!(!answer.was_stored && answer.is_stored, "{answer:?}");

    let record = scene.record(&key).await;
    assert_eq!((record.head.incarnation, record.head.revision), (created.incarnation, 3));
    assert_eq!(record.head.created_at, created.created_at);
    assert_eq!(fields(&record), are(&[("theme", "dark")]));
    assert_eq!(scene.count().await, 1);
}

/// The store decides that a session has become empty: two commits that each remove a field need not know.
pub(super) async fn p01_the_store_notices_that_the_last_field_went(scene: Scene) {
    let key = scene.key("last");
    let created = scene.create(&key, &[("visits", "1"), ("theme", "dark")]).await;
    let first = applied(scene.commit(&key, &scene.change(&created).unset("visits")).await);
    assert!(first.is_stored);
    let told = conflict(scene.commit(&key, &scene.change(&created).unset("theme")).await);
    let second = applied(scene.commit(&key, &scene.change(&told.head).unset("theme")).await);
    assert!(second.was_stored && !second.is_stored);
    assert_eq!(scene.count().await, 0);
}

/// A replacement by nothing empties a session as well.
pub(super) async fn p01_a_replacement_without_fields_empties(scene: Scene) {
    let key = scene.key("replaced");
    let created = scene.create(&key, &[("visits", "1"), ("theme", "dark")]).await;
    let answer = applied(scene.commit(&key, &scene.change(&created).replace()).await);
    assert!(answer.was_stored && !answer.is_stored);
    let record = scene.record(&key).await;
    assert!(!record.head.stored && record.fields.is_empty());
}

/// A session type that is always stored stays stored without fields.
pub(super) async fn p01_a_session_that_is_always_stored_stays_without_fields(scene: Scene) {
    let key = scene.key("always");
    let answer = applied(scene.commit(&key, &scene.creation(None).keep_empty()).await);
    assert!(!answer.was_stored && answer.is_stored, "{answer:?}");
    assert_eq!(scene.listed(10).await, ["always"]);

    let change = scene.change(&head(answer)).set("visits", "1").keep_empty();
    let changed = head(applied(scene.commit(&key, &change).await));
    let answer = applied(scene.commit(&key, &scene.change(&changed).unset("visits").keep_empty()).await);
    assert!(answer.was_stored && answer.is_stored);
    let record = scene.record(&key).await;
    assert!(record.head.stored && record.fields.is_empty());
    assert_eq!(scene.count().await, 1);
}

/// A handler that loaded the session before it was emptied is told about it.
pub(super) async fn p05_a_stale_change_conflicts_with_an_emptied_session(scene: Scene) {
    let key = scene.key("stale");
    let (created, emptied) = emptied(&scene, &key).await;
    let told = conflict(scene.commit(&key, &scene.change(&created).set("theme", "dark")).await);
    assert_eq!(told.head, emptied);
    assert!(told.fields.is_empty());

    let rebased = scene.change(&told.head).set("theme", "dark");
    assert!(applied(scene.commit(&key, &rebased).await).is_stored);
    assert_eq!(fields(&scene.record(&key).await), are(&[("theme", "dark")]));
}

/// A handler that saw the absence from which the emptied session was created belongs to the same life.
pub(super) async fn p05_a_first_commit_conflicts_with_an_emptied_session(scene: Scene) {
    let key = scene.key("first");
    let (_, emptied) = emptied(&scene, &key).await;
    let told = conflict(scene.commit(&key, &scene.creation(None).set("theme", "dark")).await);
    assert_eq!(told.head, emptied);
    assert!(!told.head.stored && told.fields.is_empty());
}

/// Two sessions that are emptied twice and stored twice never mix their revisions up.
pub(super) async fn p06_emptying_and_storing_again_is_no_way_back_for_stale_changes(scene: Scene) {
    let key = scene.key("cycle");
    let (created, mut current) = emptied(&scene, &key).await;
    for round in 0..3 {
        let stored = head(applied(scene.commit(&key, &scene.change(&current).set("visits", "1")).await));
        assert_eq!(stored.revision, current.revision + 1);
        conflict(scene.commit(&key, &scene.change(&created).set("theme", "dark")).await);
        conflict(scene.commit(&key, &scene.change(&current).set("theme", "dark")).await);
        current = head(applied(scene.commit(&key, &scene.change(&stored).unset("visits")).await));
        assert_eq!(current.revision, 4 + 2 * round);
    }
}

/// Destroying an emptied session ends its life: handlers of both states are refused.
pub(super) async fn p06_an_emptied_session_can_be_destroyed(scene: Scene) {
    let key = scene.key("destroyed");
    let (created, emptied) = emptied(&scene, &key).await;
    let answer = scene.destroy(&key, &emptied).await;
    assert!(!answer.was_stored && !answer.is_stored && answer.head.is_none(), "{answer:?}");
    for base in [created, emptied] {
        assert_eq!(ended(scene.commit(&key, &scene.change(&base).set("visits", "2")).await), Ended::Destroyed);
    }
    assert_eq!(scene.absence(&key).await, Some(created.incarnation));
}
