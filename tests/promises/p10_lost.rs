//! An agreement that a store loses under running instances is made again, and nothing becomes unreadable.

use session_runtime::store::{Housekeeping, RegisteredField, Registration, RegistrationId, Store, StoreErrorKind};
use session_runtime::{Agreement, Error, Handle, OnUndecodable, Session};
use session_tests::{Events, Fault, Kept, is_stored, record, stored, write};

use crate::visitor::{TestStore, Visitor, builder, fields, test_store};

fn visits(visits: u32) -> impl FnMut(&mut Handle<Visitor>) {
    move |visitor| *visitor.edit().visits() = visits
}

/// An instance that has stored one visit under each key.
async fn running(store: &TestStore, keys: &[&str]) -> Kept<Visitor, TestStore> {
    let sessions = Kept::new(store.clone());
    for key in keys {
        sessions.update(key, visits(1)).await.expect("a commit");
    }
    sessions
}

async fn withdraw(store: &TestStore) {
    assert!(store.withdraw("visitor", 0).await.expect("a withdrawal"));
}

async fn registered(store: &TestStore) -> Option<Registration> {
    store.registration("visitor", 0).await.expect("a store that works")
}

#[tokio::test]
async fn p10_a_withdrawn_agreement_is_made_again_as_it_was() {
    let store = test_store();
    let newer = RegisteredField { name: "wishlist".into(), initial: Some("[]".into()), sensitive: true };
    let (id, name, codec) = (RegistrationId(7), "visitor".into(), "json".into());
    let newer = Registration { id, name, version: 0, codec, fields: vec![newer] };
    store.register(&newer).await.expect("a newer build registers its field");
    let sessions = running(&store, &["42"]).await;
    let before = registered(&store).await;
    withdraw(&store).await;
    sessions.update("43", visits(2)).await.expect("an update");
    assert_eq!(registered(&store).await, before, "also what only other builds know");
}

#[tokio::test]
async fn p10_an_agreement_that_others_made_again_shows_the_sessions_of_both() {
    let store = test_store();
    let first = running(&store, &["42", "untouched"]).await;
    withdraw(&store).await;
    running(&store, &["theirs"]).await;
    first.update("42", visits(2)).await.expect("an update");
    let shown = first.housekeeping().inspect("visitor", "untouched").await.expect("a look").expect("it is stored");
    let names: Vec<_> = shown.fields.iter().map(|field| &*field.name).collect();
    assert_eq!((shown.codec.as_deref(), names), (Some("json"), vec!["visits", "theme", "cart"]));
}

