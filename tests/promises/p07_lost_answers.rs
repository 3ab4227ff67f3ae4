//! Failure loses nothing and doubles nothing: commits whose answer is missing.

use std::pin::pin;

use session_runtime::store::{Call, StoreErrorKind};
use session_runtime::{Error, Handle, Outcome, Session, merge};
use session_tests::{Fault, Kept, begin, is_stored, now, record, stored};

use crate::visitor::{TestStore, fields, sessions};

#[derive(Session)]
#[session(name = "p07-counter")]
struct Counter {
    #[session(merge = merge::add)]
    count: u32,
    label: String,
}

/// How the answer to a commit can be missing.
const MISSING: [Fault; 4] = [Fault::LostBefore, Fault::LostAfter, Fault::StuckBefore, Fault::StuckAfter];

/// Sessions of which `42` counted to ten, and a handle of it.
fn at_ten() -> (Kept<Counter, TestStore>, Handle<Counter>) {
    let sessions = sessions();
    now(sessions.update("42", |counter: &mut Handle<Counter>| *counter.edit().count() = 10)).expect("a commit");
    let handle = now(sessions.load("42")).expect("a load");
    let _ = sessions.store().take();
    (sessions, handle)
}

fn fail(sessions: &Kept<Counter, TestStore>, fault: Fault) {
    sessions.store().inner().fail_commit(fault);
}

/// Commits; a future that waits for an answer that never comes is dropped.
fn commit_in_vain(handle: &mut Handle<Counter>) {
    let mut commit = pin!(handle.commit());
    if let std::task::Poll::Ready(result) = begin(commit.as_mut()) {
        assert!(matches!(result, Err(Error::Store(_))), "{result:?}");
    }
}

fn count(sessions: &Kept<Counter, TestStore>) -> u32 {
    now(sessions.load("42")).expect("a load").count
}

fn revision(sessions: &Kept<Counter, TestStore>) -> u64 {
    now(record(sessions.store(), "p07-counter", "42")).expect("a record").head.revision
}

/// Others commit so many times, each adding one hundred.
fn others_commit(sessions: &Kept<Counter, TestStore>, times: u32) {
    for _ in 0..times {
        now(sessions.update("42", |other| *other.edit().count() += 100)).expect("a commit");
    }
}

#[test]
fn p07_a_commit_whose_answer_is_missing_can_be_tried_again_and_is_applied_once() {
    for fault in MISSING {
        let (sessions, mut counter) = at_ten();
        *counter.edit().count() += 1;
        fail(&sessions, fault);
        commit_in_vain(&mut counter);
        assert!(counter.dirty().expect("it can be encoded").contains(CounterField::Count), "{fault:?}");
        let committed = now(counter.commit()).expect("the store is back");
        assert_eq!((committed.outcome(), committed.fields().len()), (Outcome::Updated, 1), "{fault:?}");
        assert_eq!((count(&sessions), revision(&sessions)), (11, 2), "{fault:?}");
        assert_eq!(now(counter.commit()).expect("nothing to do").outcome(), Outcome::Unchanged);
    }
}

#[test]
fn p07_a_first_commit_whose_answer_is_missing_creates_once() {
    for fault in MISSING {
        let sessions = sessions::<Counter>();
        let mut counter = now(sessions.load("42")).expect("a load");
        *counter.edit().count() += 1;
        fail(&sessions, fault);
        commit_in_vain(&mut counter);
        assert_eq!(now(counter.commit()).expect("the store is back").outcome(), Outcome::Created, "{fault:?}");
        assert_eq!((count(&sessions), revision(&sessions)), (1, 1), "{fault:?}");
    }
}

#[test]
fn p07_a_commit_that_was_refused_for_certain_can_be_tried_again() {
    let (sessions, mut counter) = at_ten();
    *counter.edit().count() += 1;
    fail(&sessions, Fault::Refused);
    commit_in_vain(&mut counter);
    *counter.edit().count() += 1;
    now(counter.commit()).expect("the store is back");
    assert_eq!((count(&sessions), revision(&sessions)), (12, 2), "both changes in one commit");
}

