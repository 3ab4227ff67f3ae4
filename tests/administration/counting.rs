//! What `sessions.stats()` counts, exactly.

use std::time::Duration;

use session_runtime::{Error, Expiry, Outcome, Session, Stats};
use session_tests::{Fault, Kept, now, write};

use crate::place::{Item, Place, Visitor, store_visits, visit};

/// The figures that are named, and zero for all others.
macro_rules! stats {
    ($($figure:ident: $value:expr),* $(,)?) => {{
        #[allow(unused_mut, reason = "no figure is named where nothing was done")]
        let mut stats = Stats::default();
        $(stats.$figure = $value;)*
        stats
    }};
}

/// The sessions of a store with a session that has two visits and an item in its cart, as a program finds them that
/// starts now.
fn with_a_stored_session() -> Kept<Visitor, Place> {
    let place = Place::default();
    let change = |visitor: &mut session_runtime::Handle<Visitor>| {
        *visitor.edit().visits() = 2;
        visitor.edit().cart().push(Item { sku: "A1".to_owned() });
    };
    now(Kept::<Visitor, _>::new(place.clone()).update("42", change)).expect("a commit");
    Kept::new(place)
}

/// How long `[{"sku":"A1"}]` is.
const CART: u64 = 14;

#[test]
fn a_program_that_did_nothing_has_counted_nothing() {
    assert_eq!(Kept::<Visitor, _>::new(Place::default()).stats(), stats! {});
}

#[test]
fn a_session_that_was_only_read_was_untouched() {
    let sessions = with_a_stored_session();
    let mut visitor = now(sessions.load("42")).expect("a load");
    assert_eq!(visitor.visits, 2);
    for _ in 0..3 {
        now(visitor.commit()).expect("nothing to do");
    }
    assert_eq!(sessions.stats(), stats! { loads: 1, avoided_unmarked: 3 });
}

#[test]
fn initial_data_that_was_borrowed_and_not_changed_is_not_written_back() {
    let sessions = Kept::<Visitor, _>::new(Place::default());
    let mut visitor = now(sessions.load("42")).expect("a load");
    *visitor.edit().theme() = "light".to_owned();
    visitor.edit().cart().clear();
    now(visitor.commit()).expect("nothing to do");
    assert_eq!(sessions.stats(), stats! { loads: 1, avoided_initial: 1, fields_not_written: 4 });

    let sessions = with_a_stored_session();
    let mut visitor = now(sessions.load("42")).expect("a load");
    visitor.edit().theme();
    now(visitor.commit()).expect("nothing to do");
    let expected = stats! { loads: 1, avoided_initial: 1, fields_not_written: 4, bytes_not_written: 1 + CART};
    assert_eq!(sessions.stats(), expected);
}

#[test]
fn a_value_that_is_stored_already_is_not_written_again() {
    let sessions = with_a_stored_session();
    let mut visitor = now(sessions.load("42")).expect("a load");
    *visitor.edit_all() = Visitor {
        visits: 2,
        theme: "light".to_owned(),
        token: "nobody".to_owned(),
        cart: vec![Item { sku: "A1".to_owned() }],
    };
    now(visitor.commit()).expect("nothing to do");
    let expected = stats! { loads: 1, avoided_same_value: 1, fields_not_written: 4, bytes_not_written: 1 + CART};
    assert_eq!(sessions.stats(), expected);
}

#[test]
fn a_change_that_was_seen_and_changed_back_was_reverted() {
    let sessions = with_a_stored_session();
    let mut visitor = now(sessions.load("42")).expect("a load");
    *visitor.edit().visits() += 1;
    assert!(!visitor.dirty().expect("fields").is_empty());
    *visitor.edit().visits() -= 1;
    now(visitor.commit()).expect("nothing to do");
    let expected = stats! { loads: 1, avoided_reverted: 1, fields_not_written: 4, bytes_not_written: 1 + CART};
    assert_eq!(sessions.stats(), expected);
}

#[test]
fn a_change_whose_commit_failed_and_that_was_changed_back_was_reverted() {
    let sessions = with_a_stored_session();
    let mut visitor = now(sessions.load("42")).expect("a load");
    *visitor.edit().visits() += 1;
    sessions.store().fail_commit(Fault::Refused);
    now(visitor.commit()).expect_err("a fault");
    *visitor.edit().visits() -= 1;
    now(visitor.commit()).expect("nothing to do");
    let expected = stats! {
         loads: 1, commits_failed: 1, avoided_reverted: 1, fields_not_written: 4, bytes_not_written: 1 + CART,
    };
    assert_eq!(sessions.stats(), expected);
}

