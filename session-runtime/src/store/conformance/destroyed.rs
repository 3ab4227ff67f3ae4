//! Sessions that were removed on purpose.

use super::fixture::{Draft, Fixture, MINUTE, applied, are, conflict, ended, fields, head};
use crate::store::{CommitId, Ended, Found, Head, Key};

/// A destroyed session is not there any more: neither loaded nor listed nor counted.
pub(super) async fn p06_a_destroyed_session_is_absent(fixture: Fixture) {
    let key = fixture.key("destroyed");
    let created = fixture.create(&key, &[("visits", "1")]).await;
    let answer = fixture.destroy(&key, &created).await;
    assert!(answer.was_stored && !answer.is_stored && !answer.repeated, "{answer:?}");
    assert_eq!(answer.head, None, "no record is left");
    assert_eq!(fixture.absence(&key).await, Some(created.incarnation), "the load sees which session ended");
    assert_eq!(fixture.count().await, 0);
    assert_eq!(fixture.listed(10).await, Vec::<String>::new());
}

/// While its header is kept, a load tells how the last session of the key ended.
pub(super) async fn p06_a_load_tells_how_the_last_session_ended(fixture: Fixture) {
    let fixture = fixture.idle_for(30 * MINUTE);
    let how = async |fixture: &Fixture, key: &Key| match fixture.load(key).await.found {
        Found::Absent { saw } => saw.map(|past| past.ended),
        Found::Record(record) => panic!("absence was expected, but this was found: {record:?}"),
    };
    let [never, destroyed, renewed, to] = ["never", "destroyed", "renewed", "to"].map(|id| fixture.key(id));
    assert_eq!(how(&fixture, &never).await, None);
    let created = fixture.create(&destroyed, &[("visits", "1")]).await;
    fixture.destroy(&destroyed, &created).await;
    assert_eq!(how(&fixture, &destroyed).await, Some(Ended::Destroyed));
    let created = fixture.create(&renewed, &[("visits", "1")]).await;
    applied(fixture.commit(&renewed, &fixture.change(&created).renew(&to)).await);
    assert_eq!(how(&fixture, &renewed).await, Some(Ended::Renewed));
    assert_eq!(how(&fixture.after(31 * MINUTE), &to).await, Some(Ended::Expired));
    assert_eq!(how(&fixture.after(31 * MINUTE), &destroyed).await, Some(Ended::Destroyed), "it had ended before");
}

/// A handler that was at work when the session was destroyed cannot bring it back.
pub(super) async fn p06_a_commit_in_flight_does_not_bring_it_back(fixture: Fixture) {
    let key = fixture.key("logout");
    let created = fixture.create(&key, &[("visits", "1"), ("user", "42")]).await;
    fixture.destroy(&key, &created).await;

    let in_flight = fixture.change(&created).set("visits", "2");
    assert_eq!(ended(fixture.commit(&key, &in_flight).await), Ended::Destroyed);
    assert_eq!(ended(fixture.commit(&key, &fixture.change(&created).unset("visits")).await), Ended::Destroyed);
    assert_eq!(ended(fixture.commit(&key, &fixture.change(&created).replace().keep_empty()).await), Ended::Destroyed);
    assert_eq!(fixture.absence(&key).await, Some(created.incarnation));
}

/// Nor when the key has been created anew since.
pub(super) async fn p06_a_commit_in_flight_does_not_reach_the_next_life(fixture: Fixture) {
    let key = fixture.key("login");
    let created = fixture.create(&key, &[("visits", "1"), ("user", "42")]).await;
    fixture.destroy(&key, &created).await;
    let again = fixture.creation(Some(created.incarnation)).set("user", "43");
    let again = head(applied(fixture.commit(&key, &again).await));
    assert_ne!(again.incarnation, created.incarnation);

    assert_eq!(ended(fixture.commit(&key, &fixture.change(&created).set("visits", "2")).await), Ended::Replaced);
    assert_eq!(ended(fixture.commit(&key, &fixture.change(&created).destroy()).await), Ended::Replaced);
    let record = fixture.record(&key).await;
    assert_eq!(record.head, again);
    assert_eq!(fields(&record), are(&[("user", "43")]));
}

/// Removal applies to any revision: what others changed in between goes too.
pub(super) async fn p06_a_stale_handler_can_destroy(fixture: Fixture) {
    let key = fixture.key("stale");
    let created = fixture.create(&key, &[("visits", "1")]).await;
    let changed = fixture.change(&created).set("visits", "2");
    applied(fixture.commit(&key, &changed).await);
    assert!(fixture.destroy(&key, &created).await.was_stored);
    assert_eq!(fixture.absence(&key).await, Some(created.incarnation));

    let other = Head { last_commit: CommitId::random(), ..fixture.create(&fixture.key("other"), &[("a", "1")]).await };
    fixture.destroy(&fixture.key("other"), &other).await;
    assert_eq!(fixture.absence(&fixture.key("other")).await, Some(other.incarnation));
}

/// A handler that saw the absence before this session is told what there is to destroy: it belongs to the same life.
pub(super) async fn p06_a_handler_that_saw_its_absence_is_told_what_to_destroy(fixture: Fixture) {
    let key = fixture.key("absence");
    let created = fixture.create(&key, &[("visits", "1")]).await;
    let told = conflict(fixture.commit(&key, &fixture.creation(None).destroy()).await);
    assert_eq!((told.head, fields(&told)), (created, are(&[("visits", "1")])));
    assert!(fixture.destroy(&key, &told.head).await.was_stored);
    assert_eq!(fixture.absence(&key).await, Some(created.incarnation));
}

