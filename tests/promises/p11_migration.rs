//! Old records are migrated, newer ones refused, undecodable ones kept.

use session_runtime::store::{Housekeeping, RegisteredField, Registration, RegistrationId, Store};
use session_runtime::{Error, Handle, Outcome, Session};
use session_tests::{Fault, Kept, now, record, stored, write};

use crate::visitor::{TestStore, Visitor, fields, sessions, test_store};

mod v1 {
    #[derive(session_runtime::Session)]
    #[session(name = "p11-account", version = 1)]
    pub struct Account {
        pub name: String,
        #[session(initial = 5)]
        pub coins: u32,
    }
}

mod v2 {
    #[derive(session_runtime::Session)]
    #[session(name = "p11-account", version = 2, from = super::v1::Account)]
    pub struct Account {
        pub name: String,
        #[session(initial = 500)]
        pub cents: u64,
    }

    impl From<super::v1::Account> for Account {
        fn from(old: super::v1::Account) -> Self {
            Self { name: old.name, cents: u64::from(old.coins) * 100 }
        }
    }
}

mod v4 {
    #[derive(session_runtime::Session)]
    #[session(name = "p11-account", version = 4, from = super::v2::Account)]
    pub struct Account {
        #[session(initial = "nobody".to_owned())]
        pub owner: String,
        pub cents: u64,
        pub visits: u32,
    }

    impl From<super::v2::Account> for Account {
        fn from(old: super::v2::Account) -> Self {
            Self { owner: format!("{} (old)", old.name), cents: old.cents, visits: 0 }
        }
    }
}

const NAME: &str = "p11-account";

/// A store in which the first version kept the account `42` with nine coins.
async fn old_store() -> TestStore {
    let store = test_store();
    let sessions = Kept::<v1::Account, _>::new(store.clone());
    let open = |account: &mut Handle<v1::Account>| {
        account.edit().name().push_str("Ada");
        *account.edit().coins() = 9;
    };
    sessions.update("42", open).await.expect("a commit");
    store
}

#[tokio::test]
async fn p11_an_older_record_is_migrated_when_it_is_loaded() {
    let store = old_store().await;
    let mut account = Kept::<v2::Account, _>::new(store.clone()).load("42").await.expect("a load");
    assert_eq!((account.name.as_str(), account.cents, account.is_new()), ("Ada", 900, false));
    let before = record(&store, NAME, "42").await.expect("a record");
    assert_eq!(account.commit().await.expect("a commit").outcome(), Outcome::Unchanged);
    let after = record(&store, NAME, "42").await.expect("a record");
    assert_eq!((before.head, before.fields), (after.head, after.fields), "a handler that only reads writes nothing");
}

