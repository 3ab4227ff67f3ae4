//! Sessions of this project.

use serde_json::{Value, json};
use session_runtime::{Outcome, PostgresStore, RedisStore, Sessions};
use session_tests::postgres_server::{self, PostgresServer};
use session_tests::redis_server::{self, RedisServer};

use crate::Waste;

#[derive(session_runtime::Session)]
struct Visitor {
    visits: u32,
    theme: String,
}

/// Does to a session what the test knows: it begins with two fields, then one changes, goes, nothing, and all ends.
async fn visit(sessions: &Sessions<Visitor>) {
    for visits in [1, 2, 0, 0] {
        let mut visitor = sessions.load("1").await.expect("a store");
        *visitor.edit().visits() = visits;
        "dark".clone_into(visitor.edit().theme());
        visitor.commit().await.expect("a store");
    }
    assert_eq!(sessions.destroy("1").await.expect("a store"), Outcome::Removed);
}

#[track_caller]
fn assert_visited(said: &Value) {
    let writes = |kind: &str| said["writes"][kind]["writes"].as_u64();
    assert_eq!((writes("first"), writes("one_part")), (Some(1), Some(2)), "{said}");
    assert_eq!((&said["all"]["writes"], &said["removals"]), (&json!(3), &json!(1)), "{said}");
    assert_eq!(said["keys"], json!(1), "{said}");
}

/// What the stores keep beside sessions is watched too, and is no session.
#[tokio::test]
async fn sessions_of_this_project_are_told_by_their_fields() {
    if redis_server::is_available() {
        let server = RedisServer::start(&[]);
        let waste = Waste::begin(&[&server.url(), "--json"]);
        let store = RedisStore::open(&server.url()).await.expect("a server");
        visit(&Sessions::new(store)).await;
        assert_visited(&waste.end_with_json());
    }
    if postgres_server::is_available() {
        let server = PostgresServer::start(&[("fsync", "off"), ("wal_level", "logical")]);
        let waste = Waste::begin(&[&server.url(), "--json"]);
        let store = PostgresStore::open(&server.url()).await.expect("a server");
        visit(&Sessions::new(store)).await;
        assert_visited(&waste.end_with_json());
    }
}
