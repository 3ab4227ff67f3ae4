//! Failure doubles nothing: work that is delivered again is done once.

use std::pin::pin;

use session_runtime::store::Call;
use session_runtime::{Error, Handle, Once, Outcome, Session, WorkId, merge};
use session_tests::{Fault, Kept, begin, is_stored, now};

use crate::visitor::{TestStore, sessions};

#[derive(Session)]
#[session(name = "p07-work")]
struct Counter {
    #[session(merge = merge::add)]
    count: u32,
    label: String,
    #[session(conflict = "reject")]
    seats: u32,
}

const MISSING: [Fault; 4] = [Fault::LostBefore, Fault::LostAfter, Fault::StuckBefore, Fault::StuckAfter];

type Counters = Kept<Counter, TestStore>;

fn load(sessions: &Counters) -> Handle<Counter> {
    now(sessions.load("42")).expect("a load")
}

/// A handler of an update: it asks first, and then adds one.
fn deliver(sessions: &Counters, update: u32) -> Once<()> {
    let mut counter = load(sessions);
    if counter.has_done(update) {
        return Once::DoneBefore;
    }
    *counter.edit().count() += 1;
    match now(counter.commit_as(update)).expect("a commit") {
        Once::Done(_) => Once::Done(()),
        Once::DoneBefore => Once::DoneBefore,
    }
}

fn calls(sessions: &Counters) -> usize {
    sessions.store().take().len()
}

#[test]
fn p07_an_update_that_is_delivered_again_is_applied_once_and_costs_one_read() {
    let sessions = sessions();
    assert_eq!(deliver(&sessions, 7), Once::Done(()));
    calls(&sessions);
    assert_eq!(deliver(&sessions, 7), Once::DoneBefore);
    assert_eq!(calls(&sessions), 1);
    assert_eq!(deliver(&sessions, 8), Once::Done(()));
    assert_eq!(load(&sessions).count, 2);
}

#[test]
fn p07_a_second_delivery_that_changes_nothing_learns_that_it_is_the_second() {
    let sessions = sessions();
    assert_eq!(deliver(&sessions, 7), Once::Done(()));
    assert_eq!(now(load(&sessions).commit_as(7_u32)).expect("an answer"), Once::DoneBefore);
}

#[test]
fn p07_work_that_changes_nothing_is_not_written_and_runs_again() {
    let sessions: Counters = sessions();
    for _ in 0..2 {
        let mut counter = load(&sessions);
        assert!(!counter.has_done("look"));
        calls(&sessions);
        let done = now(counter.commit_as("look")).expect("a commit");
        assert_eq!(done.done().expect("it is done now").outcome(), Outcome::Unchanged);
        *counter.edit().count() = 0;
        assert!(now(counter.commit_as("look")).expect("a commit").done().is_some());
        assert_eq!(calls(&sessions), 0);
    }
    assert!(!now(is_stored(sessions.store(), "p07-work", "42")));
}

#[test]
fn p07_a_delivery_whose_answer_is_missing_is_made_again_by_the_same_handle() {
    for fault in MISSING {
        let sessions: Counters = sessions();
        let mut counter = load(&sessions);
        *counter.edit().count() += 1;
        sessions.store().inner().fail_commit(fault);
        let _ = begin(pin!(counter.commit_as(7_u32)).as_mut());
        let done = now(counter.commit_as(7_u32)).expect("the store is back").done();
        assert_eq!(done.expect("it is the same delivery").outcome(), Outcome::Created, "{fault:?}");
        assert_eq!(load(&sessions).count, 1, "{fault:?}");
    }
}

#[test]
fn p07_a_delivery_whose_answer_is_missing_and_the_next_one_are_stored_once() {
    for fault in MISSING {
        for change in [1, 10] {
            let sessions: Counters = sessions();
            let mut first = load(&sessions);
            *first.edit().count() += 1;
            sessions.store().inner().fail_commit(fault);
            let _ = begin(pin!(first.commit_as(7_u32)).as_mut());
            // The next delivery, of another process: with the same change or with another.
            let second = now(sessions.update_as("42", 7_u32, |counter| *counter.edit().count() += change));
            let first_is_stored = matches!(fault, Fault::LostAfter | Fault::StuckAfter);
            assert_eq!(second.expect("an update").done().is_none(), first_is_stored, "{fault:?}");
            // And the first one tries again, under the id that its bytes have.
            let again = now(first.commit_as(7_u32)).expect("the store is back");
            assert_eq!(again.done().is_some(), first_is_stored, "{fault:?}");
            let stored = if first_is_stored { 1 } else { change };
            assert_eq!((load(&sessions).count, first.count), (stored, stored), "{fault:?}");
            // The handle is as good as any other.
            *first.edit().count() += 100;
            now(first.commit()).expect("a commit");
            assert_eq!(load(&sessions).count, stored + 100, "{fault:?}");
        }
    }
}

