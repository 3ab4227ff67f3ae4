//! Stored state is the difference from the initial state.

use std::sync::atomic::{AtomicU64, Ordering};

use session_runtime::store::{Call, Housekeeping};
use session_runtime::{Agreement, Outcome, Session, Tracked};
use session_tests::{Kept, is_stored, now, stored};

use crate::visitor::{Item, Visitor, VisitorField, builder, fields, sessions, test_store};

/// Sends whatever differs, and tells what the store then holds.
macro_rules! stored_after {
    ($sessions:ident, $name:literal, $change:expr) => {{
        $sessions.update("42", $change).await.expect("a commit");
        stored($sessions.store(), $name, "42").await
    }};
}

#[tokio::test]
async fn p01_a_field_is_stored_if_and_only_if_it_differs_from_its_initial_value() {
    let sessions = sessions::<Visitor>();
    assert_eq!(stored_after!(sessions, "visitor", |v| *v.edit().visits() = 1), fields(&[("visits", "1")]));
    assert_eq!(
        stored_after!(sessions, "visitor", |v| *v.edit().theme() = "dark".to_owned()),
        fields(&[("theme", r#""dark""#), ("visits", "1")])
    );
    assert_eq!(stored_after!(sessions, "visitor", |v| *v.edit().visits() = 0), fields(&[("theme", r#""dark""#)]));
    assert_eq!(
        stored_after!(sessions, "visitor", |v| v.edit().cart().push(Item::new("A", 1))),
        fields(&[("cart", r#"[{"sku":"A","quantity":1}]"#), ("theme", r#""dark""#)])
    );
}

#[tokio::test]
async fn p01_a_skipped_field_is_never_stored() {
    let sessions = sessions::<Visitor>();
    let of = |v: &mut session_runtime::Handle<Visitor>| *v.edit().request_id() = Some("r1".to_owned());
    assert_eq!(stored_after!(sessions, "visitor", of), []);
    assert_eq!(sessions.load("42").await.expect("a load").request_id, None);
}

#[tokio::test]
async fn p01_a_new_session_that_was_only_read_is_never_written() {
    let sessions = sessions::<Visitor>();
    let mut visitor = sessions.load("42").await.expect("a load");
    assert_eq!((visitor.visits, visitor.theme.as_str()), (0, "light"));
    assert_eq!(visitor.commit().await.expect("a commit").outcome(), Outcome::Unchanged);
    assert!(visitor.is_new());
    assert!(!is_stored(sessions.store(), "visitor", "42").await);
}

#[tokio::test]
async fn p01_a_new_session_that_was_changed_and_changed_back_is_never_written() {
    let sessions = sessions::<Visitor>();
    let mut visitor = sessions.load("42").await.expect("a load");
    *visitor.edit().theme() = "dark".to_owned();
    *visitor.edit().theme() = "light".to_owned();
    visitor.edit().cart().push(Item::new("A", 1));
    visitor.edit().cart().clear();
    visitor.edit_all();
    assert_eq!(visitor.commit().await.expect("a commit").outcome(), Outcome::Unchanged);
    assert_eq!(sessions.store().take().len(), 1, "the load");
    assert!(!is_stored(sessions.store(), "visitor", "42").await);
}

#[tokio::test]
async fn p01_a_session_whose_fields_all_went_back_is_not_stored() {
    let sessions = sessions::<Visitor>();
    sessions.update("42", |visitor| *visitor.edit().visits() += 1).await.expect("a commit");
    let mut visitor = sessions.load("42").await.expect("a load");
    *visitor.edit().visits() -= 1;
    assert_eq!(visitor.commit().await.expect("a commit").outcome(), Outcome::Removed);
    assert!(visitor.is_new());
    assert!(!is_stored(sessions.store(), "visitor", "42").await);
    let (store, clock) = (sessions.store(), session_runtime::expiry::ClockOffset::default());
    assert_eq!(store.count("visitor", clock).await.expect("a count"), 0);
    assert_eq!(store.keys("visitor", None, 10, clock).await.expect("a listing").keys, []);

    *visitor.edit().visits() += 5;
    assert_eq!(visitor.commit().await.expect("a commit").outcome(), Outcome::Created);
    assert_eq!(stored(sessions.store(), "visitor", "42").await, fields(&[("visits", "5")]));
}

#[derive(Session)]
#[session(name = "p01-attributes", initial = Attributes { lives: 3, team: "red".to_owned() })]
struct Attributes {
    lives: u8,
    team: String,
}

#[tokio::test]
async fn p01_the_initial_value_of_the_container_is_not_stored_and_the_types_default_is() {
    let sessions = sessions::<Attributes>();
    let new = sessions.load("42").await.expect("a load");
    assert_eq!((new.lives, new.team.as_str()), (3, "red"));
    assert_eq!(stored_after!(sessions, "p01-attributes", |s| *s.edit().lives() = 3), []);
    assert_eq!(stored_after!(sessions, "p01-attributes", |s| *s.edit().lives() = 0), fields(&[("lives", "0")]));
    assert_eq!(stored_after!(sessions, "p01-attributes", |s| *s.edit().lives() = 3), []);
}

#[tokio::test]
async fn p01_the_initial_value_of_the_builder_goes_before_the_types_own() {
    let initial = || Visitor { visits: 9, theme: "blue".to_owned(), cart: Vec::new(), request_id: None };
    let sessions = builder::<Visitor>().initial(initial).build();
    assert_eq!(sessions.load("42").await.expect("a load").theme, "blue");
    assert_eq!(stored_after!(sessions, "visitor", |v| *v.edit().theme() = "blue".to_owned()), []);
    assert_eq!(
        stored_after!(sessions, "visitor", |v| {
            *v.edit().theme() = "light".to_owned();
            *v.edit().visits() = 0;
        }),
        fields(&[("theme", r#""light""#), ("visits", "0")])
    );
}

#[derive(Session)]
#[session(name = "p01-outer")]
struct Outer {
    #[session(nested)]
    inner: Inner,
    title: String,
}

#[derive(Session)]
#[session(name = "p01-inner")]
struct Inner {
    #[session(initial = 10)]
    depth: u32,
    path: Vec<u8>,
}

#[tokio::test]
async fn p01_a_field_of_a_nested_session_is_stored_if_and_only_if_it_differs() {
    let sessions = sessions::<Outer>();
    assert_eq!(stored_after!(sessions, "p01-outer", |s| *s.edit().inner().depth() = 10), []);
    assert_eq!(
        stored_after!(sessions, "p01-outer", |s| *s.edit().inner().depth() = 11),
        fields(&[("inner.depth", "11")])
    );
    assert_eq!(
        stored_after!(sessions, "p01-outer", |s| {
            let inner = s.edit().inner().edit_all();
            inner.depth = 10;
            inner.path.push(1);
        }),
        fields(&[("inner.path", "[1]")])
    );
}

#[derive(Session)]
#[session(name = "p01-outer-pinned")]
struct OuterPinned {
    #[session(nested, pin)]
    inner: Inner,
    title: String,
}

#[tokio::test]
async fn p01_every_field_of_a_pinned_nested_session_is_pinned() {
    let sessions = sessions::<OuterPinned>();
    assert_eq!(
        stored_after!(sessions, "p01-outer-pinned", |s| *s.edit().title() = "x".to_owned()),
        fields(&[("inner.depth", "10"), ("inner.path", "[]"), ("title", r#""x""#)])
    );
}

#[derive(Session)]
#[session(name = "p01-always", persist = "always")]
struct Always {
    visits: u32,
}

#[tokio::test]
async fn p01_persist_always_is_stored_from_its_first_commit_on_also_when_nothing_differs() {
    let sessions = sessions::<Always>();
    let mut session = sessions.load("42").await.expect("a load");
    assert!(!is_stored(sessions.store(), "p01-always", "42").await, "a load alone stores nothing");
    assert_eq!(session.commit().await.expect("a commit").outcome(), Outcome::Created);
    assert!(is_stored(sessions.store(), "p01-always", "42").await);
    assert_eq!(stored(sessions.store(), "p01-always", "42").await, []);
    assert_eq!(session.commit().await.expect("a commit").outcome(), Outcome::Unchanged);

    let mut session = sessions.load("42").await.expect("a load");
    assert!(!session.is_new());
    *session.edit().visits() = 1;
    session.commit().await.expect("a commit");
    *session.edit().visits() = 0;
    assert_eq!(session.commit().await.expect("a commit").outcome(), Outcome::Updated);
    assert!(is_stored(sessions.store(), "p01-always", "42").await, "it stays when all fields are back");
}

#[derive(Session)]
#[session(name = "p01-pinned")]
struct Pinned {
    visits: u32,
    #[session(pin, initial = "classic".to_owned())]
    layout: String,
}

#[tokio::test]
async fn p01_a_pinned_field_is_stored_with_the_first_commit_at_its_initial_value_and_then_kept() {
    let sessions = sessions::<Pinned>();
    let mut session = sessions.load("42").await.expect("a load");
    session.commit().await.expect("a commit");
    assert!(!is_stored(sessions.store(), "p01-pinned", "42").await, "a pin alone stores nothing");
    *session.edit().visits() = 1;
    assert_eq!(session.commit().await.expect("a commit").fields().len(), 2);
    let both = [("layout", r#""classic""#), ("visits", "1")];
    assert_eq!(stored(sessions.store(), "p01-pinned", "42").await, fields(&both));

    *session.edit().layout() = "modern".to_owned();
    session.commit().await.expect("a commit");
    *session.edit().layout() = "classic".to_owned();
    *session.edit().visits() = 2;
    session.commit().await.expect("a commit");
    let both = [("layout", r#""classic""#), ("visits", "2")];
    assert_eq!(stored(sessions.store(), "p01-pinned", "42").await, fields(&both), "kept also at its initial value");
}

#[tokio::test]
async fn p01_a_pinned_field_that_was_borrowed_but_not_changed_is_stored_with_the_first_commit() {
    let sessions = sessions::<Pinned>();
    let mut session = sessions.load("42").await.expect("a load");
    session.edit_all().visits = 1;
    session.commit().await.expect("a commit");
    let both = [("layout", r#""classic""#), ("visits", "1")];
    assert_eq!(stored(sessions.store(), "p01-pinned", "42").await, fields(&both));
}

#[tokio::test]
async fn p01_a_pinned_field_survives_a_change_of_its_initial_value() {
    let store = test_store();
    let sessions = Kept::<Pinned, _>::new(store.clone());
    sessions.update("42", |session| *session.edit().visits() = 1).await.expect("a commit");
    let modern = || Pinned { visits: 0, layout: "modern".to_owned() };
    // Pinned fields are outside the agreement, so the strict one has nothing against another initial value.
    let newer = Kept::<Pinned, _>::builder(store).agreement(Agreement::Refuse).initial(modern).build();
    assert_eq!(newer.load("42").await.expect("a load").layout, "classic");
    assert_eq!(newer.load("43").await.expect("a load").layout, "modern");
}

#[derive(Session)]
#[session(name = "p01-unique")]
struct Unique {
    visits: u32,
    #[session(pin, initial = next_id())]
    id: u64,
}

fn next_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

#[tokio::test]
async fn p01_a_new_session_with_a_unique_pinned_value_is_not_written_when_nothing_changed() {
    let sessions = sessions::<Unique>();
    let mut session = sessions.load("42").await.expect("a load");
    session.edit_all();
    assert!(session.dirty().expect("it can be encoded").is_empty(), "borrowed, not changed");
    assert_eq!(session.commit().await.expect("a commit").outcome(), Outcome::Unchanged);
    *session.edit().id() += 1_000_000;
    assert!(session.dirty().expect("it can be encoded").contains(UniqueField::Id));
    *session.edit().id() -= 1_000_000;
    assert_eq!(session.commit().await.expect("a commit").outcome(), Outcome::Unchanged);
}

#[tokio::test]
async fn p01_a_unique_pinned_value_is_the_one_that_the_first_handler_saw() {
    let sessions = sessions::<Unique>();
    let mut session = sessions.load("42").await.expect("a load");
    let id = session.id;
    *session.edit().visits() += 1;
    session.commit().await.expect("a commit");
    assert_eq!(sessions.load("42").await.expect("a load").id, id);
}

#[tokio::test]
async fn p01_of_two_first_commits_the_earlier_ones_pinned_value_is_kept() {
    let sessions = sessions::<Unique>();
    let mut one = sessions.load("42").await.expect("a load");
    let mut other = sessions.load("42").await.expect("a load");
    assert_ne!(one.id, other.id);
    *one.edit().visits() = 1;
    one.commit().await.expect("a commit");
    *other.edit().visits() = 2;
    other.commit().await.expect("a commit");
    assert_eq!(other.id, one.id, "the later handler takes it over");
    let session = sessions.load("42").await.expect("a load");
    assert_eq!((session.visits, session.id), (2, one.id));
}

#[test]
fn p01_what_two_commits_did_can_be_compared() {
    let commit = |theme: &str| {
        let mut visitor = now(sessions::<Visitor>().load("42")).expect("a load");
        *visitor.edit().theme() = theme.to_owned();
        now(visitor.commit()).expect("a commit")
    };
    assert_eq!(commit("dark"), commit("blue"), "the same fields were stored");
    assert_eq!(commit("dark").clone(), commit("dark"));
    assert_ne!(commit("dark"), commit("light"), "nothing was");
    assert_eq!(commit("dark").fields(), commit("blue").fields());
    assert_ne!(commit("dark").fields(), commit("light").fields());
}

#[test]
fn p01_two_patches_are_equal_if_they_change_the_same_fields_to_the_same_values() {
    let patch = |theme: &str, visits: u32| {
        let mut visitor = Tracked::<Visitor>::new().expect("a session");
        *visitor.edit().theme() = theme.to_owned();
        *visitor.edit().visits() = visits;
        visitor.patch().expect("a patch")
    };
    assert_eq!(patch("dark", 1), patch("dark", 1).clone());
    assert_ne!(patch("dark", 1), patch("dark", 2));
    assert_ne!(patch("dark", 0), patch("light", 1));
    assert_eq!(patch("dark", 0).fields().iter().collect::<Vec<_>>(), [VisitorField::Theme]);
}

#[test]
fn p01_what_a_commit_did_is_told_by_its_outcome_and_its_fields() {
    let sessions = sessions::<Visitor>();
    let mut visitor = now(sessions.load("42")).expect("a load");
    let mut commit = |change: fn(&mut Visitor)| {
        change(visitor.edit_all());
        let committed = now(visitor.commit()).expect("a commit");
        (committed.outcome(), committed.fields().iter().collect::<Vec<_>>())
    };
    assert_eq!(commit(|_| ()), (Outcome::Unchanged, vec![]));
    assert_eq!(commit(|v| v.visits = 1), (Outcome::Created, vec![VisitorField::Visits]));
    let both = vec![VisitorField::Visits, VisitorField::Theme];
    assert_eq!(
        commit(|v| {
            v.theme.push('!');
            v.visits = 2;
        }),
        (Outcome::Updated, both.clone())
    );
    assert_eq!(
        commit(|v| {
            v.theme.pop();
            v.visits = 0;
        }),
        (Outcome::Removed, both)
    );
    let calls = sessions.store().take();
    assert_eq!(calls.iter().filter(|call| matches!(call, Call::Commit { .. })).count(), 3);
}
