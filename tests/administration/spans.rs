//! The tree of spans: a verb that somebody called, and in it what it asked of the store.

use std::time::{Duration, SystemTime};

use session_runtime::legacy::{Legacy, Old};
use session_runtime::{Error, Expiry, Handle, Session as _, Sessions};
use session_tests::{Fault, Kept, Spans, now};

use crate::place::{Place, Visitor, visit};

/// Sessions of which one is stored, and which know what they agreed on.
fn sessions(place: &Place) -> Kept<Visitor, Place> {
    let sessions = Kept::builder(place.clone()).expiry(Expiry::AfterInactivity(Duration::from_secs(30 * 60))).build();
    now(sessions.update("chat-4711", visit)).expect("a visit");
    sessions
}

fn load(sessions: &Kept<Visitor, Place>) -> Handle<Visitor> {
    now(sessions.load("chat-4711")).expect("a load")
}

#[test]
fn a_first_load_shows_what_it_prepares() {
    let (spans, _guard) = Spans::capture();
    let sessions = Kept::<Visitor, _>::new(Place::default());
    load(&sessions);
    let tree = [
        "session_verb verb=load session=visitor touched=false outcome=new",
        "  session_store operation=prepare session=visitor",
        "  session_store operation=load session=visitor",
    ];
    assert_eq!(spans.take(), tree);
}

#[test]
fn a_first_load_of_an_old_session_says_that_it_moved_in() {
    let (spans, _guard) = Spans::capture();
    let tomorrow = SystemTime::now() + Duration::from_secs(24 * 3600);
    let old = || Old::new(Visitor { visits: 7, ..Visitor::initial() });
    let legacy = Legacy::until(tomorrow, move |_| async move { Ok(Some(old())) });
    let sessions = Sessions::<Visitor>::builder(Place::default()).legacy(legacy).build();
    assert!(now(sessions.load("chat-4711")).expect("a load").is_moved_in());
    assert_eq!(spans.take()[0], "session_verb verb=load session=visitor touched=false outcome=moved in");
}

#[test]
fn a_load_and_a_commit_are_a_call_to_the_store_each() {
    let (spans, _guard) = Spans::capture();
    let sessions = sessions(&Place::default());
    spans.take();
    let mut visitor = load(&sessions);
    visit(&mut visitor);
    now(visitor.commit()).expect("a commit");
    let tree = [
        "session_verb verb=load session=visitor touched=false outcome=known",
        "  session_store operation=load session=visitor",
        "session_verb verb=commit session=visitor fields=1 attempts=1 conflicts=0 outcome=updated",
        "  session_store operation=commit session=visitor",
    ];
    assert_eq!(spans.take(), tree);
}

#[test]
fn a_commit_of_what_did_not_change_asks_nothing_of_the_store() {
    let (spans, _guard) = Spans::capture();
    let sessions = sessions(&Place::default());
    let mut visitor = load(&sessions);
    spans.take();
    visitor.edit().theme();
    now(visitor.commit()).expect("nothing to do");
    let tree = ["session_verb verb=commit session=visitor fields=0 attempts=0 conflicts=0 outcome=unchanged"];
    assert_eq!(spans.take(), tree);
    now(visitor.commit()).expect("nothing was borrowed");
    assert_eq!(spans.take(), [""; 0], "what nobody borrowed for change is free");
}

#[test]
fn a_load_that_keeps_the_session_from_expiring_says_so() {
    let (spans, _guard) = Spans::capture();
    let place = Place::default();
    let sessions = sessions(&place);
    spans.take();
    place.pass(Duration::from_secs(10 * 60));
    load(&sessions);
    let tree = [
        "session_verb verb=load session=visitor touched=true outcome=known",
        "  session_store operation=load session=visitor",
    ];
    assert_eq!(spans.take(), tree);
}

#[test]
fn a_conflict_is_a_second_call_in_the_same_verb() {
    let (spans, _guard) = Spans::capture();
    let sessions = sessions(&Place::default());
    let (mut first, mut second) = (load(&sessions), load(&sessions));
    visit(&mut first);
    now(first.commit()).expect("a commit");
    spans.take();
    *second.edit().theme() = "dark".to_owned();
    now(second.commit()).expect("it is put on top");
    let tree = [
        "session_verb verb=commit session=visitor fields=1 attempts=2 conflicts=1 outcome=updated",
        "  session_store operation=commit session=visitor",
        "  session_store operation=commit session=visitor",
    ];
    assert_eq!(spans.take(), tree);
}

#[test]
fn an_update_shows_its_load_and_each_commit() {
    let (spans, _guard) = Spans::capture();
    let place = Place::default();
    let sessions = sessions(&place);
    let mut other = Some(load(&Kept::new(place)));
    spans.take();
    let twice = |visitor: &mut Handle<Visitor>| {
        if let Some(mut other) = other.take() {
            visit(&mut other);
            now(other.commit()).expect("a commit in between");
        }
        visit(visitor);
    };
    now(sessions.update("chat-4711", twice)).expect("the second time");
    let tree = [
        "session_verb verb=update session=visitor fields=1 attempts=2 conflicts=1 outcome=updated",
        "  session_store operation=load session=visitor",
        "  session_verb verb=commit session=visitor fields=1 attempts=1 conflicts=0 outcome=updated",
        "    session_store operation=commit session=visitor",
        "  session_store operation=commit session=visitor",
        "  session_store operation=commit session=visitor",
    ];
    assert_eq!(spans.take(), tree);

    let refuse = |_: &mut Handle<Visitor>| Err::<(), _>(Error::Contended);
    now(sessions.try_update("chat-4711", refuse)).expect_err("it is refused");
    let tree = [
        "session_verb verb=update session=visitor outcome=discarded",
        "  session_store operation=load session=visitor",
    ];
    assert_eq!(spans.take(), tree);
}

#[test]
fn a_renewal_and_a_destruction_are_verbs_too() {
    let (spans, _guard) = Spans::capture();
    let sessions = sessions(&Place::default());
    let mut visitor = load(&sessions);
    spans.take();
    now(visitor.renew("chat-4712")).expect("a renewal");
    now(visitor.destroy()).expect("its end");
    now(sessions.destroy("chat-4712")).expect("it is gone already");
    let tree = [
        "session_verb verb=renew session=visitor fields=0 attempts=1 conflicts=0 outcome=updated",
        "  session_store operation=commit session=visitor",
        "session_verb verb=destroy session=visitor outcome=removed",
        "  session_store operation=commit session=visitor",
        "session_verb verb=destroy session=visitor outcome=unchanged",
        "  session_store operation=load session=visitor",
    ];
    assert_eq!(spans.take(), tree);
}

#[test]
fn a_store_that_fails_leaves_its_error_in_the_verb() {
    let (spans, _guard) = Spans::capture();
    let place = Place::default();
    let sessions = sessions(&place);
    let mut visitor = load(&sessions);
    spans.take();
    place.fail_load(Fault::Refused);
    now(sessions.load("chat-4711")).map(drop).expect_err("a fault");
    visit(&mut visitor);
    place.fail_commit(Fault::Refused);
    now(visitor.commit()).expect_err("a fault");
    visitor.discard();
    let tree = [
        "session_verb verb=load session=visitor outcome=failed error=the session store failed",
        "  session_store operation=load session=visitor",
        "session_verb verb=commit session=visitor fields=0 attempts=1 conflicts=0 outcome=failed error=the session store failed",
        "  session_store operation=commit session=visitor",
    ];
    assert_eq!(spans.take(), tree);
}
