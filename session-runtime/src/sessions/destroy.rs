use std::pin::pin;

use super::commit::Verb;
use super::committed::{Committed, Outcome};
use super::deadline::within;
use super::ending::Ending;
use super::handle::Handle;
use super::known::Known;
use super::spans::{key_verb_span, tell_done};
use super::{Inner, Sessions, Settings};
use crate::codec::Codec;
use crate::error::Error;
use crate::session::{MarkSet, Session};
use crate::stats::Count;
use crate::store::{Ended, ExpiryChange, Key};

impl<T: Session, C: Codec> Sessions<T, C> {
    /// Removes the session of `key`, whether or not it can be decoded. Handles that were loaded before can no longer
    /// store anything.
    ///
    /// Returns [`Outcome::Unchanged`] when there was no stored session. One that would be
    /// [taken over](crate::legacy::Legacy) is stored and removed, so that it is not.
    ///
    /// ```
    /// # use session_runtime::{MemoryStore, Outcome, Session, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { visits: u32 }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), session_runtime::Error> {
    /// # let sessions = Sessions::<Visitor>::new(MemoryStore::new());
    /// sessions.update("42", |visitor| *visitor.edit().visits() += 1).await?;
    /// assert_eq!(sessions.destroy("42").await?, Outcome::Removed);
    /// assert_eq!(sessions.destroy("42").await?, Outcome::Unchanged);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidKey`]; [`Error::Renewed`] when somebody moved the session to another key meanwhile, where it
    /// lives on; [`Error::Store`] and [`Error::Legacy`], after which it can be tried again. Before the first load, those of
    /// [`Sessions::prepare`].
    pub async fn destroy(&self, key: &str) -> Result<Outcome, Error> {
        let key = Key::new(self.inner.name.clone(), key)?;
        let settings = &self.inner.settings;
        let span = key_verb_span("destroy", &key);
        let done = within(settings.deadline, &span, pin!(self.destroy_key(key))).await;
        tell_done(&span, done.as_ref(), |outcome| outcome.word());
        done.inspect_err(|_| self.inner.counters.add(Count::Failed, 1))
    }

    async fn destroy_key(&self, key: Key) -> Result<Outcome, Error> {
        let outcome = self.inner.destroy_stored(&key).await?;
        if outcome == Outcome::Unchanged && self.inner.legacy.is_some() {
            return Box::pin(async { self.load_key(key).await?.destroy_moved_in().await }).await;
        }
        Ok(outcome)
    }
}

impl<T: Session, C: Codec> Inner<T, C> {
    async fn destroy_stored(&self, key: &Key) -> Result<Outcome, Error> {
        self.agreed().await?;
        let _turn = self.queues.enter(key.keyed_hash()).await;
        let Some(applied) = self.ending().destroy(key).await? else { return Ok(Outcome::Unchanged) };
        let outcome = Outcome::of(applied.was_stored, false);
        self.counters.add(outcome.count(), 1);
        Ok(outcome)
    }

    pub(super) fn ending(&self) -> Ending<'_> {
        let Settings { lifetime, clock, deadline, .. } = self.settings;
        Ending { store: &*self.store, lifetime, clock, deadline, counters: Some(&self.counters) }
    }
}

impl<T: Session, C: Codec> Handle<T, C> {
    /// Removes the session. The handle, and every other that was loaded before, can no longer store anything.
    ///
    /// Returns [`Outcome::Unchanged`] when there was no stored session.
    ///
    /// ```
    /// # use session_runtime::{Error, MemoryStore, Outcome, Session, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { visits: u32 }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), session_runtime::Error> {
    /// # let sessions = Sessions::<Visitor>::new(MemoryStore::new());
    /// sessions.update("42", |visitor| *visitor.edit().visits() += 1).await?;
    /// let mut visitor = sessions.load("42").await?;
    /// assert_eq!(visitor.destroy().await?, Outcome::Removed);
    /// *visitor.edit().visits() += 1;
    /// assert!(matches!(visitor.commit().await, Err(Error::Destroyed)));
    /// # visitor.discard();
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Renewed`] when somebody else moved the session to another key, where it lives on;
    /// [`Error::OutcomeUnknown`] when it ended so long ago, or so much happened at its key since, that nobody can tell
    /// whether it does; [`Error::Store`], after which it can be tried again. If the answer to an earlier commit is
    /// missing, those of [`commit`](Handle::commit).
    pub async fn destroy(&mut self) -> Result<Outcome, Error> {
        let span = key_verb_span("destroy", &self.key);
        let done = within(self.deadline(), &span, pin!(self.run_destruction())).await;
        let done = match done {
            // It has ended already, which is what was wanted.
            Err(Error::Destroyed | Error::Expired) => Ok(Outcome::Unchanged),
            done => done.map(|committed| committed.outcome()),
        };
        tell_done(&span, done.as_ref(), |outcome| outcome.word());
        let outcome = self.counted(done)?;
        if !self.known.is_ended() {
            self.known = Known::Ended(Ended::Destroyed);
        }
        self.tracked.marks.fill(false);
        self.expiry = ExpiryChange::Keep;
        Ok(outcome)
    }

    /// An old session is stored first, so that a header is left which keeps it from being taken over again.
    async fn run_destruction(&mut self) -> Result<Committed<T>, Error> {
        if self.known.is_moved_in() {
            self.tracked.marks.fill(false);
            Box::pin(self.run(Verb::Commit)).await?;
        }
        self.run(Verb::Destroy).await
    }

    /// Ends a session if it is an old one. Its key's turn is not taken.
    async fn destroy_moved_in(mut self) -> Result<Outcome, Error> {
        if self.known.is_moved_in() { self.destroy().await } else { Ok(Outcome::Unchanged) }
    }
}
