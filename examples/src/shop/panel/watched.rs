//! A store that notes what each request asks of it.

use std::sync::{Arc, Mutex, PoisonError};

use session_runtime::store::{Commit, Find, FoundPage, Key, Load, Loaded, Reply, Store, StoreError};

use super::tape::Tape;

/// The tape of a request, shared with whoever watches it.
pub(super) type SharedTape = Arc<Mutex<Tape>>;

tokio::task_local! {
    /// The tape of the request that is being answered here.
    static TAPE: SharedTape;
}

/// Answers a request, and notes on this tape what it asks of a [`Watched`] store.
pub(super) async fn on<A>(tape: SharedTape, answer: impl Future<Output = A>) -> A {
    TAPE.scope(tape, answer).await
}

fn note(note: impl FnOnce(&mut Tape)) {
    // What is asked outside of a request is nobody's.
    let _ = TAPE.try_with(|tape| note(&mut tape.lock().unwrap_or_else(PoisonError::into_inner)));
}

/// A store whose calls are noted on the tape of the request that makes them.
#[derive(Debug, Clone)]
pub struct Watched<S> {
    inner: S,
}

impl<S> Watched<S> {
    /// Notes the calls to `inner`.
    pub fn new(inner: S) -> Self {
        Self { inner }
    }
}

impl<S: Store> Store for Watched<S> {
    async fn load(&self, key: &Key, load: Load) -> Result<Loaded, StoreError> {
        let loaded = self.inner.load(key, load).await;
        note(|tape| tape.load(key, &load, loaded.as_ref().ok()));
        loaded
    }

    async fn commit(&self, key: &Key, commit: &Commit) -> Result<Reply, StoreError> {
        let reply = self.inner.commit(key, commit).await;
        note(|tape| tape.commit(key, commit, reply.as_ref().ok()));
        reply
    }

    async fn find(&self, find: &Find) -> Result<FoundPage, StoreError> {
        note(Tape::find);
        self.inner.find(find).await
    }

    session_runtime::delegate_store!(inner: prepare registration register);
}
