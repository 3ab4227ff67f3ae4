//! Every future of the public interface can be spawned.

use std::sync::atomic::{AtomicU32, Ordering};

use session_runtime::store::Store;
use session_runtime::{AnyStore, Error, MemoryStore, Outcome, SqliteStore};

use crate::visitor::Visitor;
use session_tests::Kept;

/// Spawns a future and waits for it.
async fn spawn<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
    tokio::spawn(future).await.expect("it does not panic")
}

/// Spawns each future by itself, and all of them inside one task.
async fn spawn_each(store: impl Store) {
    let sessions = Kept::<Visitor, _>::new(store);
    let of = || sessions.clone();

    let all = of();
    spawn(async move { all.prepare().await }).await.expect("a store");
    let all = of();
    let mut visitor = spawn(async move { all.load("42").await }).await.expect("a load");
    *visitor.edit().visits() += 1;
    let (mut visitor, committed) = spawn(async move {
        let committed = visitor.commit().await;
        (visitor, committed)
    })
    .await;
    assert_eq!(committed.expect("a commit").outcome(), Outcome::Created);
    *visitor.edit().visits() += 1;
    let (mut visitor, renewed) = spawn(async move {
        let renewed = visitor.renew("43").await;
        (visitor, renewed)
    })
    .await;
    assert_eq!(renewed.expect("a renewal").outcome(), Outcome::Updated);
    assert_eq!(spawn(async move { visitor.destroy().await }).await.expect("a removal"), Outcome::Removed);

    let all = of();
    let visits = spawn(async move {
        // The closures borrow from the task's own state, mutably too.
        let theme = String::from("dark");
        let (runs, mut seen) = (AtomicU32::new(0), Vec::new());
        let (borrowed, counted) = (&theme, &runs);
        all.update("44", |visitor| {
            counted.fetch_add(1, Ordering::Relaxed);
            visitor.edit().theme().clone_from(borrowed);
            seen.push(visitor.visits);
        })
        .await?;
        let visits = all
            .try_update("44", |visitor| {
                counted.fetch_add(1, Ordering::Relaxed);
                *visitor.edit().visits() += u32::try_from(borrowed.len() + seen.len()).map_err(|_| Error::Contended)?;
                Ok::<_, Error>(visitor.visits)
            })
            .await?;
        assert_eq!(runs.into_inner(), 2);
        Ok::<_, Error>(visits)
    })
    .await;
    assert_eq!(visits.expect("two commits"), 5);
}

#[tokio::test]
async fn spawned_on_the_memory_store() {
    spawn_each(MemoryStore::new()).await;
}

#[tokio::test]
async fn spawned_on_a_store_chosen_at_run_time() {
    spawn_each(AnyStore::new(MemoryStore::new())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spawned_on_the_sqlite_store() {
    let opened = spawn(async { SqliteStore::memory().await }).await.expect("a database");
    spawn_each(opened).await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("sessions.db");
    spawn(async move { SqliteStore::open(path).await }).await.expect("a database");
}
