//! Updates through a connection that breaks again and again: each counts once.

use rand::RngExt;
use session_runtime::store::Store;
use session_runtime::{PostgresStore, RedisStore, Session, Sessions};
use session_tests::postgres_server::{self, PostgresServer};
use session_tests::proxy::Proxy;
use session_tests::redis_server::{self, RedisServer};
use tokio::task::JoinSet;

const TASKS: u32 = 50;

#[derive(Session)]
#[session(name = "updates")]
struct Counter {
    n: u32,
}

/// Adds one from each task, while connections are cut between requests and answers.
async fn count_through(proxy: &Proxy, store: impl Store) {
    let sessions = Sessions::<Counter>::new(store);
    sessions.prepare().await.expect("a store");
    let key = format!("{:016x}", rand::random::<u64>());
    let mut tasks = JoinSet::new();
    for _ in 0..TASKS {
        let (sessions, key) = (sessions.clone(), key.clone());
        proxy.cut_after(rand::rng().random_range(0..4));
        tasks.spawn(async move {
            // What fails is the load: a commit whose answer is lost is sent again.
            while sessions.update(&key, |counter| *counter.edit().n() += 1).await.is_err() {}
        });
        tokio::task::yield_now().await;
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("no panic");
        proxy.cut_after(rand::rng().random_range(0..4));
    }
    proxy.cut_no_more();
    let counter = loop {
        if let Ok(counter) = sessions.load(&key).await {
            break counter;
        }
    };
    assert_eq!(counter.n, TASKS, "after {} cuts", proxy.cuts());
    assert!(proxy.cuts() > 0);
}

#[tokio::test]
async fn p05_updates_through_a_breaking_connection_to_redis_count_once() {
    if !redis_server::is_available() {
        return;
    }
    let server = RedisServer::start(&[]);
    let proxy = Proxy::start(&server.address());
    let store = RedisStore::open(server.url_at(&proxy.address())).await.expect("a server");
    count_through(&proxy, store).await;
}

#[tokio::test]
async fn p05_updates_through_a_breaking_connection_to_postgres_count_once() {
    if !postgres_server::is_available() {
        return;
    }
    let server = PostgresServer::start(&[]);
    let proxy = Proxy::start(&server.address());
    let store = PostgresStore::open(server.url_at(&proxy.address())).await.expect("a server");
    count_through(&proxy, store).await;
}
