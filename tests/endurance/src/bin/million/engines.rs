//! The engines, each with an empty store.

use std::path::PathBuf;
use std::{env, fs};

use session_endurance::resident;
use session_runtime::store::{SqliteOptions, Synchronous};
use session_runtime::{AnyStore, StoreError, connect};
use session_tests::postgres_server::{self, PostgresServer};
use session_tests::redis_server::RedisServer;

/// An engine that runs, and ends when this is dropped.
#[derive(Debug)]
pub(crate) enum Engine {
    Sqlite(PathBuf),
    Redis(RedisServer),
    Postgres(PostgresServer),
}

pub(crate) const NAMES: [&str; 3] = ["sqlite", "redis", "postgresql"];

impl Engine {
    /// Starts the engine of this name. It does not wait for the disk: how long that takes says nothing of a million.
    pub(crate) fn start(name: &str) -> Option<Self> {
        match name {
            "sqlite" => {
                let folder = env::temp_dir().join(format!("session-million-{}", std::process::id()));
                fs::create_dir_all(&folder).ok()?;
                Some(Self::Sqlite(folder))
            }
            "redis" => Some(Self::Redis(RedisServer::start(&["appendonly no"]))),
            "postgresql" => {
                Some(Self::Postgres(PostgresServer::start(&[("fsync", "off"), ("synchronous_commit", "off")])))
            }
            _ => None,
        }
    }

    pub(crate) async fn open(&self) -> Result<AnyStore, StoreError> {
        match self {
            Self::Sqlite(folder) => {
                let options = SqliteOptions::new(folder.join("sessions.db")).synchronous(Synchronous::Normal);
                options.open().await.map(AnyStore::new)
            }
            Self::Redis(redis) => connect(&redis.url()).await,
            Self::Postgres(postgres) => connect(&postgres.url()).await,
        }
    }

    /// What the engine takes: megabytes of a server's memory, or of files.
    pub(crate) async fn takes(&self) -> String {
        match self {
            Self::Sqlite(folder) => {
                let files = fs::read_dir(folder).into_iter().flatten().flatten();
                let bytes: u64 = files.filter_map(|file| Some(file.metadata().ok()?.len())).sum();
                format!("{} MB of files", bytes >> 20)
            }
            Self::Redis(redis) => format!("{:.0} MB of memory", resident::now(redis.process(), false)),
            Self::Postgres(postgres) => {
                let client = postgres_server::client(&postgres.url()).await;
                let size = client.query_one("SELECT pg_database_size(current_database())", &[]).await;
                let bytes = size.map_or(0, |row| row.get::<_, i64>(0));
                format!("{} MB of tables", bytes >> 20)
            }
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Self::Sqlite(folder) = self {
            let _ = fs::remove_dir_all(folder);
        }
    }
}
