//! A store of which tests decide what fails, and what time it is.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use session_runtime::expiry::ClockOffset;
use session_runtime::store::{
    Commit, Cursor, Find, FoundPage, Housekeeping, Key, Keys, Load, Loaded, Purged, Reply, Store, StoreError,
    StoreErrorKind,
};
use tokio::sync::Notify;

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The store fails and knows that it applied nothing.
    Refused,
    /// The connection breaks before the call is applied.
    LostBefore,
    /// The connection breaks after the call was applied: only the answer is lost.
    LostAfter,
    /// No answer ever comes, and the call was not applied.
    StuckBefore,
    /// No answer ever comes, although the call was applied.
    StuckAfter,
}

/// A store whose faults and whose time tests set.
#[derive(Debug, Clone, Default)]
pub struct FaultyStore<S> {
    inner: S,
    plan: Arc<Mutex<Plan>>,
    stuck: Arc<Notify>,
}

#[derive(Default)]
struct Plan {
    loads: VecDeque<Fault>,
    commits: VecDeque<Fault>,
    purges: VecDeque<Fault>,
    searches: VecDeque<Fault>,
    meanwhile: VecDeque<Box<dyn FnOnce() + Send>>,
    passed: i64,
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan").field("passed", &self.passed).finish_non_exhaustive()
    }
}

impl<S> FaultyStore<S> {
    /// Passes calls on to `inner`, without faults, in the present.
    pub fn new(inner: S) -> Self {
        Self { inner, plan: Arc::default(), stuck: Arc::default() }
    }

    /// The store inside.
    pub fn inner(&self) -> &S {
        &self.inner
    }

    /// The next load fails like this; more of them queue.
    pub fn fail_load(&self, fault: Fault) {
        self.plan().loads.push_back(fault);
    }

    /// The next commit fails like this; more of them queue.
    pub fn fail_commit(&self, fault: Fault) {
        self.plan().commits.push_back(fault);
    }

    /// Nothing fails from now on.
    pub fn heal(&self) {
        let mut plan = self.plan();
        plan.loads.clear();
        plan.commits.clear();
        plan.purges.clear();
        plan.searches.clear();
    }

    /// Waits until a call is stuck, so that its future can be dropped.
    pub async fn stuck(&self) {
        self.stuck.notified().await;
    }

    /// The next purge fails like this; more of them queue.
    pub fn fail_purge(&self, fault: Fault) {
        self.plan().purges.push_back(fault);
    }

    /// The next search for sessions with a value fails like this; more of them queue.
    pub fn fail_find(&self, fault: Fault) {
        self.plan().searches.push_back(fault);
    }

    /// Does this when the next commit is on its way: somebody else was faster. More of them queue.
    pub fn meanwhile(&self, act: impl FnOnce() + Send + 'static) {
        self.plan().meanwhile.push_back(Box::new(act));
    }

    /// Lets time pass for every call from now on.
    ///
    /// # Panics
    /// When it is longer than a store can tell.
    pub fn pass(&self, time: Duration) {
        self.plan().passed += i64::try_from(time.as_millis()).expect("a time that fits");
    }

    /// Sets the store's clock wrong, or that of this program right: from now on the store is this many milliseconds
    /// ahead of this program, or behind if it is negative.
    pub fn set_ahead(&self, millis: i64) {
        self.plan().passed = millis;
    }

    fn clock(&self, clock: ClockOffset) -> ClockOffset {
        ClockOffset(clock.0 + self.plan().passed)
    }

    /// Makes a call with a fault.
    async fn call<T>(
        &self,
        fault: Option<Fault>,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let lost = || StoreError::new(StoreErrorKind::Unavailable, "the connection broke");
        match fault {
            None => call.await,
            Some(Fault::Refused) => Err(StoreError::new(StoreErrorKind::Busy, "the store is busy").not_applied()),
            Some(Fault::LostBefore) => Err(lost()),
            Some(Fault::LostAfter) => call.await.and(Err(lost())),
            Some(Fault::StuckBefore) => self.wait_forever().await,
            Some(Fault::StuckAfter) => {
                call.await?;
                self.wait_forever().await
            }
        }
    }

    async fn wait_forever<T>(&self) -> T {
        self.stuck.notify_one();
        std::future::pending().await
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Store> Store for FaultyStore<S> {
    async fn load(&self, key: &Key, load: Load) -> Result<Loaded, StoreError> {
        let fault = self.plan().loads.pop_front();
        let mut load = load;
        load.clock = self.clock(load.clock);
        self.call(fault, self.inner.load(key, load)).await
    }

    async fn commit(&self, key: &Key, commit: &Commit) -> Result<Reply, StoreError> {
        let fault = self.plan().commits.pop_front();
        let meanwhile = self.plan().meanwhile.pop_front();
        if let Some(act) = meanwhile {
            act();
        }
        let mut commit = commit.clone();
        commit.clock = self.clock(commit.clock);
        self.call(fault, self.inner.commit(key, &commit)).await
    }

    async fn find(&self, find: &Find) -> Result<FoundPage, StoreError> {
        let mut find = find.clone();
        find.clock = self.clock(find.clock);
        let fault = self.plan().searches.pop_front();
        self.call(fault, self.inner.find(&find)).await
    }

    session_runtime::delegate_store!(inner: prepare registration register);
}

impl<S: Housekeeping> Housekeeping for FaultyStore<S> {
    async fn keys(
        &self,
        name: &str,
        after: Option<Cursor>,
        limit: usize,
        clock: ClockOffset,
    ) -> Result<Keys, StoreError> {
        self.inner.keys(name, after, limit, self.clock(clock)).await
    }

    async fn count(&self, name: &str, clock: ClockOffset) -> Result<u64, StoreError> {
        self.inner.count(name, self.clock(clock)).await
    }

    async fn purge(&self, limit: usize, clock: ClockOffset) -> Result<Purged, StoreError> {
        let fault = self.plan().purges.pop_front();
        self.call(fault, self.inner.purge(limit, self.clock(clock))).await
    }

    session_runtime::delegate_store!(inner: registrations withdraw);
}
