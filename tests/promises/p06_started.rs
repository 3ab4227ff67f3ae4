//! The destroyed stay destroyed, also by sessions that begin without a read.

use std::pin::pin;
use std::time::Duration;

use session_runtime::store::Call;
use session_runtime::{Absence, Error, Expiry, Handle, Outcome};
use session_tests::{Fault, Kept, begin, is_stored, now, stored};

use crate::visitor::{TestStore, Visitor, builder, fields, sessions};

const HOUR: Duration = Duration::from_secs(3600);

/// How the answer to a commit can be missing.
const MISSING: [Fault; 4] = [Fault::LostBefore, Fault::LostAfter, Fault::StuckBefore, Fault::StuckAfter];

/// A session that was started and has a change, after the first start has looked at the clock.
fn started(sessions: &Kept<Visitor, TestStore>) -> Handle<Visitor> {
    drop(now(sessions.start("another")).expect("a start"));
    let mut started = now(sessions.start("42")).expect("a start");
    *started.edit().visits() += 1;
    let _ = sessions.store().take();
    started
}

/// A commit to which no answer comes.
fn commit_in_vain(sessions: &Kept<Visitor, TestStore>, handle: &mut Handle<Visitor>, fault: Fault) {
    sessions.store().inner().fail_commit(fault);
    let mut commit = pin!(handle.commit());
    let _ = begin(commit.as_mut());
}

fn commit(key: &str) -> Call {
    Call::Commit { key: key.to_owned(), set: fields(&[("visits", "1")]), unset: Vec::new() }
}

fn load(key: &str) -> Call {
    Call::Load { key: key.to_owned(), touched: false }
}

#[test]
fn p06_a_start_is_one_commit_after_a_look_at_the_clock_each_hour() {
    let sessions = sessions::<Visitor>();
    let mut first = now(sessions.start("1")).expect("a start");
    *first.edit().visits() += 1;
    assert_eq!(now(first.commit()).expect("a commit").outcome(), Outcome::Created);
    let mut second = now(sessions.start("2")).expect("a start");
    *second.edit().visits() += 1;
    assert_eq!(now(second.commit()).expect("a commit").outcome(), Outcome::Created);
    assert_eq!(sessions.store().take(), [load("1"), commit("1"), commit("2")]);
}

