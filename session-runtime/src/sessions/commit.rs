//! The one commit rule, from the session's side.
//!
//! A change is frozen into a patch with an id of its own before it is sent. While its answer is missing the patch
//! stays frozen, and the next commit first settles it: the store tells by the id whether it was applied. If the base
//! was not current, the session is rebased on what the store answered, and commits again.

use std::ops::ControlFlow;
use std::pin::pin;
use std::time::Duration;

use super::committed::Committed;
use super::deadline::within;
use super::handle::Handle;
use super::pending::{Draft, Pending};
use super::progress::Progress;
use super::record::Decoded;
use super::send::Sent;
use super::spans::key_verb_span;
use crate::codec::Codec;
use crate::error::Error;
use crate::session::{MarkSet, Session};
use crate::stats::Count;
use crate::store::rule::Commits;
use crate::store::{Action, Commit, ExpiryChange, Key, KeyHash, Record, WorkId, Write};
use crate::tracked::{Baseline, Fields, Patch, Tracked};

/// What a commit does besides storing the dirty fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verb {
    Commit,
    /// The same, unless this work is done already.
    Work(WorkId),
    Renew(Key),
    Destroy,
    /// Stores the indexed fields as they are, so that the session is found by them.
    Index,
}

impl Verb {
    /// What a span calls it.
    const fn name(&self) -> &'static str {
        match self {
            Self::Commit | Self::Work(_) => "commit",
            Self::Renew(_) => "renew",
            Self::Destroy => "destroy",
            Self::Index => "index",
        }
    }
}

impl<T: Session, C: Codec> Handle<T, C> {
    /// Stores what changed since the session was loaded or committed, in one write, or does nothing if nothing did.
    ///
    /// If another commit came in between, the changes are put on top of it: other fields become theirs; fields that
    /// both changed are merged, refused, or become mine, as their attributes say. [`Committed::overlapped`] tells of
    /// the last.
    ///
    /// A commit whose answer is lost (a timeout, a cut connection, a dropped future) can be made again and is applied
    /// once.
    ///
    /// ```
    /// # use session_runtime::{MemoryStore, Outcome, Session, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { visits: u32 }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), session_runtime::Error> {
    /// # let sessions = Sessions::<Visitor>::new(MemoryStore::new());
    /// let mut visitor = sessions.load("42").await?;
    /// *visitor.edit().visits() += 1;
    /// let committed = visitor.commit().await?;
    /// assert_eq!(committed.outcome(), Outcome::Created);
    /// assert!(committed.fields().contains(VisitorField::Visits) && committed.overlapped().is_empty());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Destroyed`], [`Error::Renewed`] and [`Error::Expired`] when the session has ended since;
    /// [`Error::Conflict`], [`Error::Contended`], [`Error::TooLarge`], [`Error::Encode`], [`Error::OutcomeUnknown`],
    /// and [`Error::Store`]. The handle keeps the changes.
    #[inline]
    pub async fn commit(&mut self) -> Result<Committed<T>, Error> {
        if self.is_unmarked() {
            self.count(Count::Unmarked, 1);
            return Ok(Committed::unchanged());
        }
        self.commit_marked().await
    }

    /// A future of its own, so that a commit of nothing carries none of its state.
    async fn commit_marked(&mut self) -> Result<Committed<T>, Error> {
        let mut progress = Progress::new();
        self.run_within(&Verb::Commit, &mut progress).await?;
        Ok(progress.committed)
    }

    /// Runs a verb within the deadline, in a span that tells what became of it.
    pub(super) async fn run_within(&mut self, verb: &Verb, progress: &mut Progress<T>) -> Result<(), Error> {
        let span = key_verb_span(verb.name(), &self.key);
        let done = within(self.deadline(), &span, pin!(self.make_progress(verb, progress))).await;
        progress.tell(&span, done.as_ref().copied());
        self.counted(done)
    }

