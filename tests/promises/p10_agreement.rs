//! All instances agree on the initial state of a session name and version, or say so instead of serving it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use session_runtime::store::{
    FieldValue, Housekeeping, RegisteredField, Registration, RegistrationId, Store, StoreError,
};
use session_runtime::{Agreement, Error, Handle, Outcome, Session};
use session_tests::{CountingCodec, Events, Kept, now, record, stored};

use crate::visitor::{TestStore, Visitor, fields, test_store};

fn themed(theme: &'static str) -> impl Fn() -> Visitor {
    move || Visitor { visits: 0, theme: theme.to_owned(), cart: Vec::new(), request_id: None }
}

/// An instance in the field whose build knows another initial theme.
fn instance(store: &TestStore, theme: &'static str, agreement: Agreement) -> Kept<Visitor, TestStore> {
    Kept::builder(store.clone()).initial(themed(theme)).agreement(agreement).build()
}

#[tokio::test]
async fn p10_instances_with_the_same_initial_values_agree() {
    let store = test_store();
    let (one, other) = (Kept::<Visitor, _>::new(store.clone()), Kept::<Visitor, _>::new(store.clone()));
    one.update("42", |visitor| *visitor.edit().visits() = 1).await.expect("a commit");
    assert_eq!(other.load("42").await.expect("a load").visits, 1);
    assert_eq!(store.registrations().await.expect("a list").found.len(), 1);
}

/// A store that counts what it is asked to register.
#[derive(Clone)]
struct Counting {
    inner: TestStore,
    registered: Arc<AtomicUsize>,
}

impl Store for Counting {
    async fn register(&self, proposal: &Registration) -> Result<Registration, StoreError> {
        self.registered.fetch_add(1, Ordering::Relaxed);
        self.inner.register(proposal).await
    }

    session_runtime::delegate_store!(inner: prepare load commit find registration);
}

#[tokio::test]
async fn p10_what_is_agreed_on_already_is_not_registered_again() {
    let store = Counting { inner: test_store(), registered: Arc::default() };
    for _ in 0..3 {
        Kept::<Visitor, _>::new(store.clone()).prepare().await.expect("they agree");
    }
    assert_eq!(store.registered.load(Ordering::Relaxed), 1, "the first alone");
}

