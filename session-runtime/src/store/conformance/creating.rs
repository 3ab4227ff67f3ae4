//! Sessions that are stored for the first time, or again.

use super::scene::{Draft, Scene, applied, are, conflict, ended, fields, head};
use crate::store::{Base, CommitId, Ended, Head, Incarnation};

/// The first commit of a session stores it, and says so.
pub(super) async fn p01_a_new_session_is_stored_by_its_first_commit(scene: Scene) {
    let key = scene.key("new");
    assert_eq!(scene.absence(&key).await, None, "nothing was there");

    let creation = scene.creation(None).set("visits", "1").set("theme", "dark");
    let answer = applied(scene.commit(&key, &creation).await);
    assert!(!answer.was_stored && answer.is_stored && !answer.repeated, "{answer:?}");

    let loaded = scene.load(&key).await;
    assert!(!loaded.touched, "a session that does not expire is not touched");
    let record = scene.record(&key).await;
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
        expires_at: None,
        stored: true,
    };
    assert_eq!(record.head, expected);
    assert_eq!(fields(&record), are(&[("visits", "1"), ("theme", "dark")]));
}

/// Loading a session that nobody stored leaves no trace.
pub(super) async fn p01_a_session_that_was_only_read_is_not_stored(scene: Scene) {
    let key = scene.key("read");
    assert_eq!(scene.absence(&key).await, None);
    assert_eq!(scene.absence(&key).await, None);
    assert_eq!(scene.count().await, 0);
}

/// A first commit that sets nothing stores no session.
pub(super) async fn p01_a_creation_without_fields_stores_no_session(scene: Scene) {
    let key = scene.key("nothing");
    let answer = applied(scene.commit(&key, &scene.creation(None).unset("visits")).await);
    assert!(!answer.was_stored && !answer.is_stored, "{answer:?}");
    assert_eq!(scene.count().await, 0);
    let record = scene.record(&key).await;
    assert!(!record.head.stored && record.fields.is_empty());
}

/// Of two sessions that were loaded as new, the second to commit is told what the first stored, and can go on.
pub(super) async fn p05_two_first_commits_of_one_key_both_survive(scene: Scene) {
    let key = scene.key("both");
    let first = scene.create(&key, &[("visits", "1")]).await;

    let second = scene.creation(None).set("theme", "dark");
    let told = conflict(scene.commit(&key, &second).await);
    assert_eq!(told.head, first);
    assert_eq!(fields(&told), are(&[("visits", "1")]));
    assert_eq!(fields(&scene.record(&key).await), are(&[("visits", "1")]), "a conflict changes nothing");

    let rebased = scene.change(&told.head).set("theme", "dark");
    let answer = applied(scene.commit(&key, &rebased).await);
    assert!(answer.was_stored && answer.is_stored);
    assert_eq!((head(answer).incarnation, head(answer).revision), (first.incarnation, 2));
    assert_eq!(fields(&scene.record(&key).await), are(&[("visits", "1"), ("theme", "dark")]));
}

/// The same where both saw the header of a session that was destroyed before.
pub(super) async fn p05_two_first_commits_after_the_same_end_both_survive(scene: Scene) {
    let key = scene.key("both");
    let before = scene.create(&key, &[("visits", "9")]).await;
    scene.destroy(&key, &before).await;
    let saw = scene.absence(&key).await;

    let first = head(applied(scene.commit(&key, &scene.creation(saw).set("visits", "1")).await));
    let told = conflict(scene.commit(&key, &scene.creation(saw).set("theme", "dark")).await);
    assert_eq!(told.head, first);
    assert_eq!(fields(&told), are(&[("visits", "1")]));

    // Also when the record has changed since.
    let changed = head(applied(scene.commit(&key, &scene.change(&first).set("visits", "2")).await));
    let told = conflict(scene.commit(&key, &scene.creation(saw).set("theme", "dark")).await);
    assert_eq!(told.head, changed);
}

