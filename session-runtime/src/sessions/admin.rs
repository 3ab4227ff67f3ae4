//! Looking after the sessions of one type.

use std::time::Duration;

use serde_json::Value;

use super::Sessions;
use crate::admin::{Admin, KeyStream, Purger, Purging};
use crate::codec::Codec;
use crate::error::Error;
use crate::schema::Sensitive;
use crate::session::Session;
use crate::stats::Stats;
use crate::store::Store;

impl<T: Session + Send + 'static, S: Store, C: Codec> Sessions<T, S, C> {
    /// The administration of the store that these sessions are in, with their retention and clock.
    pub fn admin(&self) -> Admin<S> {
        let inner = &self.inner;
        let is_prepared = inner.ready.get().is_some();
        Admin::new(inner.store.clone()).clock_offset(inner.clock).of_sessions(
            &inner.lifetime,
            is_prepared,
            inner.counters.clone(),
        )
    }

    /// The keys of the sessions that are stored and have not expired, as a stream, in an order of the store's own.
    ///
    /// Sessions that are stored from the first key until after the last are listed exactly once.
    pub fn keys(&self) -> KeyStream<S> {
        self.admin().keys(&self.inner.name)
    }

    /// How many sessions are stored and have not expired.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn count(&self) -> Result<u64, Error> {
        self.admin().count(&self.inner.name).await
    }

    /// Removes what ended: expired sessions, and headers of destroyed ones, once their retention is over. This is
    /// housekeeping: no ended session can be loaded, removed or not.
    ///
    /// Awaited it returns how many it removed; as a stream it tells of each batch, so that progress can be shown. A
    /// purge concerns the whole store, all session types in it.
    pub fn purge_expired(&self) -> Purging<S> {
        self.admin().purge()
    }

    /// Purges now and then once every `period`, in the background, until the returned guard is dropped. An error is
    /// logged, and the next turn tries again.
    ///
    /// # Errors
    /// [`Error::Store`] outside of a Tokio runtime. The runtime must have its timer enabled.
    pub fn purge_every(&self, period: Duration) -> Result<Purger, Error> {
        self.admin().purge_every(period)
    }

    /// What is stored under a key as JSON, without counting as activity: see
    /// [`Inspected::to_json`](crate::admin::Inspected::to_json). `None` if no session is stored.
    ///
    /// Fields that are not stored are shown with their registered initial value. Values of fields marked `sensitive`
    /// are redacted, and so are those of fields that no registration knows.
    ///
    /// # Errors
    /// [`Error::InvalidKey`], [`Error::Store`].
    pub async fn inspect(&self, key: &str) -> Result<Option<Value>, Error> {
        let sensitive = Sensitive::of::<T>();
        let found = self.admin().inspect(&self.inner.name, key).await?;
        Ok(found.map(|found| found.redact(|field| sensitive.contains(field)).to_json()))
    }

    /// What these sessions have cost and saved so far: in this process, by all clones of this value.
    pub fn stats(&self) -> Stats {
        self.inner.counters.stats()
    }
}
