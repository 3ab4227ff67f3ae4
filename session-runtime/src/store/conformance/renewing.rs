//! Sessions that move to another key.

use super::scene::{DAY, Draft, Scene, applied, are, conflict, ended, fields, head};
use crate::store::{Ended, Reply};

/// All fields and the pending changes move in one step, and the old key is dead.
pub(super) async fn p06_a_renewed_session_lives_at_its_new_key_only(scene: Scene) {
    let (old, new) = (scene.key("old"), scene.key("new"));
    let created = scene.create(&old, &[("visits", "1"), ("theme", "dark"), ("cart", "[]")]).await;
    let renewal = scene.change(&created).set("visits", "2").unset("cart").renew(&new);
    let answer = applied(scene.commit(&old, &renewal).await);
    assert!(answer.was_stored && answer.is_stored && !answer.repeated, "{answer:?}");

    assert_eq!(scene.absence(&old).await, Some(created.incarnation));
    let record = scene.record(&new).await;
    assert_eq!(Some(record.head), answer.head);
    assert_eq!((record.head.incarnation, record.head.revision), (renewal.written().creates, 1));
    assert_eq!((record.head.last_commit, record.head.created_at), (renewal.id, created.created_at));
    assert_eq!(fields(&record), are(&[("visits", "2"), ("theme", "dark")]));
    assert_eq!(scene.listed(10).await, ["new"]);
    assert_eq!(scene.count().await, 1);
}

/// The session goes on at the new key.
pub(super) async fn p06_a_renewed_session_goes_on(scene: Scene) {
    let (old, new) = (scene.key("old"), scene.key("new"));
    let created = scene.create(&old, &[("visits", "1")]).await;
    let moved = head(applied(scene.commit(&old, &scene.change(&created).renew(&new)).await));
    let answer = applied(scene.commit(&new, &scene.change(&moved).set("theme", "dark")).await);
    assert_eq!(head(answer).revision, 2);
    assert_eq!(fields(&scene.record(&new).await), are(&[("visits", "1"), ("theme", "dark")]));
}

/// A handler that was at work at the old key is refused, and nothing comes back to life there.
pub(super) async fn p06_a_commit_in_flight_does_not_reach_a_renewed_session(scene: Scene) {
    let (old, new) = (scene.key("old"), scene.key("new"));
    let created = scene.create(&old, &[("visits", "1")]).await;
    applied(scene.commit(&old, &scene.change(&created).renew(&new)).await);

    assert_eq!(ended(scene.commit(&old, &scene.change(&created).set("visits", "2")).await), Ended::Renewed);
    assert_eq!(ended(scene.commit(&old, &scene.change(&created).destroy()).await), Ended::Renewed);
    let elsewhere = scene.key("elsewhere");
    assert_eq!(ended(scene.commit(&old, &scene.change(&created).renew(&elsewhere)).await), Ended::Renewed);
    // One that saw the absence before the session is no better off.
    assert_eq!(ended(scene.commit(&old, &scene.creation(None).set("visits", "2")).await), Ended::Renewed);

    assert_eq!(scene.absence(&old).await, Some(created.incarnation));
    assert_eq!(scene.absence(&elsewhere).await, None);
    assert_eq!(fields(&scene.record(&new).await), are(&[("visits", "1")]));
}

/// The old key can begin a new life, which has nothing to do with the session that moved away.
pub(super) async fn p06_the_old_key_can_live_again(scene: Scene) {
    let (old, new) = (scene.key("old"), scene.key("new"));
    let created = scene.create(&old, &[("visits", "1")]).await;
    applied(scene.commit(&old, &scene.change(&created).renew(&new)).await);
    let saw = scene.absence(&old).await;

    let again = scene.creation(saw).set("theme", "light");
    applied(scene.commit(&old, &again).await);
    assert_eq!(ended(scene.commit(&old, &scene.change(&created).set("visits", "2")).await), Ended::Destroyed);
    assert_eq!(fields(&scene.record(&old).await), are(&[("theme", "light")]));
    assert_eq!(fields(&scene.record(&new).await), are(&[("visits", "1")]));
    assert_eq!(scene.listed(10).await, ["new", "old"]);
}

/// A key that holds a session is not taken over: nothing changes at either key.
pub(super) async fn p06_a_session_does_not_move_onto_another(scene: Scene) {
    let (old, new) = (scene.key("old"), scene.key("new"));
    let created = scene.create(&old, &[("visits", "1")]).await;
    let other = scene.create(&new, &[("theme", "dark")]).await;

    let renewal = scene.change(&created).set("visits", "2").renew(&new);
    assert!(matches!(scene.commit(&old, &renewal).await, Reply::Occupied));
    let (mine, theirs) = (scene.record(&old).await, scene.record(&new).await);
    assert_eq!((mine.head, fields(&mine)), (created, are(&[("visits", "1")])));
    assert_eq!((theirs.head, fields(&theirs)), (other, are(&[("theme", "dark")])));

    // The refused commit left nothing: the same change can be made in place.
    applied(scene.commit(&old, &scene.change(&created).set("visits", "2")).await);
}