/// The second of two first commits is told the record as it is now, not as it was created.
pub(super) async fn p05_a_late_first_commit_is_told_the_current_record(scene: Scene) {
    let key = scene.key("late");
    let created = scene.create(&key, &[("visits", "1"), ("theme", "dark")]).await;
    let change = scene.change(&created).set("visits", "2").unset("theme");
    let current = head(applied(scene.commit(&key, &change).await));

    let told = conflict(scene.commit(&key, &scene.creation(None).set("visits", "1")).await);
    assert_eq!(told.head, current);
    assert_eq!(fields(&told), are(&[("visits", "2")]));
}

/// A session that was loaded as new, before another was stored and destroyed, does not come into being.
pub(super) async fn p06_a_first_commit_does_not_pass_an_end_that_it_did_not_see(scene: Scene) {
    let key = scene.key("unseen");
    let in_flight = scene.creation(None).set("visits", "1");
    let other = scene.create(&key, &[("visits", "7")]).await;
    scene.destroy(&key, &other).await;

    assert_eq!(ended(scene.commit(&key, &in_flight).await), Ended::Destroyed);
    assert_eq!(scene.absence(&key).await, Some(other.incarnation));
    assert_eq!(scene.count().await, 0);
}

/// The same when the key has been created anew in between: what is there has nothing to do with what was seen.
pub(super) async fn p06_a_first_commit_does_not_join_a_later_life(scene: Scene) {
    let key = scene.key("later");
    let in_flight = scene.creation(None).set("visits", "1");
    let first = scene.create(&key, &[("visits", "7")]).await;
    scene.destroy(&key, &first).await;
    let second = scene.creation(Some(first.incarnation)).set("theme", "dark");
    let second = head(applied(scene.commit(&key, &second).await));

    assert_eq!(ended(scene.commit(&key, &in_flight).await), Ended::Destroyed);
    assert_eq!(fields(&scene.record(&key).await), are(&[("theme", "dark")]));
    applied(scene.commit(&key, &scene.change(&second).set("theme", "light")).await);
    assert_eq!(ended(scene.commit(&key, &in_flight).await), Ended::Destroyed, "nor later");

    // Nor does one that saw an end which is not the one before this life.
    let stranger = scene.creation(Some(Incarnation::random())).set("visits", "1");
    assert_eq!(ended(scene.commit(&key, &stranger).await), Ended::Destroyed);
}

/// A session is stored again over the end that its load saw: a new life, with nothing of the old one.
pub(super) async fn p06_a_new_life_inherits_nothing(scene: Scene) {
    let key = scene.key("again");
    let old = scene.create(&key, &[("visits", "7"), ("secret", "s")]).await;
    scene.destroy(&key, &old).await;
    let saw = scene.absence(&key).await;
    assert_eq!(saw, Some(old.incarnation), "the load sees what has ended");

    let creation = scene.creation(saw).set("theme", "dark");
    let answer = applied(scene.commit(&key, &creation).await);
    assert!(!answer.was_stored && answer.is_stored);
    let record = scene.record(&key).await;
    assert_eq!((record.head.incarnation, record.head.revision), (creation.written().creates, 1));
    assert!(record.head.created_at >= old.created_at);
    assert_eq!(fields(&record), are(&[("theme", "dark")]));
}

/// Where a load saw an end and the store has forgotten it since, the session can still be stored.
pub(super) async fn p06_a_purged_end_does_not_stand_in_the_way(scene: Scene) {
    let key = scene.key("forgotten");
    let creation = scene.creation(Some(Incarnation::random())).set("visits", "1");
    assert!(applied(scene.commit(&key, &creation).await).is_stored);
}

/// A change of a record of which the store knows nothing is refused.
pub(super) async fn p06_a_change_of_what_is_not_there_is_refused(scene: Scene) {
    let key = scene.key("nowhere");
    let base = Base::Record { incarnation: Incarnation::random(), revision: 3, last_commit: CommitId::random() };
    assert_eq!(ended(scene.commit(&key, &scene.based_on(base).set("visits", "4")).await), Ended::Unknown);
    assert_eq!(ended(scene.commit(&key, &scene.based_on(base).destroy()).await), Ended::Unknown);
    assert_eq!(scene.absence(&key).await, None, "a refused commit leaves no trace");
}
