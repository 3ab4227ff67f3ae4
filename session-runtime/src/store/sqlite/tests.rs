//! What needs a hand on the writer's connection.

use std::pin::Pin;
use std::sync::mpsc;
use std::task::{Context, Waker};
use std::time::Duration;

use rusqlite::{Error, ffi};

use super::schema::Role;
use super::worker::Workers;
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

#[tokio::test]
async fn a_change_that_finds_no_room_is_tried_again_once_room_was_made() {
    let store = SqliteStore::memory().await.unwrap();
    let full = || Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_FULL), None);
    for (error, runs) in [(full as fn() -> Error, 2), (|| Error::InvalidQuery, 1)] {
        let mut run = 0;
        let change = move |_: &Connection| {
            run += 1;
            if run == 1 { Err(error().into()) } else { Ok(run) }
        };
        let done = store.write(change).await;
        assert_eq!(done.unwrap_or(1), runs);
    }
}

#[tokio::test]
async fn a_question_that_nobody_waits_for_any_more_is_not_asked() {
    let store = SqliteStore::memory().await.unwrap();
    let (release, held) = mpsc::channel::<()>();
    let readers = Workers::start(1, &SqliteOptions::new(":memory:"), Role::Reader).await.unwrap();
    let busy = start(readers.run(move |_| {
        _ = held.recv();
        Ok(())
    }));
    let (asked, answers) = mpsc::channel();
    drop(start(readers.run({
        let asked = asked.clone();
        move |_| Ok(_ = asked.send("a question that was dropped"))
    })));
    let last = start(readers.run(move |_| Ok(_ = asked.send("the last question"))));
    drop(release);
    busy.await.unwrap();
    last.await.unwrap();
    assert_eq!(answers.iter().collect::<Vec<_>>(), ["the last question"]);
    drop(store);
}

#[tokio::test]
async fn a_store_is_as_its_options_say() {
    let pragma = async |options: SqliteOptions, name| {
        let store = options.open().await.unwrap();
        let ask = move |connection: &Connection| Ok(connection.pragma_query_value(None, name, |row| row.get(0))?);
        let value: i64 = store.write(ask).await.unwrap();
        value
    };
    let memory = || SqliteOptions::new(":memory:");
    for (synchronous, level) in [(Synchronous::Off, 0), (Synchronous::Normal, 1), (Synchronous::Full, 2)] {
        assert_eq!(pragma(memory().synchronous(synchronous), "synchronous").await, level);
    }
    assert_eq!(pragma(memory(), "synchronous").await, 2);
    assert_eq!(pragma(memory().busy_timeout(Duration::from_millis(1234)), "busy_timeout").await, 1234);
    assert_eq!(pragma(memory(), "busy_timeout").await, 5000);
    for readers in [0, 3] {
        assert_eq!(memory().readers(readers).readers, readers);
    }
}

#[tokio::test]
async fn debug_tells_how_many_changes_wait() {
    let store = SqliteStore::memory().await.unwrap();
    assert!(format!("{store:?}").contains("waiting: 0"), "{store:?}");
}

#[tokio::test]
async fn sessions_are_found_by_way_of_the_index() {
    let store = open().await;
    let plan = |connection: &Connection| {
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {}", read::FIND))?;
        let steps = statement.query_map(("7", "user", "Visitor", "", 0, 10), |row| row.get::<_, String>(3))?;
        Ok(steps.collect::<rusqlite::Result<Vec<_>>>()?)
    };
    let plan = store.write(plan).await.unwrap();
    assert!(plan[0].contains("session_runtime_terms"), "{plan:?}");
    assert!(plan.iter().all(|step| !step.contains("SCAN")), "{plan:?}");
}
