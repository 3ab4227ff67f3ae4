//! The session that these tests look after, and where it is kept.

use serde::{Deserialize, Serialize};
use session_runtime::store::{PostgresOptions, RedisOptions, Store};
use session_runtime::{AnyStore, Handle, MemoryStore, Session, SqliteStore};
use session_tests::{FaultyStore, Kept, postgres_server, redis_server};

#[derive(Session, Debug)]
#[session(name = "visitor", version = 3)]
pub(crate) struct Visitor {
    pub visits: u32,
    #[session(initial = "light".to_owned())]
    pub theme: String,
    #[session(sensitive, initial = "nobody".to_owned())]
    pub token: String,
    pub cart: Vec<Item>,
}

#[derive(Serialize, Deserialize, Debug)]
pub(crate) struct Item {
    pub sku: String,
}

/// A session type beside it in the same store.
#[derive(Session, Debug)]
#[session(name = "other")]
pub(crate) struct Other {
    pub visits: u32,
}

/// A memory in which things go wrong.
pub(crate) type Place = FaultyStore<MemoryStore>;

/// An empty place on each store that is there; none is connected or prepared yet.
pub(crate) async fn stores() -> Vec<AnyStore> {
    let memory = SqliteStore::memory().await.expect("a database");
    let mut stores = vec![AnyStore::new(MemoryStore::new()), AnyStore::new(memory)];
    if let Some(url) = redis_server::shared() {
        let prefix = format!("test-{:016x}:", rand::random::<u64>());
        stores.push(AnyStore::new(RedisOptions::new(url).prefix(prefix).build().expect("a URL")));
    }
    if let Some(url) = postgres_server::shared() {
        let options = PostgresOptions::new(url).schema(postgres_server::fresh_schema());
        stores.push(AnyStore::new(options.build().expect("a URL")));
    }
    stores
}

/// One visit.
pub(crate) fn visit(visitor: &mut Handle<Visitor>) {
    *visitor.edit().visits() += 1;
}

/// Stores a session with one visit under each key.
pub(crate) async fn store_visits<S: Store>(sessions: &Kept<Visitor, S>, keys: &[&str]) {
    for key in keys {
        sessions.update(key, visit).await.expect("a visit");
    }
}
