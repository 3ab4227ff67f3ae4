//! Failure loses nothing and doubles nothing: handlers, loads, and values that are refused.

use session_runtime::store::{Call, InvalidKey, Namespaced};
use session_runtime::{Error, Handle, Limits, Outcome, Session};
use session_tests::{Events, Fault, Kept, is_stored, now, record, stored};

use crate::visitor::{Item, TestStore, Visitor, builder, fields, sessions, test_store};

/// Sessions of which `42` has two visits.
fn with_two_visits() -> Kept<Visitor, TestStore> {
    let sessions = sessions();
    now(sessions.update("42", |visitor: &mut Handle<Visitor>| *visitor.edit().visits() = 2)).expect("a commit");
    sessions
}

#[track_caller]
fn assert_two_visits(sessions: &Kept<Visitor, TestStore>) {
    assert_eq!(now(stored(sessions.store(), "visitor", "42")), fields(&[("visits", "2")]));
}

#[derive(Debug)]
enum Oops {
    Handler,
    Session,
}

impl From<Error> for Oops {
    fn from(_: Error) -> Self {
        Self::Session
    }
}

#[tokio::test]
async fn p07_a_failed_handler_writes_nothing() {
    let sessions = with_two_visits();
    let failed = sessions.try_update("42", |visitor| {
        *visitor.edit().visits() = 3;
        visitor.edit().cart().push(Item::new("A", 1));
        Err::<(), _>(Oops::Handler)
    });
    assert!(matches!(failed.await, Err(Oops::Handler)));
    assert_two_visits(&sessions);
    assert_eq!(sessions.load("42").await.expect("a load").cart, [], "nothing that was lent is the stored value");
    sessions.store().inner().fail_load(Fault::LostBefore);
    let failed = sessions.try_update("42", |_| Ok::<(), Oops>(())).await;
    assert!(matches!(failed, Err(Oops::Session)));
}

#[tokio::test]
async fn p07_a_panicking_handler_writes_nothing_and_blocks_nobody() {
    let sessions = with_two_visits();
    let panicking = sessions.clone();
    let handler = tokio::spawn(async move {
        let change = |visitor: &mut Handle<Visitor>| {
            *visitor.edit().visits() = 3;
            assert_eq!(visitor.visits, 4, "this handler is wrong");
        };
        panicking.update("42", change).await
    });
    assert!(handler.await.expect_err("it panics").is_panic());
    assert_two_visits(&sessions);
    sessions.update("42", |visitor| *visitor.edit().visits() += 1).await.expect("the key is free");
}

#[tokio::test]
async fn p07_a_handle_that_is_dropped_writes_nothing_and_warns() {
    let sessions = with_two_visits();
    let (events, _guard) = Events::capture();
    let warnings = || events.take().iter().filter(|line| line.starts_with("WARN")).count();
    let mut visitor = sessions.load("42").await.expect("a load");
    *visitor.edit().visits() = 3;
    drop(visitor);
    assert_eq!(warnings(), 1);
    assert_two_visits(&sessions);

    let mut visitor = sessions.load("42").await.expect("a load");
    visitor.edit_all();
    drop(visitor);
    assert_eq!(warnings(), 0, "nothing is lost");
    let mut visitor = sessions.load("42").await.expect("a load");
    *visitor.edit().visits() = 3;
    visitor.discard();
    assert_eq!(warnings(), 0, "it was meant");
    assert_two_visits(&sessions);
}

#[tokio::test]
async fn p07_a_failed_load_is_an_error_and_never_an_empty_session() {
    let sessions = with_two_visits();
    for fault in [Fault::Refused, Fault::LostBefore, Fault::LostAfter] {
        sessions.store().inner().fail_load(fault);
        assert!(matches!(sessions.load("42").await, Err(Error::Store(_))), "{fault:?}");
        sessions.store().inner().fail_load(fault);
        let ran = std::cell::Cell::new(false);
        let failed = sessions.update("42", |_| ran.set(true)).await;
        assert!(matches!(failed, Err(Error::Store(_))));
        assert!(!ran.get(), "a handler without a session does not run");
        assert_two_visits(&sessions);
    }
}

