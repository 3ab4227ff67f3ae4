//! A session in use is not reclaimed.

use std::time::{Duration, SystemTime};

use session_runtime::expiry::Timestamp;
use session_runtime::store::{Call, Key};
use session_runtime::{Error, Expiry, Handle, Outcome};
use session_tests::{Fault, Kept, is_stored, now, record};

use crate::visitor::{Item, TestStore, Visitor, VisitorField, builder};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const TTL: Duration = Duration::from_secs(30 * 60);

/// A minute before a session that was used just now expires.
const ALMOST: Duration = Duration::from_secs(29 * 60);

fn with(expiry: Expiry) -> Kept<Visitor, TestStore> {
    builder().expiry(expiry).build()
}

fn sliding() -> Kept<Visitor, TestStore> {
    with(Expiry::AfterInactivity(TTL))
}

fn load(sessions: &Kept<Visitor, TestStore>) -> Handle<Visitor> {
    now(sessions.load("42")).expect("a load")
}

fn store(sessions: &Kept<Visitor, TestStore>) {
    now(sessions.update("42", |visitor| *visitor.edit().visits() += 1)).expect("a commit");
}

fn pass(sessions: &Kept<Visitor, TestStore>, time: Duration) {
    sessions.store().inner().pass(time);
}

/// How long a session lives from now on by the clock of a store in which `passed` has passed.
fn left(handle: &Handle<Visitor>, passed: Duration) -> Duration {
    let left = handle.expires_at().expect("it expires").duration_since(SystemTime::now() + passed).expect("not yet");
    // In whole minutes: no test takes one.
    Duration::from_secs(left.as_secs().div_ceil(60) * 60)
}

#[test]
fn p09_a_load_counts_as_activity() {
    let sessions = sliding();
    store(&sessions);
    for _ in 0..20 {
        pass(&sessions, ALMOST);
        assert_eq!(load(&sessions).visits, 1);
    }
    pass(&sessions, TTL);
    assert!(load(&sessions).is_new(), "and only activity keeps it");
    assert!(!now(is_stored(sessions.store(), "visitor", "42")));
}

#[test]
fn p09_a_commit_counts_as_activity() {
    let sessions = sliding();
    store(&sessions);
    let mut visitor = load(&sessions);
    for _ in 0..5 {
        pass(&sessions, ALMOST);
        *visitor.edit().visits() += 1;
        now(visitor.commit()).expect("a commit");
    }
    assert_eq!(load(&sessions).visits, 6);
}

/// Loads every minute, and counts how many of `minutes` loads moved the expiry.
fn renewals(sessions: &Kept<Visitor, TestStore>, minutes: u32) -> usize {
    store(sessions);
    let _ = sessions.store().take();
    for _ in 0..minutes {
        pass(sessions, MINUTE);
        load(sessions);
    }
    let calls = sessions.store().take();
    assert_eq!(calls.len(), minutes as usize, "a renewal is part of its load");
    calls.iter().filter(|call| matches!(call, Call::Load { touched: true, .. })).count()
}

#[test]
fn p09_the_renewal_is_sent_only_when_a_share_of_the_time_has_passed() {
    assert_eq!(renewals(&sliding(), 30), 10, "a tenth of thirty minutes by default");
    let expiry = Expiry::AfterInactivity(TTL);
    assert_eq!(renewals(&builder().expiry(expiry).touch_share(0.5).build(), 30), 2);
    assert_eq!(renewals(&builder().expiry(expiry).touch_share(0.0).build(), 30), 30);
    assert_eq!(renewals(&with(Expiry::Never), 30), 0);
    assert_eq!(renewals(&with(Expiry::AfterCreation(TTL * 2)), 30), 0);
}

#[test]
fn p09_a_coarse_renewal_shortens_a_life_by_less_than_its_share() {
    let sessions = sliding();
    store(&sessions);
    pass(&sessions, 150 * SECOND);
    load(&sessions);
    // Activity a moment before the renewal is due is the worst case.
    pass(&sessions, 27 * MINUTE);
    assert!(!load(&sessions).is_new());
}

