//! Which store a replay writes to: the one place that knows the kinds of stores.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use session_runtime::store::StoreError;
use session_runtime::{BoxStore, MemoryStore, SqliteStore};

/// Where a replay keeps its sessions.
#[derive(Debug, Clone)]
pub enum Place {
    /// This process's memory.
    Memory(MemoryStore),
    /// A database file.
    Sqlite(PathBuf),
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
    pub async fn connect(&self) -> Result<BoxStore, StoreError> {
        match self {
            Self::Memory(store) => Ok(BoxStore::new(store.clone())),
            Self::Sqlite(path) => Ok(BoxStore::new(SqliteStore::open(path).await?)),
        }
    }
}

/// Not a store that a replay knows.
#[derive(Debug, thiserror::Error)]
#[error("there is no such store; write `memory` or `sqlite:PATH`")]
pub struct UnknownStore;

impl FromStr for Place {
    type Err = UnknownStore;

    fn from_str(place: &str) -> Result<Self, UnknownStore> {
        match place.split_once(':') {
            None if place == "memory" => Ok(Self::default()),
            Some(("sqlite", path)) if !path.is_empty() => Ok(Self::Sqlite(path.into())),
            _ => Err(UnknownStore),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory(_) => f.write_str("memory"),
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
        }
    }
}
