//! tower-sessions on its SQLx stores, driven by `session-peers` over standard input and output.
//!
//! A process of its own because a program can link one SQLite only.

use std::sync::Arc;

use anyhow::{Context, bail};
use session_peers_load::{Local, serve};
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use tower_sessions_sqlx_store::{PostgresStore, SqliteStore};

session_peers_load::tower!(contender, tower_sessions_core);

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(engine), Some(place)) = (arguments.next(), arguments.next()) else {
        bail!("session-peers starts this program: ENGINE PLACE")
    };
    let runtime = Arc::new(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?);
    let mut side = match engine.as_str() {
        "sqlite-full" | "sqlite-normal" => {
            let synchronous = if engine == "sqlite-full" { SqliteSynchronous::Full } else { SqliteSynchronous::Normal };
            let store = runtime.block_on(sqlite(&place, synchronous)).context("SQLite")?;
            Local::boxed("tower-sessions", contender::Tower::new(store), &runtime)
        }
        "postgres" => {
            let store = runtime.block_on(postgres(&place)).context("PostgreSQL")?;
            Local::boxed("tower-sessions", contender::Tower::new(store), &runtime)
        }
        other => bail!("{other} is no engine"),
    };
    serve(&mut *side);
    Ok(())
}

async fn sqlite(path: &str, synchronous: SqliteSynchronous) -> anyhow::Result<SqliteStore> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(synchronous)
        .busy_timeout(std::time::Duration::from_secs(60));
    let store = SqliteStore::new(SqlitePoolOptions::new().connect_with(options).await?);
    store.migrate().await?;
    Ok(store)
}

async fn postgres(url: &str) -> anyhow::Result<PostgresStore> {
    let store = PostgresStore::new(PgPoolOptions::new().connect(url).await?);
    store.migrate().await?;
    Ok(store)
}