#[tokio::test]
async fn p07_a_store_that_fails_while_a_commit_is_rebased_leaves_the_change_in_the_handle() {
    let sessions = with_two_visits();
    let mut late = sessions.load("42").await.expect("a load");
    *late.edit().theme() = "dark".to_owned();
    sessions.update("42", |visitor| *visitor.edit().visits() = 3).await.expect("a commit");
    sessions.store().inner().fail_commit(Fault::Refused);
    assert!(matches!(late.commit().await, Err(Error::Store(_))));
    assert!(!late.dirty().expect("it can be encoded").is_empty());
    late.commit().await.expect("the store is back");
    let both = [("theme", r#""dark""#), ("visits", "3")];
    assert_eq!(stored(sessions.store(), "visitor", "42").await, fields(&both));
}

#[derive(Session)]
#[session(name = "p07-texts")]
struct Texts {
    one: String,
    other: String,
}

fn limited() -> Kept<Texts, TestStore> {
    builder().limits(Limits { field: 10, record: 15 }).build()
}

#[tokio::test]
async fn p07_a_field_beyond_its_limit_fails_before_anything_is_sent() {
    let sessions = limited();
    sessions.update("42", |texts| *texts.edit().one() = "12345678".to_owned()).await.expect("ten bytes in JSON");
    let before = record(sessions.store(), "p07-texts", "42").await.expect("a record");
    let mut texts = sessions.load("42").await.expect("a load");
    let _ = sessions.store().take();
    *texts.edit().one() = "123456789".to_owned();
    *texts.edit().other() = "x".to_owned();
    let refused = texts.commit().await.expect_err("too large");
    assert!(
        matches!(&refused, Error::TooLarge { field: Some(field), size: 11, limit: 10 } if &**field == "one"),
        "{refused:?}"
    );
    assert_eq!(sessions.store().take(), []);
    let after = record(sessions.store(), "p07-texts", "42").await.expect("a record");
    assert_eq!((before.head, before.fields), (after.head, after.fields), "the stored record is as it was");

    *texts.edit().one() = "1".to_owned();
    assert_eq!(texts.commit().await.expect("small enough").fields().len(), 2, "and no change is lost");
}

#[tokio::test]
async fn p07_a_record_beyond_its_limit_fails_before_anything_is_sent() {
    let sessions = limited();
    sessions.update("42", |texts| *texts.edit().one() = "12345678".to_owned()).await.expect("ten bytes in JSON");
    let mut texts = sessions.load("42").await.expect("a load");
    let _ = sessions.store().take();
    *texts.edit().other() = "1234".to_owned();
    let refused = texts.commit().await.expect_err("ten and six");
    assert!(matches!(refused, Error::TooLarge { field: None, size: 16, limit: 15 }), "{refused:?}");
    assert_eq!(sessions.store().take(), []);
    *texts.edit().one() = String::new();
    texts.commit().await.expect("what is removed makes room");
}

#[tokio::test]
async fn p07_the_default_limits_are_one_and_four_mebibytes() {
    assert_eq!(Limits::default(), Limits { field: 1 << 20, record: 4 << 20 });
    let sessions = sessions::<Texts>();
    let mut texts = sessions.load("42").await.expect("a load");
    *texts.edit().one() = "x".repeat((1 << 20) - 2);
    texts.commit().await.expect("one mebibyte with its quotes");
    texts.edit().one().push('x');
    assert!(matches!(texts.commit().await, Err(Error::TooLarge { .. })));
    texts.discard();
}

#[tokio::test]
async fn p07_a_key_is_checked_before_anything_is_sent() {
    let sessions = sessions::<Visitor>();
    assert!(matches!(sessions.load("").await, Err(Error::InvalidKey(InvalidKey::Empty))));
    let long = "ä".repeat(256) + "x";
    assert!(matches!(sessions.load(&long).await, Err(Error::InvalidKey(InvalidKey::TooLong { len: 513 }))));
    assert!(matches!(sessions.update("", |_| ()).await, Err(Error::InvalidKey(_))));
    let mut visitor = sessions.load(&"ä".repeat(256)).await.expect("512 bytes");
    *visitor.edit().visits() = 1;
    visitor.commit().await.expect("a commit");
    let _ = sessions.store().take();
    assert!(matches!(visitor.renew(&long).await, Err(Error::InvalidKey(_))));
    assert!(matches!(visitor.renew("").await, Err(Error::InvalidKey(_))));
    assert_eq!(sessions.store().take(), []);
}

#[tokio::test]
async fn p07_odd_keys_name_sessions_of_their_own() {
    let sessions = sessions::<Visitor>();
    let keys = ["42", "42 ", " 42", "42\0", "４２", "{42}", "visitor:42", "42\n", "*", "%", "ß", "SS", "é", "e\u{301}"];
    for (visits, key) in (1..).zip(keys) {
        sessions.update(key, |visitor| *visitor.edit().visits() = visits).await.expect("a commit");
    }
    for (visits, key) in (1..).zip(keys) {
        assert_eq!(sessions.load(key).await.expect("a load").visits, visits, "{key:?}");
    }
}

#[tokio::test]
async fn p07_two_session_types_never_clobber_each_other() {
    let store = test_store();
    let (visitors, texts) = (Kept::<Visitor, _>::new(store.clone()), Kept::<Texts, _>::new(store.clone()));
    visitors.update("42", |visitor| *visitor.edit().visits() = 1).await.expect("a commit");
    assert!(texts.load("42").await.expect("a load").is_new());
    texts.update("42", |texts| *texts.edit().one() = "x".to_owned()).await.expect("a commit");
    texts.load("42").await.expect("a load").destroy().await.expect("a removal");
    assert!(is_stored(&store, "visitor", "42").await);
}

mod namesake {
    #[derive(session_runtime::Session)]
    #[session(name = "visitor")]
    pub struct Visitor {
        pub visits: u32,
    }
}

#[tokio::test]
async fn p07_two_session_types_with_one_name_are_refused_with_every_way_out() {
    let store = test_store();
    Kept::<Visitor, _>::new(store.clone()).prepare().await.expect("the first");
    let refused = Kept::<namesake::Visitor, _>::new(store.clone()).prepare().await.expect_err("another type");
    let said = refused.to_string();
    assert!(matches!(refused, Error::NameTaken { name, .. } if &*name == "visitor"), "{said}");
    for part in ["`promises::visitor::Visitor`", "`promises::p07_failure::namesake::Visitor`"] {
        assert!(said.contains(part), "{said}");
    }
    for way_out in ["#[session(name = \"…\")]", ".name(\"…\")", "?namespace=…"] {
        assert!(said.contains(way_out), "{said}");
    }

    Kept::<namesake::Visitor, _>::builder(store.clone()).name("other.visitor").build().prepare().await.expect("a name");
    let namespaced = Namespaced::new(store, "shop").expect("a namespace");
    Kept::<namesake::Visitor, _>::new(namespaced).prepare().await.expect("a namespace");
    Kept::<namesake::Visitor, _>::new(test_store()).prepare().await.expect("another store");
}

#[tokio::test]
async fn p07_a_session_type_can_move_to_another_module() {
    mod moved {
        #[derive(session_runtime::Session)]
        #[session(name = "visitor")]
        pub struct Caller {
            pub visits: u32,
        }
    }
    let store = test_store();
    Kept::<namesake::Visitor, _>::new(store.clone()).prepare().await.expect("the first");
    Kept::<moved::Caller, _>::new(store.clone()).prepare().await.expect("the same fields");
    for _ in 0..2 {
        // Builds of before and after the move run beside each other.
        Kept::<namesake::Visitor, _>::new(store.clone()).prepare().await.expect("the first");
        Kept::<moved::Caller, _>::new(store.clone()).prepare().await.expect("noted");
    }
}

/// A build of `Caller` by each of two deployments.
async fn deployed_twice(store: &TestStore) {
    {
        mod moved {
            #[derive(session_runtime::Session)]
            #[session(name = "visitor")]
            pub struct Caller {
                pub visits: u32,
            }
        }
        Kept::<moved::Caller, _>::new(store.clone()).prepare().await.expect("the same fields");
    }
    {
        mod moved {
            #[derive(session_runtime::Session)]
            #[session(name = "visitor")]
            pub struct Caller {
                pub visits: u32,
                pub language: String,
            }
        }
        Kept::<moved::Caller, _>::new(store.clone()).prepare().await.expect("the same type, with one more field");
    }
}

#[tokio::test]
async fn p07_a_session_type_can_get_another_field_also_after_it_moved_to_another_module() {
    deployed_twice(&test_store()).await;
    let store = test_store();
    Kept::<namesake::Visitor, _>::new(store.clone()).prepare().await.expect("the first");
    deployed_twice(&store).await;
}

#[tokio::test]
async fn p07_a_name_that_is_chosen_at_run_time_is_checked_before_anything_is_stored() {
    for name in ["", "a/b", "a#b", "a:b", &"a".repeat(65)] {
        let store = test_store();
        let sessions = Kept::<Visitor, _>::builder(store.clone()).name(name).build();
        let error = sessions.load("42").await.expect_err("no name");
        assert!(matches!(error, Error::InvalidName(_)), "{error}");
        assert!(store.take().is_empty(), "{name}");
    }
}

#[tokio::test]
async fn p07_a_commit_that_others_outrun_until_the_deadline_stores_nothing_and_can_be_tried_again() {
    let sessions = builder::<Visitor>().deadline(std::time::Duration::ZERO).build();
    let mut late = sessions.load("42").await.expect("a load");
    *late.edit().theme() = "dark".to_owned();
    sessions.update("42", |visitor| *visitor.edit().visits() = 2).await.expect("a commit");
    let _ = sessions.store().take();
    assert!(matches!(late.commit().await, Err(Error::Contended)));
    assert_eq!(sessions.store().take().len(), 1);
    assert_two_visits(&sessions);
    assert!(late.dirty().expect("it can be encoded").contains(crate::visitor::VisitorField::Theme));
    late.discard();
}

#[tokio::test]
async fn p07_an_update_whose_answer_is_lost_is_made_again_and_applied_once() {
    let sessions = with_two_visits();
    for fault in [Fault::LostBefore, Fault::LostAfter] {
        let before = record(sessions.store(), "visitor", "42").await.expect("a record").head.revision;
        let _ = sessions.store().take();
        sessions.store().inner().fail_commit(fault);
        sessions.update("42", |visitor| *visitor.edit().visits() += 1).await.expect("a commit");
        let sent = sessions.store().take().into_iter().filter(|call| matches!(call, Call::Commit { .. })).count();
        assert_eq!(sent, 2);
        assert_eq!(record(sessions.store(), "visitor", "42").await.expect("a record").head.revision, before + 1);
    }
    assert_eq!(sessions.load("42").await.expect("a load").visits, 4);
    let mut untouched = sessions.load("42").await.expect("a load");
    assert_eq!(untouched.commit().await.expect("a commit").outcome(), Outcome::Unchanged);
}
