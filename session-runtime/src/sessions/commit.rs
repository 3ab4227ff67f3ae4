//! The one commit rule, from the session's side.
//!
//! A change is frozen into a patch with an id of its own before it is sent. While its answer is missing the patch
//! stays frozen, and the next commit first settles it: the store tells by the id whether it was applied. If the base
//! was not current, the session is rebased on what the store answered, and commits again.

use std::ops::ControlFlow;
use std::time::Instant;

use tracing::{Instrument, debug_span};

use super::handle::{Committed, Handle, Outcome};
use super::{KeyHash, OnUndecodable, Sessions};
use crate::codec::Codec;
use crate::error::Error;
use crate::expiry::Timestamp;
use crate::session::{MarkSet, Session};
use crate::stats::Count;
use crate::store::rule::Commits;
use crate::store::{Action, Applied, Base, Commit, CommitId, Ended, Incarnation, Key, Reply, Store};
use crate::tracked::{Fields, Patch};

/// A change that is about to be sent, or was and its answer is missing.
pub(super) struct Pending<T> {
    /// The fields that `commit` changes, in the order of its changes.
    pub(super) fields: Fields<T>,
    pub(super) commit: Commit,
    size: Size,
    /// Whether it was sent before, so that it may have been applied.
    sent: bool,
}

/// How many bytes of encoded values a change stores, and how many of the session it leaves as they are stored.
#[derive(Clone, Copy, Default)]
struct Size {
    written: usize,
    not_written: usize,
}

/// What a call did so far: it can settle an earlier change and then make one of its own.
struct Progress<T> {
    /// When the first other commit got in the way.
    contended: Option<Instant>,
    was_stored: Option<bool>,
    committed: Committed<T>,
}

/// What came of sending a change.
enum Sent {
    Applied,
    /// Another commit came in between; the session is rebased on it, and what is left can be sent again.
    Rebased,
}

