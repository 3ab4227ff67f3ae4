//! Unmarked costs nothing.

use allocation_counter::{AllocationInfo, measure};
use session_runtime::{Handle, Outcome, Session};
use session_tests::{CountingCodec, Kept, now};

use crate::visitor::{Item, TestStore, Visitor, sessions, test_store};

/// What a commit that has nothing to do allocates.
fn allocations_of_commit<T: Session>(session: &mut Handle<T>) -> AllocationInfo {
    let mut outcome = None;
    let info = measure(|| outcome = now(session.commit()).ok().map(|committed| committed.outcome()));
    assert_eq!(outcome, Some(Outcome::Unchanged));
    info
}

fn stored_session() -> Kept<Visitor, TestStore> {
    let sessions = sessions::<Visitor>();
    now(sessions.update("42", |visitor| visitor.edit().cart().push(Item::new("A1", 2)))).expect("a commit");
    sessions
}

#[test]
fn p02_a_commit_of_an_untouched_new_session_calls_no_store_and_allocates_nothing() {
    let sessions = sessions::<Visitor>();
    let mut visitor = now(sessions.load("42")).expect("a load");
    let _ = sessions.store().take();
    assert_eq!(allocations_of_commit(&mut visitor).count_total, 0);
    assert_eq!(sessions.store().take(), []);
}

#[test]
fn p02_a_commit_of_an_untouched_stored_session_calls_no_store_and_allocates_nothing() {
    let sessions = stored_session();
    let mut visitor = now(sessions.load("42")).expect("a load");
    assert_eq!(visitor.cart.len(), 1, "it was read");
    let _ = sessions.store().take();
    assert_eq!(allocations_of_commit(&mut visitor).count_total, 0);
    assert_eq!(sessions.store().take(), []);
}

#[test]
fn p02_a_second_commit_calls_no_store_and_allocates_nothing() {
    let sessions = stored_session();
    let mut visitor = now(sessions.load("42")).expect("a load");
    *visitor.edit().visits() += 1;
    now(visitor.commit()).expect("a commit");
    let _ = sessions.store().take();
    assert_eq!(allocations_of_commit(&mut visitor).count_total, 0);
    assert_eq!(sessions.store().take(), []);
}

#[test]
fn p02_a_commit_of_an_untouched_session_encodes_and_decodes_nothing() {
    let codec = CountingCodec::default();
    let sessions = Kept::<Visitor, _>::builder(test_store()).codec(codec.clone()).build();
    now(sessions.update("42", |visitor| *visitor.edit().visits() += 1)).expect("a commit");
    let mut visitor = now(sessions.load("42")).expect("a load");
    let _ = codec.take();
    now(visitor.commit()).expect("a commit");
    assert_eq!(codec.take(), (0, 0));
}

#[test]
fn p02_the_allocations_are_counted() {
    let sessions = stored_session();
    let mut visitor = now(sessions.load("42")).expect("a load");
    visitor.edit().cart();
    assert_ne!(allocations_of_commit(&mut visitor).count_total, 0, "a touched session is encoded to compare it");
}

#[derive(Session)]
#[session(name = "p02-always", persist = "always")]
struct Always {
    visits: u32,
}

#[test]
fn p02_a_commit_of_an_untouched_session_that_is_always_stored_calls_no_store_and_allocates_nothing() {
    let sessions = sessions::<Always>();
    let mut session = now(sessions.load("42")).expect("a load");
    now(session.commit()).expect("a commit");
    let _ = sessions.store().take();
    assert_eq!(allocations_of_commit(&mut session).count_total, 0);
    now(session.destroy()).expect("a removal");
    let _ = sessions.store().take();
    assert_eq!(allocations_of_commit(&mut session).count_total, 0, "also after its end");
    assert_eq!(sessions.store().take(), []);
}

#[test]
fn p02_a_new_session_costs_no_encoding_but_now_and_then() {
    let codec = CountingCodec::default();
    let sessions = Kept::<Visitor, _>::builder(test_store()).codec(codec.clone()).build();
    let encoded = || {
        let _ = codec.take();
        now(sessions.load("42")).expect("a load");
        codec.take().0
    };
    encoded();
    assert_eq!(encoded(), 0);
    sessions.store().inner().pass(std::time::Duration::from_secs(2));
    assert_eq!(encoded(), 3, "its initial values are looked at again");
    assert_eq!(encoded(), 0);
}
