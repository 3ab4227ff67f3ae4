//! Commits whose answer was lost, and which are sent again.

use super::fixture::{Draft, Fixture, applied, are, conflict, ended, fields, head};
use crate::store::rule::Commits;
use crate::store::{Ended, Head};

/// A change that is sent again is applied once, and answered as before.
pub(super) async fn p07_a_repeated_change_is_applied_once(fixture: Fixture) {
    let key = fixture.key("change");
    let created = fixture.create(&key, &[("visits", "1")]).await;
    let change = fixture.change(&created).set("visits", "2");
    let first = applied(fixture.commit(&key, &change).await);
    for _ in 0..3 {
        let again = applied(fixture.commit(&key, &change).await);
        assert!(again.repeated && again.was_stored && again.is_stored, "{again:?}");
        assert_eq!(again.head, first.head);
    }
    let record = fixture.record(&key).await;
    assert_eq!((Some(record.head), fields(&record)), (first.head, are(&[("visits", "2")])));
}

/// So is a first commit.
pub(super) async fn p07_a_repeated_creation_is_applied_once(fixture: Fixture) {
    let key = fixture.key("creation");
    let creation = fixture.creation(None).set("visits", "1");
    let first = applied(fixture.commit(&key, &creation).await);
    let again = applied(fixture.commit(&key, &creation).await);
    assert!(again.repeated && !again.was_stored && again.is_stored, "{again:?}");
    assert_eq!(again.head, first.head);
    assert_eq!(fixture.record(&key).await.head.revision, 1);
}

/// So is a commit that emptied the session.
pub(super) async fn p07_a_repeated_emptying_is_applied_once(fixture: Fixture) {
    let key = fixture.key("emptying");
    let created = fixture.create(&key, &[("visits", "1")]).await;
    let change = fixture.change(&created).unset("visits");
    let first = applied(fixture.commit(&key, &change).await);
    let again = applied(fixture.commit(&key, &change).await);
    assert!(again.repeated && !again.is_stored, "{again:?}");
    assert_eq!(again.head, first.head);
}

/// So is a removal.
pub(super) async fn p07_a_repeated_destroy_is_answered(fixture: Fixture) {
    let key = fixture.key("destroy");
    let created = fixture.create(&key, &[("visits", "1")]).await;
    let destroy = fixture.change(&created).destroy();
    applied(fixture.commit(&key, &destroy).await);
    let again = applied(fixture.commit(&key, &destroy).await);
    assert!(again.repeated && again.head.is_none() && !again.is_stored, "{again:?}");
    assert_eq!(fixture.absence(&key).await, Some(created.incarnation));
}

/// Makes this many further commits, and returns the header after them.
async fn go_on(fixture: &Fixture, key: &crate::store::Key, mut current: Head, commits: usize) -> Head {
    for _ in 0..commits {
        let change = fixture.change(&current).set("later", current.revision.to_string());
        current = head(applied(fixture.commit(key, &change).await));
    }
    current
}

/// The answer can be asked for again while others go on: the id is among the last eight.
pub(super) async fn p07_a_lost_answer_is_known_for_eight_commits(fixture: Fixture) {
    for further in 0..Commits::KEPT {
        let key = fixture.key(&format!("after.{further}"));
        let created = fixture.create(&key, &[("visits", "1")]).await;
        let lost = fixture.change(&created).set("visits", "2");
        let answer = head(applied(fixture.commit(&key, &lost).await));
        let current = go_on(&fixture, &key, answer, further).await;

        let again = applied(fixture.commit(&key, &lost).await);
        assert!(again.repeated && again.is_stored, "after {further} further commits: {again:?}");
        let again = head(again);
        assert_eq!((again.incarnation, again.revision, again.last_commit), (created.incarnation, 2, lost.id));
        assert_eq!(fixture.record(&key).await.head, current, "nothing is applied twice");
    }
}

/// Beyond eight the store does not know any more, and the distance of the revisions says so.
pub(super) async fn p07_an_older_lost_answer_conflicts_from_afar(fixture: Fixture) {
    let key = fixture.key("afar");
    let created = fixture.create(&key, &[("visits", "1")]).await;
    let lost = fixture.change(&created).set("visits", "2");
    let answer = head(applied(fixture.commit(&key, &lost).await));
    let current = go_on(&fixture, &key, answer, Commits::KEPT).await;

    let told = conflict(fixture.commit(&key, &lost).await);
    assert_eq!(told.head, current);
    assert!(told.head.revision - created.revision > Commits::KEPT as u64);
    assert_eq!(fixture.record(&key).await.head, current, "nothing is applied twice");
}

