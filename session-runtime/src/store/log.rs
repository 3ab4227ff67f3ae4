use std::sync::{Arc, Mutex, PoisonError};

use super::{Action, Commit, Find, FoundPage, Housekeeping, Key, Load, Loaded, Reply, Store, StoreError};

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
        touched: bool,
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
    /// A search for the sessions with a value.
    Find {
        /// The stored name of the field.
        field: String,
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
            Action::Write(write) => {
                let set = write.changes.iter().filter_map(|change| {
                    Some((change.name.to_string(), String::from_utf8_lossy(change.value.as_ref()?).into_owned()))
                });
                let unset = write.changes.iter().filter(|change| change.value.is_none());
                Self::Commit { key, set: set.collect(), unset: unset.map(|change| change.name.to_string()).collect() }
            }
            Action::Destroy => Self::Destroy { key },
            Action::Renew { to, .. } => Self::Renew { from: key, to: to.id().to_owned() },
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
    async fn load(&self, key: &Key, load: Load) -> Result<Loaded, StoreError> {
        let loaded = self.inner.load(key, load).await;
        let touched = loaded.as_ref().is_ok_and(|loaded| loaded.touched);
        self.log(Call::Load { key: key.id().to_owned(), touched });
        loaded
    }

    async fn commit(&self, key: &Key, commit: &Commit) -> Result<Reply, StoreError> {
        self.log(Call::of_commit(key, commit));
        self.inner.commit(key, commit).await
    }

    async fn find(&self, find: &Find) -> Result<FoundPage, StoreError> {
        self.log(Call::Find { field: find.field.to_string() });
        self.inner.find(find).await
    }

    crate::delegate_store!(inner: prepare registration register);
}

impl<S: Housekeeping> Housekeeping for LogStore<S> {
    crate::delegate_store!(inner: keys count purge registrations withdraw);
}
