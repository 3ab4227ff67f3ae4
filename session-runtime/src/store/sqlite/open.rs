use std::future::Future;
use std::path::Path;
use std::sync::Arc;

use super::schema::Role;
use super::worker::Workers;
use super::{Inner, SqliteOptions, SqliteStore};
use crate::store::{Store, StoreError};

impl SqliteOptions {
    /// Opens the database, which is made if it does not exist, and prepares it.
    ///
    /// # Errors
    /// When it cannot be opened, or is no database of this store.
    pub async fn open(self) -> Result<SqliteStore, StoreError> {
        let writer = Workers::start(1, &self, Role::Writer).await?;
        let readers = match self.readers {
            count @ 1.. if writer.is_shared => Some(Workers::start(count, &self, Role::Reader).await?),
            _ => None,
        };
        let store = SqliteStore { inner: Arc::new(Inner { readers, writer }) };
        store.prepare().await?;
        Ok(store)
    }
}

impl SqliteStore {
    /// Opens the database file at `path` with the default [`SqliteOptions`]. It is made if it does not exist.
    pub fn open(path: impl AsRef<Path>) -> impl Future<Output = Result<Self, StoreError>> + Send {
        SqliteOptions::new(path).open()
    }

    /// Opens an empty database in memory, which ends with the last clone of this store.
    pub fn memory() -> impl Future<Output = Result<Self, StoreError>> + Send {
        Self::open(":memory:")
    }
}
