use std::sync::{Arc, Mutex, PoisonError};

use super::{Action, Commit, Cursor, Key, Keys, Load, Loaded, Purged, Registration, Reply, Store, StoreError};
use crate::expiry::ClockOffset;

/// A store that keeps a log of the calls to the store inside, so that tests can assert them exactly.
#[derive(Debug, Clone, Default)]
pub struct LogStore<S> {
    inner: S,
    calls: Arc<Mutex<Vec<Call>>>,
}

/// One call to a store about sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// A load, and whether it moved the expiry.
    Load {
        /// The user's key.
        key: String,
        /// Whether the load moved the expiry.
        renewed: bool,
    },
    /// A commit of fields.
    Commit {
        /// The user's key.
        key: String,
        /// The fields it sets and their encoded values as text, in the order of the session's fields.
        set: Vec<(String, String)>,
        /// The fields it removes.
        unset: Vec<String>,
    },
    /// A removal.
    Destroy {
        /// The user's key.
        key: String,
    },
    /// A move to another key.
    Renew {
        /// The user's key.
        from: String,
        /// The new key.
        to: String,
    },
}

impl Call {
    fn of_commit(key: &Key, commit: &Commit) -> Self {
        let key = key.id().to_owned();
        match &commit.action {
            Action::Write => {
                let set = commit.changes.iter().filter_map(|change| {
                    Some((change.name.to_string(), String::from_utf8_lossy(change.value.as_ref()?).into_owned()))
                });
                let unset = commit.changes.iter().filter(|change| change.value.is_none());
                Self::Commit { key, set: set.collect(), unset: unset.map(|change| change.name.to_string()).collect() }
            }
            Action::Destroy => Self::Destroy { key },
            Action::Renew { to } => Self::Renew { from: key, to: to.id().to_owned() },
        }
    }
}

impl<S> LogStore<S> {
    /// Logs the calls to `inner`.
    pub fn new(inner: S) -> Self {
        Self { inner, calls: Arc::default() }
    }

    /// The store inside.
    pub fn inner(&self) -> &S {
        &self.inner
    }

    /// Takes the calls since the last time. Preparing and registering are not among them.
    #[must_use]
    pub fn take(&self) -> Vec<Call> {
        std::mem::take(&mut self.calls.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn log(&self, call: Call) {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push(call);
    }
}

impl<S: Store> Store for LogStore<S> {
    async fn prepare(&self) -> Result<(), StoreError> {
        self.inner.prepare().await
    }

    async fn load(&self, key: &Key, load: Load) -> Result<Loaded, StoreError> {
        let loaded = self.inner.load(key, load).await;
        let renewed = loaded.as_ref().is_ok_and(|loaded| loaded.renewed);
        self.log(Call::Load { key: key.id().to_owned(), renewed });
        loaded
    }

    async fn commit(&self, key: &Key, commit: &Commit) -> Result<Reply, StoreError> {
        self.log(Call::of_commit(key, commit));
        self.inner.commit(key, commit).await
    }

    async fn registration(&self, name: &str, version: u32) -> Result<Option<Registration>, StoreError> {
        self.inner.registration(name, version).await
    }

    async fn register(&self, proposal: &Registration) -> Result<Registration, StoreError> {
        self.inner.register(proposal).await
    }

    async fn withdraw(&self, name: &str, version: u32) -> Result<bool, StoreError> {
        self.inner.withdraw(name, version).await
    }

    async fn registrations(&self) -> Result<Vec<Registration>, StoreError> {
        self.inner.registrations().await
    }

    async fn keys(
        &self,
        name: &str,
        after: Option<Cursor>,
        limit: usize,
        clock: ClockOffset,
    ) -> Result<Keys, StoreError> {
        self.inner.keys(name, after, limit, clock).await
    }

    async fn count(&self, name: &str, clock: ClockOffset) -> Result<u64, StoreError> {
        self.inner.count(name, clock).await
    }

    async fn purge(&self, limit: usize, clock: ClockOffset) -> Result<Purged, StoreError> {
        self.inner.purge(limit, clock).await
    }
}
