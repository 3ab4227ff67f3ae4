//! The session that these tests look after, and where it is kept.

use serde::{Deserialize, Serialize};
use session_runtime::store::{PostgresOptions, RedisStore, Store};
use session_runtime::{BoxStore, Handle, MemoryStore, Session, Sessions, SqliteStore};
use session_tests::{Stage, postgres_server, redis_server};

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
pub(crate) type Place = Stage<MemoryStore>;

/// An empty place on each store that is there; none is connected or prepared yet.
pub(crate) async fn stores() -> Vec<BoxStore> {
    let memory = SqliteStore::memory().await.expect("a database");
    let mut stores = vec![BoxStore::new(MemoryStore::new()), BoxStore::new(memory)];
    if let Some(url) = redis_server::shared() {
        let prefix = format!("test-{:016x}:", rand::random::<u64>());
        stores.push(BoxStore::new(RedisStore::builder(url).prefix(prefix).build().expect("a URL")));
    }
    if let Some(url) = postgres_server::shared() {
        let options = PostgresOptions::new(url).schema(postgres_server::fresh_schema());
        stores.push(BoxStore::new(options.build().expect("a URL")));
    }
    stores
}

/// One visit.
pub(crate) fn visit<S: Store>(visitor: &mut Handle<Visitor, S>) {
    *visitor.edit().visits() += 1;
}

/// Stores a session with one visit under each key.
pub(crate) async fn store_visits<S: Store>(sessions: &Sessions<Visitor, S>, keys: &[&str]) {
    for key in keys {
        sessions.update(key, visit).await.expect("a visit");
    }
}