/// The same holds for first commits.
pub(super) async fn p07_a_lost_creation_is_known_for_eight_commits(fixture: Fixture) {
    let key = fixture.key("creation");
    let creation = fixture.creation(None).set("visits", "1");
    let created = head(applied(fixture.commit(&key, &creation).await));
    let current = go_on(&fixture, &key, created, Commits::KEPT - 1).await;
    let again = applied(fixture.commit(&key, &creation).await);
    assert!(again.repeated && !again.was_stored, "{again:?}");
    assert_eq!((head(again).incarnation, head(again).revision), (creation.written().creates, 1));

    let current = go_on(&fixture, &key, current, 1).await;
    let told = conflict(fixture.commit(&key, &creation).await);
    assert_eq!(told.head, current);
    assert!(told.head.revision > Commits::KEPT as u64);
}

/// A commit that was certainly not applied conflicts from near.
pub(super) async fn p07_a_commit_that_never_arrived_conflicts_from_near(fixture: Fixture) {
    let key = fixture.key("near");
    let created = fixture.create(&key, &[("visits", "1")]).await;
    let never = fixture.change(&created).set("visits", "2");
    go_on(&fixture, &key, created, Commits::KEPT).await;
    let told = conflict(fixture.commit(&key, &never).await);
    assert_eq!(told.head.revision - created.revision, Commits::KEPT as u64);
}

/// A commit that was applied before the session was destroyed is still answered.
pub(super) async fn p07_a_lost_answer_is_known_after_a_destroy(fixture: Fixture) {
    let key = fixture.key("destroyed");
    let created = fixture.create(&key, &[("visits", "1")]).await;
    let lost = fixture.change(&created).set("visits", "2");
    let answer = head(applied(fixture.commit(&key, &lost).await));
    fixture.destroy(&key, &answer).await;

    let again = applied(fixture.commit(&key, &lost).await);
    assert!(again.repeated && !again.is_stored, "it was applied, and nothing is stored now: {again:?}");
    assert_eq!(fixture.absence(&key).await, Some(created.incarnation), "answering brings nothing back");
    let never = fixture.change(&created).set("visits", "3");
    assert_eq!(ended(fixture.commit(&key, &never).await), Ended::Destroyed);
}

/// A commit that was applied before the session moved away is still answered at the old key.
pub(super) async fn p07_a_lost_answer_is_known_after_a_renewal(fixture: Fixture) {
    let (old, new) = (fixture.key("old"), fixture.key("new"));
    let created = fixture.create(&old, &[("visits", "1")]).await;
    let lost = fixture.change(&created).set("visits", "2");
    let answer = head(applied(fixture.commit(&old, &lost).await));
    applied(fixture.commit(&old, &fixture.change(&answer).renew(&new)).await);

    assert!(applied(fixture.commit(&old, &lost).await).repeated);
    assert!(fixture.absence(&old).await.is_some());
    assert_eq!(fields(&fixture.record(&new).await), are(&[("visits", "2")]));
}

/// A lost commit of a life that has ended and begun anew is refused; the new life is not touched.
pub(super) async fn p07_a_lost_commit_does_not_reach_the_next_life(fixture: Fixture) {
    let key = fixture.key("next");
    let creation = fixture.creation(None).set("visits", "1");
    let created = head(applied(fixture.commit(&key, &creation).await));
    let change = fixture.change(&created).set("visits", "2");
    applied(fixture.commit(&key, &change).await);
    let destroy = fixture.change(&created).destroy();
    applied(fixture.commit(&key, &destroy).await);
    let again = fixture.creation(Some(created.incarnation)).set("theme", "dark");
    let again = head(applied(fixture.commit(&key, &again).await));

    for lost in [creation, change] {
        assert_eq!(ended(fixture.commit(&key, &lost).await), Ended::Replaced);
    }
    let record = fixture.record(&key).await;
    assert_eq!((record.head, fields(&record)), (again, are(&[("theme", "dark")])));
}