#[test]
fn a_change_that_nobody_saw_before_it_was_changed_back_was_none() {
    let sessions = with_a_stored_session();
    let mut visitor = now(sessions.load("42")).expect("a load");
    *visitor.edit().visits() += 1;
    *visitor.edit().visits() -= 1;
    now(visitor.commit()).expect("nothing to do");
    assert_eq!((sessions.stats().avoided_same_value, sessions.stats().avoided_reverted), (1, 0));
}

#[test]
fn a_change_that_was_seen_and_stored_reverts_nothing_later() {
    let sessions = with_a_stored_session();
    let mut visitor = now(sessions.load("42")).expect("a load");
    *visitor.edit().visits() += 1;
    assert!(!visitor.dirty().expect("fields").is_empty());
    now(visitor.commit()).expect("a commit");
    visitor.edit().visits();
    now(visitor.commit()).expect("nothing to do");
    let stats = sessions.stats();
    assert_eq!((stats.commits_updated, stats.avoided_same_value, stats.avoided_reverted), (1, 1, 0));
}

#[test]
fn commits_are_counted_by_what_became_of_the_session() {
    let sessions = Kept::<Visitor, _>::new(Place::default());
    let mut visitor = now(sessions.load("42")).expect("a load");
    *visitor.edit().visits() = 10;
    visitor.edit().theme();
    assert_eq!(now(visitor.commit()).expect("a commit").outcome(), Outcome::Created);
    let mut expected = stats! {
         loads: 1, commits_created: 1, fields_written: 1, fields_not_written: 3, bytes_written: 2, bytes_not_written: 0,
    };
    assert_eq!(sessions.stats(), expected);

    visitor.edit().cart().push(Item { sku: "A1".to_owned() });
    assert_eq!(now(visitor.commit()).expect("a commit").outcome(), Outcome::Updated);
    expected.commits_updated = 1;
    expected.fields_written += 1;
    expected.fields_not_written += 3;
    expected.bytes_written += CART;
    expected.bytes_not_written += 2;
    assert_eq!(sessions.stats(), expected);

    *visitor.edit().visits() = 0;
    visitor.edit().cart().clear();
    assert_eq!(now(visitor.commit()).expect("a commit").outcome(), Outcome::Removed);
    expected.commits_removed = 1;
    expected.fields_written += 2;
    expected.fields_not_written += 2;
    assert_eq!(sessions.stats(), expected);

    assert_eq!(now(visitor.destroy()).expect("its end"), Outcome::Unchanged);
    expected.commits_unchanged = 1;
    assert_eq!(sessions.stats(), expected);
}

#[test]
fn a_destroyed_session_was_removed_and_no_field_of_it_written() {
    let sessions = with_a_stored_session();
    let mut visitor = now(sessions.load("42")).expect("a load");
    now(visitor.destroy()).expect("its end");
    assert_eq!(sessions.stats(), stats! { loads: 1, commits_removed: 1 });
}

#[test]
fn a_renewed_session_was_updated_although_no_field_was_sent() {
    let sessions = with_a_stored_session();
    let mut visitor = now(sessions.load("42")).expect("a load");
    now(visitor.renew("43")).expect("a new key");
    let expected = stats! { loads: 1, commits_updated: 1, fields_not_written: 4, bytes_not_written: 1 + CART};
    assert_eq!(sessions.stats(), expected);
}

#[test]
fn a_conflict_is_counted_and_so_is_its_solution() {
    let sessions = with_a_stored_session();
    let mut first = now(sessions.load("42")).expect("a load");
    let mut second = now(sessions.load("42")).expect("a load");
    *first.edit().visits() = 3;
    *second.edit().theme() = "dark".to_owned();
    now(first.commit()).expect("a commit");
    now(second.commit()).expect("a commit");
    let expected = stats! {
         loads: 2,
         commits_updated: 2,
         conflicts: 1,
         rebases: 1,
         fields_written: 2,
         fields_not_written: 6,
         bytes_written: 1 + 6,
         bytes_not_written: CART + 1 + CART,
    };
    assert_eq!(sessions.stats(), expected);
}

#[test]
fn a_value_that_another_commit_stored_in_between_is_not_written_again() {
    let sessions = with_a_stored_session();
    let mut first = now(sessions.load("42")).expect("a load");
    let mut second = now(sessions.load("42")).expect("a load");
    for visitor in [&mut first, &mut second] {
        *visitor.edit().visits() = 3;
        now(visitor.commit()).expect("a commit");
    }
    let expected = stats! {
         loads: 2,
         commits_updated: 1,
         conflicts: 1,
         rebases: 1,
        fields_overlapped: 1,
         avoided_same_value: 1,
         fields_written: 1,
         fields_not_written: 3 + 4,
         bytes_written: 1,
         bytes_not_written: CART + 1 + CART,
    };
    assert_eq!(sessions.stats(), expected);
}

#[derive(Session)]
#[session(name = "ballot", conflict = "reject")]
struct Ballot {
    votes: u32,
}