    pub(super) fn deadline(&self) -> Duration {
        self.sessions.inner.settings.deadline
    }

    pub(super) fn counted<R>(&self, done: Result<R, Error>) -> Result<R, Error> {
        done.inspect_err(|_| self.count(Count::Failed, 1))
    }

    /// Waits for its turn, sends what is pending, and then what changed since.
    pub(super) async fn run(&mut self, verb: Verb) -> Result<Committed<T>, Error> {
        let mut progress = Progress::new();
        self.make_progress(&verb, &mut progress).await?;
        Ok(progress.committed)
    }

    pub(super) async fn make_progress(&mut self, verb: &Verb, progress: &mut Progress<T>) -> Result<(), Error> {
        let _turn = self.sessions.inner.queues.enter(self.key.keyed_hash()).await;
        let mut unsettled = None;
        if self.pending.is_some() {
            match self.send_or_rebase(progress).await {
                Err(error) if *verb != Verb::Destroy || matches!(error, Error::Store(_)) => return Err(error),
                // No record is known that could be named, so it is told what nobody knows, or where the session went.
                Err(error) if self.known.is_started() && !matches!(error, Error::Occupied) => return Err(error),
                // Whatever was answered, a destruction applies to any revision of the session.
                Err(_) => unsettled = self.pending.take().map(Box::new),
                // It was destroyed before, and only the answer was missing.
                Ok(_) if *verb == Verb::Destroy && self.known.is_ended() => return Ok(()),
                Ok(_) => {}
            }
            // It counts what was stored when it came to the destruction.
            if *verb == Verb::Destroy {
                *progress = Progress::new();
            }
        }
        // What others store under the key of a session that was only started is theirs.
        if *verb == Verb::Destroy && self.known.is_started() {
            return Ok(());
        }
        loop {
            if progress.finds_done(&self.commits) {
                return self.forget_changes();
            }
            if let ControlFlow::Break(cause) = self.freeze(verb)? {
                // What an earlier change of this call stored was not avoided.
                if progress.was_stored.is_none() {
                    self.count_avoided(cause);
                }
                break;
            }
            match self.send_or_rebase(progress).await {
                Ok(true) => break,
                Ok(false) => {}
                Err(error) => {
                    // Nothing was destroyed for certain, so it matters again what became of the change before.
                    if matches!(error, Error::Store(_)) && self.pending.is_none() {
                        self.pending = unsettled.map(|pending| *pending);
                    }
                    return Err(error);
                }
            }
        }
        progress.committed.overlap(&std::mem::take(&mut self.overwritten));
        Ok(())
    }

    /// Makes a patch of what changed, which is pending from then on, and forgets that it did: later changes travel in a
    /// patch of their own. Breaks off, and says why, when there is nothing to send.
    pub(super) fn freeze(&mut self, verb: &Verb) -> Result<ControlFlow<Count>, Error> {
        let valid_until = self.expires_with(self.expiry);
        let base = self.known.base(valid_until).map_err(|ended| self.ended(ended))?;
        let settings = &self.sessions.inner.settings;
        let to = match verb {
            Verb::Destroy => {
                let commit = Commit::new(base, Action::Destroy, settings.lifetime, settings.clock);
                self.pending = Some(Pending::destruction(commit));
                return Ok(ControlFlow::Continue(()));
            }
            // A renewal that was settled just now has moved the session already.
            Verb::Renew(to) if *to != self.key => Some(to.clone()),
            Verb::Renew(_) | Verb::Commit | Verb::Work(_) | Verb::Index => None,
        };

        let mut patch = self.tracked.patch()?;
        if *verb == Verb::Index {
            self.tracked.restate_indexed(&mut patch);
        }
        let persists = T::CONTAINER.persist_always && !self.known.is_stored();
        let expires = self.expiry != ExpiryChange::Keep && self.known.is_stored();
        let moves_in = self.known.is_moved_in();
        if patch.is_empty() && !persists && !expires && to.is_none() && !self.is_due_to_migrate() && !moves_in {
            let cause = self.tracked.why_clean();
            self.tracked.marks.fill(false);
            return Ok(ControlFlow::Break(cause));
        }

        let replace = self.known.is_migrated();
        let pending = Draft::new(patch, self.expiry)
            .complete(&self.tracked, replace || moves_in, persists)?
            .measure(&self.tracked, settings.limits)?
            .freeze(&self.tracked, to.is_some(), |changes, index, expiry| {
                let write = Write::new(T::CONTAINER.version, self.agreed.current(), changes);
                let write = Write { replace, keep_empty: T::CONTAINER.persist_always, expiry, index, ..write };
                let action = match to {
                    Some(to) => Action::Renew { to, write },
                    None => Action::Write(write),
                };
                let commit = Commit::new(base, action, settings.lifetime, settings.clock);
                if let Verb::Work(work) = verb { commit.doing(*work) } else { commit }
            });
        self.pending = Some(pending);
        self.tracked.marks.fill(false);
        self.expiry = ExpiryChange::Keep;
        Ok(ControlFlow::Continue(()))
    }

