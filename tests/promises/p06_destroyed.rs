//! The destroyed stay destroyed.

use std::time::Duration;

use session_runtime::expiry::ClockOffset;
use session_runtime::store::{Housekeeping, Key};
use session_runtime::{Absence, Error, Expiry, Handle, Outcome};
use session_tests::{Kept, is_stored, now, record, stored};

use crate::visitor::{Item, TestStore, Visitor, builder, fields, sessions, test_store};

const HOUR: Duration = Duration::from_secs(3600);

fn load(sessions: &Kept<Visitor, TestStore>, key: &str) -> Handle<Visitor> {
    now(sessions.load(key)).expect("a load")
}

/// Sessions of which `42` is stored, and a handler that loaded it and changed a field.
fn with_a_late_handler(sessions: Kept<Visitor, TestStore>) -> (Kept<Visitor, TestStore>, Handle<Visitor>) {
    now(sessions.update("42", |visitor| visitor.edit().cart().push(Item::new("A", 1)))).expect("a commit");
    let mut late = load(&sessions, "42");
    *late.edit().visits() += 1;
    (sessions, late)
}

/// The late handler is refused as often as it tries, and the key still holds what it held.
#[track_caller]
fn assert_refused(sessions: &Kept<Visitor, TestStore>, mut late: Handle<Visitor>, is_it: fn(&Error) -> bool) {
    let before = now(record(sessions.store(), "visitor", "42"));
    for _ in 0..2 {
        let refused = now(late.commit()).expect_err("its session has ended");
        assert!(is_it(&refused), "{refused:?}");
        let after = now(record(sessions.store(), "visitor", "42"));
        assert_eq!(
            before.as_ref().map(|record| (record.head, &record.fields)),
            after.as_ref().map(|record| (record.head, &record.fields))
        );
    }
    let refused = now(late.renew("elsewhere")).expect_err("its session has ended");
    assert!(is_it(&refused), "{refused:?}");
    assert!(!now(is_stored(sessions.store(), "visitor", "elsewhere")));
    assert_eq!(late.visits, 1, "the handle keeps its changes");
    late.discard();
}

fn destroyed(error: &Error) -> bool {
    matches!(error, Error::Destroyed)
}

fn renewed(error: &Error) -> bool {
    matches!(error, Error::Renewed)
}

fn expired(error: &Error) -> bool {
    matches!(error, Error::Expired)
}

#[test]
fn p06_a_handle_says_why_no_session_is_stored() {
    let offset = |hours: i64| ClockOffset(hours * 3_600_000);
    let store = test_store();
    let at = |hours| {
        Kept::<Visitor, _>::builder(store.clone())
            .expiry(Expiry::AfterInactivity(2 * HOUR))
            .retention(24 * HOUR)
            .clock_offset(offset(hours))
            .build()
    };
    let sessions = at(0);
    let absence = |hours, key: &str| now(at(hours).load(key)).expect("a load").absence();
    let change = |key: &str, visits: u32| now(sessions.update(key, move |visitor| *visitor.edit().visits() = visits));
    assert_eq!(absence(0, "42"), Some(Absence::Never));
    change("42", 1).expect("a commit");
    assert_eq!(absence(0, "42"), None);
    change("42", 0).expect("a commit");
    assert_eq!(absence(0, "42"), Some(Absence::Emptied));
    change("42", 1).expect("a commit");
    let mut moved = load(&sessions, "42");
    now(moved.renew("43")).expect("a renewal");
    assert_eq!((absence(0, "42"), absence(0, "43")), (Some(Absence::Renewed), None));
    assert_eq!(absence(3, "43"), Some(Absence::Expired));
    assert_eq!(now(moved.destroy()).expect("a removal"), Outcome::Removed);
    assert_eq!((moved.absence(), absence(0, "43")), (Some(Absence::Destroyed), Some(Absence::Destroyed)));
    // A day later nothing tells of it any more.
    now(Housekeeping::purge(&store, 100, offset(25))).expect("a purge");
    assert_eq!(absence(25, "43"), Some(Absence::Never));
}

#[test]
fn p06_a_commit_based_on_a_destroyed_session_stores_nothing() {
    let (sessions, late) = with_a_late_handler(sessions());
    assert_eq!(now(load(&sessions, "42").destroy()).expect("a removal"), Outcome::Removed);
    assert!(!now(is_stored(sessions.store(), "visitor", "42")));
    assert_refused(&sessions, late, destroyed);
    assert!(load(&sessions, "42").is_new());
}