#[test]
fn p09_a_session_that_is_not_stored_obeys_the_same_rule() {
    let sessions = sliding();
    let mut visitor = load(&sessions);
    assert_eq!(left(&visitor, Duration::ZERO), TTL);
    *visitor.edit().visits() += 1;
    pass(&sessions, ALMOST);
    assert_eq!(now(visitor.commit()).expect("in time").outcome(), Outcome::Created);
    assert_eq!(left(&visitor, ALMOST), TTL, "a commit is activity");

    let mut late = now(sessions.load("43")).expect("a load");
    *late.edit().visits() += 1;
    pass(&sessions, TTL);
    assert!(matches!(now(late.commit()), Err(Error::Expired)));
    assert!(!now(is_stored(sessions.store(), "visitor", "43")));
    late.discard();
    store(&sessions);
}

#[test]
fn p09_expires_at_tells_the_same_whether_or_not_the_session_is_stored() {
    let sessions = sliding();
    assert_eq!(left(&load(&sessions), Duration::ZERO), TTL);
    store(&sessions);
    assert_eq!(left(&load(&sessions), Duration::ZERO), TTL);
    pass(&sessions, 10 * MINUTE);
    assert_eq!(left(&load(&sessions), 10 * MINUTE), TTL, "the load touched it");
    pass(&sessions, MINUTE);
    assert_eq!(left(&load(&sessions), 11 * MINUTE), ALMOST, "the load did not renew it");
    assert_eq!(load(&with(Expiry::Never)).expires_at(), None);
}

#[test]
fn p09_after_creation_ends_however_much_the_session_is_used() {
    let sessions = with(Expiry::AfterCreation(TTL));
    store(&sessions);
    for _ in 0..2 {
        pass(&sessions, 14 * MINUTE);
        store(&sessions);
    }
    assert_eq!(load(&sessions).visits, 3);
    assert_eq!(left(&load(&sessions), 28 * MINUTE), 2 * MINUTE);
    pass(&sessions, 2 * MINUTE);
    assert!(load(&sessions).is_new());
}

#[test]
fn p09_after_either_ends_at_the_earlier_of_the_two() {
    let sessions = with(Expiry::AfterEither { inactivity: 10 * MINUTE, creation: TTL });
    store(&sessions);
    for _ in 0..3 {
        pass(&sessions, 9 * MINUTE);
        assert!(!load(&sessions).is_new());
    }
    assert_eq!(left(&load(&sessions), 27 * MINUTE), 3 * MINUTE);
    pass(&sessions, 3 * MINUTE);
    assert!(load(&sessions).is_new(), "too old");
    store(&sessions);
    pass(&sessions, 10 * MINUTE);
    assert!(load(&sessions).is_new(), "too long unused");
}

#[test]
fn p09_the_date_that_a_handler_sets_replaces_the_rule() {
    let sessions = sliding();
    store(&sessions);
    let mut visitor = load(&sessions);
    let date = SystemTime::UNIX_EPOCH + Duration::from_secs(4_000_000_000);
    visitor.expire_at(date);
    assert_eq!(visitor.expires_at(), Some(date));
    assert!(visitor.dirty().expect("it can be encoded").is_empty(), "it is no field");
    let committed = now(visitor.commit()).expect("a commit");
    assert_eq!((committed.outcome(), committed.fields().len()), (Outcome::Updated, 0));
    pass(&sessions, 10 * TTL);
    assert_eq!(load(&sessions).expires_at(), Some(date));
    store(&sessions);
    assert_eq!(load(&sessions).expires_at(), Some(date), "later commits leave it");
    assert_eq!(load(&sessions).visits, 2);
}

#[test]
fn p09_an_expiry_alone_does_not_store_a_session() {
    let sessions = sliding();
    let mut visitor = load(&sessions);
    let soon = SystemTime::now() + 5 * MINUTE;
    visitor.expire_at(soon);
    let _ = sessions.store().take();
    assert_eq!(now(visitor.commit()).expect("a commit").outcome(), Outcome::Unchanged);
    assert_eq!(sessions.store().take(), []);
    *visitor.edit().visits() += 1;
    assert_eq!(now(visitor.commit()).expect("a commit").outcome(), Outcome::Created);
    assert_eq!(left(&load(&sessions), Duration::ZERO), 5 * MINUTE, "it went with the first field");
    pass(&sessions, 5 * MINUTE);
    assert!(load(&sessions).is_new());
}