/// A removal that is sent again is answered as it was, also when the key has another life by then, for as long as the
/// eight ids of the key reach; the other life is not touched.
pub(super) async fn p07_a_repeated_destroy_is_answered_in_the_next_life(fixture: Fixture) {
    let key = fixture.key("next");
    let created = fixture.create(&key, &[("visits", "1")]).await;
    let from_record = fixture.change(&created).destroy();
    applied(fixture.commit(&key, &from_record).await);
    let next = fixture.creation(Some(created.incarnation)).set("visits", "2");
    let next = head(applied(fixture.commit(&key, &next).await));
    let again = applied(fixture.commit(&key, &from_record).await);
    assert!(again.repeated && again.was_stored && again.head.is_none() && !again.is_stored, "{again:?}");

    let second = fixture.change(&next).destroy();
    assert!(applied(fixture.commit(&key, &second).await).was_stored);
    let last = fixture.creation(Some(next.incarnation)).set("visits", "3");
    let last = head(applied(fixture.commit(&key, &last).await));
    for lost in [&from_record, &second] {
        let again = applied(fixture.commit(&key, lost).await);
        assert!(again.repeated && again.head.is_none() && !again.is_stored, "{again:?}");
    }
    let current = go_on(&fixture, &key, last, Commits::KEPT - 2).await;
    assert!(applied(fixture.commit(&key, &second).await).repeated);
    let current = go_on(&fixture, &key, current, 1).await;
    for lost in [&from_record, &second] {
        assert_eq!(ended(fixture.commit(&key, lost).await), Ended::Replaced, "that is too long ago");
    }
    assert_eq!(fixture.record(&key).await.head, current);
}

/// So is a renewal; of the record that it left at the new key, the old one knows no more than that.
pub(super) async fn p07_a_repeated_renewal_is_answered_in_the_next_life(fixture: Fixture) {
    let (old, new) = (fixture.key("old"), fixture.key("new"));
    let created = fixture.create(&old, &[("visits", "1")]).await;
    let renewal = fixture.change(&created).set("visits", "2").renew(&new);
    applied(fixture.commit(&old, &renewal).await);
    let next = fixture.creation(Some(created.incarnation)).set("theme", "dark");
    let next = head(applied(fixture.commit(&old, &next).await));

    let again = applied(fixture.commit(&old, &renewal).await);
    assert!(again.repeated && again.was_stored && again.is_stored && again.head.is_none(), "{again:?}");
    assert_eq!(fixture.record(&old).await.head, next);
    assert_eq!(fields(&fixture.record(&new).await), are(&[("visits", "2")]));
    fixture.destroy(&old, &next).await;
    assert!(applied(fixture.commit(&old, &renewal).await).repeated, "nor does it end there");
}

/// What ended a life of a key is answered as it was when another session has moved there.
pub(super) async fn p07_a_repeated_destroy_is_answered_after_another_session_moved_there(fixture: Fixture) {
    let (old, new) = (fixture.key("old"), fixture.key("new"));
    let dead = fixture.create(&new, &[("theme", "dark")]).await;
    let destroy = fixture.change(&dead).destroy();
    applied(fixture.commit(&new, &destroy).await);
    let created = fixture.create(&old, &[("visits", "1")]).await;
    let moved = head(applied(fixture.commit(&old, &fixture.change(&created).renew(&new)).await));

    let again = applied(fixture.commit(&new, &destroy).await);
    assert!(again.repeated && again.head.is_none() && !again.is_stored, "{again:?}");
    assert_eq!(fixture.record(&new).await.head, moved);
    let change = fixture.change(&moved).set("visits", "2");
    assert_eq!(head(applied(fixture.commit(&new, &change).await)).revision, 2);
    assert!(applied(fixture.commit(&new, &change).await).repeated);
}

/// A refused commit leaves no trace: its id is not taken for applied later.
pub(super) async fn p07_a_refused_commit_can_be_sent_again_on_another_base(fixture: Fixture) {
    let key = fixture.key("refused");
    let created = fixture.create(&key, &[("visits", "1")]).await;
    let current = head(applied(fixture.commit(&key, &fixture.change(&created).set("visits", "2")).await));
    let mut mine = fixture.change(&created).set("theme", "dark");
    conflict(fixture.commit(&key, &mine).await);
    conflict(fixture.commit(&key, &mine).await);
    mine.base = (&current).into();
    let answer = applied(fixture.commit(&key, &mine).await);
    assert!(!answer.repeated && answer.is_stored);
    assert_eq!(fields(&fixture.record(&key).await), are(&[("visits", "2"), ("theme", "dark")]));
}