#[tokio::test]
async fn p10_an_agreement_that_others_made_of_the_same_values_in_other_bytes_is_followed() {
    let store = test_store();
    let first = running(&store, &["old"]).await;
    withdraw(&store).await;
    let field = |name: &str, initial: &'static str| {
        let initial = Some(initial.into());
        RegisteredField { name: name.into(), initial, sensitive: false }
    };
    let fields = vec![field("visits", " 0"), field("theme", r#" "light""#), field("cart", "[ ]")];
    let (id, name, codec) = (RegistrationId(9), "visitor".into(), "json".into());
    store.register(&Registration { id, name, version: 0, codec, fields }).await.expect("a registration");
    first.update("old", visits(2)).await.expect("the values are the same");
    assert_eq!(record(&store, "visitor", "old").await.expect("a record").head.registration, id);
}

#[tokio::test]
async fn p10_nothing_is_stored_that_others_would_read_with_other_values() {
    let store = test_store();
    let first = running(&store, &["42"]).await;
    let mut late = first.load("42").await.expect("a load");
    *late.edit().visits() = 5;
    withdraw(&store).await;
    let dark = || Visitor { visits: 0, theme: "dark".to_owned(), cart: Vec::new(), request_id: None };
    let second = Kept::<Visitor, _>::builder(store.clone()).initial(dark).build();
    second.update("43", visits(1)).await.expect("a commit");
    assert!(matches!(late.commit().await, Err(Error::InitialStateMismatch { .. })));
    assert!(matches!(late.renew("44").await, Err(Error::InitialStateMismatch { .. })));
    assert!(matches!(first.update("45", visits(1)).await, Err(Error::InitialStateMismatch { .. })));
    late.discard();
    assert_eq!(stored(&store, "visitor", "42").await, fields(&[("visits", "1")]));
    for key in ["44", "45"] {
        assert!(!is_stored(&store, "visitor", key).await, "{key}");
    }
}

#[tokio::test]
async fn p10_values_that_were_adopted_are_registered_again() {
    let store = test_store();
    running(&store, &["42"]).await;
    let dark = || Visitor { visits: 0, theme: "dark".to_owned(), cart: Vec::new(), request_id: None };
    let adopting = Kept::<Visitor, _>::builder(store.clone()).initial(dark).agreement(Agreement::Adopt).build();
    adopting.prepare().await.expect("it adopts");
    let before = registered(&store).await;
    withdraw(&store).await;
    adopting.update("43", visits(1)).await.expect("a commit");
    assert_eq!(registered(&store).await, before);
    assert_eq!(Kept::<Visitor, _>::new(store).load("43").await.expect("a load").theme, "light");
}

#[tokio::test]
async fn p10_a_lost_answer_and_a_lost_agreement_are_both_made_good() {
    for fault in [Fault::LostBefore, Fault::LostAfter] {
        let store = test_store();
        let sessions = running(&store, &["42"]).await;
        let mut visitor = sessions.load("42").await.expect("a load");
        *visitor.edit().visits() += 1;
        store.inner().fail_commit(fault);
        assert!(matches!(visitor.commit().await, Err(Error::Store(_))));
        withdraw(&store).await;
        visitor.commit().await.expect("the store is back");
        let head = record(&store, "visitor", "42").await.expect("a record").head;
        assert_eq!((head.revision, visitor.visits), (2, 2), "{fault:?}: it was applied once");
    }
}

#[tokio::test]
async fn p10_an_undecodable_record_is_set_aside_without_its_agreement_and_not_put_back() {
    let sessions = builder::<Visitor>().on_undecodable(OnUndecodable::SetAside).build();
    let store = sessions.store();
    sessions.update("42", visits(1)).await.expect("a commit");
    write(store, "visitor", "42", &[("visits", Some("many"))]).await;
    withdraw(store).await;
    assert!(sessions.load("42").await.expect("a load").is_new());
    assert!(is_stored(store, "visitor#aside", "42").await);
    withdraw(store).await;
    let refused = sessions.housekeeping().put_back("visitor", "42").await.expect_err("nobody could read it");
    assert!(matches!(refused, Error::RegistrationGone), "{refused:?}");
    assert!(is_stored(store, "visitor#aside", "42").await);
}

#[tokio::test]
async fn p10_a_program_that_knows_all_ids_of_its_agreement_warns_of_no_loss() {
    let store = test_store();
    running(&store, &["broken"]).await;
    write(&store, "visitor", "broken", &[("visits", Some("many"))]).await;
    let first = Kept::<Visitor, _>::builder(store.clone()).on_undecodable(OnUndecodable::SetAside).build();
    first.update("old", visits(1)).await.expect("a commit");
    withdraw(&store).await;
    let second = running(&store, &["theirs"]).await;
    first.update("new", visits(1)).await.expect("it follows the other");
    second.load("old").await.expect("and is known to it");
    let theirs = registered(&store).await.expect("an agreement").id;

    let (events, _guard) = Events::capture();
    for sessions in [&first, &second] {
        for key in ["old", "new", "theirs"] {
            assert_eq!(sessions.load(key).await.expect("a load").visits, 1, "{key}");
        }
    }
    assert_eq!(events.take_warnings(), <[String; 0]>::default());
    assert!(first.load("broken").await.expect("a load").is_new());
    let warnings = events.take_warnings();
    assert!(matches!(&warnings[..], [one] if one.contains("set an undecodable record aside")), "{warnings:?}");
    assert_eq!(record(&store, "visitor#aside", "broken").await.expect("a record").head.registration, theirs);
}

#[derive(Session)]
#[session(name = "p10-vanishing")]
struct Vanishing {
    visits: u32,
}

/// A store from which every registration vanishes at once.
#[derive(Clone)]
struct Forgetful {
    inner: TestStore,
}

impl Store for Forgetful {
    async fn register(&self, proposal: &Registration) -> Result<Registration, session_runtime::store::StoreError> {
        let registered = self.inner.register(proposal).await?;
        self.inner.withdraw(&proposal.name, proposal.version).await?;
        Ok(registered)
    }

    session_runtime::delegate_store!(inner: prepare load commit find registration);
}

#[tokio::test]
async fn p10_a_store_that_keeps_no_agreement_ends_in_an_error() {
    let store = test_store();
    let sessions = Kept::<Vanishing, _>::new(Forgetful { inner: store.clone() });
    let refused = sessions.update("42", |session| *session.edit().visits() = 1).await.expect_err("nothing is kept");
    let Error::Store(error) = &refused else { panic!("{refused:?}") };
    assert_eq!(error.kind(), StoreErrorKind::Busy);
    assert!(!is_stored(&store, "p10-vanishing", "42").await);
}
