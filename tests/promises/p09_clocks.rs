//! The store's clock decides: an instance whose own is an hour wrong does no harm.

use std::time::Duration;

use session_runtime::{Error, Expiry};
use session_tests::{Kept, is_stored};

use crate::visitor::{TestStore, Visitor, test_store};

const MINUTE: Duration = Duration::from_secs(60);
const TTL: Duration = Duration::from_secs(30 * 60);
const ALMOST: Duration = Duration::from_secs(29 * 60);
const HOUR: i64 = 3_600_000;

fn sliding(store: &TestStore) -> Kept<Visitor, TestStore> {
    Kept::builder(store.clone()).expiry(Expiry::AfterInactivity(TTL)).build()
}

/// The store is ahead of an instance whose clock is late, and behind one whose clock is early.
async fn with_wrong_clocks<F: Future<Output = ()>>(test: impl Fn(TestStore) -> F) {
    for ahead in [-HOUR, HOUR] {
        let store = test_store();
        store.inner().set_ahead(ahead);
        test(store).await;
    }
}

#[tokio::test]
async fn p09_a_wrong_clock_neither_shortens_nor_lengthens_a_life() {
    with_wrong_clocks(|store| async move {
        let sessions = sliding(&store);
        sessions.update("42", |visitor| *visitor.edit().visits() += 1).await.expect("a commit");
        for _ in 0..3 {
            store.inner().pass(ALMOST);
            assert_eq!(sessions.load("42").await.expect("a load").visits, 1);
        }
        store.inner().pass(TTL);
        assert!(sessions.load("42").await.expect("a load").is_new());
    })
    .await;
}

#[tokio::test]
async fn p09_a_wrong_clock_neither_refuses_nor_admits_a_commit() {
    with_wrong_clocks(|store| async move {
        let sessions = sliding(&store);
        let mut new = sessions.load("42").await.expect("a load");
        *new.edit().visits() = 1;
        store.inner().pass(ALMOST);
        new.commit().await.expect("it is in time");
        store.inner().pass(ALMOST);
        *new.edit().visits() = 2;
        new.commit().await.expect("it is in time");
        store.inner().pass(TTL);
        *new.edit().visits() = 3;
        assert!(matches!(new.commit().await, Err(Error::Expired)));
        assert!(!is_stored(&store, "visitor", "42").await);
        new.discard();

        let mut late = sessions.load("43").await.expect("a load");
        *late.edit().visits() = 1;
        store.inner().pass(TTL);
        assert!(matches!(late.commit().await, Err(Error::Expired)));
        assert!(!is_stored(&store, "visitor", "43").await);
        late.discard();
    })
    .await;
}

#[tokio::test]
async fn p09_a_purge_by_an_instance_with_a_wrong_clock_removes_nothing_early() {
    with_wrong_clocks(|store| async move {
        use session_runtime::store::Housekeeping;
        let sessions = sliding(&store);
        sessions.update("42", |visitor| *visitor.edit().visits() += 1).await.expect("a commit");
        store.inner().pass(ALMOST);
        store.purge(10, session_runtime::expiry::ClockOffset(0)).await.expect("a purge");
        assert_eq!(sessions.load("42").await.expect("a load").visits, 1);
    })
    .await;
}

#[tokio::test]
async fn p09_expires_at_is_told_by_the_clock_of_the_store() {
    with_wrong_clocks(|store| async move {
        let sessions = sliding(&store);
        let unstored = sessions.load("42").await.expect("a load").expires_at().expect("a date");
        sessions.update("42", |visitor| *visitor.edit().visits() += 1).await.expect("a commit");
        let stored = sessions.load("42").await.expect("a load").expires_at().expect("a date");
        let apart = stored.duration_since(unstored).expect("the load of the new session was earlier");
        assert!(apart < MINUTE, "{apart:?}");
    })
    .await;
}