impl<T: Session + Send + 'static, S: Store, C: Codec> Handle<T, S, C> {
    /// Commits the changed fields.
    pub(super) async fn write(&mut self) -> Result<Committed<T>, Error> {
        let done = self.run(Action::Write).await;
        self.counted(done)
    }

    /// Commits the changed fields and moves the session to another key.
    pub(super) async fn relocate(&mut self, to: Key) -> Result<Committed<T>, Error> {
        let done = self.run(Action::Renew { to }).await;
        self.counted(done)
    }

    /// Destroys the session; what the handle changed is void.
    pub(super) async fn end(&mut self) -> Result<Outcome, Error> {
        let outcome = match self.run(Action::Destroy).await {
            Ok(committed) => committed.outcome(),
            // It has ended already, which is what was wanted.
            Err(Error::Destroyed | Error::Renewed | Error::Expired) => Outcome::Unchanged,
            Err(error) => return self.counted(Err(error)),
        };
        self.ended = self.ended.or(Some(Ended::Destroyed));
        self.tracked.marks.fill(false);
        self.until = None;
        if self.sessions.inner.on_undecodable == OnUndecodable::SetAside {
            self.sessions.inner.remove_aside(&self.key).await?;
        }
        Ok(outcome)
    }

    fn counted<R>(&self, done: Result<R, Error>) -> Result<R, Error> {
        done.inspect_err(|_| self.count(Count::Failed, 1))
    }

    /// Sends what is pending, and then what changed since.
    async fn run(&mut self, action: Action) -> Result<Committed<T>, Error> {
        let sets_aside = self.sessions.inner.on_undecodable == OnUndecodable::SetAside;
        let from = sets_aside.then(|| self.key.clone());
        let _turn = self.sessions.inner.queues.enter(self.key.keyed_hash()).await;
        let mut progress = Progress { contended: None, was_stored: None, committed: Committed::unchanged() };
        if self.pending.is_some() {
            match self.send(&mut progress).await {
                // Whatever was answered, a destruction applies to any revision of the session.
                Err(error) if action != Action::Destroy || matches!(error, Error::Store(_)) => return Err(error),
                Err(_) => self.pending = None,
                Ok(_) => {}
            }
        }
        loop {
            match self.freeze(&action)? {
                ControlFlow::Continue(pending) => self.pending = Some(pending),
                ControlFlow::Break(cause) => {
                    // What an earlier change of this call stored was not avoided.
                    if progress.was_stored.is_none() {
                        self.count_avoided(cause);
                    }
                    break;
                }
            }
            if let Sent::Applied = self.send(&mut progress).await? {
                break;
            }
        }
        if let Some(from) = from.filter(|from| *from != self.key) {
            let carried = Box::pin(self.sessions.inner.carry_aside(&from, &self.key)).await;
            if let Err(error) = carried {
                // The session itself has moved, and that cannot be called a failure any more.
                let key = KeyHash::of(&from);
                tracing::warn!(session = from.name(), %key, %error, "what is kept aside stays under the former key");
            }
        }
        Ok(progress.committed)
    }

    /// Makes a patch of what changed, and forgets that it did: later changes travel in a patch of their own.
    /// Breaks off, and says why, when there is nothing to send.
    fn freeze(&mut self, action: &Action) -> Result<ControlFlow<Count, Pending<T>>, Error> {
        if let Some(gone) = self.ended {
            return Err(self.gone(gone));
        }
        // A renewal that was settled just now has moved the session already.
        let action = match action {
            Action::Renew { to } if *to == self.key => Action::Write,
            action => action.clone(),
        };
        let mut patch = Patch::empty();
        let mut size = Size::default();
        let mut until = None;
        if action != Action::Destroy {
            patch = self.tracked.patch()?;
            let persists = T::CONTAINER.persist_always && !self.stored;
            let expires = self.until.is_some() && (self.stored || persists || !patch.is_empty());
            let moves = action != Action::Write;
            if patch.is_empty() && !persists && !expires && !moves && !self.is_due_to_migrate() {
                let cause = self.tracked.why_clean();
                self.tracked.marks.fill(false);
                return Ok(ControlFlow::Break(cause));
            }
            if self.migrated {
                self.tracked.complete(&mut patch);
            }
            if persists || !patch.is_empty() {
                self.tracked.pin(&mut patch)?;
            }
            size = self.check_limits(&patch)?;
            self.tracked.marks.fill(false);
            until = self.until.take();
        }
        let inner = &self.sessions.inner;
        let registration = inner.ready.get().map_or(crate::store::RegistrationId(0), |ready| ready.registration);
        self.tracked.remove_stale(&mut patch);
        let Patch { fields, changes } = patch;
        let commit = Commit {
            id: CommitId::random(),
            base: self.base,
            changes,
            replace: self.migrated && action != Action::Destroy,
            action,
            creates: Incarnation::random(),
            version: T::CONTAINER.version,
            registration,
            keep_empty: T::CONTAINER.persist_always,
            lifetime: inner.lifetime,
            until,
            valid_until: self.expires_with(until),
            clock: inner.clock,
        };
        Ok(ControlFlow::Continue(Pending { fields, commit, size, sent: false }))
    }

    /// Takes back a change that was not applied for certain.
    fn thaw(&mut self) {
        if let Some(pending) = self.pending.take() {
            self.tracked.touch(&pending.fields);
            self.until = self.until.or(pending.commit.until);
        }
    }

    /// Sends what is pending.
    async fn send(&mut self, progress: &mut Progress<T>) -> Result<Sent, Error> {
        let Some(pending) = &mut self.pending else { return Ok(Sent::Rebased) };
        let resent = std::mem::replace(&mut pending.sent, true);
        let commit = &pending.commit;
        let base = commit.base;
        let inner = &self.sessions.inner;
        let key = KeyHash::of(&self.key);
        let span = debug_span!("session_store", operation = "commit", session = self.key.name(), %key);
        match inner.store.commit(&self.key, commit).instrument(span).await {
            Ok(Reply::Applied(applied)) => {
                self.settle_pending(&applied, progress);
                Ok(Sent::Applied)
            }
            Ok(Reply::Conflict(record)) => {
                if resent && record.head.revision.saturating_sub(base.revision()) > Commits::KEPT as u64 {
                    return Err(Error::OutcomeUnknown);
                }
                self.thaw();
                self.count(Count::Conflicts, 1);
                tracing::debug!(session = self.key.name(), %key, revision = record.head.revision, "rebasing");
                if progress.contended.get_or_insert_with(Instant::now).elapsed() >= self.sessions.inner.deadline {
                    return Err(Error::Contended);
                }
                let sessions = &self.sessions;
                let restored = sessions.inner.restore(sessions.ready().await?, record).await?;
                self.rebase(restored)?;
                self.count(Count::Rebases, 1);
                Ok(Sent::Rebased)
            }
            Ok(Reply::Ended(gone)) => {
                self.thaw();
                match base {
                    // The header of an emptied session is kept for a while; afterwards nothing is left of it, and
                    // nothing happened to it since, or there would be a trace of that.
                    Base::Record { incarnation, .. }
                        if gone == Ended::Unknown
                            && self.emptied.is_some_and(|since| since.elapsed() < retention(&self.sessions)) =>
                    {
                        self.rebase_on_absence(incarnation)?;
                        self.count(Count::Rebases, 1);
                        Ok(Sent::Rebased)
                    }
                    _ => Err(self.gone(gone)),
                }
            }
            Ok(Reply::Occupied) => {
                self.thaw();
                Err(Error::Occupied)
            }
            Err(error) => {
                if error.is_not_applied() && !resent {
                    self.thaw();
                }
                Err(error.into())
            }
        }
    }

    fn settle_pending(&mut self, applied: &Applied, progress: &mut Progress<T>) {
        let Some(pending) = self.pending.take() else { return };
        let was_stored = if applied.repeated { self.stored } else { applied.was_stored };
        let outcome = Outcome::of(*progress.was_stored.get_or_insert(was_stored), applied.is_stored);
        let Pending { fields, commit, size, .. } = pending;
        self.count_written(Outcome::of(was_stored, applied.is_stored), &fields, &commit.action, size);
        tracing::debug!(session = self.key.name(), key = %KeyHash::of(&self.key), ?outcome, fields = fields.len(), "committed");
        self.settle(&fields, commit.changes, applied);
        progress.committed.add(outcome, fields);
        match commit.action {
            Action::Write => {}
            Action::Destroy => self.ended = Some(Ended::Destroyed),
            Action::Renew { to } => self.key = to,
        }
    }

    fn count_written(&self, outcome: Outcome, fields: &Fields<T>, action: &Action, size: Size) {
        self.count(outcome.count(), 1);
        if *action != Action::Destroy {
            self.count(Count::FieldsWritten, fields.len() as u64);
            self.count(Count::FieldsNotWritten, T::LEN.saturating_sub(fields.len()) as u64);
            self.count(Count::BytesWritten, size.written as u64);
            self.count(Count::BytesNotWritten, size.not_written as u64);
        }
    }

    fn count_avoided(&self, cause: Count) {
        self.count(cause, 1);
        if !matches!(cause, Count::Unmarked) {
            self.count(Count::FieldsNotWritten, T::LEN as u64);
            self.count(Count::BytesNotWritten, self.tracked.size_with(&Patch::empty()) as u64);
        }
    }

    /// How large the change is, if it and the session are not too large.
    fn check_limits(&self, patch: &Patch<T>) -> Result<Size, Error> {
        let limits = self.sessions.inner.limits;
        let mut written = 0;
        for change in patch.changes() {
            let size = change.value.as_ref().map_or(0, bytes::Bytes::len);
            if size > limits.field {
                return Err(Error::TooLarge { field: Some(change.name.clone()), size, limit: limits.field });
            }
            written += size;
        }
        let size = self.tracked.size_with(patch);
        if size > limits.record {
            return Err(Error::TooLarge { field: None, size, limit: limits.record });
        }
        Ok(Size { written, not_written: size.saturating_sub(written) })
    }

    /// How a session that has ended is reported.
    fn gone(&self, gone: Ended) -> Error {
        let expired = || self.expires_at.is_some_and(|at| at <= Timestamp::now(self.sessions.inner.clock));
        match gone {
            Ended::Renewed => Error::Renewed,
            Ended::Expired => Error::Expired,
            // Nothing is left that could tell, so the date decides which word is the likelier one.
            Ended::Unknown if expired() => Error::Expired,
            Ended::Destroyed | Ended::Unknown => Error::Destroyed,
        }
    }
}

/// How long after a load of an emptied session the absence of its header means that nothing happened to it.
fn retention<T: Session, S, C>(sessions: &Sessions<T, S, C>) -> std::time::Duration {
    std::time::Duration::from_millis(u64::try_from(sessions.inner.lifetime.retention).unwrap_or(0))
}

impl Outcome {
    fn count(self) -> Count {
        match self {
            Self::Unchanged => Count::Unchanged,
            Self::Created => Count::Created,
            Self::Updated => Count::Updated,
            Self::Removed => Count::Removed,
        }
    }
}

impl Base {
    /// How many commits the base had seen.
    fn revision(&self) -> u64 {
        match self {
            Self::Absent { .. } => 0,
            Self::Record { revision, .. } => *revision,
        }
    }
}
