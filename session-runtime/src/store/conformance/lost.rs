//! Commits whose answer was lost, and which are sent again.

use super::scene::{Draft, Scene, applied, are, conflict, ended, fields, head};
use crate::store::rule::Commits;
use crate::store::{Ended, Head};

/// A change that is sent again is applied once, and answered as before.
pub(super) async fn p07_a_repeated_change_is_applied_once(scene: Scene) {
    let key = scene.key("change");
    let created = scene.create(&key, &[("visits", "1")]).await;
    let change = scene.change(&created).set("visits", "2");
    let first = applied(scene.commit(&key, &change).await);
    for _ in 0..3 {
        let again = applied(scene.commit(&key, &change).await);
        assert!(again.repeated && again.was_stored && again.is_stored, "{again:?}");
        assert_eq!(again.head, first.head);
    }
    let record = scene.record(&key).await;
    assert_eq!((Some(record.head), fields(&record)), (first.head, are(&[("visits", "2")])));
}

/// So is a first commit.
pub(super) async fn p07_a_repeated_creation_is_applied_once(scene: Scene) {
    let key = scene.key("creation");
    let creation = scene.creation(None).set("visits", "1");
    let first = applied(scene.commit(&key, &creation).await);
    let again = applied(scene.commit(&key, &creation).await);
    assert!(again.repeated && !again.was_stored && again.is_stored, "{again:?}");
    assert_eq!(again.head, first.head);
    assert_eq!(scene.record(&key).await.head.revision, 1);
}

/// So is a commit that emptied the session.
pub(super) async fn p07_a_repeated_emptying_is_applied_once(scene: Scene) {
    let key = scene.key("emptying");
    let created = scene.create(&key, &[("visits", "1")]).await;
    let change = scene.change(&created).unset("visits");
    let first = applied(scene.commit(&key, &change).await);
    let again = applied(scene.commit(&key, &change).await);
    assert!(again.repeated && !again.is_stored, "{again:?}");
    assert_eq!(again.head, first.head);
}

/// So is a removal.
pub(super) async fn p07_a_repeated_destroy_is_answered(scene: Scene) {
    let key = scene.key("destroy");
    let created = scene.create(&key, &[("visits", "1")]).await;
    let destroy = scene.change(&created).destroy();
    applied(scene.commit(&key, &destroy).await);
    let again = applied(scene.commit(&key, &destroy).await);
    assert!(again.repeated && again.head.is_none() && !again.is_stored, "{again:?}");
    assert_eq!(scene.absence(&key).await, Some(created.incarnation));
}

/// Makes this many further commits, and returns the header after them.
async fn go_on(scene: &Scene, key: &crate::store::Key, mut current: Head, commits: usize) -> Head {
    for _ in 0..commits {
        let change = scene.change(&current).set("later", current.revision.to_string());
        current = head(applied(scene.commit(key, &change).await));
    }
    current
}

/// The answer can be asked for again while others go on: the id is among the last eight.
pub(super) async fn p07_a_lost_answer_is_known_for_eight_commits(scene: Scene) {
    for further in 0..Commits::KEPT {
        let key = scene.key(&format!("after.{further}"));
        let created = scene.create(&key, &[("visits", "1")]).await;
        let lost = scene.change(&created).set("visits", "2");
        let answer = head(applied(scene.commit(&key, &lost).await));
        let current = go_on(&scene, &key, answer, further).await;

        let again = applied(scene.commit(&key, &lost).await);
        assert!(again.repeated && again.is_stored, "after {further} further commits: {again:?}");
        let again = head(again);
        assert_eq!((again.incarnation, again.revision, again.last_commit), (created.incarnation, 2, lost.id));
        assert_eq!(scene.record(&key).await.head, current, "nothing is applied twice");
    }
}

/// Beyond eight the store does not know any more, and the distance of the revisions says so.
pub(super) async fn p07_an_older_lost_answer_conflicts_from_afar(scene: Scene) {
    let key = scene.key("afar");
    let created = scene.create(&key, &[("visits", "1")]).await;
    let lost = scene.change(&created).set("visits", "2");
    let answer = head(applied(scene.commit(&key, &lost).await));
    let current = go_on(&scene, &key, answer, Commits::KEPT).await;

    let told = conflict(scene.commit(&key, &lost).await);
    assert_eq!(told.head, current);
    assert!(told.head.revision - created.revision > Commits::KEPT as u64);
    assert_eq!(scene.record(&key).await.head, current, "nothing is applied twice");
}

