//! Several operations on one connection to PostgreSQL.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Waker};
use std::time::Duration;

use session_runtime::expiry::ClockOffset;
use session_runtime::store::{
    Commit, Housekeeping, Key, Loaded, PostgresOptions, PostgresStore, Reply, Store, StoreError, StoreErrorKind,
};
use session_tests::commits::{HALF_AN_HOUR, applied, key, load, record, set, write};
use session_tests::postgres_server::{PostgresServer, fresh_schema, is_available, shared};
use session_tests::proxy::Proxy;
use tokio::task::JoinSet;

use super::{clear, create, found, open};

type Operation<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// A store behind a proxy, with this many connections, of which one is open. Nobody waits for a place on one.
async fn behind_a_proxy(server: &PostgresServer, connections: usize) -> (PostgresStore, Proxy) {
    let proxy = Proxy::start(&server.address());
    let options = PostgresOptions::new(server.url_at(&proxy.address())).connections(connections);
    let store = options.pool_timeout(Duration::from_millis(1)).open().await.unwrap();
    (store, proxy)
}

fn writing<'a>(store: &'a PostgresStore, key: &'a Key, commit: &'a Commit) -> Operation<'a, Reply> {
    Box::pin(store.commit(key, commit))
}

fn loading<'a>(store: &'a PostgresStore, key: &'a Key) -> Operation<'a, Loaded> {
    Box::pin(store.load(key, load(HALF_AN_HOUR)))
}

/// Sends what an operation begins with, and does not look after it any more.
fn begin<T>(operation: &mut Operation<'_, T>) {
    assert!(operation.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
}

#[tokio::test]
async fn one_connection_takes_many_operations_at_once() {
    let server = server!();
    let (store, proxy) = behind_a_proxy(&server, 1).await;
    let (key, before) = (key("42"), proxy.connections());
    let head = create(&store, &key, vec![set("a", "1")]).await;
    server.stop();
    let mut loads: Vec<_> = (0..20).map(|_| loading(&store, &key)).collect();
    loads.iter_mut().for_each(begin);
    server.cont();
    for load in loads {
        assert_eq!(record(load.await.unwrap()).head, head);
    }
    assert_eq!(proxy.connections(), before);
}

/// Tasks keep operations that they do not look after for a while, as those do that select among several.
#[tokio::test]
async fn an_operation_that_nobody_looks_after_holds_up_no_other() {
    let server = server!();
    let (store, proxy) = behind_a_proxy(&server, 1).await;
    let (key, before) = (key("42"), proxy.connections());
    create(&store, &key, vec![set("a", "1")]).await;
    let mut first = loading(&store, &key);
    begin(&mut first);
    let mut others = JoinSet::new();
    for _ in 0..8 {
        let (store, key) = (store.clone(), key.clone());
        others.spawn(async move { found(&store, &key).await });
    }
    others.join_all().await;
    server.stop();
    let looked_after = tokio::spawn({
        let (store, key) = (store.clone(), key.clone());
        async move { found(&store, &key).await }
    });
    // It is sent, then the other behind it.
    tokio::task::yield_now().await;
    let mut last = loading(&store, &key);
    begin(&mut last);
    server.cont();
    looked_after.await.unwrap();
    first.await.unwrap();
    last.await.unwrap();
    assert_eq!(proxy.connections(), before);
}

#[tokio::test]
async fn who_goes_away_leaves_the_others_their_answers() {
    let server = server!();
    let (store, _proxy) = behind_a_proxy(&server, 1).await;
    let key = key("42");
    let head = create(&store, &key, vec![set("a", "1")]).await;
    for leaver in 0..3 {
        server.stop();
        let mut loads: Vec<_> = (0..3).map(|_| loading(&store, &key)).collect();
        loads.iter_mut().for_each(begin);
        drop(loads.remove(leaver));
        server.cont();
        for load in loads {
            assert_eq!(record(load.await.unwrap()).head, head);
        }
        assert_eq!(found(&store, &key).await.head, head);
    }
}

#[tokio::test]
async fn p12_a_connection_that_dies_under_many_costs_none_of_them_an_error() {
    let server = server!();
    let proxy = Proxy::start(&server.address());
    let store = PostgresOptions::new(server.url_at(&proxy.address())).connections(2).open().await.unwrap();
    let keys: Vec<Key> = (0..20).map(|number| key(&number.to_string())).collect();
    let mut commits = Vec::new();
    for key in &keys {
        let head = create(&store, key, vec![set("a", "1")]).await;
        commits.push(write((&head).into(), vec![set("a", "2")]));
    }
    for round in 0..3 {
        // Writes have two connections, reads would share one.
        let mut both: Vec<_> =
            keys.iter().zip(&commits).take(2).map(|(key, commit)| writing(&store, key, commit)).collect();
        both.iter_mut().for_each(begin);
        for write in both {
            assert_eq!(applied(write.await.unwrap()).head.unwrap().revision, 2);
        }
        server.stop();
        let mut loads: Vec<_> = keys.iter().map(|key| loading(&store, key)).collect();
        loads.iter_mut().for_each(begin);
        let mut writes: Vec<_> = keys.iter().zip(&commits).map(|(key, commit)| writing(&store, key, commit)).collect();
        writes.iter_mut().for_each(begin);
        proxy.cut_all();
        server.cont();
        for write in writes {
            assert_eq!(applied(write.await.unwrap()).head.unwrap().revision, 2, "{round}");
        }
        for load in loads {
            load.await.unwrap();
        }
    }
    for key in &keys {
        assert_eq!(found(&store, key).await.head.revision, 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_takes_its_time_finds_a_place_among_many_loads() {
    let (url, schema) = place!();
    let (_, client) = open(&url, &schema).await;
    let store = PostgresOptions::new(&url).schema(&schema).connections(1).build().unwrap();
    create(&store, &key("42"), vec![set("a", "1")]).await;
    let enough = Arc::new(AtomicBool::new(false));
    let mut loads = JoinSet::new();
    for _ in 0..24 {
        let (store, enough) = (store.clone(), enough.clone());
        loads.spawn(async move {
            while !enough.load(Ordering::Relaxed) {
                found(&store, &key("42")).await;
            }
        });
    }
    for _ in 0..20 {
        assert_eq!(store.count("Visitor", ClockOffset(0)).await.unwrap(), 1);
    }
    enough.store(true, Ordering::Relaxed);
    loads.join_all().await;
    clear(&client, &schema).await;
}

#[tokio::test]
async fn operations_for_which_there_is_no_place_are_told_so() {
    let server = server!();
    let (store, _proxy) = behind_a_proxy(&server, 1).await;
    let key = key("42");
    create(&store, &key, vec![set("a", "1")]).await;
    server.stop();
    let mut loads: Vec<_> = (0..32).map(|_| loading(&store, &key)).collect();
    loads.iter_mut().for_each(begin);
    let error = store.load(&key, load(HALF_AN_HOUR)).await.unwrap_err();
    assert_eq!((error.kind(), error.is_not_applied()), (StoreErrorKind::Busy, true));
    server.cont();
    for load in loads {
        load.await.unwrap();
    }
}