#[test]
fn p07_later_edits_travel_under_a_new_id() {
    for fault in MISSING {
        let (sessions, mut counter) = at_ten();
        *counter.edit().count() += 1;
        fail(&sessions, fault);
        commit_in_vain(&mut counter);
        *counter.edit().count() += 1;
        *counter.edit().label() = "late".to_owned();
        let _ = sessions.store().take();
        assert_eq!(now(counter.commit()).expect("the store is back").fields().len(), 2, "{fault:?}");
        let sent = |set: &[(&str, &str)]| Call::Commit { key: "42".to_owned(), set: fields(set), unset: Vec::new() };
        let frozen = sent(&[("count", "11")]);
        assert_eq!(sessions.store().take(), [frozen, sent(&[("count", "12"), ("label", r#""late""#)])], "{fault:?}");
        assert_eq!((count(&sessions), revision(&sessions)), (12, 3), "{fault:?}");
    }
}

#[test]
fn p07_an_edit_taken_back_after_a_lost_answer_is_taken_back_in_the_store() {
    for fault in MISSING {
        let (sessions, mut counter) = at_ten();
        *counter.edit().count() += 1;
        fail(&sessions, fault);
        commit_in_vain(&mut counter);
        *counter.edit().count() -= 1;
        now(counter.commit()).expect("the store is back");
        assert_eq!(count(&sessions), 10, "{fault:?}");
    }
}

#[test]
fn p07_an_answer_can_be_missing_many_times() {
    let (sessions, mut counter) = at_ten();
    *counter.edit().count() += 1;
    for fault in
        [Fault::LostBefore, Fault::StuckBefore, Fault::Refused, Fault::LostAfter, Fault::Refused, Fault::StuckAfter]
    {
        fail(&sessions, fault);
        commit_in_vain(&mut counter);
    }
    now(counter.commit()).expect("the store is back");
    assert_eq!((count(&sessions), revision(&sessions)), (11, 2));
}

#[test]
fn p07_a_session_that_is_stored_again_says_so_also_when_the_answer_was_lost() {
    let (sessions, _) = at_ten();
    now(sessions.update("42", |counter| *counter.edit().count() = 0)).expect("it is emptied");
    let mut counter = now(sessions.load("42")).expect("a load");
    *counter.edit().count() = 1;
    fail(&sessions, Fault::LostAfter);
    commit_in_vain(&mut counter);
    assert_eq!(now(counter.commit()).expect("the store is back").outcome(), Outcome::Created);
}

#[test]
fn p07_a_lost_answer_is_settled_exactly_although_others_commit_in_between() {
    for fault in MISSING {
        for others in [1, 7] {
            let (sessions, mut counter) = at_ten();
            *counter.edit().count() += 1;
            fail(&sessions, fault);
            commit_in_vain(&mut counter);
            others_commit(&sessions, others);
            now(counter.commit()).expect("the store is back");
            assert_eq!(count(&sessions), 11 + others * 100, "{fault:?}, {others} others");
            *counter.edit().count() += 1;
            now(counter.commit()).expect("a commit");
            assert_eq!(count(&sessions), 12 + others * 100, "{fault:?}, {others} others");
        }
    }
}

#[test]
fn p07_the_eighth_commit_after_a_lost_one_is_the_last_that_can_be_told_apart() {
    for fault in [Fault::LostBefore, Fault::StuckBefore] {
        let (sessions, mut counter) = at_ten();
        *counter.edit().count() += 1;
        fail(&sessions, fault);
        commit_in_vain(&mut counter);
        others_commit(&sessions, 8);
        now(counter.commit()).expect("all eight ids are kept, and mine is not among them");
        assert_eq!(count(&sessions), 811, "{fault:?}");
    }
}

#[test]
fn p07_after_more_than_eight_commits_the_outcome_is_unknown_and_nothing_is_guessed() {
    // Of those that were applied, the own commit is one of the eight.
    for (fault, others, left) in [
        (Fault::LostAfter, 8, 811),
        (Fault::StuckAfter, 8, 811),
        (Fault::LostBefore, 9, 910),
        (Fault::StuckBefore, 9, 910),
    ] {
        let (sessions, mut counter) = at_ten();
        *counter.edit().count() += 1;
        fail(&sessions, fault);
        commit_in_vain(&mut counter);
        others_commit(&sessions, others);
        for _ in 0..2 {
            let unknown = now(counter.commit()).expect_err("too long ago");
            assert!(matches!(unknown, Error::OutcomeUnknown), "{fault:?}: {unknown:?}");
            assert_eq!(count(&sessions), left, "{fault:?}");
        }
        counter.discard();
    }
}

#[test]
fn p07_a_destruction_that_fails_does_not_settle_the_lost_commit_before_it() {
    let (sessions, mut counter) = at_ten();
    *counter.edit().count() += 1;
    fail(&sessions, Fault::LostAfter);
    commit_in_vain(&mut counter);
    others_commit(&sessions, 9);

    // The first call asks for the lost commit, of which nobody knows any more; the second, which destroys, fails.
    let store = sessions.store().inner().clone();
    sessions.store().inner().meanwhile(move || store.fail_commit(Fault::Refused));
    assert!(matches!(now(counter.destroy()), Err(Error::Store(_))));
    assert!(matches!(now(counter.commit()), Err(Error::OutcomeUnknown)), "it is as unknown as before");
    assert_eq!(now(counter.destroy()).expect("the store is back"), Outcome::Removed);
    assert!(!now(is_stored(sessions.store(), "p07-counter", "42")));
}

#[test]
fn p07_a_lost_commit_to_a_session_that_was_destroyed_meanwhile_stays_void() {
    for fault in MISSING {
        let (sessions, mut counter) = at_ten();
        *counter.edit().count() += 1;
        fail(&sessions, fault);
        commit_in_vain(&mut counter);
        now(now(sessions.load("42")).expect("a load").destroy()).expect("a removal");
        // One that was applied before the removal may say so; either way nothing comes back.
        let _ = now(counter.commit());
        *counter.edit().label() = "late".to_owned();
        assert!(matches!(now(counter.commit()), Err(Error::Destroyed)), "{fault:?}");
        assert!(!now(is_stored(sessions.store(), "p07-counter", "42")), "{fault:?}");
        counter.discard();
    }
}

#[test]
fn p07_a_removal_whose_answer_is_missing_can_be_tried_again() {
    for fault in MISSING {
        let (sessions, mut counter) = at_ten();
        fail(&sessions, fault);
        {
            let mut destroy = pin!(counter.destroy());
            let _ = begin(destroy.as_mut());
        }
        assert_eq!(now(counter.destroy()).expect("the store is back"), Outcome::Removed, "{fault:?}");
        assert!(!now(is_stored(sessions.store(), "p07-counter", "42")), "{fault:?}");
        *counter.edit().label() = "late".to_owned();
        assert!(matches!(now(counter.commit()), Err(Error::Destroyed)), "{fault:?}");
        counter.discard();
    }
}

#[test]
fn p07_a_renewal_whose_answer_is_missing_can_be_tried_again_and_moves_once() {
    for fault in MISSING {
        let (sessions, mut counter) = at_ten();
        *counter.edit().count() += 1;
        fail(&sessions, fault);
        {
            let mut renew = pin!(counter.renew("43"));
            let _ = begin(renew.as_mut());
        }
        *counter.edit().label() = "late".to_owned();
        now(counter.renew("43")).expect("the store is back");
        assert_eq!(counter.key(), "43", "{fault:?}");
        assert!(!now(is_stored(sessions.store(), "p07-counter", "42")), "{fault:?}");
        let moved = [("count", "11"), ("label", r#""late""#)];
        assert_eq!(now(stored(sessions.store(), "p07-counter", "43")), fields(&moved), "{fault:?}");
    }
}

/// Begins a renewal to `43`, and does not wait for its answer.
fn renew_in_vain(handle: &mut Handle<Counter>) {
    let mut renew = pin!(handle.renew("43"));
    let _ = begin(renew.as_mut());
}

#[test]
fn p07_a_removal_or_a_renewal_that_was_applied_is_answered_although_its_key_has_a_new_life() {
    for fault in [Fault::LostAfter, Fault::StuckAfter] {
        // Eight ids of a key are kept; of a renewal, the new key tells as well.
        for (others, removes, renews) in [(1, true, true), (7, true, true), (8, false, true)] {
            let (sessions, mut counter) = at_ten();
            fail(&sessions, fault);
            {
                let mut destroy = pin!(counter.destroy());
                let _ = begin(destroy.as_mut());
            }
            others_commit(&sessions, others);
            let destroyed = now(counter.destroy());
            assert_eq!(destroyed.is_ok(), removes, "{others} others: {destroyed:?}");
            assert!(matches!(destroyed, Ok(Outcome::Removed) | Err(Error::OutcomeUnknown)), "{destroyed:?}");
            assert_eq!(count(&sessions), others * 100, "the new life goes on");

            let (sessions, mut counter) = at_ten();
            *counter.edit().count() += 1;
            fail(&sessions, fault);
            renew_in_vain(&mut counter);
            others_commit(&sessions, others);
            let renewed = now(counter.renew("43"));
            assert_eq!(renewed.is_ok(), renews, "{others} others: {renewed:?}");
            assert_eq!(renewed.expect("it moved").outcome(), Outcome::Updated);
            assert_eq!((counter.key(), count(&sessions)), ("43", others * 100));
            *counter.edit().count() += 1;
            assert_eq!(now(counter.commit()).expect("a commit").outcome(), Outcome::Updated);
            assert_eq!(now(stored(sessions.store(), "p07-counter", "43")), fields(&[("count", "12")]));
        }
    }
}

#[test]
fn p07_a_session_whose_renewal_was_not_answered_is_destroyed_wherever_it_is() {
    for fault in MISSING {
        for others in [0, 1, 9] {
            let (sessions, mut counter) = at_ten();
            fail(&sessions, fault);
            renew_in_vain(&mut counter);
            others_commit(&sessions, others);
            assert_eq!(now(counter.destroy()).expect("a removal"), Outcome::Removed, "{fault:?}, {others} others");
            assert!(!now(is_stored(sessions.store(), "p07-counter", "43")), "{fault:?}, {others} others");
            let moved = matches!(fault, Fault::LostAfter | Fault::StuckAfter);
            assert_eq!(count(&sessions), if moved { others * 100 } else { 0 }, "{fault:?}: the next life is another's");
        }
    }
}

#[test]
fn p07_a_renewal_after_one_that_was_not_answered_moves_on_from_there() {
    for fault in MISSING {
        let (sessions, mut counter) = at_ten();
        fail(&sessions, fault);
        renew_in_vain(&mut counter);
        now(counter.renew("44")).expect("the store is back");
        assert_eq!(counter.key(), "44", "{fault:?}");
        assert_eq!(now(stored(sessions.store(), "p07-counter", "44")), fields(&[("count", "10")]), "{fault:?}");
        assert!(!now(is_stored(sessions.store(), "p07-counter", "43")), "{fault:?}");
        assert_eq!(now(counter.destroy()).expect("a removal"), Outcome::Removed);
    }
}

#[test]
fn p07_a_lost_renewal_is_known_to_have_been_made_also_where_its_session_was_destroyed_since() {
    let (sessions, mut counter) = at_ten();
    fail(&sessions, Fault::LostAfter);
    renew_in_vain(&mut counter);
    others_commit(&sessions, 9);
    assert_eq!(now(sessions.destroy("43")).expect("a logout"), Outcome::Removed);
    now(counter.renew("43")).expect("it moved");
    assert_eq!(counter.key(), "43");
    *counter.edit().count() += 1;
    assert!(matches!(now(counter.commit()), Err(Error::Destroyed)));
    counter.discard();
}

#[test]
fn p07_a_renewal_that_was_refused_is_not_taken_for_one_that_was_lost() {
    let (sessions, mut counter) = at_ten();
    fail(&sessions, Fault::LostBefore);
    renew_in_vain(&mut counter);
    now(now(sessions.load("42")).expect("a load").renew("44")).expect("a renewal");
    others_commit(&sessions, 1);
    assert!(matches!(now(counter.renew("43")), Err(Error::Destroyed)));
    assert_eq!(counter.key(), "42");
    assert!(!now(is_stored(sessions.store(), "p07-counter", "43")));
}

#[test]
fn p07_a_lost_renewal_is_settled_by_a_commit() {
    for fault in MISSING {
        let (sessions, mut counter) = at_ten();
        fail(&sessions, fault);
        {
            let mut renew = pin!(counter.renew("43"));
            let _ = begin(renew.as_mut());
        }
        *counter.edit().count() += 1;
        now(counter.commit()).expect("the store is back");
        assert_eq!(counter.key(), "43", "{fault:?}");
        assert_eq!(now(stored(sessions.store(), "p07-counter", "43")), fields(&[("count", "11")]), "{fault:?}");
        assert!(!now(is_stored(sessions.store(), "p07-counter", "42")), "{fault:?}");
    }
}

#[test]
fn p07_a_commit_that_empties_a_session_and_whose_answer_is_missing_is_applied_once() {
    for fault in MISSING {
        let (sessions, mut counter) = at_ten();
        *counter.edit().count() = 0;
        fail(&sessions, fault);
        commit_in_vain(&mut counter);
        now(counter.commit()).expect("the store is back");
        assert!(!now(is_stored(sessions.store(), "p07-counter", "42")), "{fault:?}");
        *counter.edit().count() = 1;
        assert_eq!(now(counter.commit()).expect("a commit").outcome(), Outcome::Created, "{fault:?}");
        assert_eq!((count(&sessions), revision(&sessions)), (1, 3), "{fault:?}");
    }
}

#[test]
fn p07_a_handle_that_gives_up_a_lost_commit_sends_nothing_more() {
    let (sessions, mut counter) = at_ten();
    *counter.edit().count() += 1;
    fail(&sessions, Fault::LostBefore);
    commit_in_vain(&mut counter);
    let _ = sessions.store().take();
    counter.discard();
    assert_eq!(sessions.store().take(), []);
    assert_eq!(count(&sessions), 10);
}

#[test]
fn p07_a_commit_that_waits_for_its_turn_can_be_dropped() {
    let (sessions, mut first) = at_ten();
    let mut second = now(sessions.load("42")).expect("a load");
    *first.edit().count() += 1;
    *second.edit().count() += 10;
    fail(&sessions, Fault::StuckBefore);
    {
        let mut stuck = pin!(first.commit());
        assert!(begin(stuck.as_mut()).is_pending());
        let mut waiting = pin!(second.commit());
        assert!(begin(waiting.as_mut()).is_pending(), "commits of one key take turns");
    }
    now(second.commit()).expect("the turn is free");
    now(first.commit()).expect("the turn is free");
    assert_eq!(count(&sessions), 21);
}

#[derive(Session)]
#[session(name = "p07-strict")]
struct Strict {
    #[session(conflict = "reject")]
    count: u32,
}

#[test]
fn p07_a_session_is_destroyed_although_its_lost_commit_is_refused_by_now() {
    let sessions = sessions::<Strict>();
    now(sessions.update("42", |session| *session.edit().count() = 1)).expect("a commit");
    let mut late = now(sessions.load("42")).expect("a load");
    *late.edit().count() = 2;
    sessions.store().inner().fail_commit(Fault::LostBefore);
    now(late.commit()).expect_err("the answer is lost");
    now(sessions.update("42", |session| *session.edit().count() = 3)).expect("a commit");
    assert_eq!(now(late.destroy()).expect("a removal"), Outcome::Removed);
    assert!(!now(is_stored(sessions.store(), "p07-strict", "42")));
}

#[test]
fn p07_an_update_that_was_refused_for_certain_is_an_error_and_no_success() {
    let sessions = sessions::<Counter>();
    fail(&sessions, Fault::Refused);
    let refused = now(sessions.update("42", |counter| *counter.edit().count() += 1)).expect_err("the store is busy");
    assert!(matches!(&refused, Error::Store(error) if error.kind() == StoreErrorKind::Busy), "{refused:?}");
    assert_eq!(count(&sessions), 0);
    assert_eq!(sessions.stats().commits_failed, 1);
}

#[test]
fn p07_an_update_outside_of_a_runtime_is_sent_again_once() {
    let sessions = sessions::<Counter>();
    let update = || now(sessions.update("42", |counter| *counter.edit().count() += 1));
    fail(&sessions, Fault::LostBefore);
    update().expect("the second time it arrives");
    (0..2).for_each(|_| fail(&sessions, Fault::LostBefore));
    let _ = sessions.store().take();
    update().expect_err("nothing there could wait");
    let commits = sessions.store().take().iter().filter(|call| matches!(call, Call::Commit { .. })).count();
    assert_eq!((commits, count(&sessions)), (2, 1));
}