/// A session does not move onto itself.
pub(super) async fn p06_a_session_does_not_move_onto_itself(scene: Scene) {
    let key = scene.key("same");
    let created = scene.create(&key, &[("visits", "1")]).await;
    assert!(matches!(scene.commit(&key, &scene.change(&created).renew(&key)).await, Reply::Occupied));
    assert_eq!(scene.record(&key).await.head, created);
}

/// The header of a destroyed session is no obstacle; handlers of the destroyed one stay refused.
pub(super) async fn p06_a_session_moves_over_a_destroyed_one(scene: Scene) {
    let (old, new) = (scene.key("old"), scene.key("new"));
    let dead = scene.create(&new, &[("secret", "s"), ("theme", "dark")]).await;
    scene.destroy(&new, &dead).await;
    let created = scene.create(&old, &[("visits", "1")]).await;
    assert!(applied(scene.commit(&old, &scene.change(&created).renew(&new)).await).is_stored);

    assert_eq!(fields(&scene.record(&new).await), are(&[("visits", "1")]));
    assert_eq!(ended(scene.commit(&new, &scene.change(&dead).set("theme", "light")).await), Ended::Destroyed);
    // Nor does a handler that saw the destroyed one belong to the session that moved there.
    let late = scene.creation(Some(dead.incarnation)).set("theme", "light");
    assert_eq!(ended(scene.commit(&new, &late).await), Ended::Destroyed);
}

/// Nor is the header of an emptied session.
pub(super) async fn p06_a_session_moves_over_an_emptied_one(scene: Scene) {
    let (old, new) = (scene.key("old"), scene.key("new"));
    let other = scene.create(&new, &[("theme", "dark")]).await;
    let emptied = head(applied(scene.commit(&new, &scene.change(&other).unset("theme")).await));
    let created = scene.create(&old, &[("visits", "1")]).await;
    assert!(applied(scene.commit(&old, &scene.change(&created).renew(&new)).await).is_stored);

    assert_eq!(fields(&scene.record(&new).await), are(&[("visits", "1")]));
    assert_eq!(ended(scene.commit(&new, &scene.change(&emptied).set("theme", "light")).await), Ended::Destroyed);
}

/// Nor is a session that has expired; nothing of it is mixed in.
pub(super) async fn p06_a_session_moves_over_an_expired_one(scene: Scene) {
    let (old, new) = (scene.key("old"), scene.key("new"));
    scene.idle_for(DAY).create(&new, &[("secret", "s")]).await;
    let later = scene.after(2 * DAY);
    let created = later.create(&old, &[("visits", "1")]).await;
    assert!(applied(later.commit(&old, &later.change(&created).renew(&new)).await).is_stored);
    assert_eq!(fields(&later.record(&new).await), are(&[("visits", "1")]));
}

/// A handler that found the new key free before does not write into the session that moved there.
pub(super) async fn p06_a_handler_of_the_new_key_does_not_join_the_session_that_moved_there(scene: Scene) {
    let (old, new) = (scene.key("old"), scene.key("new"));
    assert_eq!(scene.absence(&new).await, None);
    let in_flight = scene.creation(None).set("theme", "light");
    let created = scene.create(&old, &[("visits", "1")]).await;
    applied(scene.commit(&old, &scene.change(&created).renew(&new)).await);

    assert_eq!(ended(scene.commit(&new, &in_flight).await), Ended::Destroyed);
    assert_eq!(ended(scene.commit(&new, &scene.creation(None).destroy()).await), Ended::Destroyed);
    assert_eq!(fields(&scene.record(&new).await), are(&[("visits", "1")]));
}

/// A renewal is bound to its base: a stale one is told the current record, and nothing moves.
pub(super) async fn p05_a_stale_renewal_conflicts(scene: Scene) {
    let (old, new) = (scene.key("old"), scene.key("new"));
    let created = scene.create(&old, &[("visits", "1")]).await;
    let current = head(applied(scene.commit(&old, &scene.change(&created).set("visits", "2")).await));
    let told = conflict(scene.commit(&old, &scene.change(&created).renew(&new)).await);
    assert_eq!((told.head, fields(&told)), (current, are(&[("visits", "2")])));
    assert_eq!(scene.absence(&new).await, None);

    applied(scene.commit(&old, &scene.change(&told.head).renew(&new)).await);
    assert_eq!(fields(&scene.record(&new).await), are(&[("visits", "2")]));
}

