//! What each kind of request asks of the store: these calls and no others.

use std::error::Error;
use std::time::Duration;

use super::fixture::{Fixture, MINUTE, are};
use super::visiting::{Visitor, committing, load, loading, with_a_visitor};
use crate::store::Call;
use crate::{Expiry, Outcome};

/// A request that does not touch its session, known or new, calls nothing.
pub(super) async fn p02_calls_of_an_untouched_session_are_none(fixture: Fixture) {
    let sessions = fixture.visitors();
    sessions.prepare().await.expect("a store");
    assert_eq!(sessions.calls(), []);
    let sessions = with_a_visitor(&fixture, &fixture.id("42")).await;
    sessions.prepare().await.expect("a store");
    assert_eq!(sessions.calls(), []);
}

/// A new session that is only read is one load, and is not stored.
pub(super) async fn p02_calls_of_a_new_session_that_is_read_are_one_load(fixture: Fixture) {
    let (sessions, id) = (fixture.visitors(), fixture.id("42"));
    let mut visitor = load(&sessions, &id).await;
    assert_eq!((visitor.visits, visitor.theme.as_str()), (0, "light"));
    assert_eq!(visitor.commit().await.expect("a commit").outcome(), Outcome::Unchanged);
    assert_eq!(sessions.calls(), [loading(&id)]);
    fixture.is_not_stored(&id).await;
}

/// A new session that is changed is one load and one commit of that field.
pub(super) async fn p01_calls_of_a_new_session_that_is_changed_are_one_load_and_one_commit(fixture: Fixture) {
    let (sessions, id) = (fixture.visitors(), fixture.id("42"));
    let mut visitor = load(&sessions, &id).await;
    *visitor.edit().visits() += 1;
    assert_eq!(visitor.commit().await.expect("a commit").outcome(), Outcome::Created);
    assert_eq!(sessions.calls(), [loading(&id), committing(&id, &[("visits", "1")], &[])]);
    assert_eq!(fixture.stored(&id).await, are(&[("visits", "1")]));
}

/// A stored session that is only read is one load.
pub(super) async fn p02_calls_of_a_stored_session_that_is_read_are_one_load(fixture: Fixture) {
    let id = fixture.id("42");
    let sessions = with_a_visitor(&fixture, &id).await;
    let mut visitor = load(&sessions, &id).await;
    assert_eq!((visitor.visits, visitor.cart.as_slice()), (2, &["tea".to_owned()][..]));
    visitor.commit().await.expect("a commit");
    assert_eq!(sessions.calls(), [loading(&id)]);
}

