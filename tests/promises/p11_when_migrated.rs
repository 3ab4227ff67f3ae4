//! When a migrated session is written in its new form.

use session_runtime::store::Call;
use session_runtime::{Error, Outcome, WriteMigrated};
use session_tests::{Kept, record, stored};

use crate::visitor::{TestStore, fields, test_store};

mod v1 {
    #[derive(session_runtime::Session)]
    #[session(name = "p11-purse", version = 1)]
    pub struct Purse {
        pub coins: u32,
    }
}

mod v2 {
    #[derive(session_runtime::Session)]
    #[session(name = "p11-purse", version = 2, from = super::v1::Purse)]
    pub struct Purse {
        pub cents: u32,
    }

    impl From<super::v1::Purse> for Purse {
        fn from(old: super::v1::Purse) -> Self {
            Self { cents: old.coins * 100 }
        }
    }
}

const NAME: &str = "p11-purse";

async fn old_store() -> TestStore {
    let store = test_store();
    let sessions = Kept::<v1::Purse, _>::new(store.clone());
    sessions.update("42", |purse| *purse.edit().coins() = 9).await.expect("a commit");
    store
}

fn with(store: &TestStore, write: WriteMigrated) -> Kept<v2::Purse, TestStore> {
    Kept::builder(store.clone()).write_migrated(write).build()
}

#[tokio::test]
async fn p11_by_default_a_handler_that_only_reads_leaves_the_old_form() {
    let store = old_store().await;
    let sessions = with(&store, WriteMigrated::default());
    let mut purse = sessions.load("42").await.expect("a load");
    let _ = store.take();
    assert_eq!(purse.commit().await.expect("a commit").outcome(), Outcome::Unchanged);
    assert_eq!(store.take(), []);
    assert_eq!(record(&store, NAME, "42").await.expect("a record").head.version, 1);
    *purse.edit().cents() += 1;
    purse.commit().await.expect("a commit");
    assert_eq!(stored(&store, NAME, "42").await, fields(&[("cents", "901")]));
}

#[tokio::test]
async fn p11_a_handler_that_only_reads_writes_the_new_form_if_the_program_asks_for_it() {
    let store = old_store().await;
    let sessions = with(&store, WriteMigrated::WithNextCommit);
    let mut purse = sessions.load("42").await.expect("a load");
    let _ = store.take();
    assert_eq!(purse.commit().await.expect("a commit").outcome(), Outcome::Updated);
    let commit = Call::Commit { key: "42".to_owned(), set: fields(&[("cents", "900")]), unset: Vec::new() };
    assert_eq!(store.take(), [commit]);
    assert_eq!(stored(&store, NAME, "42").await, fields(&[("cents", "900")]));
    assert_eq!(record(&store, NAME, "42").await.expect("a record").head.version, 2);

    assert_eq!(purse.commit().await.expect("a commit").outcome(), Outcome::Unchanged, "it is migrated once");
    let mut again = sessions.load("42").await.expect("a load");
    assert_eq!(again.commit().await.expect("a commit").outcome(), Outcome::Unchanged);
    let mut new = sessions.load("43").await.expect("a load");
    assert_eq!(new.commit().await.expect("a commit").outcome(), Outcome::Unchanged);
}

#[tokio::test]
async fn p11_an_ended_session_is_not_migrated() {
    let store = old_store().await;
    let mut purse = with(&store, WriteMigrated::WithNextCommit).load("42").await.expect("a load");
    purse.destroy().await.expect("an end");
    assert_eq!(purse.commit().await.expect("nothing to do").outcome(), Outcome::Unchanged);
    assert_eq!(stored(&store, NAME, "42").await, []);
}

#[tokio::test]
async fn p11_a_session_that_was_emptied_serves_every_version() {
    let store = old_store().await;
    let (older, newer) = (Kept::<v1::Purse, _>::new(store.clone()), with(&store, WriteMigrated::default()));
    let mut early = older.load("42").await.expect("a load");
    newer.update("42", |purse| *purse.edit().cents() = 0).await.expect("a commit");
    assert_eq!(older.load("42").await.expect("nothing is stored that it could not read").coins, 0);
    *early.edit().coins() = 4;
    early.commit().await.expect("and nothing is in its way");
    assert_eq!(newer.load("42").await.expect("a load").cents, 400);
    newer.update("42", |purse| *purse.edit().cents() = 1).await.expect("a commit");
    assert!(matches!(older.load("42").await, Err(Error::NewerVersion { stored: 2, supported: 1 })));
}