/// A conflict comes before an occupied key: the handler learns first what it is working on.
pub(super) async fn p05_a_stale_renewal_onto_a_session_conflicts(scene: Scene) {
    let (old, new) = (scene.key("old"), scene.key("new"));
    scene.create(&new, &[("theme", "dark")]).await;
    let created = scene.create(&old, &[("visits", "1")]).await;
    applied(scene.commit(&old, &scene.change(&created).set("visits", "2")).await);
    conflict(scene.commit(&old, &scene.change(&created).renew(&new)).await);
}

/// A session that was not stored yet is stored at its new key, and its old key is dead as well.
pub(super) async fn p06_a_new_session_can_be_renewed(scene: Scene) {
    let (old, new) = (scene.key("old"), scene.key("new"));
    let renewal = scene.creation(None).set("user", "42").renew(&new);
    let answer = applied(scene.commit(&old, &renewal).await);
    assert!(!answer.was_stored && answer.is_stored, "{answer:?}");
    let record = scene.record(&new).await;
    assert_eq!((Some(record.head), fields(&record)), (answer.head, are(&[("user", "42")])));

    // A request that came with the old key at the same time cannot store anything there.
    assert!(scene.absence(&old).await.is_some());
    assert_eq!(ended(scene.commit(&old, &scene.creation(None).set("visits", "1")).await), Ended::Renewed);
}

/// A new session without differences stays unstored when it is renewed.
pub(super) async fn p01_a_renewal_without_differences_stores_no_session(scene: Scene) {
    let (old, new) = (scene.key("old"), scene.key("new"));
    let answer = applied(scene.commit(&old, &scene.creation(None).renew(&new)).await);
    assert!(!answer.was_stored && !answer.is_stored, "{answer:?}");
    assert!(!head(answer).stored);
    assert_eq!(scene.count().await, 0);

    let answer = applied(scene.commit(&new, &scene.change(&head(answer)).set("visits", "1")).await);
    assert!(answer.is_stored);
    assert_eq!(scene.listed(10).await, ["new"]);
}

/// A renewal whose pending changes empty the session moves an emptied one.
pub(super) async fn p01_a_renewal_can_empty_the_session(scene: Scene) {
    let (old, new) = (scene.key("old"), scene.key("new"));
    let created = scene.create(&old, &[("visits", "1")]).await;
    let answer = applied(scene.commit(&old, &scene.change(&created).unset("visits").renew(&new)).await);
    assert!(answer.was_stored && !answer.is_stored, "{answer:?}");
    let record = scene.record(&new).await;
    assert!(!record.head.stored && record.fields.is_empty());
    assert_eq!(scene.count().await, 0);
}

/// A session that is always stored moves without fields.
pub(super) async fn p01_a_session_that_is_always_stored_moves_without_fields(scene: Scene) {
    let (old, new) = (scene.key("old"), scene.key("new"));
    let created = head(applied(scene.commit(&old, &scene.creation(None).keep_empty()).await));
    let answer = applied(scene.commit(&old, &scene.change(&created).renew(&new).keep_empty()).await);
    assert!(answer.was_stored && answer.is_stored, "{answer:?}");
    assert!(scene.record(&new).await.head.stored);
}

/// A renewal that is sent again, because its answer was lost, is done once and answered.
pub(super) async fn p07_a_repeated_renewal_is_answered(scene: Scene) {
    let (old, new) = (scene.key("old"), scene.key("new"));
    let created = scene.create(&old, &[("visits", "1")]).await;
    let renewal = scene.change(&created).set("visits", "2").renew(&new);
    let first = head(applied(scene.commit(&old, &renewal).await));
    let again = applied(scene.commit(&old, &renewal).await);
    assert!(again.repeated && again.was_stored && again.is_stored, "{again:?}");
    let again = head(again);
    assert_eq!((again.incarnation, again.revision, again.last_commit), (first.incarnation, 1, first.last_commit));

    // The answer is a base to go on from.
    applied(scene.commit(&new, &scene.change(&again).set("theme", "dark")).await);
    assert!(applied(scene.commit(&old, &renewal).await).repeated, "also after the session went on");
    assert_eq!(fields(&scene.record(&new).await), are(&[("visits", "2"), ("theme", "dark")]));
}

/// A session can move on and on; each key that it left stays dead.
pub(super) async fn p06_a_session_can_move_many_times(scene: Scene) {
    let mut key = scene.key("at.0");
    let mut current = scene.create(&key, &[("visits", "1")]).await;
    for step in 1..=5 {
        let to = scene.key(&format!("at.{step}"));
        let before = current;
        current = head(applied(scene.commit(&key, &scene.change(&before).renew(&to)).await));
        assert_eq!(ended(scene.commit(&key, &scene.change(&before).set("visits", "2")).await), Ended::Renewed);
        key = to;
    }
    assert_eq!(scene.listed(10).await, ["at.5"]);
    assert_eq!(fields(&scene.record(&key).await), are(&[("visits", "1")]));
}