/// A stored session of which one field is changed is one load and one commit of that field.
pub(super) async fn p04_calls_of_a_stored_session_that_is_changed_are_one_load_and_one_commit(fixture: Fixture) {
    let id = fixture.id("42");
    let sessions = with_a_visitor(&fixture, &id).await;
    let mut visitor = load(&sessions, &id).await;
    *visitor.edit().visits() += 1;
    assert_eq!(visitor.commit().await.expect("a commit").outcome(), Outcome::Updated);
    assert_eq!(sessions.calls(), [loading(&id), committing(&id, &[("visits", "3")], &[])]);
    assert_eq!(fixture.stored(&id).await, are(&[("visits", "3"), ("cart", r#"["tea"]"#)]));
}

/// Setting the value that is there already is one load.
pub(super) async fn p03_calls_of_a_value_that_is_set_again_are_one_load(fixture: Fixture) {
    let id = fixture.id("42");
    let sessions = with_a_visitor(&fixture, &id).await;
    let mut visitor = load(&sessions, &id).await;
    *visitor.edit().visits() = 2;
    *visitor.edit().cart() = vec!["tea".to_owned()];
    assert_eq!(visitor.commit().await.expect("a commit").outcome(), Outcome::Unchanged);
    assert_eq!(sessions.calls(), [loading(&id)]);
}

/// A change that is taken back is one load.
pub(super) async fn p03_calls_of_a_change_that_is_taken_back_are_one_load(fixture: Fixture) {
    let id = fixture.id("42");
    let sessions = with_a_visitor(&fixture, &id).await;
    let mut visitor = load(&sessions, &id).await;
    visitor.edit().cart().push("milk".to_owned());
    visitor.edit().cart().pop();
    assert_eq!(visitor.commit().await.expect("a commit").outcome(), Outcome::Unchanged);
    assert_eq!(sessions.calls(), [loading(&id)]);
}

/// Back at the initial values is one load and one removal.
pub(super) async fn p01_calls_of_a_return_to_the_initial_values_are_one_load_and_one_removal(fixture: Fixture) {
    let id = fixture.id("42");
    let sessions = with_a_visitor(&fixture, &id).await;
    let mut visitor = load(&sessions, &id).await;
    *visitor.edit().visits() = 0;
    visitor.edit().cart().clear();
    assert_eq!(visitor.commit().await.expect("a commit").outcome(), Outcome::Removed);
    assert_eq!(sessions.calls(), [loading(&id), committing(&id, &[], &["visits", "cart"])]);
    assert_eq!(fixture.stored(&id).await, []);
    assert!(load(&sessions, &id).await.is_new());
}

/// Removing what is not there is one load.
pub(super) async fn p03_calls_of_a_removal_of_what_is_absent_are_one_load(fixture: Fixture) {
    let id = fixture.id("42");
    let sessions = with_a_visitor(&fixture, &id).await;
    let mut visitor = load(&sessions, &id).await;
    visitor.edit().cart().retain(|item| item != "milk");
    visitor.edit().request_id().take();
    assert_eq!(visitor.commit().await.expect("a commit").outcome(), Outcome::Unchanged);
    assert_eq!(sessions.calls(), [loading(&id)]);
}

/// A handler that fails is one load, and saves nothing.
pub(super) async fn p07_calls_of_a_handler_that_fails_are_one_load(fixture: Fixture) {
    let id = fixture.id("42");
    let sessions = with_a_visitor(&fixture, &id).await;
    let failed = sessions.try_update(&id, |visitor| {
        *visitor.edit().visits() += 1;
        visitor.edit().cart().push("milk".to_owned());
        Err::<(), Box<dyn Error + Send + Sync>>("out of milk".into())
    });
    assert_eq!(failed.await.expect_err("the handler fails").to_string(), "out of milk");
    assert_eq!(sessions.calls(), [loading(&id)]);
    assert_eq!(fixture.stored(&id).await, are(&[("visits", "2"), ("cart", r#"["tea"]"#)]));
}

/// Under a sliding expiry a read is one load, which moves the expiry only when that is due.
pub(super) async fn p09_calls_of_a_read_are_one_load_that_touches_only_when_due(fixture: Fixture) {
    let id = fixture.id("sliding");
    let hour = Expiry::AfterInactivity(Duration::from_secs(3600));
    let at = |millis| fixture.after(millis).sessions_with::<Visitor, _>(|builder| builder.expiry(hour));
    let now = at(0);
    now.update(&id, |visitor| *visitor.edit().visits() += 1).await.expect("a commit");
    for (later, touched) in [(0, false), (MINUTE, false), (6 * MINUTE, true), (7 * MINUTE, false), (64 * MINUTE, true)]
    {
        let sessions = at(later);
        let mut visitor = load(&sessions, &id).await;
        assert_eq!(visitor.visits, 1, "after {later} ms");
        visitor.commit().await.expect("a commit");
        assert_eq!(sessions.calls(), [Call::Load { key: id.clone(), touched }], "after {later} ms");
    }
    assert!(load(&at(125 * MINUTE), &id).await.is_new(), "an hour after its last use it has ended");
}

/// A session that moves and one that ends are one call each.
pub(super) async fn p06_calls_of_a_renewal_and_of_a_removal_are_one_each(fixture: Fixture) {
    let (old, new) = (fixture.id("old"), fixture.id("new"));
    let sessions = with_a_visitor(&fixture, &old).await;
    let mut visitor = load(&sessions, &old).await;
    *visitor.edit().visits() = 3;
    visitor.renew(&new).await.expect("a renewal");
    assert_eq!(visitor.destroy().await.expect("a removal"), Outcome::Removed);
    let renewal = Call::Renew { from: old.clone(), to: new.clone() };
    assert_eq!(sessions.calls(), [loading(&old), renewal, Call::Destroy { key: new.clone() }]);
    fixture.is_not_stored(&old).await;
    fixture.is_not_stored(&new).await;
}