#[test]
fn p06_a_commit_based_on_a_destroyed_session_leaves_the_next_one_alone() {
    let (sessions, late) = with_a_late_handler(sessions());
    now(load(&sessions, "42").destroy()).expect("a removal");
    now(sessions.update("42", |next| *next.edit().theme() = "dark".to_owned())).expect("a commit");
    assert_refused(&sessions, late, destroyed);
    assert_eq!(now(stored(sessions.store(), "visitor", "42")), fields(&[("theme", r#""dark""#)]));
}

#[test]
fn p06_a_handler_that_saw_a_new_session_does_not_create_it_after_its_logout() {
    let sessions = sessions();
    let mut late = load(&sessions, "42");
    *late.edit().visits() += 1;
    now(sessions.update("42", |visitor| *visitor.edit().theme() = "dark".to_owned())).expect("a commit");
    now(load(&sessions, "42").destroy()).expect("a removal");
    assert_refused(&sessions, late, destroyed);
}

#[test]
fn p06_a_handler_that_saw_a_new_session_does_not_write_into_the_one_after_its_logout() {
    let sessions = sessions();
    let mut late = load(&sessions, "42");
    *late.edit().visits() += 1;
    now(sessions.update("42", |visitor| *visitor.edit().theme() = "dark".to_owned())).expect("a commit");
    now(load(&sessions, "42").destroy()).expect("a removal");
    now(sessions.update("42", |next| *next.edit().theme() = "blue".to_owned())).expect("a commit");
    assert_refused(&sessions, late, destroyed);
}

#[test]
fn p06_a_handle_that_destroyed_its_session_stores_nothing_more() {
    let (sessions, mut late) = with_a_late_handler(sessions());
    assert_eq!(now(late.destroy()).expect("a removal"), Outcome::Removed);
    *late.edit().theme() = "dark".to_owned();
    assert!(matches!(now(late.commit()), Err(Error::Destroyed)));
    assert_eq!(now(late.destroy()).expect("nothing to remove"), Outcome::Unchanged);
    assert!(!now(is_stored(sessions.store(), "visitor", "42")));
    late.discard();
}

#[test]
fn p06_a_session_is_destroyed_whatever_others_changed_in_between() {
    let (sessions, mut late) = with_a_late_handler(sessions());
    let mut logout = load(&sessions, "42");
    now(late.commit()).expect("a commit");
    assert_eq!(now(logout.destroy()).expect("a removal"), Outcome::Removed);
    assert!(!now(is_stored(sessions.store(), "visitor", "42")));
    let mut again = load(&sessions, "42");
    assert_eq!(now(again.destroy()).expect("nothing to remove"), Outcome::Unchanged);
}

#[test]
fn p06_a_renewed_session_moves_with_its_changes_and_the_old_key_is_dead() {
    let (sessions, mut moving) = with_a_late_handler(sessions());
    assert_eq!(now(moving.renew("43")).expect("a renewal").fields().len(), 1);
    assert_eq!((moving.key(), moving.is_new()), ("43", false));
    assert!(!now(is_stored(sessions.store(), "visitor", "42")));
    let moved = [("cart", r#"[{"sku":"A","quantity":1}]"#), ("visits", "1")];
    assert_eq!(now(stored(sessions.store(), "visitor", "43")), fields(&moved));
    *moving.edit().visits() = 2;
    assert_eq!(now(moving.commit()).expect("a commit").outcome(), Outcome::Updated);
    assert_eq!(load(&sessions, "43").visits, 2);
    assert!(load(&sessions, "42").is_new());
}

#[test]
fn p06_a_commit_based_on_a_session_that_was_renewed_away_stores_nothing() {
    let (sessions, late) = with_a_late_handler(sessions());
    now(load(&sessions, "42").renew("43")).expect("a renewal");
    assert_refused(&sessions, late, renewed);
    let moved = [("cart", r#"[{"sku":"A","quantity":1}]"#)];
    assert_eq!(now(stored(sessions.store(), "visitor", "43")), fields(&moved), "nor at the new key");
}

#[test]
fn p06_a_commit_based_on_a_session_that_was_renewed_away_leaves_the_next_one_alone() {
    let (sessions, late) = with_a_late_handler(sessions());
    now(load(&sessions, "42").renew("43")).expect("a renewal");
    now(sessions.update("42", |next| *next.edit().theme() = "dark".to_owned())).expect("a commit");
    assert_refused(&sessions, late, destroyed);
}

#[test]
fn p06_a_session_is_not_renewed_onto_another_one() {
    let (sessions, mut moving) = with_a_late_handler(sessions());
    now(sessions.update("43", |other| *other.edit().theme() = "dark".to_owned())).expect("a commit");
    assert!(matches!(now(moving.renew("43")), Err(Error::Occupied)));
    assert_eq!(now(stored(sessions.store(), "visitor", "43")), fields(&[("theme", r#""dark""#)]));
    assert_eq!(now(stored(sessions.store(), "visitor", "42")).len(), 1, "still where it was, without the change");
    assert_eq!(moving.key(), "42");
    assert_eq!(now(moving.renew("44")).expect("a free key").outcome(), Outcome::Updated);
    assert_eq!(load(&sessions, "44").visits, 1);
}

#[test]
fn p06_a_handler_that_saw_the_new_key_before_does_not_write_into_the_renewed_session() {
    let (sessions, mut moving) = with_a_late_handler(sessions());
    let mut early = load(&sessions, "43");
    *early.edit().theme() = "planted".to_owned();
    now(moving.renew("43")).expect("a renewal");
    assert!(matches!(now(early.commit()), Err(Error::Destroyed)));
    assert_eq!(load(&sessions, "43").theme, "light");
    early.discard();
}

#[test]
fn p06_a_commit_based_on_an_expired_session_stores_nothing() {
    let (sessions, late) = with_a_late_handler(builder().expiry(Expiry::AfterInactivity(HOUR)).build());
    sessions.store().inner().pass(HOUR);
    assert_refused(&sessions, late, expired);
    assert!(load(&sessions, "42").is_new());
}

#[test]
fn p06_a_commit_based_on_an_expired_session_leaves_the_next_one_alone() {
    let (sessions, late) = with_a_late_handler(builder().expiry(Expiry::AfterInactivity(HOUR)).build());
    sessions.store().inner().pass(HOUR);
    now(sessions.update("42", |next| *next.edit().theme() = "dark".to_owned())).expect("a commit");
    assert_eq!(load(&sessions, "42").cart, [], "no part of the old one");
    assert_refused(&sessions, late, destroyed);
}

#[test]
fn p06_a_new_session_that_expired_before_its_first_commit_is_not_stored() {
    let sessions = builder::<Visitor>().expiry(Expiry::AfterInactivity(HOUR)).build();
    let mut late = load(&sessions, "42");
    *late.edit().visits() += 1;
    sessions.store().inner().pass(HOUR);
    assert_refused(&sessions, late, expired);
}

#[test]
fn p06_a_destroyed_session_stays_so_after_its_header_was_purged() {
    let (sessions, late) = with_a_late_handler(builder().retention(HOUR).build());
    now(load(&sessions, "42").destroy()).expect("a removal");
    sessions.store().inner().pass(HOUR);
    let purged = now(sessions.store().purge(100, ClockOffset::default())).expect("a purge");
    assert_eq!(purged.removed, 1, "the header");
    assert_refused(&sessions, late, destroyed);
}

#[test]
fn p06_a_load_that_renews_never_brings_back_what_was_destroyed() {
    let sessions = builder().expiry(Expiry::AfterInactivity(HOUR)).touch_share(0.0).build();
    let (sessions, late) = with_a_late_handler(sessions);
    now(load(&sessions, "42").destroy()).expect("a removal");
    sessions.store().inner().pass(HOUR / 2);
    assert!(load(&sessions, "42").is_new());
    assert!(!now(is_stored(sessions.store(), "visitor", "42")));
    assert_refused(&sessions, late, destroyed);
}

#[test]
fn p06_a_touch_never_carries_data() {
    let sessions = builder().expiry(Expiry::AfterInactivity(HOUR)).touch_share(0.0).build();
    let (sessions, late) = with_a_late_handler(sessions);
    let before = now(record(sessions.store(), "visitor", "42")).expect("a record");
    sessions.store().inner().pass(HOUR / 2);
    load(&sessions, "42");
    let after = now(record(sessions.store(), "visitor", "42")).expect("a record");
    assert!(after.head.expires_at > before.head.expires_at);
    let touched = session_runtime::store::Head { expires_at: before.head.expires_at, ..after.head };
    assert_eq!((touched, after.fields), (before.head, before.fields));
    late.discard();
}

#[test]
fn p06_an_emptied_session_is_not_a_destroyed_one() {
    let (sessions, mut late) = with_a_late_handler(sessions());
    now(sessions.update("42", |visitor| visitor.edit().cart().clear())).expect("a commit");
    assert!(!now(is_stored(sessions.store(), "visitor", "42")));
    assert_eq!(now(late.commit()).expect("a commit").outcome(), Outcome::Created);
    assert_eq!(now(stored(sessions.store(), "visitor", "42")), fields(&[("visits", "1")]));
}

#[test]
fn p06_a_session_whose_emptied_header_was_forgotten_can_be_stored_again() {
    let sessions = sessions::<Visitor>();
    now(sessions.update("42", |visitor| *visitor.edit().visits() = 1)).expect("a commit");
    now(sessions.update("42", |visitor| *visitor.edit().visits() = 0)).expect("a commit");
    let mut visitor = load(&sessions, "42");
    *visitor.edit().visits() = 5;
    sessions.store().inner().inner().evict(&Key::new("visitor".into(), "42").expect("a key"));
    assert_eq!(now(visitor.commit()).expect("a commit").outcome(), Outcome::Created);
    assert_eq!(load(&sessions, "42").visits, 5);
}

#[test]
fn p06_a_stored_session_whose_record_vanished_is_not_stored_again() {
    let (sessions, late) = with_a_late_handler(sessions());
    sessions.store().inner().inner().evict(&Key::new("visitor".into(), "42").expect("a key"));
    assert_refused(&sessions, late, destroyed);
}

/// Two instances of one store, of which the first keeps headers for a day and the second as short as can be.
fn differently_set(expiry: Expiry) -> [Kept<Visitor, TestStore>; 2] {
    let store = test_store();
    [24 * HOUR, Duration::ZERO]
        .map(|retention| Kept::builder(store.clone()).expiry(expiry).retention(retention).build())
}

fn pass_and_purge(sessions: &Kept<Visitor, TestStore>, time: Duration) {
    sessions.store().inner().pass(time);
    while now(sessions.store().purge(100, ClockOffset::default())).expect("a purge").more {}
}

#[test]
fn p06_a_slow_first_commit_revives_nothing_however_instances_are_set() {
    let minute = HOUR / 60;
    for expiry in [Expiry::Never, Expiry::AfterInactivity(24 * HOUR)] {
        for (passed, is_it) in [(59 * minute, destroyed as fn(&Error) -> bool), (61 * minute, expired)] {
            let [patient, hasty] = differently_set(expiry);
            let mut late = load(&patient, "42");
            *late.edit().visits() += 1;
            now(hasty.update("42", |visitor| *visitor.edit().theme() = "dark".to_owned())).expect("a commit");
            now(load(&hasty, "42").destroy()).expect("a removal");
            pass_and_purge(&hasty, passed);
            assert_refused(&patient, late, is_it);
            assert!(!now(is_stored(patient.store(), "visitor", "42")));
        }
    }
}

#[test]
fn p06_a_handler_of_an_emptied_session_revives_nothing_however_instances_are_set() {
    for passed in [HOUR, 2 * HOUR] {
        let [patient, hasty] = differently_set(Expiry::Never);
        now(hasty.update("42", |visitor| *visitor.edit().visits() = 1)).expect("a commit");
        now(hasty.update("42", |visitor| *visitor.edit().visits() = 0)).expect("a commit");
        let mut late = load(&patient, "42");
        *late.edit().visits() += 1;
        now(hasty.update("42", |visitor| *visitor.edit().theme() = "dark".to_owned())).expect("a commit");
        now(load(&hasty, "42").destroy()).expect("a removal");
        pass_and_purge(&hasty, passed);
        assert_refused(&patient, late, destroyed);
        assert!(!now(is_stored(patient.store(), "visitor", "42")));
    }
}

#[test]
fn p06_an_instance_with_a_shorter_retention_does_not_make_others_forget() {
    let [patient, hasty] = differently_set(Expiry::Never);
    now(patient.update("42", |visitor| *visitor.edit().visits() = 1)).expect("a commit");
    let mut late = load(&patient, "42");
    *late.edit().visits() += 1;
    assert!(now(hasty.housekeeping().destroy("visitor", "42")).expect("a removal"));
    pass_and_purge(&hasty, 23 * HOUR);
    assert!(matches!(now(late.destroy()), Ok(Outcome::Unchanged)), "it is known that it was destroyed");
}

#[test]
fn p06_whoever_destroys_a_session_that_somebody_else_renewed_is_told_that_it_lives_on() {
    let (sessions, mut late) = with_a_late_handler(sessions());
    let mut absent = load(&sessions, "new");
    now(sessions.update("new", |other| *other.edit().theme() = "dark".to_owned())).expect("a commit");
    for (from, to) in [("42", "43"), ("new", "newer")] {
        now(load(&sessions, from).renew(to)).expect("a renewal");
    }
    for _ in 0..2 {
        assert!(matches!(now(late.destroy()), Err(Error::Renewed)));
        assert!(matches!(now(absent.destroy()), Err(Error::Renewed)));
    }
    assert!(now(is_stored(sessions.store(), "visitor", "43")) && now(is_stored(sessions.store(), "visitor", "newer")));
    assert!(matches!(now(late.commit()), Err(Error::Renewed)), "nothing was dropped");
    late.discard();
}

#[test]
fn p06_whoever_destroys_a_session_is_not_told_that_it_is_gone_where_nobody_knows() {
    for purged in [false, true] {
        let (sessions, mut late) = with_a_late_handler(sessions());
        let mut absent = load(&sessions, "new");
        now(sessions.update("new", |other| *other.edit().theme() = "dark".to_owned())).expect("a commit");
        for (from, to) in [("42", "43"), ("new", "newer")] {
            now(load(&sessions, from).renew(to)).expect("a renewal");
            if !purged {
                now(sessions.update(from, |next| *next.edit().theme() = "blue".to_owned())).expect("a commit");
            }
        }
        if purged {
            pass_and_purge(&sessions, HOUR);
        }
        assert!(matches!(now(late.destroy()), Err(Error::OutcomeUnknown)));
        assert!(matches!(now(absent.destroy()), Err(Error::OutcomeUnknown)));
        for key in ["43", "newer"] {
            assert!(now(is_stored(sessions.store(), "visitor", key)));
        }
        late.discard();
    }
}

#[test]
fn p06_an_emptied_session_without_a_trace_is_not_stored_again_where_a_later_end_would_have_left_none() {
    for (passed, is_known) in [(HOUR / 2, true), (2 * HOUR, false)] {
        let sessions = sessions::<Visitor>();
        now(sessions.update("42", |visitor| *visitor.edit().visits() = 5)).expect("a commit");
        now(sessions.update("42", |visitor| *visitor.edit().visits() = 0)).expect("a commit");
        let mut late = load(&sessions, "42");
        *late.edit().visits() = 1;
        sessions.store().inner().pass(passed);
        sessions.store().inner().inner().evict(&Key::new("visitor".into(), "42").expect("a key"));
        if is_known {
            assert_eq!(now(late.commit()).expect("a commit").outcome(), Outcome::Created);
        } else {
            assert_refused(&sessions, late, destroyed);
        }
    }
}

#[test]
fn p06_a_session_whose_record_vanished_is_called_expired_if_its_time_was_over() {
    for (ahead, is_it) in [(0, destroyed as fn(&Error) -> bool), (-2 * 3_600_000, expired)] {
        let sessions = builder::<Visitor>().expiry(Expiry::AfterInactivity(HOUR)).build();
        sessions.store().inner().set_ahead(ahead);
        let (sessions, late) = with_a_late_handler(sessions);
        sessions.store().inner().inner().evict(&Key::new("visitor".into(), "42").expect("a key"));
        assert_refused(&sessions, late, is_it);
    }
}

#[test]
fn p06_a_handle_that_was_told_of_the_end_asks_no_more() {
    let (sessions, mut late) = with_a_late_handler(sessions());
    now(load(&sessions, "42").destroy()).expect("a removal");
    assert_eq!(now(late.destroy()).expect("nothing to remove"), Outcome::Unchanged);
    *late.edit().visits() += 1;
    let _ = sessions.store().take();
    assert!(matches!(now(late.commit()), Err(Error::Destroyed)));
    assert_eq!(sessions.store().take(), []);
    late.discard();
}

#[test]
fn p06_a_commit_of_a_stored_session_whose_record_vanished_is_one_call() {
    let (sessions, mut late) = with_a_late_handler(sessions());
    sessions.store().inner().inner().evict(&Key::new("visitor".into(), "42").expect("a key"));
    let _ = sessions.store().take();
    now(late.commit()).expect_err("its record vanished");
    assert_eq!(sessions.store().take().len(), 1);
    late.discard();
}
