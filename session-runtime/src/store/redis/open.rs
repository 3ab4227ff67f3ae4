use std::sync::Arc;

use super::address::Address;
use super::keys::Names;
use super::link::Link;
use super::tls::Tls;
use super::{RedisOptions, RedisStore};
use crate::store::{Store, StoreError};

impl RedisOptions {
    /// The store, which connects when it is first used.
    ///
    /// # Errors
    /// When the URL is not understood.
    pub fn build(self) -> Result<RedisStore, StoreError> {
        let address = Address::parse(&self.url)?;
        #[cfg(feature = "redis-tls")]
        let on = || Tls::on(self.tls);
        #[cfg(not(feature = "redis-tls"))]
        let on = Tls::on;
        let tls = if address.is_encrypted { on()? } else { Tls::Off };
        let link = Link::new(address, tls, self.timeouts)?;
        let names = Names { prefix: self.prefix, slots: self.slots };
        Ok(RedisStore {
            link,
            names,
            accept_eviction: self.accept_eviction,
            valid: self.valid,
            indexes: Arc::default(),
        })
    }

    /// The store, connected and checked.
    ///
    /// # Errors
    /// When the URL is not understood, the server cannot be reached, or [`Store::prepare`] refuses it.
    pub async fn open(self) -> Result<RedisStore, StoreError> {
        let store = self.build()?;
        store.prepare().await?;
        Ok(store)
    }
}

impl RedisStore {
    /// The store at this URL, connected and checked.
    ///
    /// `redis://[user:password@]host[:port][/db]` is a server, `rediss://…` one reached over TLS (feature `redis-tls`),
    /// `redis+unix:///path` one on this machine, `redis+cluster://host:port,host:port` a cluster of which some nodes
    /// are named.
    ///
    /// # Errors
    /// When the URL is not understood, the server cannot be reached, or [`Store::prepare`] refuses it.
    pub async fn open(url: impl Into<String>) -> Result<Self, StoreError> {
        RedisOptions::new(url).open().await
    }
}
