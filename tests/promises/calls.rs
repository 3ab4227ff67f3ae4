//! The calls to the store that each kind of request makes.

use std::time::Duration;

use session_runtime::store::Call;
use session_runtime::{Error, Expiry, Outcome};

use crate::visitor::{Item, TestStore, Visitor, builder, fields, names, sessions};
use session_tests::Kept;

const HOUR: Duration = Duration::from_secs(3600);

fn load() -> Call {
    Call::Load { key: "42".to_owned(), touched: false }
}

fn commit(set: &[(&str, &str)], unset: &[&str]) -> Call {
    Call::Commit { key: "42".to_owned(), set: fields(set), unset: names(unset) }
}

/// A store in which the session `42` has two visits and one item in its cart.
async fn with_a_stored_session() -> Kept<Visitor, TestStore> {
    let sessions = sessions::<Visitor>();
    let change = |visitor: &mut session_runtime::Handle<Visitor>| {
        *visitor.edit().visits() = 2;
        visitor.edit().cart().push(Item::new("A1", 2));
    };
    sessions.update("42", change).await.expect("a commit");
    assert_eq!(sessions.store().take().len(), 2, "one load and one commit");
    sessions
}

#[tokio::test]
async fn calls_of_a_new_session_that_is_not_touched_are_none() {
    let sessions = sessions::<Visitor>();
    sessions.prepare().await.expect("a store");
    assert_eq!(sessions.store().take(), []);
}

#[tokio::test]
async fn calls_of_a_new_session_that_is_read_are_one_load() {
    let sessions = sessions::<Visitor>();
    let mut visitor = sessions.load("42").await.expect("a load");
    assert_eq!(visitor.theme, "light");
    assert_eq!(visitor.commit().await.expect("a commit").outcome(), Outcome::Unchanged);
    assert_eq!(sessions.store().take(), [load()]);
}

#[tokio::test]
async fn calls_of_a_new_session_that_is_changed_are_one_load_and_one_commit() {
    let sessions = sessions::<Visitor>();
    let mut visitor = sessions.load("42").await.expect("a load");
    *visitor.edit().visits() += 1;
    assert_eq!(visitor.commit().await.expect("a commit").outcome(), Outcome::Created);
    assert_eq!(sessions.store().take(), [load(), commit(&[("visits", "1")], &[])]);
}

#[tokio::test]
async fn calls_of_a_started_session_are_one_commit_if_it_is_changed_and_else_none() {
    let sessions = sessions::<Visitor>();
    let mut visitor = sessions.start("42").await.expect("a session");
    assert_eq!(sessions.store().take(), [load()], "the first start of a process looks at the store's clock");
    assert_eq!(visitor.commit().await.expect("nothing to do").outcome(), Outcome::Unchanged);
    assert_eq!(visitor.destroy().await.expect("nothing to do"), Outcome::Unchanged);
    assert_eq!(sessions.store().take(), []);
    let mut visitor = sessions.start("42").await.expect("a session");
    *visitor.edit().visits() += 1;
    assert_eq!(visitor.commit().await.expect("a commit").outcome(), Outcome::Created);
    assert_eq!(sessions.store().take(), [commit(&[("visits", "1")], &[])]);
}

#[tokio::test]
async fn calls_of_a_removal_by_key_are_one_load_and_one_removal_of_what_is_there() {
    let sessions = with_a_stored_session().await;
    assert_eq!(sessions.destroy("42").await.expect("a removal"), Outcome::Removed);
    assert_eq!(sessions.store().take(), [load(), Call::Destroy { key: "42".to_owned() }]);
    assert_eq!(sessions.destroy("42").await.expect("nothing to do"), Outcome::Unchanged);
    assert_eq!(sessions.store().take(), [load()]);
}

#[tokio::test]
async fn calls_of_a_stored_session_that_is_not_touched_are_none() {
    let sessions = with_a_stored_session().await;
    sessions.prepare().await.expect("a store");
    assert_eq!(sessions.store().take(), []);
}

#[tokio::test]
async fn calls_of_a_stored_session_that_is_read_are_one_load() {
    let sessions = with_a_stored_session().await;
    let mut visitor = sessions.load("42").await.expect("a load");
    assert_eq!(visitor.visits, 2);
    visitor.commit().await.expect("a commit");
    assert_eq!(sessions.store().take(), [load()]);
}

