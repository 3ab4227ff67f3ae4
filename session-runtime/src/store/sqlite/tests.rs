//! What needs a hand on the writer's connection.

use std::pin::Pin;
use std::sync::mpsc;
use std::task::{Context, Waker};
use std::time::Duration;

use super::*;
use crate::expiry::Lifetime;
use crate::store::{Action, Base, Change, Found, RegistrationId, Write};

fn key(id: &str) -> Key {
    Key::new("Visitor".into(), id).unwrap()
}

fn commit(size: usize) -> Commit {
    let lifetime = Lifetime { inactivity: None, creation: None, touch_after: 1, retention: 0 };
    let changes = vec![Change { name: "a".into(), value: Some(vec![b'x'; size].into()) }];
    let write = Write::new(1, RegistrationId(1), changes);
    Commit::new(Base::Absent { saw: None, valid_until: None }, Action::Write(write), lifetime, ClockOffset(0))
}

/// A store that knows what commits name as their registration.
async fn open() -> SqliteStore {
    let store = SqliteStore::memory().await.unwrap();
    let (name, codec) = ("Visitor".into(), "json".into());
    let agreed = Registration { id: RegistrationId(1), name, version: 1, codec, fields: Vec::new() };
    store.register(&agreed).await.unwrap();
    store
}

async fn is_stored(store: &SqliteStore, id: &str) -> bool {
    matches!(store.load(&key(id), Load::look(ClockOffset(0))).await.unwrap().found, Found::Record(_))
}

/// Keeps the writer busy until the sender is dropped, so that what is sent meanwhile shares one transaction.
fn hold(store: &SqliteStore) -> mpsc::Sender<()> {
    let (release, held) = mpsc::channel::<()>();
    let busy = store.write(move |_| {
        _ = held.recv();
        Ok(())
    });
    drop(start(busy));
    release
}

/// Sends a job; the answer can be waited for, or not.
fn start<F: Future>(job: F) -> Pin<Box<F>> {
    let mut job = Box::pin(job);
    assert!(job.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    job
}

async fn limit_pages(store: &SqliteStore, pages: u32) {
    store
        .write(move |connection| Ok(connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_commit_for_which_there_is_no_room_fails_alone_and_can_be_sent_again() {
    let store = open().await;
    limit_pages(&store, 100).await;
    let (huge_key, huge) = (key("huge"), commit(1_000_000));

    let release = hold(&store);
    drop(start(store.commit(&key("before"), &commit(10))));
    let refused = start(store.commit(&huge_key, &huge));
    drop(start(store.commit(&key("after"), &commit(10))));
    drop(release);

    let refused = refused.await.unwrap_err();
    assert_eq!((refused.kind(), refused.is_not_applied()), (StoreErrorKind::Full, true));
    assert!(is_stored(&store, "before").await);
    assert!(is_stored(&store, "after").await);
    assert!(!is_stored(&store, "huge").await);

    limit_pages(&store, 1_000_000).await;
    assert!(matches!(store.commit(&huge_key, &huge).await, Ok(Reply::Applied(applied)) if !applied.repeated));
}

#[tokio::test]
async fn a_transaction_that_cannot_be_committed_is_tried_one_by_one() {
    let store = open().await;
    let tables = "CREATE TABLE parents (id PRIMARY KEY);
                  CREATE TABLE children (parent REFERENCES parents DEFERRABLE INITIALLY DEFERRED);";
    store.write(move |connection| Ok(connection.execute_batch(tables)?)).await.unwrap();

    let release = hold(&store);
    drop(start(store.commit(&key("before"), &commit(10))));
    // A constraint that is looked at by COMMIT.
    let orphan = |connection: &Connection| Ok(connection.execute("INSERT INTO children VALUES (1)", [])?);
    let refused = start(store.write(orphan));
    drop(start(store.commit(&key("after"), &commit(10))));
    drop(release);

    let refused = refused.await.unwrap_err();
    // What COMMIT has done when it fails is known to nobody.
    assert_eq!((refused.kind(), refused.is_not_applied()), (StoreErrorKind::Other, false));
    assert!(is_stored(&store, "before").await);
    assert!(is_stored(&store, "after").await);
}

#[tokio::test]
async fn nobody_waits_for_a_thread_that_has_ended() {
    let store = SqliteStore::memory().await.unwrap();
    let release = hold(&store);
    drop(start(store.write(|_| -> error::Result<()> { panic!("this test ends the writer") })));
    let (key, commit) = (key("42"), commit(10));
    let waiting = start(store.commit(&key, &commit));
    drop(release);

    assert_eq!(waiting.await.unwrap_err().kind(), StoreErrorKind::Unavailable);
    assert_eq!(store.commit(&key, &commit).await.unwrap_err().kind(), StoreErrorKind::Unavailable);
}

#[tokio::test]
async fn the_last_clone_may_be_dropped_by_the_writers_own_thread() {
    let store = SqliteStore::memory().await.unwrap();
    let (ended, end) = mpsc::channel::<()>();
    let release = hold(&store);
    // A tuple drops in its order: the store, then the sender.
    let last = (store.clone(), ended);
    drop(start(store.write(move |_| {
        let _ = &last;
        Ok(())
    })));
    drop(store);
    drop(release);
    assert_eq!(end.recv_timeout(Duration::from_secs(10)), Err(mpsc::RecvTimeoutError::Disconnected));
}
