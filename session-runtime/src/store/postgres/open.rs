use std::sync::Arc;

use super::address;
use super::pool::{Limits, Pool};
use super::sql::{Names, Statements};
use super::tls::Tls;
use super::{Inner, PostgresOptions, PostgresStore};
use crate::store::{Store, StoreError};

impl PostgresOptions {
    /// Makes the store, connects it, and creates the tables if they are not there.
    ///
    /// # Errors
    /// [`StoreErrorKind::Configuration`](crate::store::StoreErrorKind::Configuration) when the address or a name cannot be used, and whatever [`Store::prepare`]
    /// meets.
    pub async fn open(self) -> Result<PostgresStore, StoreError> {
        let store = self.build()?;
        store.prepare().await?;
        Ok(store)
    }

    /// Makes the store without asking the server anything: it connects when it is first used.
    ///
    /// # Errors
    /// [`StoreErrorKind::Configuration`](crate::store::StoreErrorKind::Configuration) when the address or a name cannot be used.
    pub fn build(self) -> Result<PostgresStore, StoreError> {
        let (mut config, encryption) = address::parse(&self.url)?;
        #[cfg(not(feature = "postgres-tls"))]
        let tls = Tls::new(encryption, &mut config)?;
        #[cfg(feature = "postgres-tls")]
        let tls = Tls::new(encryption, self.tls, &mut config)?;
        if !self.behind_pooler {
            address::plan_by_keys(&mut config);
        }
        let names = Names::new(&self.schema, &self.prefix)?;
        let limits = Limits {
            connections: self.connections,
            pool_timeout: self.pool_timeout,
            response_timeout: self.response_timeout,
            behind_pooler: self.behind_pooler,
        };
        let pool = Pool::new(config, tls, limits);
        let statements = Statements::new(&names);
        Ok(PostgresStore { inner: Arc::new(Inner { pool, names, statements }) })
    }
}

impl PostgresStore {
    /// Connects to a database, and creates the tables if they are not there. [`PostgresOptions`] say more.
    ///
    /// # Errors
    /// [`StoreErrorKind::Configuration`](crate::store::StoreErrorKind::Configuration) when this is no address, and whatever [`Store::prepare`] meets.
    pub async fn open(url: impl Into<String>) -> Result<Self, StoreError> {
        PostgresOptions::new(url).open().await
    }
}