#[tokio::test]
async fn p11_the_commit_of_a_migrated_session_replaces_all_stored_fields_at_once() {
    let store = old_store().await;
    write(&store, NAME, "42", &[("forgotten", Some("1"))]).await;
    let sessions = Kept::<v2::Account, _>::new(store.clone());
    let mut account = sessions.load("42").await.expect("a load");
    let _ = store.take();
    *account.edit().name() = "Ada L".to_owned();
    assert_eq!(account.commit().await.expect("a commit").outcome(), Outcome::Updated);
    assert_eq!(store.take().len(), 1, "in one round trip");
    assert_eq!(stored(&store, NAME, "42").await, fields(&[("cents", "900"), ("name", r#""Ada L""#)]));
    assert_eq!(record(&store, NAME, "42").await.expect("a record").head.version, 2);
    assert_eq!(sessions.load("42").await.expect("a load").cents, 900);

    *account.edit().cents() = 901;
    account.commit().await.expect("a commit");
    assert!(account.dirty().expect("it can be encoded").is_empty());
    assert_eq!(sessions.load("42").await.expect("a load").cents, 901);
}

#[tokio::test]
async fn p11_a_chain_of_versions_is_migrated_through_each() {
    let store = old_store().await;
    let sessions = Kept::<v4::Account, _>::new(store.clone());
    let mut account = sessions.load("42").await.expect("a load");
    assert_eq!((account.owner.as_str(), account.cents), ("Ada (old)", 900));
    *account.edit().visits() += 1;
    account.commit().await.expect("a commit");
    let new = [("cents", "900"), ("owner", r#""Ada (old)""#), ("visits", "1")];
    assert_eq!(stored(&store, NAME, "42").await, fields(&new));
}

#[tokio::test]
async fn p11_fields_that_are_not_stored_have_the_values_that_were_registered_for_their_version() {
    let store = test_store();
    let early = Registration {
        id: RegistrationId(7),
        name: NAME.into(),
        version: 1,
        codec: "json".into(),
        fields: vec![RegisteredField { name: "coins".into(), initial: Some("3".into()), sensitive: false }],
    };
    store.register(&early).await.expect("a registration");
    let builder = Kept::<v1::Account, _>::builder(store.clone()).agreement(session_runtime::Agreement::Adopt);
    builder.build().update("42", |account| *account.edit().name() = "Ada".to_owned()).await.expect("a commit");
    let account = Kept::<v2::Account, _>::new(store.clone()).load("42").await.expect("a load");
    assert_eq!(account.cents, 300, "three coins, although today's code says five");
}

#[tokio::test]
async fn p11_what_migrates_to_the_initial_value_is_not_stored() {
    let store = test_store();
    let sessions = Kept::<v1::Account, _>::new(store.clone());
    sessions.update("42", |account| *account.edit().name() = "Ada".to_owned()).await.expect("a commit");
    let sessions = Kept::<v2::Account, _>::new(store.clone());
    sessions.update("42", |account| account.edit().name().push('!')).await.expect("a commit");
    assert_eq!(stored(&store, NAME, "42").await, fields(&[("name", r#""Ada!""#)]), "five coins are 500 cents");
}

#[tokio::test]
async fn p11_a_record_of_an_older_version_whose_registration_is_gone_is_an_error() {
    let store = old_store().await;
    store.withdraw(NAME, 1).await.expect("a withdrawal");
    assert!(matches!(Kept::<v2::Account, _>::new(store).load("42").await, Err(Error::RegistrationGone)));
}

#[tokio::test]
async fn p11_a_newer_record_is_refused_and_kept() {
    let store = old_store().await;
    let (older, newer) = (Kept::<v1::Account, _>::new(store.clone()), Kept::<v2::Account, _>::new(store.clone()));
    let mut late = older.load("42").await.expect("a load");
    *late.edit().coins() = 10;
    newer.update("42", |account| *account.edit().cents() = 1).await.expect("a commit");
    let before = record(&store, NAME, "42").await.expect("a record");
    assert!(matches!(older.load("42").await, Err(Error::NewerVersion { stored: 2, supported: 1 })));
    assert!(matches!(late.commit().await, Err(Error::NewerVersion { stored: 2, supported: 1 })), "nor written over");
    let after = record(&store, NAME, "42").await.expect("a record");
    assert_eq!((before.head, before.fields), (after.head, after.fields));
    assert!(older.load("43").await.expect("a load").is_new(), "a rollback leaves other sessions usable");
    late.discard();
}

#[tokio::test]
async fn p11_a_session_that_is_not_migrated_yet_serves_both_versions() {
    let store = old_store().await;
    let (older, newer) = (Kept::<v1::Account, _>::new(store.clone()), Kept::<v2::Account, _>::new(store.clone()));
    assert_eq!(newer.load("42").await.expect("a load").cents, 900);
    older.update("42", |account| *account.edit().coins() += 1).await.expect("a commit");
    assert_eq!(newer.load("42").await.expect("a load").cents, 1000);
    assert_eq!(older.load("42").await.expect("a load").coins, 10);
}

#[tokio::test]
async fn p11_two_handlers_that_migrate_at_once_both_survive() {
    let store = old_store().await;
    let sessions = Kept::<v2::Account, _>::new(store.clone());
    let mut one = sessions.load("42").await.expect("a load");
    let mut other = sessions.load("42").await.expect("a load");
    one.edit().name().push('!');
    *other.edit().cents() += 1;
    one.commit().await.expect("a commit");
    other.commit().await.expect("a commit");
    assert_eq!(stored(&store, NAME, "42").await, fields(&[("cents", "901"), ("name", r#""Ada!""#)]));
}

#[tokio::test]
async fn p11_a_change_by_an_older_build_before_the_migrating_commit_is_kept() {
    let store = old_store().await;
    let (older, newer) = (Kept::<v1::Account, _>::new(store.clone()), Kept::<v2::Account, _>::new(store.clone()));
    let mut migrating = newer.load("42").await.expect("a load");
    migrating.edit().name().push('!');
    older.update("42", |account| *account.edit().coins() += 1).await.expect("a commit");
    migrating.commit().await.expect("a commit");
    assert_eq!(stored(&store, NAME, "42").await, fields(&[("cents", "1000"), ("name", r#""Ada!""#)]));
}

#[tokio::test]
async fn p11_a_migrating_commit_whose_answer_is_lost_is_applied_once() {
    for fault in [Fault::LostBefore, Fault::LostAfter] {
        let store = old_store().await;
        let mut migrating = Kept::<v2::Account, _>::new(store.clone()).load("42").await.expect("a load");
        migrating.edit().name().push('!');
        store.inner().fail_commit(fault);
        migrating.commit().await.expect_err("the answer is lost");
        migrating.commit().await.expect("the store is back");
        assert_eq!(stored(&store, NAME, "42").await, fields(&[("cents", "900"), ("name", r#""Ada!""#)]));
        assert_eq!(record(&store, NAME, "42").await.expect("a record").head.revision, 2, "{fault:?}");
    }
}

mod always {
    #[derive(session_runtime::Session)]
    #[session(name = "p11-always", version = 1, persist = "always")]
    pub struct V1 {
        #[session(initial = 5)]
        pub coins: u32,
    }

    #[derive(session_runtime::Session)]
    #[session(name = "p11-always", version = 2, persist = "always", from = V1)]
    pub struct V2 {
        pub cents: u32,
    }

    impl From<V1> for V2 {
        fn from(old: V1) -> Self {
            Self { cents: old.coins * 100 }
        }
    }
}

#[tokio::test]
async fn p11_a_stored_session_without_differences_is_migrated_too() {
    let store = test_store();
    Kept::<always::V1, _>::new(store.clone()).update("42", |_| ()).await.expect("a commit");
    let account = Kept::<always::V2, _>::new(store).load("42").await.expect("a load");
    assert_eq!(account.cents, 500);
}

mod orphan {
    #[derive(session_runtime::Session)]
    #[session(name = "p11-account", version = 3)]
    pub struct Account {
        pub name: String,
    }
}

#[tokio::test]
async fn p11_an_older_record_to_which_no_from_leads_is_refused_and_kept() {
    let store = old_store().await;
    let sessions = Kept::<orphan::Account, _>::new(store.clone());
    assert!(matches!(sessions.load("42").await, Err(Error::NoMigration { stored: 1, supported: 3 })));
    assert_eq!(stored(&store, NAME, "42").await, fields(&[("coins", "9"), ("name", r#""Ada""#)]));
}

/// Sessions whose record `42` has a field that is no number.
fn undecodable() -> Kept<Visitor, TestStore> {
    let sessions = sessions::<Visitor>();
    now(sessions.update("42", |visitor| *visitor.edit().visits() = 1)).expect("a commit");
    now(write(sessions.store(), "visitor", "42", &[("visits", Some("many")), ("theme", Some(r#""dark""#))]));
    sessions
}

#[tokio::test]
async fn p11_an_undecodable_record_is_an_error_and_kept_byte_for_byte() {
    let sessions = undecodable();
    let before = record(sessions.store(), "visitor", "42").await.expect("a record");
    let refused = sessions.load("42").await.expect_err("no number");
    assert!(matches!(&refused, Error::Decode { field, .. } if &**field == "visits"), "{refused:?}");
    let refused = sessions.update("42", |visitor| *visitor.edit().visits() = 5).await;
    assert!(matches!(refused, Err(Error::Decode { .. })));
    let after = record(sessions.store(), "visitor", "42").await.expect("a record");
    assert_eq!((before.head, before.fields), (after.head, after.fields));
}

#[tokio::test]
async fn p11_what_became_undecodable_since_the_load_is_not_written_over() {
    for bad in [("visits", Some("many")), ("cart", Some("[[[")), ("theme", Some(""))] {
        let sessions = sessions::<Visitor>();
        sessions.update("42", |visitor| *visitor.edit().visits() = 1).await.expect("a commit");
        let mut visitor = sessions.load("42").await.expect("a load");
        *visitor.edit().visits() = 2;
        write(sessions.store(), "visitor", "42", &[bad]).await;
        let before = record(sessions.store(), "visitor", "42").await.expect("a record");
        for _ in 0..2 {
            let refused = visitor.commit().await.expect_err("it cannot be read");
            assert!(matches!(&refused, Error::Decode { field, .. } if &**field == bad.0), "{refused:?}");
        }
        let after = record(sessions.store(), "visitor", "42").await.expect("a record");
        assert_eq!((before.head, before.fields), (after.head, after.fields));
        assert_eq!(visitor.visits, 2, "the handle keeps its change");
        visitor.discard();
    }
}

#[derive(Session)]
#[session(name = "p11-wide")]
struct Wide {
    small: u8,
    text: String,
}

#[tokio::test]
async fn p11_a_value_that_does_not_fit_its_field_is_no_other_value() {
    for (name, value) in [("small", "256"), ("small", "-1"), ("small", "1.5"), ("small", "1 2"), ("text", "\"\u{0}\"")]
    {
        let sessions = sessions::<Wide>();
        sessions.update("42", |wide| *wide.edit().small() = 1).await.expect("a commit");
        write(sessions.store(), "p11-wide", "42", &[(name, Some(value))]).await;
        let refused = sessions.load("42").await.err();
        assert!(matches!(&refused, Some(Error::Decode { field, .. }) if &**field == name), "{value}: {refused:?}");
    }
}

mod renamed {
    #[derive(session_runtime::Session)]
    #[session(name = "p11-renamed", version = 1)]
    pub struct Old {
        #[session(alias = "language")]
        pub locale: String,
    }

    #[derive(session_runtime::Session)]
    #[session(name = "p11-renamed", version = 2, from = Old)]
    pub struct New {
        pub locale: Vec<String>,
    }

    impl From<Old> for New {
        fn from(old: Old) -> Self {
            Self { locale: vec![old.locale] }
        }
    }
}

#[tokio::test]
async fn p11_a_migrated_field_has_the_value_under_its_own_name_before_one_under_an_older() {
    for (own, older, read) in [(Some(r#""de""#), Some(r#""fr""#), "de"), (None, Some(r#""fr""#), "fr")] {
        let store = test_store();
        let sessions = Kept::<renamed::Old, _>::new(store.clone());
        sessions.update("42", |session| *session.edit().locale() = "it".to_owned()).await.expect("a commit");
        write(&store, "p11-renamed", "42", &[("locale", own), ("language", older)]).await;
        let session = Kept::<renamed::New, _>::new(store).load("42").await.expect("a load");
        assert_eq!(session.locale, [read]);
    }
}

mod skipping {
    #[derive(session_runtime::Session)]
    #[session(name = "p11-account", version = 5, from = super::v1::Account)]
    pub struct Account {
        pub owner: String,
    }

    impl From<super::v1::Account> for Account {
        fn from(old: super::v1::Account) -> Self {
            Self { owner: old.name }
        }
    }
}

#[tokio::test]
async fn p11_a_record_of_a_version_that_the_chain_passes_by_is_refused() {
    let store = test_store();
    let newest = Kept::<skipping::Account, _>::new(store.clone());
    newest.prepare().await.expect("nobody stored anything yet");
    let between = Kept::<v2::Account, _>::new(store.clone());
    between.update("42", |account| *account.edit().cents() = 7).await.expect("a commit");
    let refused = newest.load("42").await.expect_err("it leads from version 1 to 5");
    assert!(matches!(refused, Error::NoMigration { stored: 2, supported: 5 }), "{refused:?}");
}
