//! Sessions that are stored for the first time, or again.

use super::fixture::{Draft, Fixture, applied, are, conflict, ended, fields, head};
use crate::store::{Base, CommitId, Ended, Head, Incarnation};

/// The first commit of a session stores it, and says so.
pub(super) async fn p01_a_new_session_is_stored_by_its_first_commit(fixture: Fixture) {
    let key = fixture.key("new");
    assert_eq!(fixture.absence(&key).await, None, "nothing was there");

    let creation = fixture.creation(None).set("visits", "1").set("theme", "dark");
    let answer = applied(fixture.commit(&key, &creation).await);
    assert!(!answer.was_stored && answer.is_stored && !answer.repeated, "{answer:?}");

    let loaded = fixture.load(&key).await;
    assert!(!loaded.touched, "a session that does not expire is not touched");
    let record = fixture.record(&key).await;
    assert_eq!(Some(record.head), answer.head, "the answer tells the header that is stored");
    assert!(record.head.created_at <= loaded.now);
    let expected = Head {
        incarnation: creation.written().creates,
        revision: 1,
        last_commit: creation.id,
        version: 1,
        registration: creation.written().registration,
        created_at: record.head.created_at,
        fixed_end: None,
        sliding: None,
        expires_at: None,
        stored: true,
    };
    assert_eq!(record.head, expected);
    assert_eq!(fields(&record), are(&[("visits", "1"), ("theme", "dark")]));
}

/// Loading a session that nobody stored leaves no trace.
pub(super) async fn p01_a_session_that_was_only_read_is_not_stored(fixture: Fixture) {
    let key = fixture.key("read");
    assert_eq!(fixture.absence(&key).await, None);
    assert_eq!(fixture.absence(&key).await, None);
    assert_eq!(fixture.count().await, 0);
}

/// A first commit that sets nothing stores no session.
pub(super) async fn p01_a_creation_without_fields_stores_no_session(fixture: Fixture) {
    let key = fixture.key("nothing");
    let answer = applied(fixture.commit(&key, &fixture.creation(None).unset("visits")).await);
    assert!(!answer.was_stored && !answer.is_stored, "{answer:?}");
    assert_eq!(fixture.count().await, 0);
    let record = fixture.record(&key).await;
    assert!(!record.head.stored && record.fields.is_empty());
}

/// Of two sessions that were loaded as new, the second to commit is told what the first stored, and can go on.
pub(super) async fn p05_two_first_commits_of_one_key_both_survive(fixture: Fixture) {
    let key = fixture.key("both");
    let first = fixture.create(&key, &[("visits", "1")]).await;

    let second = fixture.creation(None).set("theme", "dark");
    let told = conflict(fixture.commit(&key, &second).await);
    assert_eq!(told.head, first);
    assert_eq!(fields(&told), are(&[("visits", "1")]));
    assert_eq!(fields(&fixture.record(&key).await), are(&[("visits", "1")]), "a conflict changes nothing");

    let rebased = fixture.change(&told.head).set("theme", "dark");
    let answer = applied(fixture.commit(&key, &rebased).await);
    assert!(answer.was_stored && answer.is_stored);
    assert_eq!((head(answer).incarnation, head(answer).revision), (first.incarnation, 2));
    assert_eq!(fields(&fixture.record(&key).await), are(&[("visits", "1"), ("theme", "dark")]));
}

/// The same where both saw the header of a session that was destroyed before.
pub(super) async fn p05_two_first_commits_after_the_same_end_both_survive(fixture: Fixture) {
    let key = fixture.key("both");
    let before = fixture.create(&key, &[("visits", "9")]).await;
    fixture.destroy(&key, &before).await;
    let saw = fixture.absence(&key).await;

    let first = head(applied(fixture.commit(&key, &fixture.creation(saw).set("visits", "1")).await));
    let told = conflict(fixture.commit(&key, &fixture.creation(saw).set("theme", "dark")).await);
    assert_eq!(told.head, first);
    assert_eq!(fields(&told), are(&[("visits", "1")]));

    // Also when the record has changed since.
    let changed = head(applied(fixture.commit(&key, &fixture.change(&first).set("visits", "2")).await));
    let told = conflict(fixture.commit(&key, &fixture.creation(saw).set("theme", "dark")).await);
    assert_eq!(told.head, changed);
}

