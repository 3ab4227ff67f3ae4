use std::fmt;
use std::time::Duration;

use super::index::VALID;
use super::server::Timeouts;

/// Which keys share a slot of a Redis Cluster.
///
/// A renewal moves a record to another key in one step, which a cluster can do only within a slot. The choice is part
/// of where sessions are kept: all instances make the same one, and sessions are not found after it changed.
#[derive(Debug, Clone, Copy, Default)]
pub enum Slots {
    /// Each key has its own: sessions spread over all nodes. In a cluster most renewals fail with
    /// [`StoreErrorKind::CrossSlot`](crate::store::StoreErrorKind::CrossSlot) and change nothing. On a single server
    /// this costs nothing.
    #[default]
    PerKey,
    /// All sessions of a name share one: every renewal works, and one node holds them all.
    PerName,
    /// Keys for which this returns the same part share one: for keys like `user|token` return what stands before the
    /// `|`, and let renewals keep it. An empty part stands for a slot of the key's own.
    By(fn(&str) -> &str),
}

/// How a [`RedisStore`](super::RedisStore) is set up; its address first, then what differs from the defaults.
#[derive(Clone)]
#[must_use]
pub struct RedisOptions {
    pub(super) url: String,
    pub(super) prefix: String,
    pub(super) slots: Slots,
    pub(super) accept_eviction: bool,
    pub(super) valid: i64,
    pub(super) timeouts: Timeouts,
    #[cfg(feature = "redis-tls")]
    pub(super) tls: Option<std::sync::Arc<rustls::ClientConfig>>,
}

/// Leaves out the address, which holds the password.
impl fmt::Debug for RedisOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisOptions")
            .field("prefix", &self.prefix)
            .field("slots", &self.slots)
            .field("accept_eviction", &self.accept_eviction)
            .finish_non_exhaustive()
    }
}

impl RedisOptions {
    /// A store at this URL, as [`RedisStore::open`](super::RedisStore::open) understands it.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            prefix: "session:".to_owned(),
            slots: Slots::default(),
            accept_eviction: false,
            valid: VALID,
            timeouts: Timeouts { connection: Duration::from_secs(2), response: Duration::from_secs(3) },
            #[cfg(feature = "redis-tls")]
            tls: None,
        }
    }

    /// What all keys begin with: `session:` unless set.
    pub fn prefix(self, prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into(), ..self }
    }

    /// Which keys share a slot of a cluster: [`Slots::PerKey`] unless set.
    pub fn slots(self, slots: Slots) -> Self {
        Self { slots, ..self }
    }

    /// How long to wait for a connection: two seconds unless set.
    pub fn connection_timeout(self, timeout: Duration) -> Self {
        Self { timeouts: Timeouts { connection: timeout, ..self.timeouts }, ..self }
    }

    /// How long to wait for an answer: three seconds unless set. Then the connection is given up, and what was sent on
    /// it is sent once more on another one.
    ///
    /// The engine may still apply a commit whose answer came too late; the session settles that with its next commit.
    pub fn response_timeout(self, timeout: Duration) -> Self {
        Self { timeouts: Timeouts { response: timeout, ..self.timeouts }, ..self }
    }

    /// How to encrypt, for a server whose certificate the authorities of this machine did not sign, or one that asks
    /// for a certificate of the client.
    #[cfg(feature = "redis-tls")]
    pub fn tls(self, client: rustls::ClientConfig) -> Self {
        Self { tls: Some(std::sync::Arc::new(client)), ..self }
    }

    /// Accepts a server that removes sessions when its memory is full.
    ///
    /// What it removes are also the headers of destroyed sessions and the registered initial values, so that
    /// destroyed sessions can come back and records can become unreadable.
    pub fn accept_eviction(self) -> Self {
        Self { accept_eviction: true, ..self }
    }

    /// How long a commit may be on its way that gives a session a value by which it is found: for tests.
    #[cfg(feature = "conformance")]
    #[doc(hidden)]
    pub fn announced_for(self, time: Duration) -> Self {
        Self { valid: i64::try_from(time.as_millis()).unwrap_or(i64::MAX), ..self }
    }
}
