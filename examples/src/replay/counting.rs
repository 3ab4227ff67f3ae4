//! Counts what passes between a program and its store.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use session_runtime::store::{Commit, Key, Load, Loaded, Reply, Store, StoreError};

/// A store that counts the calls to the store inside. All policies talk to one of these, so their figures are taken
/// at the same place.
#[derive(Debug, Clone)]
pub struct CountingStore<S> {
    inner: S,
    counters: Arc<Counters>,
}

#[derive(Debug, Default)]
struct Counters {
    reads: AtomicU64,
    writes: AtomicU64,
    bytes_written: AtomicU64,
}

/// What was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Loads.
    pub reads: u64,
    /// Commits, whether or not they were applied, and loads that moved an expiry.
    pub writes: u64,
    /// The names and encoded values of the fields in those commits.
    pub bytes_written: u64,
}

impl<S> CountingStore<S> {
    /// Counts the calls to `inner`.
    pub fn new(inner: S) -> Self {
        Self { inner, counters: Arc::default() }
    }

    /// What was counted so far, by all clones.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let Counters { reads, writes, bytes_written } = &*self.counters;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts { reads: read(reads), writes: read(writes), bytes_written: read(bytes_written) }
    }
}

fn count(counter: &AtomicU64, by: u64) {
    counter.fetch_add(by, Ordering::Relaxed);
}

fn bytes_of(commit: &Commit) -> u64 {
    let bytes =
        |change: &session_runtime::store::Change| change.name.len() + change.value.as_deref().map_or(0, <[u8]>::len);
    commit.changes().iter().map(bytes).sum::<usize>() as u64
}

impl<S: Store> Store for CountingStore<S> {
    async fn load(&self, key: &Key, load: Load) -> Result<Loaded, StoreError> {
        count(&self.counters.reads, 1);
        let loaded = self.inner.load(key, load).await?;
        count(&self.counters.writes, u64::from(loaded.touched));
        Ok(loaded)
    }

    async fn commit(&self, key: &Key, commit: &Commit) -> Result<Reply, StoreError> {
        count(&self.counters.writes, 1);
        count(&self.counters.bytes_written, bytes_of(commit));
        self.inner.commit(key, commit).await
    }

    session_runtime::delegate_store!(inner: prepare find registration register);
}
