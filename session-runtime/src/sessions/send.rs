//! What becomes of a change that is sent: applied, in conflict with another, or refused because the session has ended.

use std::ops::ControlFlow;

use tokio::time::Instant;
use tracing::Instrument;

use super::Inner;
use super::committed::Outcome;
use super::handle::Handle;
use super::known::Known;
use super::pending::{Pending, Size};
use super::progress::Progress;
use super::spans::key_span;
use crate::codec::Codec;
use crate::error::Error;
use crate::expiry::Timestamp;
use crate::session::Session;
use crate::stats::{Count, Operation};
use crate::store::rule::Commits;
use crate::store::{
    Action, Applied, Base, Commit, Ended, Found, Incarnation, Key, KeyHash, Load, Loaded, Record, Reply, StoreError,
    StoreErrorKind,
};
use crate::tracked::Fields;

/// How often a commit is sent at most that is answered by nothing but a call to send it again.
const SENDINGS: u32 = 8;

/// What came of sending a change.
pub(super) enum Sent {
    Applied,
    /// Another commit came in between, and left this record.
    Conflict(Record),
    /// The header of the emptied session was purged; this is known now.
    Purged(Known),
}

impl<T: Session, C: Codec> Handle<T, C> {
    /// Sends what is pending, and again as long as that is called for.
    pub(super) async fn send(&mut self, progress: &mut Progress<T>) -> Result<Sent, Error> {
        for _ in 0..SENDINGS {
            if let ControlFlow::Break(sent) = self.send_once(progress).await? {
                return Ok(sent);
            }
        }
        let message = "what instances agreed on was withdrawn from the store as fast as it was registered; try again";
        Err(StoreError::new(StoreErrorKind::Busy, message).into())
    }