#[test]
fn a_conflict_that_is_refused_is_a_failed_commit() {
    let sessions = Kept::<Ballot, _>::new(Place::default());
    let mut first = now(sessions.load("42")).expect("a load");
    let mut second = now(sessions.load("42")).expect("a load");
    *first.edit().votes() = 1;
    *second.edit().votes() = 2;
    now(first.commit()).expect("a commit");
    assert!(matches!(now(second.commit()), Err(Error::Conflict { .. })));
    second.discard();
    let expected =
        stats! { loads: 2, commits_created: 1, commits_failed: 1, conflicts: 1, fields_written: 1, bytes_written: 1};
    assert_eq!(sessions.stats(), expected);
}

#[test]
fn a_commit_whose_answer_was_lost_is_counted_once_when_it_is_settled() {
    let sessions = Kept::<Visitor, _>::new(Place::default());
    let mut visitor = now(sessions.load("42")).expect("a load");
    visit(&mut visitor);
    sessions.store().fail_commit(Fault::LostAfter);
    now(visitor.commit()).expect_err("a lost answer");
    assert_eq!(sessions.stats(), stats! { loads: 1, commits_failed: 1 });
    assert_eq!(now(visitor.commit()).expect("a commit").outcome(), Outcome::Created);
    let expected = stats! {
         loads: 1, commits_failed: 1, commits_created: 1, fields_written: 1, fields_not_written: 3, bytes_written: 1,
    };
    assert_eq!(sessions.stats(), expected);
}

#[test]
fn failed_loads_are_counted() {
    let sessions = with_a_stored_session();
    sessions.store().fail_load(Fault::Refused);
    now(sessions.load("42")).map(drop).expect_err("a fault");
    assert_eq!(sessions.stats(), stats! { load_failures: 1 });
    now(write(sessions.store().inner(), "visitor", "42", &[("visits", Some("many"))]));
    now(sessions.load("42")).map(drop).expect_err("no number");
    assert_eq!(sessions.stats(), stats! { loads: 1, load_failures: 2 });
}

#[test]
fn touches_are_counted_as_sent_or_skipped() {
    let place = Place::default();
    let half_an_hour = Duration::from_secs(1800);
    let sessions = Kept::<Visitor, _>::builder(place.clone()).expiry(Expiry::AfterInactivity(half_an_hour)).build();
    now(store_visits(&sessions, &["42"]));
    let touches = || (sessions.stats().touches_sent, sessions.stats().touches_skipped);
    let loads_after = |minutes: u64| {
        place.pass(Duration::from_secs(minutes * 60));
        now(sessions.load("42")).expect("a load").discard();
        touches()
    };
    assert_eq!(loads_after(0), (0, 1));
    assert_eq!(loads_after(2), (0, 2), "a tenth of the half hour has not passed");
    assert_eq!(loads_after(2), (1, 2), "it has, together with the two minutes before");
    assert_eq!(loads_after(1), (1, 3));
    assert_eq!(loads_after(20), (2, 3));
}

#[test]
fn sessions_that_are_not_stored_or_do_not_slide_have_no_touches() {
    let place = Place::default();
    let half_an_hour = Duration::from_secs(1800);
    let sessions = Kept::<Visitor, _>::builder(place.clone()).expiry(Expiry::AfterInactivity(half_an_hour)).build();
    now(sessions.load("new")).expect("a load").discard();
    let mut dated = now(sessions.load("dated")).expect("a load");
    visit(&mut dated);
    dated.expire_at(std::time::SystemTime::now() + half_an_hour);
    now(dated.commit()).expect("a commit");
    now(sessions.load("dated")).expect("a load").discard();
    let forever = Kept::<Visitor, _>::new(place);
    now(store_visits(&forever, &["42", "42"]));
    for sessions in [sessions, forever] {
        assert_eq!((sessions.stats().touches_sent, sessions.stats().touches_skipped), (0, 0));
    }
}

#[test]
fn purges_are_counted_with_the_sessions_that_were_asked_for_them() {
    let minute = Duration::from_secs(60);
    let place = Place::default();
    let sessions = Kept::<Visitor, _>::builder(place.clone()).expiry(Expiry::AfterInactivity(minute)).build();
    now(store_visits(&sessions, &["1", "2"]));
    place.pass(minute * 65);
    now(sessions.purge_expired().into_future()).expect("a purge");
    assert_eq!((sessions.stats().purge_batches, sessions.stats().purged), (1, 2));
    now(session_runtime::Admin::new(place).purge().into_future()).expect("a purge");
    assert_eq!(sessions.stats().purge_batches, 1);
}

#[test]
fn clones_count_together() {
    let sessions = Kept::<Visitor, _>::new(Place::default());
    now(store_visits(&sessions.clone(), &["1"]));
    now(store_visits(&sessions, &["2"]));
    assert_eq!(sessions.stats().commits_created, 2);
}