#[test]
fn p07_a_start_whose_answer_is_missing_creates_once() {
    for fault in MISSING {
        let sessions = sessions::<Visitor>();
        let mut visitor = started(&sessions);
        commit_in_vain(&sessions, &mut visitor, fault);
        *visitor.edit().theme() = "dark".to_owned();
        assert_eq!(now(visitor.commit()).expect("the store is back").outcome(), Outcome::Created, "{fault:?}");
        let both = [("theme", r#""dark""#), ("visits", "1")];
        let mut found = now(stored(sessions.store(), "visitor", "42"));
        found.sort();
        assert_eq!(found, fields(&both), "{fault:?}");
    }
}

#[test]
fn p07_a_start_whose_answer_is_missing_is_moved_or_destroyed_wherever_it_is() {
    for fault in MISSING {
        let sessions = sessions::<Visitor>();
        let mut visitor = started(&sessions);
        commit_in_vain(&sessions, &mut visitor, fault);
        assert_eq!(now(visitor.renew("43")).expect("a renewal").outcome(), Outcome::Created, "{fault:?}");
        assert!(!now(is_stored(sessions.store(), "visitor", "42")), "{fault:?}");
        assert!(now(is_stored(sessions.store(), "visitor", "43")), "{fault:?}");

        let sessions = sessions_with_a_lost_start(fault);
        assert!(!now(is_stored(sessions.store(), "visitor", "42")), "{fault:?}");
    }
}

/// Sessions of which one was started, and destroyed before the answer to its first commit came.
fn sessions_with_a_lost_start(fault: Fault) -> Kept<Visitor, TestStore> {
    let sessions = sessions::<Visitor>();
    let mut visitor = started(&sessions);
    commit_in_vain(&sessions, &mut visitor, fault);
    assert_eq!(now(visitor.destroy()).expect("a removal"), Outcome::Removed, "{fault:?}");
    sessions
}

#[test]
fn p06_a_start_whose_answer_is_missing_does_not_bring_back_what_was_destroyed_since() {
    // Eight ids of a key are kept.
    for others in [0, 1, 7, 8, 20] {
        let sessions = sessions::<Visitor>();
        let mut visitor = started(&sessions);
        commit_in_vain(&sessions, &mut visitor, Fault::LostAfter);
        for _ in 0..others {
            now(sessions.update("42", |other| *other.edit().visits() += 1)).expect("a commit");
        }
        assert_eq!(now(sessions.destroy("42")).expect("a removal"), Outcome::Removed);
        let _ = now(visitor.commit());
        assert!(!now(is_stored(sessions.store(), "visitor", "42")), "{others} others");
        visitor.discard();
    }
}

#[test]
fn p06_a_start_that_nobody_can_tell_of_destroys_nothing() {
    let sessions = sessions::<Visitor>();
    let mut visitor = started(&sessions);
    commit_in_vain(&sessions, &mut visitor, Fault::LostBefore);
    for _ in 0..10 {
        now(sessions.update("42", |other| *other.edit().visits() += 1)).expect("a commit");
    }
    assert!(matches!(now(visitor.destroy()), Err(Error::OutcomeUnknown)));
    assert!(matches!(now(visitor.commit()), Err(Error::OutcomeUnknown)));
    visitor.discard();
    assert_eq!(now(stored(sessions.store(), "visitor", "42")), fields(&[("visits", "10")]));
}

#[test]
fn p06_a_start_at_a_key_that_is_taken_keeps_its_changes_and_can_be_renewed_nowhere() {
    let sessions = sessions::<Visitor>();
    let mut visitor = started(&sessions);
    now(sessions.update("42", |other| *other.edit().theme() = "dark".to_owned())).expect("a commit");
    for _ in 0..2 {
        assert!(matches!(now(visitor.commit()), Err(Error::Occupied)));
        assert!(matches!(now(visitor.renew("43")), Err(Error::Occupied)));
    }
    assert_eq!((visitor.visits, visitor.absence()), (1, Some(Absence::Never)));
    assert_eq!(now(visitor.destroy()).expect("it was not stored"), Outcome::Unchanged);
    assert_eq!(now(stored(sessions.store(), "visitor", "42")), fields(&[("theme", r#""dark""#)]));
    assert!(!now(is_stored(sessions.store(), "visitor", "43")));
}

#[test]
fn p04_a_session_that_ended_sends_no_start_to_the_clock_once_more() {
    let sessions = builder::<Visitor>().expiry(Expiry::AfterInactivity(HOUR / 2)).build();
    let (mut expired, mut destroyed) = (now(sessions.load("1")).expect("a load"), started(&sessions));
    *expired.edit().visits() += 1;
    now(sessions.update("42", |other| *other.edit().visits() += 1)).expect("a commit");
    assert_eq!(now(sessions.destroy("42")).expect("a removal"), Outcome::Removed);
    assert!(now(destroyed.commit()).is_err());
    sessions.store().inner().pass(HOUR);
    assert!(matches!(now(expired.commit()), Err(Error::Expired)));
    let _ = sessions.store().take();
    drop(now(sessions.start("2")).expect("a start"));
    assert_eq!(sessions.store().take(), []);
    expired.discard();
    destroyed.discard();
}

#[test]
fn p09_a_start_that_takes_longer_than_its_session_lives_stores_nothing() {
    let half = Expiry::AfterInactivity(HOUR / 2);
    // Without an expiry, as long as every store can tell of another session that ended.
    for (expiry, time) in [(half, HOUR / 2), (Expiry::Never, HOUR)] {
        for (late, stores) in [(time.mul_f64(0.99), true), (time, false)] {
            let sessions = builder::<Visitor>().expiry(expiry).build();
            let mut visitor = started(&sessions);
            sessions.store().inner().pass(late);
            let committed = now(visitor.commit());
            assert_eq!(committed.is_ok(), stores, "{expiry:?}, {late:?}: {committed:?}");
            assert!(matches!(committed, Ok(_) | Err(Error::Expired)), "{committed:?}");
            assert_eq!(now(is_stored(sessions.store(), "visitor", "42")), stores);
            visitor.discard();
        }
    }
}

#[test]
fn p09_a_store_whose_clock_was_set_forward_refuses_one_start() {
    let sessions = sessions::<Visitor>();
    let mut late = started(&sessions);
    sessions.store().inner().pass(2 * HOUR);
    assert!(matches!(now(late.commit()), Err(Error::Expired)));
    late.discard();
    let _ = sessions.store().take();
    let mut next = now(sessions.start("43")).expect("a start");
    *next.edit().visits() += 1;
    now(next.commit()).expect("a commit");
    assert_eq!(sessions.store().take(), [load("43"), commit("43")], "the clock is looked at again");
}

#[test]
fn p06_a_removal_by_key_tells_when_the_session_moves_away() {
    let sessions = sessions::<Visitor>();
    now(sessions.update("42", |visitor| *visitor.edit().visits() += 1)).expect("a commit");
    // Between the look and the removal, in another process.
    let others = Kept::<Visitor, _>::new(sessions.store().clone());
    let mut moving = now(others.load("42")).expect("a load");
    sessions.store().inner().meanwhile(move || {
        now(moving.renew("43")).expect("a renewal");
    });
    assert!(matches!(now(sessions.destroy("42")), Err(Error::Renewed)));
    assert!(now(is_stored(sessions.store(), "visitor", "43")));
}

#[test]
fn p07_a_removal_by_key_can_be_tried_again() {
    for fault in [Fault::Refused, Fault::LostBefore, Fault::LostAfter] {
        let sessions = sessions::<Visitor>();
        now(sessions.update("42", |visitor| *visitor.edit().visits() += 1)).expect("a commit");
        sessions.store().inner().fail_commit(fault);
        assert!(matches!(now(sessions.destroy("42")), Err(Error::Store(_))), "{fault:?}");
        let again = now(sessions.destroy("42")).expect("the store is back");
        assert_eq!(again, if fault == Fault::LostAfter { Outcome::Unchanged } else { Outcome::Removed });
        assert!(!now(is_stored(sessions.store(), "visitor", "42")), "{fault:?}");
    }
}

#[test]
fn p06_a_start_that_moved_away_unanswered_is_not_said_to_be_destroyed() {
    let sessions = sessions::<Visitor>();
    let mut visitor = started(&sessions);
    commit_in_vain(&sessions, &mut visitor, Fault::LostAfter);
    for _ in 0..10 {
        now(sessions.update("42", |other| *other.edit().visits() += 1)).expect("a commit");
    }
    now(now(sessions.load("42")).expect("a load").renew("43")).expect("a renewal");
    assert!(matches!(now(visitor.destroy()), Err(Error::Renewed)), "it lives on under another key");
    visitor.discard();
    assert!(now(is_stored(sessions.store(), "visitor", "43")));
}

/// A store whose clock is two hours ahead of this machine's, or behind it.
#[test]
fn p09_a_start_goes_by_the_clock_of_the_store() {
    for ahead in [2, -2] {
        let sessions = builder::<Visitor>().expiry(Expiry::AfterInactivity(HOUR / 2)).build();
        sessions.store().inner().set_ahead(ahead * 3_600_000);
        let mut visitor = now(sessions.start("42")).expect("a start");
        *visitor.edit().visits() += 1;
        assert_eq!(now(visitor.commit()).expect("a commit").outcome(), Outcome::Created, "{ahead} hours ahead");
        let mut late = now(sessions.start("43")).expect("a start");
        *late.edit().visits() += 1;
        sessions.store().inner().set_ahead(ahead * 3_600_000 + 1_800_000);
        assert!(matches!(now(late.commit()), Err(Error::Expired)), "{ahead} hours ahead");
        late.discard();
    }
}
