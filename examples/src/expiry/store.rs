//! A store in which it is as late as the traffic says.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use session_runtime::expiry::{ClockOffset, Timestamp};
use session_runtime::store::{
    Commit, Cursor, Find, Found, FoundPage, Housekeeping, Key, Keys, Load, Loaded, Purged, Reply, Store, StoreError,
};

/// A store whose clock is set from outside, and which counts what loads do to expiries.
#[derive(Debug, Clone)]
pub struct TimedStore<S> {
    inner: S,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    now: AtomicI64,
    loads: AtomicU64,
    known: AtomicU64,
    touched: AtomicU64,
}

/// What loads did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Loads {
    /// All loads.
    pub all: u64,
    /// Those that found a session, or what an emptied one left for a while.
    pub known: u64,
    /// Those that moved its expiry, which is a write.
    pub touched: u64,
}

impl<S> TimedStore<S> {
    /// Sets the clock of `inner`.
    pub fn new(inner: S) -> Self {
        Self { inner, shared: Arc::default() }
    }

    /// Makes it this late, in milliseconds since the Unix epoch.
    pub fn set_time(&self, millis: i64) {
        self.shared.now.store(millis, Ordering::Relaxed);
    }

    /// What loads did so far.
    #[must_use]
    pub fn loads(&self) -> Loads {
        let Shared { loads, known, touched, .. } = &*self.shared;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Loads { all: read(loads), known: read(known), touched: read(touched) }
    }

    /// What takes the machine's time to that of the traffic.
    fn clock(&self) -> ClockOffset {
        let machine = Timestamp::now(ClockOffset::default()).as_millis();
        ClockOffset(self.shared.now.load(Ordering::Relaxed).saturating_sub(machine))
    }
}

fn count(counter: &AtomicU64, what: bool) {
    counter.fetch_add(u64::from(what), Ordering::Relaxed);
}

impl<S: Store> Store for TimedStore<S> {
    async fn load(&self, key: &Key, load: Load) -> Result<Loaded, StoreError> {
        let mut load = load;
        load.clock = self.clock();
        let loaded = self.inner.load(key, load).await?;
        count(&self.shared.loads, true);
        count(&self.shared.known, matches!(loaded.found, Found::Record(_)));
        count(&self.shared.touched, loaded.touched);
        Ok(loaded)
    }

    async fn commit(&self, key: &Key, commit: &Commit) -> Result<Reply, StoreError> {
        let mut commit = commit.clone();
        commit.clock = self.clock();
        self.inner.commit(key, &commit).await
    }

    async fn find(&self, find: &Find) -> Result<FoundPage, StoreError> {
        let mut find = find.clone();
        find.clock = self.clock();
        self.inner.find(&find).await
    }

    session_runtime::delegate_store!(inner: prepare registration register);
}

impl<S: Housekeeping> Housekeeping for TimedStore<S> {
    async fn keys(&self, name: &str, after: Option<Cursor>, limit: usize, _: ClockOffset) -> Result<Keys, StoreError> {
        self.inner.keys(name, after, limit, self.clock()).await
    }

    async fn count(&self, name: &str, _: ClockOffset) -> Result<u64, StoreError> {
        self.inner.count(name, self.clock()).await
    }

    async fn purge(&self, limit: usize, _: ClockOffset) -> Result<Purged, StoreError> {
        self.inner.purge(limit, self.clock()).await
    }

    session_runtime::delegate_store!(inner: registrations withdraw);
}