#[tokio::test]
async fn p10_an_instance_with_other_initial_values_is_refused_and_told_which() {
    let store = test_store();
    Kept::<Visitor, _>::new(store.clone()).prepare().await.expect("the first");
    let other = instance(&store, "dark", Agreement::default());
    let refused = other.prepare().await.expect_err("another theme");
    let Error::InitialStateMismatch { fields } = &refused else { panic!("{refused:?}") };
    let [theme] = fields.as_slice() else { panic!("{fields:?}") };
    assert_eq!((&*theme.field, &*theme.registered, &*theme.own), ("theme", r#""light""#, r#""dark""#));
    let message = refused.to_string();
    for word in ["`theme`", r#""light""#, r#""dark""#, "version", "Adopt", "withdraw"] {
        assert!(message.contains(word), "{word} is missing in: {message}");
    }
    assert!(matches!(other.load("42").await, Err(Error::InitialStateMismatch { .. })), "nothing is served");
    assert!(matches!(other.update("42", |_| ()).await, Err(Error::InitialStateMismatch { .. })));
}

#[tokio::test]
async fn p10_an_instance_that_adopts_uses_the_registered_values() {
    let store = test_store();
    Kept::<Visitor, _>::new(store.clone()).prepare().await.expect("the first");
    let adopting = instance(&store, "dark", Agreement::Adopt);
    let mut visitor = adopting.load("42").await.expect("a load");
    assert_eq!(visitor.theme, "light");
    *visitor.edit().theme() = "dark".to_owned();
    assert_eq!(visitor.commit().await.expect("a commit").outcome(), Outcome::Created);
    assert_eq!(stored(&store, "visitor", "42").await, fields(&[("theme", r#""dark""#)]));
    *visitor.edit().theme() = "light".to_owned();
    assert_eq!(visitor.commit().await.expect("a commit").outcome(), Outcome::Removed);
}

#[tokio::test]
async fn p10_a_refused_instance_serves_once_the_registration_is_withdrawn() {
    let store = test_store();
    Kept::<Visitor, _>::new(store.clone()).prepare().await.expect("the first");
    let other = instance(&store, "dark", Agreement::Refuse);
    other.prepare().await.expect_err("another theme");
    assert!(store.withdraw("visitor", 0).await.expect("a withdrawal"));
    other.prepare().await.expect("now it is the first");
    assert_eq!(other.load("42").await.expect("a load").theme, "dark");
}

#[tokio::test]
async fn p10_a_record_whose_registration_is_gone_is_an_error_and_no_guess() {
    let store = test_store();
    let first = Kept::<Visitor, _>::new(store.clone());
    first.update("42", |visitor| *visitor.edit().visits() = 1).await.expect("a commit");
    let before = record(&store, "visitor", "42").await.expect("a record");
    store.withdraw("visitor", 0).await.expect("a withdrawal");
    let next = instance(&store, "dark", Agreement::Refuse);
    assert!(matches!(next.load("42").await, Err(Error::RegistrationGone)));
    assert!(matches!(next.update("42", |visitor| *visitor.edit().visits() = 2).await, Err(Error::RegistrationGone)));
    let after = record(&store, "visitor", "42").await.expect("a record");
    assert_eq!((before.head, before.fields), (after.head, after.fields));
    assert!(next.load("43").await.expect("a load").is_new(), "other keys are served");
}

#[derive(Session)]
#[session(name = "p10-always", persist = "always")]
struct Always {
    #[session(initial = 10)]
    lives: u32,
}

#[tokio::test]
async fn p10_a_stored_session_without_differences_refers_to_its_registration_too() {
    let store = test_store();
    let first = Kept::<Always, _>::new(store.clone());
    first.update("42", |_| ()).await.expect("a commit");
    assert_eq!(stored(&store, "p10-always", "42").await, [], "ten lives are what all had agreed on");
    store.withdraw("p10-always", 0).await.expect("a withdrawal");
    let next = Kept::<Always, _>::builder(store.clone()).initial(|| Always { lives: 3 }).build();
    assert!(matches!(next.load("42").await, Err(Error::RegistrationGone)), "three lives would be a guess");
}

#[derive(Session)]
#[session(name = "p10-unstable")]
struct Unstable {
    #[session(initial = { static N: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0); N.fetch_add(1, Ordering::Relaxed) })]
    made: u32,
}

#[tokio::test]
async fn p10_an_initial_value_that_differs_from_call_to_call_is_refused_and_pin_is_proposed() {
    let store = test_store();
    let refused = Kept::<Unstable, _>::new(store.clone()).prepare().await.expect_err("never the same");
    assert!(matches!(&refused, Error::UnstableInitial { field } if &**field == "made"), "{refused:?}");
    assert!(refused.to_string().contains("#[session(pin)]"), "{refused}");
    assert_eq!(store.registrations().await.expect("a list").found, [], "nothing was registered");
}

#[tokio::test]
async fn p10_values_in_another_encoding_are_refused() {
    let store = test_store();
    Kept::<Visitor, _>::new(store.clone()).prepare().await.expect("the first");
    let other = Kept::<Visitor, _>::builder(store).codec(CountingCodec::default()).build();
    let refused = other.prepare().await.expect_err("another codec");
    assert!(
        matches!(&refused, Error::OtherCodec { stored, own: "counted json" } if &**stored == "json"),
        "{refused:?}"
    );
}

/// Registers fields of `visitor`, as an older or a newer build did.
async fn register(store: &TestStore, registered: &[(&str, Option<&'static str>)]) -> Registration {
    let field = |(name, initial): &(&str, Option<&'static str>)| RegisteredField {
        name: (*name).into(),
        initial: initial.map(FieldValue::from),
        sensitive: false,
    };
    let proposal = Registration {
        id: RegistrationId(7),
        name: "visitor".into(),
        version: 0,
        codec: "json".into(),
        fields: registered.iter().map(field).collect(),
    };
    store.register(&proposal).await.expect("a registration")
}

#[tokio::test]
async fn p10_fields_that_are_not_registered_yet_are_added() {
    let store = test_store();
    register(&store, &[("visits", Some("0")), ("wishlist", Some("[]"))]).await;
    let sessions = Kept::<Visitor, _>::new(store.clone());
    sessions.update("42", |visitor| *visitor.edit().visits() = 1).await.expect("a commit");
    let [agreed] = <[_; 1]>::try_from(store.registrations().await.expect("a list").found).expect("one registration");
    let names: Vec<_> = agreed.fields.iter().map(|field| &*field.name).collect();
    assert_eq!(names, ["visits", "wishlist", "theme", "cart"]);
    assert_eq!(agreed.id, RegistrationId(7), "it is the same agreement");
    assert_eq!(record(&store, "visitor", "42").await.expect("a record").head.registration, RegistrationId(7));
}

#[tokio::test]
async fn p10_an_initial_value_of_another_type_differs_and_is_never_adopted() {
    let store = test_store();
    register(&store, &[("visits", Some(r#""none""#))]).await;
    let refused = instance(&store, "light", Agreement::Refuse).prepare().await.expect_err("text is no number");
    assert!(matches!(refused, Error::InitialStateMismatch { .. }), "{refused:?}");
    let refused = instance(&store, "light", Agreement::Adopt).prepare().await.expect_err("text is no number");
    assert!(matches!(&refused, Error::RegisteredType { field, .. } if &**field == "visits"), "{refused:?}");
}

#[tokio::test]
async fn p10_the_same_initial_value_in_other_bytes_is_agreed_on() {
    let store = test_store();
    register(&store, &[("visits", Some(" 0")), ("cart", Some("[ ]")), ("theme", Some(r#""\u006cight""#))]).await;
    let sessions = Kept::<Visitor, _>::new(store.clone());
    sessions.prepare().await.expect("the values are the same");
    let touch = |visitor: &mut Handle<Visitor>| drop(visitor.edit_all().theme.clone());
    sessions.update("42", touch).await.expect("a commit");
    assert_eq!(stored(&store, "visitor", "42").await, []);
}

#[tokio::test]
async fn p10_many_first_instances_at_once_end_in_one_registration() {
    let store = test_store();
    let instances: Vec<_> = (0..16).map(|_| Kept::<Visitor, _>::new(store.clone())).collect();
    let tasks: Vec<_> = instances
        .iter()
        .cloned()
        .enumerate()
        .map(|(number, instance)| {
            tokio::spawn(async move {
                instance.update(&number.to_string(), |visitor| *visitor.edit().visits() = 1).await.expect("a commit");
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("it is served");
    }
    assert_eq!(store.registrations().await.expect("a list").found.len(), 1);
    for key in 0..16 {
        assert_eq!(now(instances[0].load(&key.to_string())).expect("a load").visits, 1);
    }
}

#[derive(Session)]
#[session(name = "p10-renamed")]
struct Renamed {
    #[session(alias = "language")]
    locale: String,
    visits: u32,
}

#[tokio::test]
async fn p10_a_renamed_field_keeps_its_registered_name_so_that_older_builds_see_it() {
    let store = test_store();
    let older = Registration {
        id: RegistrationId(7),
        name: "p10-renamed".into(),
        version: 0,
        codec: "json".into(),
        fields: vec![RegisteredField { name: "language".into(), initial: Some(r#""""#.into()), sensitive: false }],
    };
    store.register(&older).await.expect("a registration");
    let sessions = Kept::<Renamed, _>::new(store.clone());
    sessions.update("42", |session| *session.edit().locale() = "de".to_owned()).await.expect("a commit");
    assert_eq!(stored(&store, "p10-renamed", "42").await, fields(&[("language", r#""de""#)]));
    assert_eq!(sessions.load("42").await.expect("a load").locale, "de");
}

#[tokio::test]
async fn p10_a_value_stored_under_an_older_name_is_read_and_moves_with_its_next_change() {
    let store = test_store();
    let sessions = Kept::<Renamed, _>::new(store.clone());
    sessions.update("42", |session| *session.edit().visits() = 1).await.expect("a commit");
    session_tests::write(&store, "p10-renamed", "42", &[("language", Some(r#""fr""#))]).await;
    let mut session = sessions.load("42").await.expect("a load");
    assert_eq!(session.locale, "fr");
    session.edit_all();
    assert!(session.dirty().expect("it can be encoded").is_empty());
    *session.edit().visits() = 2;
    session.commit().await.expect("a commit");
    let older = [("language", r#""fr""#), ("visits", "2")];
    assert_eq!(stored(&store, "p10-renamed", "42").await, fields(&older), "what did not change stays");
    session.edit().locale().push('!');
    session.commit().await.expect("a commit");
    let newer = [("locale", r#""fr!""#), ("visits", "2")];
    assert_eq!(stored(&store, "p10-renamed", "42").await, fields(&newer));
    *session.edit().locale() = String::new();
    session.commit().await.expect("a commit");
    assert_eq!(sessions.load("42").await.expect("a load").locale, "");
}

#[test]
fn p10_a_field_that_is_known_by_an_older_name_is_not_warned_of() {
    for (registered, warnings) in [("language", 0), ("tongue", 1)] {
        let store = test_store();
        let field = |name: &str, initial: &'static str| {
            let initial = Some(initial.into());
            RegisteredField { name: name.into(), initial, sensitive: false }
        };
        let (id, fields) = (RegistrationId(7), vec![field(registered, r#""""#), field("visits", "0")]);
        let older = Registration { id, name: "p10-renamed".into(), version: 0, codec: "json".into(), fields };
        now(store.register(&older)).expect("a registration");
        let (events, _guard) = Events::capture();
        now(Kept::<Renamed, _>::new(store).prepare()).expect("a store");
        let warned = events.take_warnings();
        assert_eq!(warned.len(), warnings, "{warned:?}");
        let tells = |line: &String| line.contains("tongue") && line.contains("locale") && !line.contains("visits");
        assert!(warned.iter().all(tells), "{warned:?}");
    }
}

#[tokio::test]
async fn p10_a_value_under_the_fields_own_name_goes_before_one_under_an_older() {
    for older in ["language", "tongue"] {
        let store = test_store();
        let sessions = Kept::<TwiceRenamed, _>::new(store.clone());
        sessions.update("42", |session| *session.edit().locale() = "it".to_owned()).await.expect("a commit");
        let both = [(older, Some(r#""fr""#)), ("locale", Some(r#""de""#))];
        session_tests::write(&store, "p10-twice-renamed", "42", &both).await;
        assert_eq!(sessions.load("42").await.expect("a load").locale, "de", "{older} stands beside it");
    }
}

#[derive(Session)]
#[session(name = "p10-twice-renamed")]
struct TwiceRenamed {
    #[session(alias = "language", alias = "tongue")]
    locale: String,
}
