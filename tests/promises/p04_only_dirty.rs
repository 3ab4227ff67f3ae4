//! A commit writes only dirty fields, at once.

use serde::{Deserialize, Serialize};
use session_runtime::store::Call;
use session_runtime::{Handle, Session, Tracked};
use session_tests::{CountingCodec, Fault, Kept, now, stored};

use crate::visitor::{Item, Visitor, fields, names, sessions, test_store};

#[tokio::test]
async fn p04_only_the_dirty_fields_are_sent_however_many_were_touched() {
    let sessions = sessions::<Visitor>();
    sessions.update("42", |visitor| visitor.edit().cart().push(Item::new("A1", 2))).await.expect("a commit");
    let mut visitor = sessions.load("42").await.expect("a load");
    let _ = sessions.store().take();
    let all = visitor.edit_all();
    all.visits = 3;
    all.cart.reverse();
    let committed = visitor.commit().await.expect("a commit");
    assert_eq!(committed.fields().len(), 1);
    let sent = Call::Commit { key: "42".to_owned(), set: fields(&[("visits", "3")]), unset: names(&[]) };
    assert_eq!(sessions.store().take(), [sent], "in one round trip");
}

#[tokio::test]
async fn p04_fields_that_are_set_and_fields_that_are_removed_go_in_one_commit() {
    let sessions = sessions::<Visitor>();
    sessions.update("42", |visitor| visitor.edit().cart().push(Item::new("A1", 2))).await.expect("a commit");
    let mut visitor = sessions.load("42").await.expect("a load");
    let _ = sessions.store().take();
    *visitor.edit().visits() = 1;
    visitor.edit().cart().clear();
    visitor.commit().await.expect("a commit");
    let sent = Call::Commit { key: "42".to_owned(), set: fields(&[("visits", "1")]), unset: names(&["cart"]) };
    assert_eq!(sessions.store().take(), [sent]);
    assert_eq!(stored(sessions.store(), "visitor", "42").await, fields(&[("visits", "1")]));
}

#[tokio::test]
async fn p04_a_commit_that_fails_stores_no_part_of_it() {
    let sessions = sessions::<Visitor>();
    for fault in [Fault::Refused, Fault::LostBefore] {
        let mut visitor = sessions.load("42").await.expect("a load");
        *visitor.edit().visits() = 1;
        *visitor.edit().theme() = "dark".to_owned();
        sessions.store().inner().fail_commit(fault);
        visitor.commit().await.expect_err("the store fails");
        assert_eq!(stored(sessions.store(), "visitor", "42").await, []);
        visitor.discard();
    }
}

#[derive(Session)]
#[session(name = "p04-wide")]
struct Wide {
    counter: u32,
    #[session(initial = vec![0; 100_000])]
    ballast: Vec<u32>,
    #[session(nested)]
    a: Ten,
    #[session(nested)]
    b: Ten,
    #[session(nested)]
    c: Ten,
}

#[derive(Session)]
#[session(name = "p04-ten")]
struct Ten {
    f0: u32,
    f1: u32,
    f2: u32,
    f3: u32,
    f4: u32,
    f5: u32,
    f6: u32,
    f7: u32,
    f8: u32,
    f9: u32,
}

#[test]
fn p04_the_cost_of_a_commit_does_not_grow_with_the_untouched_part() {
    let codec = CountingCodec::default();
    let sessions = Kept::<Wide, _>::builder(test_store()).codec(codec.clone()).build();
    let fill = |wide: &mut Handle<Wide, _>| {
        let wide = wide.edit_all();
        wide.ballast.fill(7);
        for ten in [&mut wide.a, &mut wide.b, &mut wide.c] {
            *ten = Ten { f0: 1, f1: 1, f2: 1, f3: 1, f4: 1, f5: 1, f6: 1, f7: 1, f8: 1, f9: 1 };
        }
    };
    now(sessions.update("42", fill)).expect("a commit");
    let mut wide = now(sessions.load("42")).expect("a load");
    *wide.edit().counter() += 1;
    let _ = (codec.take(), sessions.store().take());
    let allocated = allocation_counter::measure(|| now(wide.commit()).map(drop).expect("a commit"));

    // The new value; the old one, decoded and encoded again, to see that it is really another; the initial one is
    // compared by its bytes.
    assert_eq!(codec.take(), (2, 1));
    let sent = Call::Commit { key: "42".to_owned(), set: fields(&[("counter", "1")]), unset: names(&[]) };
    assert_eq!(sessions.store().take(), [sent]);
    assert!(allocated.bytes_total < 10_000, "{} bytes, and the rest of the session has 200,000", allocated.bytes_total);
}

#[derive(Session)]
#[session(name = "p04-lines")]
struct Lines {
    numbers: Vec<u32>,
    lines: Vec<Line>,
}

#[derive(Serialize, Deserialize, Clone)]
struct Line {
    sku: String,
    quantity: u32,
}

#[test]
fn p04_a_large_field_that_this_process_stored_is_compared_without_decoding_it() {
    let codec = CountingCodec::default();
    let mut session = Tracked::<Lines, _>::with_codec(codec.clone()).expect("a session");
    session.edit().lines().extend((0..100).map(|n| Line { sku: format!("A{n}"), quantity: 1 }));
    let patch = session.patch().expect("it can be encoded");
    session.saved(&patch);
    session.edit().lines()[50].quantity = 2;
    let _ = codec.take();
    assert_eq!(session.dirty().expect("it can be encoded").len(), 1);
    assert_eq!(codec.take(), (1, 0));

    // The same lines in another order are the same bytes in another order, so that takes a closer look.
    session.edit().lines()[50].quantity = 1;
    session.edit().lines().swap(50, 51);
    assert_eq!(session.dirty().expect("it can be encoded").len(), 1);
    assert_ne!(codec.take().1, 0);
}

#[test]
fn p04_looking_at_a_vector_that_was_borrowed_and_not_changed_takes_one_allocation() {
    let mut session = Tracked::<Lines>::new().expect("a session");
    session.edit().numbers().extend(0..32);
    let patch = session.patch().expect("it can be encoded");
    session.saved(&patch);
    session.edit().numbers();
    let allocated = allocation_counter::measure(|| assert!(session.patch().expect("it can be encoded").is_empty()));
    assert_eq!(allocated.count_total, 1);
}

#[derive(Session)]
#[session(name = "p04-pinned")]
struct Pinned {
    visits: u32,
    #[session(pin, initial = "classic".to_owned())]
    layout: String,
}

#[test]
fn p04_a_pinned_field_is_sent_once() {
    let sessions = sessions::<Pinned>();
    let mut session = now(sessions.load("42")).expect("a load");
    let mut sent = |change: fn(&mut Handle<Pinned>)| {
        let _ = sessions.store().take();
        change(&mut session);
        now(session.commit()).expect("a commit");
        sessions.store().take()
    };
    let commit = |set: &[(&str, &str)]| [Call::Commit { key: "42".to_owned(), set: fields(set), unset: Vec::new() }];
    let first = sent(|session| {
        *session.edit().layout() = "modern".to_owned();
        *session.edit().visits() = 1;
    });
    assert_eq!(first, commit(&[("visits", "1"), ("layout", r#""modern""#)]));
    assert_eq!(sent(|session| *session.edit().visits() = 2), commit(&[("visits", "2")]));
    assert_eq!(sent(|session| *session.edit().layout() = "classic".to_owned()), commit(&[("layout", r#""classic""#)]));
}
