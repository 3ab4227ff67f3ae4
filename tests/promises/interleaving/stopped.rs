use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Poll;

use session_runtime::MemoryStore;
use session_runtime::store::{
    Action, Base, Commit, CommitId, Found, Head, Incarnation, Key, Load, Loaded, Reply, Store, StoreError,
    StoreErrorKind,
};

/// One of the four things that the commit rule is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ingredient {
    /// A change is applied only to the revision that it is based on.
    Revision,
    /// A commit that was applied is known by its id.
    CommitIds,
    /// A session that was emptied leaves its header.
    EmptiedHeader,
    /// A record remembers what its creator saw.
    Origin,
}

/// The memory store, seen from one handler: it waits for its turn before each call, can lose an answer, and can be
/// without one ingredient.
#[derive(Clone)]
pub(crate) struct StoppedStore {
    store: MemoryStore,
    without: Option<Ingredient>,
    control: Arc<Control>,
    origins: Arc<Origins>,
}

/// What the creators of the records saw; all handlers share it.
pub(crate) type Origins = Mutex<HashMap<Key, Option<Incarnation>>>;

/// How the test directs a handler's calls, and what it hears about them.
#[derive(Default)]
pub(crate) struct Control(Mutex<Calls>);

#[derive(Default)]
struct Calls {
    stops: bool,
    loses: bool,
    seen: Seen,
}

/// What the store really did in the calls since it was last asked.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Seen {
    /// It applied a change, which it had not applied before.
    pub(crate) applied: bool,
    /// It destroyed a record; whether that was a stored session.
    pub(crate) destroyed: Option<bool>,
    /// It moved a session.
    pub(crate) moved: bool,
}

impl Control {
    pub(crate) fn stop_at_calls(&self, stops: bool) {
        self.calls().stops = stops;
    }

    /// Loses the answer of the next commit.
    pub(crate) fn lose_next(&self, loses: bool) {
        self.calls().loses = loses;
    }

    pub(crate) fn take_seen(&self) -> Seen {
        std::mem::take(&mut self.calls().seen)
    }

    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.0.lock().expect("nobody panicked")
    }

    /// Waits for the test to go on with this handler.
    async fn turn(&self) {
        let mut waited = !self.calls().stops;
        poll_fn(|_| if std::mem::replace(&mut waited, true) { Poll::Ready(()) } else { Poll::Pending }).await;
    }
}

/// The key of this name, as [`Tally`](super::Tally) uses it.
pub(crate) fn key(name: &str) -> Key {
    Key::new("tally".into(), name).expect("this is a key")
}

impl StoppedStore {
    pub(crate) fn new(
        store: MemoryStore,
        without: Option<Ingredient>,
        control: Arc<Control>,
        origins: Arc<Origins>,
    ) -> Self {
        Self { store, without, control, origins }
    }

    /// The commit as the store would take it without the ingredient.
    async fn weakened(&self, key: &Key, commit: &Commit) -> Result<Commit, StoreError> {
        let head = self.peek(key, commit).await?;
        let base = match (self.without, commit.base, head) {
            (Some(Ingredient::Revision), Base::Record { incarnation, .. }, Some(head))
                if head.incarnation == incarnation =>
            {
                Base::from(&head)
            }
            (Some(Ingredient::Origin), Base::Absent { valid_until, .. }, Some(_)) => {
                let saw = self.origins.lock().expect("nobody panicked").get(key).copied().flatten();
                Base::Absent { saw, valid_until }
            }
            (_, base, _) => base,
        };
        let mut commit = commit.clone();
        commit.base = base;
        if self.without == Some(Ingredient::CommitIds) {
            commit.id = CommitId::random();
        }
        Ok(commit)
    }

    async fn peek(&self, key: &Key, commit: &Commit) -> Result<Option<Head>, StoreError> {
        match self.store.load(key, Load::look(commit.clock)).await?.found {
            Found::Record(record) => Ok(Some(record.head)),
            Found::Absent { .. } => Ok(None),
        }
    }

    /// Takes down what the store did, and forgets what it is to be without.
    fn note(&self, key: &Key, commit: &Commit, reply: &Reply) {
        let Reply::Applied(applied) = reply else { return };
        if !applied.repeated {
            let mut calls = self.control.calls();
            calls.seen.applied = true;
            if commit.is_destruction() {
                calls.seen.destroyed = Some(applied.was_stored);
            }
            calls.seen.moved |= matches!(commit.action, Action::Renew { .. });
        }
        if self.without == Some(Ingredient::Origin) {
            let mut origins = self.origins.lock().expect("nobody panicked");
            match (&commit.action, commit.base) {
                (Action::Renew { to, write }, _) => drop(origins.insert(to.clone(), Some(write.creates))),
                (Action::Write(_), Base::Absent { saw, .. }) => drop(origins.insert(key.clone(), saw)),
                _ => {}
            }
        }
        let is_write = matches!(commit.action, Action::Write(_));
        if self.without == Some(Ingredient::EmptiedHeader) && is_write && !applied.is_stored {
            self.store.evict(key);
        }
    }
}

impl Store for StoppedStore {
    async fn load(&self, key: &Key, load: Load) -> Result<Loaded, StoreError> {
        self.control.turn().await;
        self.store.load(key, load).await
    }

    async fn commit(&self, key: &Key, commit: &Commit) -> Result<Reply, StoreError> {
        self.control.turn().await;
        let weakened = if self.without.is_some() { &self.weakened(key, commit).await? } else { commit };
        let reply = self.store.commit(key, weakened).await?;
        self.note(key, weakened, &reply);
        if std::mem::take(&mut self.control.calls().loses) {
            return Err(StoreError::new(StoreErrorKind::Unavailable, "the answer was lost"));
        }
        Ok(reply)
    }

    session_runtime::delegate_store!(store: prepare find registration register);
}
