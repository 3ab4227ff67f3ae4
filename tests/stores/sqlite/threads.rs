//! Many at once: in one process, in several, and with answers that nobody waits for.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use session_runtime::store::{Applied, Base, Commit, Found, Head, Key, Reply, SqliteOptions, SqliteStore, Store};

use super::{ABSENT, Place, agree, applied, fields, key, load, record, transactions, write};

/// Adds one to the number in field `a`, however often others come first.
async fn increment(store: &impl Store, key: &Key) -> Applied {
    let mut base = ABSENT;
    let mut number: u64 = 0;
    loop {
        let commit = write(base, &[("a", (number + 1).to_string().as_bytes())]);
        match store.commit(key, &commit).await.unwrap() {
            Reply::Applied(applied) => return applied,
            Reply::Conflict(record) => {
                base = Base::from(&record.head);
                number = std::str::from_utf8(&record.fields[0].value).unwrap().parse().unwrap();
            }
            other => panic!("{other:?}"),
        }
    }
}

/// Starts a future and goes on without it.
fn abandon(future: impl Future) {
    let started = pin!(future).poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(started, Poll::Pending));
}

#[tokio::test(flavor = "multi_thread")]
async fn commits_that_wait_share_a_transaction() {
    let place = Place::new();
    let store = place.open().await;
    let before = transactions(&place.log()).len();
    let other = place.connection();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    // Polled once, each of them stands in the queue.
    let keys: Vec<_> = (0..32).map(|id| key(&id.to_string())).collect();
    for key in &keys {
        abandon(store.commit(key, &write(ABSENT, &[("a", b"1")])));
    }
    other.execute_batch("ROLLBACK").unwrap();

    applied(store.commit(&key("last"), &write(ABSENT, &[("a", b"1")])).await.unwrap());
    for key in &keys {
        assert_eq!(fields(&store, key).await, [("a".to_owned(), b"1".to_vec())]);
    }
    // The writer may have taken a first few before the others came.
    let written = transactions(&place.log()).len() - before;
    assert!(written <= 3, "33 commits in {written} transactions");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_increment_is_lost_between_clones_and_between_handles_of_one_file() {
    let place = Place::new();
    let stores = [place.open().await, place.open().await, place.open().await];
    let writers: Vec<_> = (0..12)
        .map(|writer| {
            let store = stores[writer % stores.len()].clone();
            tokio::spawn(async move {
                for _ in 0..10 {
                    increment(&store, &key("42")).await;
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(fields(&stores[0], &key("42")).await, [("a".to_owned(), b"120".to_vec())]);
    assert_eq!(record(&stores[1], &key("42")).await.head.revision, 120);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_sees_header_and_fields_of_one_moment() {
    let place = Place::new();
    let store = place.open().await;
    let writer = {
        let store = store.clone();
        tokio::spawn(async move {
            let mut base = ABSENT;
            for revision in 1..=300 {
                let number = revision.to_string();
                let fields: Vec<_> = ["a", "b", "c"].map(|name| (name, number.as_bytes())).into();
                let commit = write(base, &fields);
                base = Base::from(&applied(store.commit(&key("42"), &commit).await.unwrap()).head.unwrap());
            }
        })
    };
    let mut seen = 0;
    while seen < 300 {
        if let Found::Record(record) = load(&store, &key("42")).await.found {
            assert!(record.head.revision >= seen);
            seen = record.head.revision;
            let expected = seen.to_string();
            assert_eq!(record.fields.len(), 3);
            assert!(record.fields.iter().all(|field| field.value == expected.as_bytes()), "{record:?}");
        }
    }
    writer.await.unwrap();
}

#[tokio::test]
async fn a_commit_whose_future_was_dropped_is_applied_once_however_often_it_is_sent() {
    let place = Place::new();
    let store = place.open().await;
    let commit: Commit = write(ABSENT, &[("a", b"1")]);
    abandon(store.commit(&key("42"), &commit));

    let settled = applied(store.commit(&key("42"), &commit).await.unwrap());
    assert!(settled.repeated);
    assert_eq!(record(&store, &key("42")).await.head, settled.head.unwrap());
}

#[tokio::test]
async fn dropping_the_last_clone_finishes_what_waits_and_closes_the_file() {
    let place = Place::new();
    let store = place.open().await;
    let clone = store.clone();
    for id in 0..100 {
        abandon(store.commit(&key(&id.to_string()), &write(ABSENT, &[("a", b"1")])));
    }
    drop(store);
    assert!(place.log().exists());
    drop(clone);
    // SQLite removes the log when the last connection has moved it into the file.
    assert!(!place.log().exists());

    let count = "SELECT count(*) FROM session_runtime_fields";
    assert_eq!(place.connection().query_row(count, [], |row| row.get::<_, i64>(0)).unwrap(), 100);
}

#[tokio::test]
async fn a_database_in_memory_is_shared_by_clones_and_by_nobody_else() {
    for path in [":memory:", "", "file:x?mode=memory"] {
        let store = SqliteStore::open(path).await.unwrap();
        agree(&store).await;
        let clone = store.clone();
        let head: Head = applied(clone.commit(&key("42"), &write(ABSENT, &[("a", b"1")])).await.unwrap()).head.unwrap();
        assert_eq!(record(&store, &key("42")).await.head, head);

        let other = SqliteStore::open(path).await.unwrap();
        assert!(matches!(load(&other, &key("42")).await.found, Found::Absent { saw: None }), "{path:?}");
    }
    assert!(!std::path::Path::new("file:x?mode=memory").exists());
}

#[tokio::test]
async fn a_store_without_readers_reads_on_the_writers_thread() {
    let place = Place::new();
    let store = SqliteOptions::new(place.file()).readers(0).open().await.unwrap();
    agree(&store).await;
    applied(store.commit(&key("42"), &write(ABSENT, &[("a", b"1")])).await.unwrap());
    assert_eq!(fields(&store, &key("42")).await, [("a".to_owned(), b"1".to_vec())]);
}

#[test]
fn a_store_outlives_the_runtime_it_was_opened_on() {
    let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
    let store = runtime().block_on(SqliteStore::memory()).unwrap();
    runtime().block_on(async {
        agree(&store).await;
        applied(store.commit(&key("42"), &write(ABSENT, &[("a", b"1")])).await.unwrap());
    });
    assert_eq!(runtime().block_on(fields(&store, &key("42"))).len(), 1);
}