/// The second of two first commits is told the record as it is now, not as it was created.
pub(super) async fn p05_a_late_first_commit_is_told_the_current_record(fixture: Fixture) {
    let key = fixture.key("late");
    let created = fixture.create(&key, &[("visits", "1"), ("theme", "dark")]).await;
    let change = fixture.change(&created).set("visits", "2").unset("theme");
    let current = head(applied(fixture.commit(&key, &change).await));

    let told = conflict(fixture.commit(&key, &fixture.creation(None).set("visits", "1")).await);
    assert_eq!(told.head, current);
    assert_eq!(fields(&told), are(&[("visits", "2")]));
}

/// A session that was loaded as new, before another was stored and destroyed, does not come into being.
pub(super) async fn p06_a_first_commit_does_not_pass_an_end_that_it_did_not_see(fixture: Fixture) {
    let key = fixture.key("unseen");
    let in_flight = fixture.creation(None).set("visits", "1");
    let other = fixture.create(&key, &[("visits", "7")]).await;
    fixture.destroy(&key, &other).await;

    assert_eq!(ended(fixture.commit(&key, &in_flight).await), Ended::Destroyed);
    assert_eq!(fixture.absence(&key).await, Some(other.incarnation));
    assert_eq!(fixture.count().await, 0);
}

/// The same when the key has been created anew in between: what is there has nothing to do with what was seen.
pub(super) async fn p06_a_first_commit_does_not_join_a_later_life(fixture: Fixture) {
    let key = fixture.key("later");
    let in_flight = fixture.creation(None).set("visits", "1");
    let first = fixture.create(&key, &[("visits", "7")]).await;
    fixture.destroy(&key, &first).await;
    let second = fixture.creation(Some(first.incarnation)).set("theme", "dark");
    let second = head(applied(fixture.commit(&key, &second).await));

    assert_eq!(ended(fixture.commit(&key, &in_flight).await), Ended::Replaced);
    assert_eq!(fields(&fixture.record(&key).await), are(&[("theme", "dark")]));
    applied(fixture.commit(&key, &fixture.change(&second).set("theme", "light")).await);
    assert_eq!(ended(fixture.commit(&key, &in_flight).await), Ended::Replaced, "nor later");

    // Nor does one that saw an end which is not the one before this life.
    let stranger = fixture.creation(Some(Incarnation::random())).set("visits", "1");
    assert_eq!(ended(fixture.commit(&key, &stranger).await), Ended::Replaced);
}

/// A session is stored again over the end that its load saw: a new life, with nothing of the old one.
pub(super) async fn p06_a_new_life_inherits_nothing(fixture: Fixture) {
    let key = fixture.key("again");
    let old = fixture.create(&key, &[("visits", "7"), ("secret", "s")]).await;
    fixture.destroy(&key, &old).await;
    let saw = fixture.absence(&key).await;
    assert_eq!(saw, Some(old.incarnation), "the load sees what has ended");

    let creation = fixture.creation(saw).set("theme", "dark");
    let answer = applied(fixture.commit(&key, &creation).await);
    assert!(!answer.was_stored && answer.is_stored);
    let record = fixture.record(&key).await;
    assert_eq!((record.head.incarnation, record.head.revision), (creation.written().creates, 1));
    assert!(record.head.created_at >= old.created_at);
    assert_eq!(fields(&record), are(&[("theme", "dark")]));
}

/// Where a load saw an end and the store has forgotten it since, the session can still be stored.
pub(super) async fn p06_a_purged_end_does_not_stand_in_the_way(fixture: Fixture) {
    let key = fixture.key("forgotten");
    let creation = fixture.creation(Some(Incarnation::random())).set("visits", "1");
    assert!(applied(fixture.commit(&key, &creation).await).is_stored);
}

/// A change of a record of which the store knows nothing is refused.
pub(super) async fn p06_a_change_of_what_is_not_there_is_refused(fixture: Fixture) {
    let key = fixture.key("nowhere");
    let base = Base::Record { incarnation: Incarnation::random(), revision: 3, last_commit: CommitId::random() };
    assert_eq!(ended(fixture.commit(&key, &fixture.based_on(base).set("visits", "4")).await), Ended::Unknown);
    assert_eq!(ended(fixture.commit(&key, &fixture.based_on(base).destroy()).await), Ended::Unknown);
    assert_eq!(fixture.absence(&key).await, None, "a refused commit leaves no trace");
}