    /// Sends what is pending. Breaks off with what came of it, unless it is to be sent again: the store had lost the
    /// registration that it names, or a session to destroy was stored by others meanwhile.
    async fn send_once(&mut self, progress: &mut Progress<T>) -> Result<ControlFlow<Sent>, Error> {
        let Some(pending) = &mut self.pending else { return Ok(ControlFlow::Break(Sent::Applied)) };
        let resent = std::mem::replace(&mut pending.sent, true);
        progress.attempts += 1;
        let commit = &pending.commit;
        let inner = &self.sessions.inner;
        let answer = {
            let _timing = inner.counters.time(Operation::Commit);
            inner.store.commit(&self.key, commit).instrument(key_span("commit", &self.key)).await
        };
        match answer {
            Ok(Reply::Applied(applied)) => {
                self.settle(&applied, progress);
                Ok(ControlFlow::Break(Sent::Applied))
            }
            Ok(Reply::Unregistered) => {
                Box::pin(inner.agree_again_for(&self.agreed, &mut pending.commit)).await?;
                Ok(ControlFlow::Continue(()))
            }
            // The handle knew of nothing to destroy, and goes on knowing of nothing if this is not answered.
            Ok(Reply::Conflict(record)) if commit.is_destruction() => {
                let commit = Commit::new(Base::from(&record.head), Action::Destroy, commit.lifetime, commit.clock);
                *pending = Pending::destruction(commit);
                Ok(ControlFlow::Continue(()))
            }
            Ok(Reply::Conflict(record)) => {
                if resent && Commits::have_forgotten(commit, &record.head) {
                    return Err(Error::OutcomeUnknown);
                }
                self.thaw();
                if self.known.is_started() {
                    return Err(Error::Occupied);
                }
                self.count(Count::Conflicts, 1);
                progress.conflicts += 1;
                let key = KeyHash::of(&self.key);
                tracing::debug!(session = self.key.name(), %key, revision = record.head.revision, "rebasing");
                if progress.contended.get_or_insert_with(Instant::now).elapsed() >= self.deadline() {
                    return Err(Error::Contended);
                }
                Ok(ControlFlow::Break(Sent::Conflict(record)))
            }
            Ok(Reply::Ended(ended)) => {
                if let (true, Action::Renew { to, write }) = (resent, &commit.action)
                    && let Some(is_stored) = Box::pin(inner.has_begun(to, write.creates)).await?
                {
                    let applied = Applied { head: None, was_stored: false, is_stored, repeated: true };
                    self.settle(&applied, progress);
                    return Ok(ControlFlow::Break(Sent::Applied));
                }
                let purged = match ended {
                    Ended::Unknown if self.known.is_emptied() => Box::pin(inner.traceless(&self.key)).await?,
                    _ => None,
                };
                let (base, is_destruction) = (commit.base, commit.is_destruction());
                self.thaw();
                if self.known.is_started() && ended == Ended::Expired {
                    // The store's clock may have been set since it was looked at.
                    self.sessions.inner.clock.forget();
                }
                match purged.and_then(|now| self.known.after_purge(self.loaded_at, now)) {
                    Some(known) => {
                        // The header told how the session ends.
                        self.expiry = self.expiry.or(self.known.own_expiry());
                        Ok(ControlFlow::Break(Sent::Purged(known)))
                    }
                    None if is_destruction => Err(self.ended_before_its_destruction(ended, base)),
                    None => Err(self.ended(ended)),
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

    /// Takes over that what was pending is applied.
    fn settle(&mut self, applied: &Applied, progress: &mut Progress<T>) {
        let Some(Pending { fields, commit, size, .. }) = self.pending.take() else { return };
        let was_stored = if applied.repeated {
            self.known.is_stored() || applied.was_stored && !self.known.is_emptied()
        } else {
            applied.was_stored
        };
        let outcome = Outcome::of(*progress.was_stored.get_or_insert(was_stored), applied.is_stored);
        self.count(Outcome::of(was_stored, applied.is_stored).count(), 1);
        let key = KeyHash::of(&self.key);
        tracing::debug!(session = self.key.name(), %key, ?outcome, fields = fields.len(), "committed");
        if self.known.is_moved_in() {
            self.sessions.inner.has_moved_in(&self.key);
        }
        self.known = self.known.after(&commit, applied);
        self.commits.add(commit.id);
        progress.did(commit.id);
        let write = match commit.action {
            Action::Write(write) => write,
            Action::Renew { to, write } => {
                self.key = to;
                write
            }
            Action::Destroy => return progress.committed.add(outcome, fields),
        };
        self.count_written(&fields, size);
        self.tracked.settle(&fields, write.changes.into_iter().map(|change| change.value));
        progress.committed.add(outcome, fields);
    }

    fn count_written(&self, fields: &Fields<T>, size: Size) {
        self.count(Count::FieldsWritten, fields.len() as u64);
        self.count(Count::FieldsNotWritten, T::LEN.saturating_sub(fields.len()) as u64);
        self.count(Count::BytesWritten, size.written as u64);
        self.count(Count::BytesNotWritten, size.not_written as u64);
    }

    /// Takes back a change that was not applied for certain.
    fn thaw(&mut self) {
        if let Some(pending) = self.pending.take() {
            self.tracked.mark(&pending.fields);
            self.expiry = self.expiry.or(pending.expiry());
        }
    }
}

impl<T: Session, C: Codec> Inner<T, C> {
    /// Whether a life of this key began with this renewal, whatever became of it since; if so, whether a session is
    /// stored.
    async fn has_begun(&self, key: &Key, life: Incarnation) -> Result<Option<bool>, Error> {
        Ok(match self.look(key).await?.found {
            Found::Record(record) => Some(record.head.stored).filter(|_| record.head.incarnation == life),
            Found::Absent { saw } => Some(true).filter(|_| saw.is_some_and(|past| past.incarnation == life)),
        })
    }

    /// The time, if nothing is left of any session of this key.
    async fn traceless(&self, key: &Key) -> Result<Option<Timestamp>, Error> {
        let loaded = self.look(key).await?;
        Ok(Some(loaded.now).filter(|_| loaded.found == Found::Absent { saw: None }))
    }

    /// What a key holds, without touching it.
    pub(super) async fn look(&self, key: &Key) -> Result<Loaded, Error> {
        let _timing = self.counters.time(Operation::Load);
        Ok(self.store.load(key, Load::look(self.settings.clock)).instrument(key_span("load", key)).await?)
    }
}
