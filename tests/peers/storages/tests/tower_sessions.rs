//! What the SQL stores of tower-sessions keep is read: their tables, asked as the page on moving in says.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::Deserialize;
use session_runtime::Sessions;
use session_runtime::legacy::{Legacy, LegacyError, Old, tower_sessions};
use session_runtime::{Outcome, PostgresStore, Session as _, SqliteStore, Store};
use session_tests::postgres_server::{self, PostgresServer};
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use time::macros::datetime;
use tower_sessions_core::session::Expiry;
use tower_sessions_core::{Session, SessionStore};

#[derive(session_runtime::Session)]
struct Visitor {
    visits: u32,
    theme: String,
    user: Option<u64>,
}

#[derive(Deserialize)]
struct OldVisitor {
    visits: u32,
    theme: String,
    user: Option<u64>,
}

/// The row of a session in the old table, asked by `sqlx`.
macro_rules! legacy {
    ($pool:expr, $question:literal) => {{
        let pool = $pool.clone();
        Legacy::until(SystemTime::now() + Duration::from_secs(3600), move |key| {
            let pool = pool.clone();
            async move {
                let row = sqlx::query_as($question).bind(key).fetch_optional(&pool).await;
                let row: Option<(Vec<u8>,)> = row.map_err(LegacyError::unavailable)?;
                let Some((stored,)) = row else { return Ok(None) };
                let old = tower_sessions::<OldVisitor>(&stored)?;
                let OldVisitor { visits, theme, user } = old.data;
                Ok(Some(Old::new(Visitor { visits, theme, user }).expire_at(old.expires_at)))
            }
        })
    }};
}

async fn sessions_go_on(old: impl SessionStore + Clone, legacy: Legacy<Visitor>, store: impl Store) {
    let sessions = Sessions::builder(store).legacy(legacy).build();
    let end = Expiry::AtDateTime(datetime!(2100-02-03 04:05:06.789 UTC));
    let begun = Session::new(None, Arc::new(old.clone()), Some(end));
    begun.insert("visits", 3).await.expect("a value");
    begun.insert("theme", "dark").await.expect("a value");
    begun.insert("user", 7_u64).await.expect("a value");
    begun.save().await.expect("tower-sessions keeps it");
    let id = begun.id().expect("it is stored");

    let mut session = sessions.load(&id.to_string()).await.expect("a load");
    assert_eq!((session.visits, &*session.theme, session.user), (3, "dark", Some(7)));
    let at = SystemTime::UNIX_EPOCH + Duration::from_millis(4_105_310_706_789); // 2100-02-03 04:05:06.789
    assert_eq!(session.expires_at(), Some(at));
    assert_eq!(session.commit().await.expect("a commit").outcome(), Outcome::Created);
    old.delete(&id).await.expect("tower-sessions removes it");
    assert_eq!(sessions.load(&id.to_string()).await.expect("a load").visits, 3, "it is here now");
    assert_eq!(sessions.load("AAAAAAAAAAAAAAAAAAAAAA").await.expect("a load").visits, Visitor::initial().visits);
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_of_sqlite_go_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("web.db");
    let options = SqliteConnectOptions::new().filename(&file).create_if_missing(true);
    let pool = SqlitePoolOptions::new().connect_with(options).await.expect("a file");
    let old = tower_sessions_sqlx_store::SqliteStore::new(pool.clone());
    old.migrate().await.expect("its table");
    let store = SqliteStore::open(file).await.expect("ours, in the same file");
    sessions_go_on(old, legacy!(pool, "SELECT data FROM tower_sessions WHERE id = ?"), store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_of_postgresql_go_on() {
    let Some(server) = postgres_server::is_available().then(|| PostgresServer::start(&[])) else { return };
    let pool = PgPoolOptions::new().connect(&server.url()).await.expect("a server");
    let old = tower_sessions_sqlx_store::PostgresStore::new(pool.clone());
    old.migrate().await.expect("its table");
    let store = PostgresStore::open(server.url()).await.expect("a server");
    sessions_go_on(old, legacy!(pool, "SELECT data FROM tower_sessions.session WHERE id = $1"), store).await;
}
