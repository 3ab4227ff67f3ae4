//! What the spans around calls to a store show: the session's name and a hash of its key, and never more.

use session_tests::{Events, Kept, now};

use crate::place::{Place, Visitor};

/// The spans since the last time, with the hash of the key left out.
fn spans(events: &Events) -> Vec<String> {
    let lines = events.take();
    for line in &lines {
        assert!(!line.contains("chat-4711") && !line.contains("swordfish"), "{line}");
    }
    let spans = lines.into_iter().filter(|line| line.contains(" session_store "));
    spans.map(|line| line.split(" key=").next().unwrap_or_default().to_owned()).collect()
}

fn span(operation: &str, session: &str) -> String {
    format!("DEBUG session_store operation={operation:?} session={session:?}")
}

#[test]
fn each_call_to_a_store_is_in_a_span_that_tells_no_secret() {
    let (events, _guard) = Events::capture();
    let sessions = Kept::<Visitor, _>::new(Place::default());
    let mut visitor = now(sessions.load("chat-4711")).expect("a load");
    assert_eq!(spans(&events), [span("prepare", "visitor"), span("load", "visitor")]);

    now(visitor.commit()).expect("nothing to do");
    assert_eq!(spans(&events), [""; 0]);
    *visitor.edit().token() = "swordfish".to_owned();
    now(visitor.commit()).expect("a commit");
    assert_eq!(spans(&events), [span("commit", "visitor")]);

    let admin = sessions.housekeeping();
    now(admin.inspect("visitor", "chat-4711")).expect("a look");
    assert_eq!(spans(&events), [span("prepare", ""), span("load", "visitor"), span("registration", "visitor")]);
    now(admin.keys("visitor").next()).expect("a key").expect("a key");
    now(admin.count("visitor")).expect("a count");
    now(admin.purge().into_future()).expect("a purge");
    assert_eq!(spans(&events), [span("keys", "visitor"), span("count", "visitor"), span("purge", "")]);
    now(admin.destroy("visitor", "chat-4711")).expect("its end");
    assert_eq!(spans(&events), [span("load", "visitor"), span("destroy", "visitor")]);
}

#[test]
fn the_key_in_a_span_is_the_one_in_the_log() {
    let (events, _guard) = Events::capture();
    let sessions = Kept::<Visitor, _>::new(Place::default());
    now(sessions.load("chat-4711")).expect("a load");
    let keys: Vec<_> = events
        .take()
        .iter()
        .filter_map(|line| Some(line.split_once(" key=")?.1.split(' ').next()?.to_owned()))
        .collect();
    assert_eq!(keys.len(), 3, "the verb, the call to the store and its event");
    assert_eq!(keys, [&*keys[0]; 3]);
    assert_eq!(keys[0].len(), 16);
}
