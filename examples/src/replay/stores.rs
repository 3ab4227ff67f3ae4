//! Which store a replay writes to: the one place that knows the kinds of stores.

use std::fmt;
use std::str::FromStr;

use session_runtime::store::{self, StoreError};
use session_runtime::{AnyStore, MemoryStore};

/// Where a replay keeps its sessions.
#[derive(Clone)]
pub enum Place {
    /// This process's memory.
    Memory(MemoryStore),
    /// A store that others can reach, too.
    Url {
        /// Its engine.
        engine: Engine,
        /// Its address, which can hold a password.
        url: String,
    },
}

/// What keeps the sessions of a store that others can reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// A database file.
    Sqlite,
    /// A server or a cluster of Redis or Valkey.
    Redis,
    /// A PostgreSQL server.
    Postgres,
}

impl Default for Place {
    fn default() -> Self {
        Self::Memory(MemoryStore::new())
    }
}

impl Place {
    /// A connection of its own; in memory, the sessions of this process.
    ///
    /// # Errors
    /// When the store cannot be opened.
    pub async fn connect(&self) -> Result<AnyStore, StoreError> {
        match self {
            Self::Memory(store) => Ok(AnyStore::new(store.clone())),
            Self::Url { url, .. } => store::connect(url).await,
        }
    }
}

/// Why a word names no store for a replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoPlace {
    /// No kind of store is called so.
    #[error(
        "this is no URL of a store; write memory:, sqlite:PATH, redis://host, rediss://host, \
         redis+cluster://host:port,host:port or postgres://user:password@host/database"
    )]
    Unknown,
    /// The file has no name.
    #[error("this URL names no file; write sqlite:PATH")]
    NoFile,
    /// A second connection would find another, empty database.
    #[error("SQLite in memory cannot be read back through a second connection; write memory: or sqlite:PATH")]
    Unshared,
}

impl FromStr for Place {
    type Err = NoPlace;

    fn from_str(place: &str) -> Result<Self, NoPlace> {
        if matches!(place, "memory" | "memory:") {
            return Ok(Self::default());
        }
        let (scheme, rest) = place.split_once(':').ok_or(NoPlace::Unknown)?;
        let engine = match scheme {
            "sqlite" => match rest.strip_prefix("//").unwrap_or(rest) {
                "" => return Err(NoPlace::NoFile),
                ":memory:" => return Err(NoPlace::Unshared),
                _ => Engine::Sqlite,
            },
            "redis" | "rediss" | "redis+cluster" | "rediss+cluster" | "redis+unix" if rest.starts_with("//") => {
                Engine::Redis
            }
            "postgres" | "postgresql" if rest.starts_with("//") => Engine::Postgres,
            _ => return Err(NoPlace::Unknown),
        };
        Ok(Self::Url { engine, url: place.to_owned() })
    }
}

/// Shows neither a user, nor a password, nor options, which can hold one.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory(_) => f.write_str("memory"),
            Self::Url { engine: Engine::Sqlite, url } => f.write_str(url),
            Self::Url { url, .. } => {
                let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
                let server = rest.split('?').next().unwrap_or(rest);
                // A password that was not encoded can hold either sign.
                let hides = rest.rfind('@').is_some_and(|at| at > server.len());
                let server = if hides { "" } else { server.rsplit('@').next().unwrap_or(server) };
                write!(f, "{scheme}://{server}")
            }
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Place({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn engine(place: &str) -> Result<Option<Engine>, NoPlace> {
        Ok(match place.parse()? {
            Place::Memory(_) => None,
            Place::Url { engine, url } => {
                assert_eq!(url, place);
                Some(engine)
            }
        })
    }

    #[test]
    fn each_url_of_a_store_is_taken() {
        for (place, expected) in [
            ("memory", None),
            ("memory:", None),
            ("sqlite:replay.db", Some(Engine::Sqlite)),
            ("sqlite:///tmp/replay.db", Some(Engine::Sqlite)),
            ("redis://localhost", Some(Engine::Redis)),
            ("rediss://user:password@db:6380/1", Some(Engine::Redis)),
            ("redis+cluster://a:1,b:2", Some(Engine::Redis)),
            ("rediss+cluster://a:1,b:2", Some(Engine::Redis)),
            ("redis+unix:///run/redis.sock", Some(Engine::Redis)),
            ("postgres://app@localhost/app", Some(Engine::Postgres)),
            ("postgresql://app@localhost/app", Some(Engine::Postgres)),
        ] {
            assert_eq!(engine(place), Ok(expected), "{place}");
        }
    }

    #[test]
    fn what_names_no_store_is_refused_before_anything_is_read() {
        for place in ["", "paper", "paper:1", "memory:1", "sqlite", "redis:6379", "postgres:app", "mysql://db/app"] {
            assert_eq!(engine(place), Err(NoPlace::Unknown), "{place}");
        }
        assert_eq!([engine("sqlite:"), engine("sqlite://")], [Err(NoPlace::NoFile); 2]);
        assert_eq!([engine("sqlite::memory:"), engine("sqlite://:memory:")], [Err(NoPlace::Unshared); 2]);
    }

    #[test]
    fn no_password_is_shown() {
        for (place, shown) in [
            ("redis://localhost:6379/2", "redis://localhost:6379/2"),
            ("redis://user:hunter2@db:6379/", "redis://db:6379/"),
            ("redis+cluster://:hunter2@a:1,b:2", "redis+cluster://a:1,b:2"),
            ("postgres://app:hunter2@db/app?sslmode=disable", "postgres://db/app"),
            ("postgres://db/app?password=x@hunter2", "postgres://"),
            ("postgres://app:x@hunter2@db/app", "postgres://db/app"),
            ("postgres://app:x?hunter2@db/app", "postgres://"),
        ] {
            let place: Place = place.parse().expect("a store");
            assert_eq!((place.to_string(), format!("{place:?}")), (shown.to_owned(), format!("Place({shown})")));
        }
    }
}