/// A removal that found nothing removes nothing later: a copy of it that was on its way all the time leaves alone what
/// was stored since.
pub(super) async fn p06_a_destroy_that_found_nothing_destroys_nothing_later(fixture: Fixture) {
    let key = fixture.key("late");
    let destroy = fixture.creation(None).destroy();
    assert!(!applied(fixture.commit(&key, &destroy).await).was_stored);
    let created = fixture.create(&key, &[("visits", "1")]).await;
    assert_eq!(conflict(fixture.commit(&key, &destroy).await).head, created);
    let changed = head(applied(fixture.commit(&key, &fixture.change(&created).set("visits", "2")).await));
    assert_eq!(conflict(fixture.commit(&key, &destroy).await).head, changed);
    assert_eq!(fields(&fixture.record(&key).await), are(&[("visits", "2")]));
}

/// But not one that saw another end.
pub(super) async fn p06_a_handler_of_another_life_cannot_destroy(fixture: Fixture) {
    let key = fixture.key("stranger");
    let created = fixture.create(&key, &[("visits", "1")]).await;
    fixture.destroy(&key, &created).await;
    assert_eq!(ended(fixture.commit(&key, &fixture.creation(None).destroy()).await), Ended::Destroyed);

    let again = fixture.creation(Some(created.incarnation)).set("visits", "1");
    let again = head(applied(fixture.commit(&key, &again).await));
    assert_eq!(ended(fixture.commit(&key, &fixture.creation(None).destroy()).await), Ended::Replaced);
    assert_eq!(fixture.record(&key).await.head, again);
}

/// Destroying what was never stored leaves no trace.
pub(super) async fn p06_destroying_nothing_leaves_no_trace(fixture: Fixture) {
    let key = fixture.key("nothing");
    let answer = applied(fixture.commit(&key, &fixture.creation(None).destroy()).await);
    assert!(!answer.was_stored && !answer.is_stored && answer.head.is_none() && !answer.repeated, "{answer:?}");
    assert_eq!(fixture.absence(&key).await, None);
}

/// Destroying what a load saw as ended changes nothing.
pub(super) async fn p06_destroying_what_has_ended_changes_nothing(fixture: Fixture) {
    let key = fixture.key("ended");
    let created = fixture.create(&key, &[("visits", "1")]).await;
    fixture.destroy(&key, &created).await;
    let answer = applied(fixture.commit(&key, &fixture.creation(Some(created.incarnation)).destroy()).await);
    assert!(!answer.was_stored && !answer.is_stored && answer.head.is_none());
    assert_eq!(fixture.absence(&key).await, Some(created.incarnation));
}

/// A handler that saw the absence before a session learns how that ended only while its header is there: the next life
/// tells of its own end.
pub(super) async fn p06_a_handler_that_saw_its_absence_is_not_told_of_another_end(fixture: Fixture) {
    let (key, elsewhere) = (fixture.key("key"), fixture.key("elsewhere"));
    let (change, destroy) = (fixture.creation(None).set("visits", "2"), fixture.creation(None).destroy());
    let created = fixture.create(&key, &[("visits", "1")]).await;
    applied(fixture.commit(&key, &fixture.change(&created).renew(&elsewhere)).await);
    for late in [&change, &destroy] {
        assert_eq!(ended(fixture.commit(&key, late).await), Ended::Renewed);
    }
    let next = fixture.creation(Some(created.incarnation)).set("visits", "3");
    let next = head(applied(fixture.commit(&key, &next).await));
    fixture.destroy(&key, &next).await;
    for late in [&change, &destroy] {
        assert_eq!(ended(fixture.commit(&key, late).await), Ended::Replaced);
    }
}

/// Of two handlers that destroy, the second learns that it was done.
pub(super) async fn p06_a_second_destroy_is_told(fixture: Fixture) {
    let key = fixture.key("twice");
    let created = fixture.create(&key, &[("visits", "1")]).await;
    fixture.destroy(&key, &created).await;
    assert_eq!(ended(fixture.commit(&key, &fixture.change(&created).destroy()).await), Ended::Destroyed);
}

/// A key can live, end and live again many times; each life has its own handlers.
pub(super) async fn p06_lives_do_not_mix(fixture: Fixture) {
    let key = fixture.key("lives");
    let (mut saw, mut lives) = (None, Vec::new());
    for life in 0..5 {
        let creation = fixture.creation(saw).set("life", life.to_string());
        let created = head(applied(fixture.commit(&key, &creation).await));
        assert_eq!(created.revision, 1);
        for old in &lives {
            assert_eq!(ended(fixture.commit(&key, &fixture.change(old).set("life", "old")).await), Ended::Replaced);
        }
        assert_eq!(fields(&fixture.record(&key).await), are(&[("life", &life.to_string())]));
        let told = conflict(fixture.commit(&key, &fixture.creation(saw).set("life", "late")).await);
        assert_eq!(told.head, created);
        fixture.destroy(&key, &created).await;
        lives.push(created);
        saw = fixture.absence(&key).await;
        assert_eq!(saw, Some(created.incarnation));
    }
}