#[test]
fn p09_a_remembered_session_slides_by_a_lifetime_of_its_own() {
    let sessions = sliding();
    store(&sessions);
    let mut visitor = load(&sessions);
    visitor.expire_after(10 * TTL);
    assert_eq!(left(&visitor, Duration::ZERO), 10 * TTL, "told before it is committed");
    let committed = now(visitor.commit()).expect("a commit");
    assert_eq!((committed.outcome(), committed.fields().len()), (Outcome::Updated, 0));
    for visit in 1..=3 {
        pass(&sessions, 9 * TTL);
        assert_eq!(left(&load(&sessions), visit * 9 * TTL), 10 * TTL, "each visit moves it");
    }
    let mut visitor = load(&sessions);
    visitor.expire_by_rule();
    now(visitor.commit()).expect("a commit");
    assert_eq!(left(&load(&sessions), 27 * TTL), TTL);
    pass(&sessions, TTL);
    assert!(load(&sessions).is_new());
}

#[test]
fn p09_a_lifetime_alone_does_not_store_a_session() {
    let sessions = sliding();
    let mut visitor = load(&sessions);
    visitor.expire_after(10 * TTL);
    let _ = sessions.store().take();
    assert_eq!(now(visitor.commit()).expect("a commit").outcome(), Outcome::Unchanged);
    assert_eq!(sessions.store().take(), []);
    *visitor.edit().visits() += 1;
    assert_eq!(now(visitor.commit()).expect("a commit").outcome(), Outcome::Created);
    pass(&sessions, 9 * TTL);
    assert!(!load(&sessions).is_new(), "it went with the first field");
}

#[test]
fn p09_a_session_expires_by_the_rule_again_when_the_handler_says_so() {
    let sessions = sliding();
    store(&sessions);
    let mut visitor = load(&sessions);
    visitor.expire_at(SystemTime::now() + 100 * TTL);
    now(visitor.commit()).expect("a commit");
    assert_eq!(left(&visitor, Duration::ZERO), 100 * TTL);
    visitor.expire_by_rule();
    assert_eq!(left(&visitor, Duration::ZERO), TTL, "told before it is committed");
    now(visitor.commit()).expect("a commit");
    assert_eq!(left(&visitor, Duration::ZERO), TTL);
    pass(&sessions, TTL);
    assert!(load(&sessions).is_new());
}

#[test]
fn p09_a_session_that_is_not_stored_obeys_the_rule_also_when_the_handler_says_so() {
    let sessions = sliding();
    let mut visitor = load(&sessions);
    visitor.expire_by_rule();
    assert_eq!(left(&visitor, Duration::ZERO), TTL);
    *visitor.edit().visits() += 1;
    pass(&sessions, TTL);
    assert!(matches!(now(visitor.commit()), Err(Error::Expired)));
    visitor.discard();
}

#[test]
fn p09_an_expiry_survives_a_lost_answer_and_a_rebase() {
    let sessions = sliding();
    store(&sessions);
    let mut visitor = load(&sessions);
    let date = SystemTime::UNIX_EPOCH + Duration::from_secs(4_000_000_000);
    visitor.expire_at(date);
    sessions.store().inner().fail_commit(Fault::LostBefore);
    now(visitor.commit()).expect_err("the answer is lost");
    assert_eq!(visitor.expires_at(), Some(date));
    now(sessions.update("42", |other| other.edit().cart().push(Item::new("A", 1)))).expect("a commit");
    now(visitor.commit()).expect("the store is back");
    let visitor = load(&sessions);
    assert_eq!((visitor.expires_at(), visitor.visits, visitor.cart.len()), (Some(date), 1, 1));
}

#[test]
fn p09_a_renewal_changes_neither_fields_nor_revision() {
    let sessions = sliding();
    store(&sessions);
    let before = now(record(sessions.store(), "visitor", "42")).expect("a record");
    let mut overlapping = load(&sessions);
    pass(&sessions, 10 * MINUTE);
    load(&sessions);
    let after = now(record(sessions.store(), "visitor", "42")).expect("a record");
    assert_eq!((after.head.revision, after.fields), (before.head.revision, before.fields));
    let _ = sessions.store().take();
    *overlapping.edit().visits() += 1;
    assert!(now(overlapping.commit()).expect("a commit").fields().contains(VisitorField::Visits));
    assert_eq!(sessions.store().take().len(), 1, "it is no conflict");
}

#[test]
fn p09_a_session_whose_emptied_header_was_forgotten_is_as_old_as_before() {
    let sessions = with(Expiry::AfterCreation(TTL));
    store(&sessions);
    pass(&sessions, ALMOST);
    let mut visitor = load(&sessions);
    let before = visitor.expires_at();
    *visitor.edit().visits() = 0;
    now(visitor.commit()).expect("a commit");
    *visitor.edit().visits() = 5;
    visitor.expire_by_rule();
    let faulty = sessions.store().inner().clone();
    faulty.inner().evict(&Key::new("visitor".into(), "42").expect("a key"));
    // The first answer says that the header is gone; what is sent then is refused.
    sessions.store().inner().meanwhile(move || faulty.fail_commit(Fault::Refused));
    now(visitor.commit()).expect_err("the store is busy");
    assert_eq!(visitor.expires_at(), before);
    visitor.discard();
}