/// The same holds for first commits.
pub(super) async fn p07_a_lost_creation_is_known_for_eight_commits(scene: Scene) {
    let key = scene.key("creation");
    let creation = scene.creation(None).set("visits", "1");
    let created = head(applied(scene.commit(&key, &creation).await));
    let current = go_on(&scene, &key, created, Commits::KEPT - 1).await;
    let again = applied(scene.commit(&key, &creation).await);
    assert!(again.repeated && !again.was_stored, "{again:?}");
    assert_eq!((head(again).incarnation, head(again).revision), (creation.written().creates, 1));

    let current = go_on(&scene, &key, current, 1).await;
    let told = conflict(scene.commit(&key, &creation).await);
    assert_eq!(told.head, current);
    assert!(told.head.revision > Commits::KEPT as u64);
}

/// A commit that was certainly not applied conflicts from near.
pub(super) async fn p07_a_commit_that_never_arrived_conflicts_from_near(scene: Scene) {
    let key = scene.key("near");
    let created = scene.create(&key, &[("visits", "1")]).await;
    let never = scene.change(&created).set("visits", "2");
    go_on(&scene, &key, created, Commits::KEPT).await;
    let told = conflict(scene.commit(&key, &never).await);
    assert_eq!(told.head.revision - created.revision, Commits::KEPT as u64);
}

/// A commit that was applied before the session was destroyed is still answered.
pub(super) async fn p07_a_lost_answer_is_known_after_a_destroy(scene: Scene) {
    let key = scene.key("destroyed");
    let created = scene.create(&key, &[("visits", "1")]).await;
    let lost = scene.change(&created).set("visits", "2");
    let answer = head(applied(scene.commit(&key, &lost).await));
    scene.destroy(&key, &answer).await;

    let again = applied(scene.commit(&key, &lost).await);
    assert!(again.repeated && !again.is_stored, "it was applied, and nothing is stored now: {again:?}");
    assert_eq!(scene.absence(&key).await, Some(created.incarnation), "answering brings nothing back");
    let never = scene.change(&created).set("visits", "3");
    assert_eq!(ended(scene.commit(&key, &never).await), Ended::Destroyed);
}

/// A commit that was applied before the session moved away is still answered at the old key.
pub(super) async fn p07_a_lost_answer_is_known_after_a_renewal(scene: Scene) {
    let (old, new) = (scene.key("old"), scene.key("new"));
    let created = scene.create(&old, &[("visits", "1")]).await;
    let lost = scene.change(&created).set("visits", "2");
    let answer = head(applied(scene.commit(&old, &lost).await));
    applied(scene.commit(&old, &scene.change(&answer).renew(&new)).await);

    assert!(applied(scene.commit(&old, &lost).await).repeated);
    assert!(scene.absence(&old).await.is_some());
    assert_eq!(fields(&scene.record(&new).await), are(&[("visits", "2")]));
}

/// A lost commit of a life that has ended and begun anew is refused; the new life is not touched.
pub(super) async fn p07_a_lost_commit_does_not_reach_the_next_life(scene: Scene) {
    let key = scene.key("next");
    let creation = scene.creation(None).set("visits", "1");
    let created = head(applied(scene.commit(&key, &creation).await));
    let change = scene.change(&created).set("visits", "2");
    applied(scene.commit(&key, &change).await);
    let destroy = scene.change(&created).destroy();
    applied(scene.commit(&key, &destroy).await);
    let again = scene.creation(Some(created.incarnation)).set("theme", "dark");
    let again = head(applied(scene.commit(&key, &again).await));

    for lost in [creation, change, destroy] {
        assert_eq!(ended(scene.commit(&key, &lost).await), Ended::Destroyed);
    }
    let record = scene.record(&key).await;
    assert_eq!((record.head, fields(&record)), (again, are(&[("theme", "dark")])));
}

/// A refused commit leaves no trace: its id is not taken for applied later.
pub(super) async fn p07_a_refused_commit_can_be_sent_again_on_another_base(scene: Scene) {
    let key = scene.key("refused");
    let created = scene.create(&key, &[("visits", "1")]).await;
    let current = head(applied(scene.commit(&key, &scene.change(&created).set("visits", "2")).await));
    let mut mine = scene.change(&created).set("theme", "dark");
    conflict(scene.commit(&key, &mine).await);
    conflict(scene.commit(&key, &mine).await);
    mine.base = (&current).into();
    let answer = applied(scene.commit(&key, &mine).await);
    assert!(!answer.repeated && answer.is_stored);
    assert_eq!(fields(&scene.record(&key).await), are(&[("visits", "2"), ("theme", "dark")]));
}