#[tokio::test]
async fn calls_of_a_stored_session_whose_value_is_set_again_are_one_load() {
    let sessions = with_a_stored_session().await;
    let mut visitor = sessions.load("42").await.expect("a load");
    *visitor.edit().visits() = 2;
    visitor.edit().cart()[0] = Item::new("A1", 2);
    assert_eq!(visitor.commit().await.expect("a commit").outcome(), Outcome::Unchanged);
    assert_eq!(sessions.store().take(), [load()]);
}

#[tokio::test]
async fn calls_of_a_stored_session_that_is_changed_and_changed_back_are_one_load() {
    let sessions = with_a_stored_session().await;
    let mut visitor = sessions.load("42").await.expect("a load");
    visitor.edit().cart().push(Item::new("B2", 1));
    visitor.edit().cart().pop();
    assert_eq!(visitor.commit().await.expect("a commit").outcome(), Outcome::Unchanged);
    assert_eq!(sessions.store().take(), [load()]);
}

#[tokio::test]
async fn calls_of_a_stored_session_back_at_its_initial_value_are_one_load_and_one_removal() {
    let sessions = with_a_stored_session().await;
    let mut visitor = sessions.load("42").await.expect("a load");
    *visitor.edit().visits() = 0;
    visitor.edit().cart().clear();
    assert_eq!(visitor.commit().await.expect("a commit").outcome(), Outcome::Removed);
    assert_eq!(sessions.store().take(), [load(), commit(&[], &["visits", "cart"])]);
}

#[tokio::test]
async fn calls_of_a_stored_session_from_which_nothing_is_removed_are_one_load() {
    let sessions = with_a_stored_session().await;
    let mut visitor = sessions.load("42").await.expect("a load");
    visitor.edit().cart().retain(|item| item.sku != "absent");
    visitor.edit().request_id().take();
    assert_eq!(visitor.commit().await.expect("a commit").outcome(), Outcome::Unchanged);
    assert_eq!(sessions.store().take(), [load()]);
}

#[tokio::test]
async fn calls_of_a_handler_that_fails_are_one_load() {
    let sessions = with_a_stored_session().await;
    let failed = sessions
        .try_update("42", |visitor| {
            *visitor.edit().visits() += 1;
            Err::<(), _>(Error::Contended)
        })
        .await;
    assert!(matches!(failed, Err(Error::Contended)));
    assert_eq!(sessions.store().take(), [load()]);
}

#[tokio::test]
async fn calls_of_a_read_under_sliding_expiry_are_one_load_that_renews_only_when_due() {
    let sessions = builder::<Visitor>().expiry(Expiry::AfterInactivity(HOUR)).build();
    sessions.update("42", |visitor| *visitor.edit().visits() += 1).await.expect("a commit");
    let _ = sessions.store().take();

    let mut visitor = sessions.load("42").await.expect("a load");
    visitor.commit().await.expect("a commit");
    assert_eq!(sessions.store().take(), [load()], "the expiry is fresh");

    sessions.store().inner().pass(HOUR / 10);
    let mut visitor = sessions.load("42").await.expect("a load");
    visitor.commit().await.expect("a commit");
    assert_eq!(sessions.store().take(), [Call::Load { key: "42".to_owned(), touched: true }], "a tenth has passed");
}

#[tokio::test]
async fn calls_of_an_update_that_changes_nothing_are_one_load() {
    let sessions = with_a_stored_session().await;
    sessions.update("42", |visitor| *visitor.edit().visits() = 2).await.expect("a commit");
    assert_eq!(sessions.store().take(), [load()]);
}

#[tokio::test]
async fn calls_of_an_ended_session_are_one_removal_and_of_a_moved_one_are_one_renewal() {
    let sessions = with_a_stored_session().await;
    let mut visitor = sessions.load("42").await.expect("a load");
    *visitor.edit().visits() = 3;
    visitor.renew("43").await.expect("a renewal");
    visitor.destroy().await.expect("a removal");
    let renewal = Call::Renew { from: "42".to_owned(), to: "43".to_owned() };
    assert_eq!(sessions.store().take(), [load(), renewal, Call::Destroy { key: "43".to_owned() }]);
}