#[test]
fn p09_a_session_that_ended_before_its_lost_answer_came_is_new() {
    let sessions = sliding();
    let mut visitor = load(&sessions);
    *visitor.edit().visits() = 1;
    sessions.store().inner().fail_commit(Fault::LostAfter);
    now(visitor.commit()).expect_err("the answer is lost");
    pass(&sessions, TTL);
    now(visitor.commit()).expect("it was applied");
    assert!(visitor.is_new(), "and is over");
}

/// Stores the session `42` with a lifetime of its own of ten times that of the rule.
fn remember(sessions: &Kept<Visitor, TestStore>) {
    let remembered = sessions.update("42", |visitor| {
        *visitor.edit().visits() += 1;
        visitor.expire_after(10 * TTL);
    });
    now(remembered).expect("a commit");
}

#[test]
fn p09_a_session_that_is_started_can_have_a_lifetime_of_its_own() {
    let sessions = sliding();
    let mut visitor = now(sessions.start("42")).expect("a start");
    *visitor.edit().visits() += 1;
    visitor.expire_after(10 * TTL);
    now(visitor.commit()).expect("a commit");
    pass(&sessions, 9 * TTL);
    assert_eq!(left(&load(&sessions), 9 * TTL), 10 * TTL);
}

#[test]
fn p09_a_lifetime_of_its_own_survives_a_lost_answer_a_rebase_and_a_renewal() {
    for fault in [Fault::LostBefore, Fault::LostAfter] {
        let sessions = sliding();
        store(&sessions);
        let mut visitor = load(&sessions);
        visitor.expire_after(10 * TTL);
        sessions.store().inner().fail_commit(fault);
        now(visitor.commit()).expect_err("the answer is lost");
        assert_eq!(left(&visitor, Duration::ZERO), 10 * TTL);
        now(sessions.update("42", |other| other.edit().cart().push(Item::new("A", 1)))).expect("a commit");
        now(visitor.commit()).expect("the store is back");
        assert_eq!(left(&load(&sessions), Duration::ZERO), 10 * TTL, "{fault:?}");
        *visitor.edit().visits() += 1;
        now(visitor.renew("43")).expect("a renewal");
        pass(&sessions, 9 * TTL);
        let moved = now(sessions.load("43")).expect("a load");
        assert_eq!((moved.visits, left(&moved, 9 * TTL)), (2, 10 * TTL), "{fault:?}");
    }
}

#[test]
fn p09_an_emptied_session_keeps_its_date_also_when_its_header_was_forgotten() {
    let (sessions, date) = (sliding(), SystemTime::now() + 5 * TTL);
    let mut visitor = load(&sessions);
    visitor.expire_at(date);
    for visits in [1, 0, 5] {
        if visits == 5 {
            sessions.store().inner().inner().evict(&Key::new("visitor".into(), "42").expect("a key"));
        }
        *visitor.edit().visits() = visits;
        now(visitor.commit()).expect("a commit");
    }
    assert_eq!(load(&sessions).expires_at().map(Timestamp::from), Some(Timestamp::from(date)));
}

#[test]
fn p09_an_emptied_session_keeps_its_lifetime_also_when_its_header_was_forgotten() {
    for (forgotten, updates) in [(false, false), (true, false), (true, true)] {
        let sessions = sliding();
        remember(&sessions);
        let mut visitor = load(&sessions);
        *visitor.edit().visits() = 0;
        now(visitor.commit()).expect("a commit");
        let faulty = sessions.store().inner().clone();
        let forget = move || faulty.inner().evict(&Key::new("visitor".into(), "42").expect("a key"));
        if updates {
            // Between its load and its commit.
            sessions.store().inner().meanwhile(forget);
            store(&sessions);
        } else {
            if forgotten {
                forget();
            }
            *visitor.edit().visits() = 5;
            now(visitor.commit()).expect("a commit");
        }
        pass(&sessions, 9 * TTL);
        assert_eq!(left(&load(&sessions), 9 * TTL), 10 * TTL, "{forgotten}, {updates}");
    }
}