    /// Sends what is pending, and puts it on top of what came in between. Returns whether it was applied.
    async fn send_or_rebase(&mut self, progress: &mut Progress<T>) -> Result<bool, Error> {
        let overwritten = match self.send(progress).await? {
            Sent::Applied => return Ok(true),
            // Nothing of it is put on top of what another delivery of the same work did.
            Sent::Conflict(record) if progress.finds_done(&record.commits) => {
                Box::pin(self.take_over(record)).await?;
                return Ok(false);
            }
            Sent::Conflict(record) => {
                let decoded = Box::pin(self.sessions.inner.decode(&self.agreed, record)).await?;
                let Decoded { known, commits, baseline, .. } = decoded;
                let overwritten = self.tracked.rebase(&baseline)?;
                (self.known, self.commits) = (known, commits);
                overwritten
            }
            Sent::Purged(known) => {
                let overwritten = self.tracked.rebase(&Baseline::initial())?;
                (self.known, self.commits) = (known, Commits::default());
                overwritten
            }
        };
        self.count(Count::Rebases, 1);
        if !overwritten.is_empty() {
            self.count(Count::Overlapped, overwritten.len() as u64);
            let key = KeyHash::of(&self.key);
            tracing::debug!(session = self.key.name(), %key, fields = ?overwritten, "fields that others had changed are overwritten");
            // Kept by the handle: this call can still fail, and then the one that stores the changes tells of it.
            self.overwritten.extend(&overwritten);
        }
        Ok(false)
    }

    /// Takes over what others stored, and drops what the handle changed.
    pub(super) async fn take_over(&mut self, record: Record) -> Result<(), Error> {
        let decoded = self.sessions.inner.decode(&self.agreed, record).await?;
        self.tracked = Tracked::from_parts(decoded.value, decoded.baseline, self.agreed.schema.clone())?;
        (self.known, self.commits, self.expiry) = (decoded.known, decoded.commits, ExpiryChange::Keep);
        Ok(())
    }

    /// Drops what the handle changed.
    pub(super) fn forget_changes(&mut self) -> Result<(), Error> {
        if self.known.is_stored() {
            self.tracked.revert()?;
        } else {
            self.tracked = Tracked::initial(self.agreed.schema.clone())?;
        }
        (self.expiry, self.overwritten) = (ExpiryChange::Keep, Fields::none());
        Ok(())
    }

    pub(super) fn count_avoided(&self, cause: Count) {
        self.count(cause, 1);
        if !matches!(cause, Count::Unmarked) {
            self.count(Count::FieldsNotWritten, T::LEN as u64);
            self.count(Count::BytesNotWritten, self.tracked.size_with(&Patch::empty()) as u64);
        }
    }
}