#[test]
fn p07_a_second_delivery_learns_that_it_is_the_second_and_not_that_a_field_was_changed() {
    let sessions: Counters = sessions();
    let (mut first, mut second) = (load(&sessions), load(&sessions));
    *first.edit().seats() = 3;
    *second.edit().seats() = 4;
    assert!(now(first.commit_as("order-1")).expect("a commit").done().is_some());
    assert_eq!(now(second.commit_as("order-1")).expect("no conflict"), Once::DoneBefore);
    // Another piece of work is refused as ever.
    let mut third = load(&sessions);
    now(sessions.update("42", |counter| *counter.edit().seats() = 5)).expect("a commit");
    *third.edit().seats() = 6;
    assert!(matches!(now(third.commit_as("order-2")), Err(Error::Conflict { .. })));
    third.discard();
    assert_eq!(load(&sessions).seats, 5);
}

#[test]
fn p07_changes_that_no_one_answered_for_are_forgotten_with_a_second_delivery() {
    let sessions: Counters = sessions();
    let mut counter = load(&sessions);
    *counter.edit().label() = "mine".to_owned();
    sessions.store().inner().fail_commit(Fault::LostBefore);
    now(counter.commit()).expect_err("the answer is lost");
    assert_eq!(deliver(&sessions, 7), Once::Done(()));
    assert_eq!(now(counter.commit_as(7_u32)).expect("an answer"), Once::DoneBefore);
    assert_eq!((counter.count, &*counter.label), (1, ""));
    assert!(counter.dirty().expect("it can be encoded").is_empty());
}

#[test]
fn p07_what_is_changed_after_a_lost_answer_belongs_to_the_same_delivery() {
    for fault in MISSING {
        let sessions: Counters = sessions();
        let mut counter = load(&sessions);
        *counter.edit().count() += 1;
        sessions.store().inner().fail_commit(fault);
        let _ = begin(pin!(counter.commit_as(7_u32)).as_mut());
        *counter.edit().label() = "later".to_owned();
        assert!(now(counter.commit_as(7_u32)).expect("the store is back").done().is_some());
        let stored = load(&sessions);
        assert_eq!((stored.count, &*stored.label), (1, "later"), "{fault:?}");
        assert_eq!(deliver(&sessions, 7), Once::DoneBefore);
    }
}

#[test]
fn p07_an_error_of_an_update_does_no_work() {
    let sessions: Counters = sessions();
    let refused = now(sessions.try_update_as("42", 7_u32, |counter| {
        *counter.edit().count() += 1;
        Err::<(), Error>(Error::Contended)
    }));
    assert!(matches!(refused, Err(Error::Contended)));
    assert_eq!(deliver(&sessions, 7), Once::Done(()));
}

#[test]
fn p07_an_update_that_others_outran_looks_again_whether_its_work_is_done() {
    let sessions: Counters = sessions();
    now(sessions.update("42", |counter| *counter.edit().count() = 10)).expect("a commit");
    let (others, mut runs) = (Kept::new(sessions.store().clone()), 0);
    sessions.store().inner().meanwhile(move || assert_eq!(deliver(&others, 7), Once::Done(())));
    let done = now(sessions.update_as("42", 7_u32, |counter| {
        runs += 1;
        *counter.edit().count() += 1;
    }));
    assert_eq!((done.expect("an update"), runs), (Once::DoneBefore, 1));
    assert_eq!(load(&sessions).count, 11);
}

#[test]
fn p07_work_is_told_apart_by_its_name_and_a_number_is_its_digits() {
    assert_eq!(WorkId::from(42_u32), WorkId::from("42"));
    assert_eq!(WorkId::from(-1_i64), WorkId::from(&"-1".to_owned()));
    let names: std::collections::HashSet<_> = (0..10_000_u64).map(WorkId::from).collect();
    assert_eq!(names.len(), 10_000);
}

#[test]
fn p07_a_second_delivery_costs_no_commit() {
    let sessions: Counters = sessions();
    assert_eq!(deliver(&sessions, 7), Once::Done(()));
    let mut counter = load(&sessions);
    *counter.edit().count() += 1;
    let _ = sessions.store().take();
    assert_eq!(now(counter.commit_as(7_u32)).expect("an answer"), Once::DoneBefore);
    assert_eq!(sessions.store().take(), Vec::<Call>::new());
}
