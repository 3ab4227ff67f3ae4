use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use super::commit::Pending;
use super::{KeyHash, Restored, Sessions};
use crate::codec::{Codec, Json};
use crate::error::Error;
use crate::expiry::Timestamp;
use crate::schema::{Schema, WriteMigrated};
use crate::session::{MarkSet, Session};
use crate::stats::Count;
use crate::store::{Applied, Base, Change, Ended, Incarnation, Key, Store};
use crate::tracked::{Baseline, Fields, Tracked};

/// A loaded session.
///
/// It reads like the session itself. It is changed through [`edit`](Handle::edit), and what was changed is stored by
/// [`commit`](Handle::commit). A handle that is dropped with uncommitted changes logs a warning.
pub struct Handle<T: Session, S, C: Codec = Json> {
    pub(super) tracked: Tracked<T, C>,
    pub(super) sessions: Sessions<T, S, C>,
    pub(super) key: Key,
    pub(super) base: Base,
    /// Whether the base is a stored session; else it is absence or the header of an emptied one.
    pub(super) stored: bool,
    /// Since when the base is known to be the header of an emptied session.
    pub(super) emptied: Option<Instant>,
    /// When it was loaded, by the store's clock.
    loaded_at: Timestamp,
    /// When it was created; if it is not stored, when it was loaded.
    created_at: Timestamp,
    pub(super) expires_at: Option<Timestamp>,
    /// The expiry that a handler set and that is not committed yet.
    pub(super) until: Option<Option<Timestamp>>,
    /// Whether the next commit replaces what an older version stored.
    pub(super) migrated: bool,
    /// A change that was sent and whose answer is missing.
    pub(super) pending: Option<Pending<T>>,
    /// How the session ended, if this handle ended it.
    pub(super) ended: Option<Ended>,
}

impl<T: Session + Send + 'static, S: Store, C: Codec> Handle<T, S, C> {
    pub(super) fn absent(
        sessions: Sessions<T, S, C>,
        schema: Arc<Schema<T, C>>,
        key: Key,
        saw: Option<Incarnation>,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let expires_at = sessions.inner.lifetime.expires_at(now, None, now);
        Ok(Self {
            tracked: Tracked::initial(schema)?,
            sessions,
            key,
            base: Base::Absent { saw },
            stored: false,
            emptied: None,
            loaded_at: now,
            created_at: now,
            expires_at,
            until: None,
            migrated: false,
            pending: None,
            ended: None,
        })
    }

    pub(super) fn known(
        sessions: Sessions<T, S, C>,
        schema: Arc<Schema<T, C>>,
        key: Key,
        restored: Restored<T>,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let Restored { head, value, baseline, migrated } = restored;
        Ok(Self {
            tracked: Tracked::from_parts(value, baseline, schema)?,
            sessions,
            key,
            base: Base::from(&head),
            stored: head.stored,
            emptied: emptied_now(head.stored),
            loaded_at: now,
            created_at: head.created_at,
            expires_at: head.expires_at,
            until: None,
            migrated,
            pending: None,
            ended: None,
        })
    }

    /// The key under which the session is stored.
    pub fn key(&self) -> &str {
        self.key.id()
    }

    /// Lends the session for change, field by field: `*visitor.edit().visits() += 1`.
    #[inline]
    pub fn edit(&mut self) -> T::Edit<'_> {
        self.tracked.edit()
    }

    /// Lends the whole session for change, for two fields at once or for methods that take `&mut self`.
    ///
    /// A commit then looks at every field, and still finds the ones that changed.
    #[inline]
    pub fn edit_all(&mut self) -> &mut T {
        self.tracked.edit_all()
    }

    /// The fields that a commit would store or remove now.
    ///
    /// # Errors
    /// [`Error::Encode`] when a touched field cannot be encoded.
    pub fn dirty(&self) -> Result<Fields<T>, Error> {
        let mut dirty = self.tracked.dirty()?;
        if let Some(pending) = &self.pending {
            dirty.extend(&pending.fields);
        }
        Ok(dirty)
    }

    /// Forgets uncommitted changes of this handle without a warning. What is stored stays as it is.
    pub fn discard(mut self) {
        self.tracked.marks.fill(false);
        self.until = None;
        self.pending = None;
    }

    /// Whether the session was not stored when it was loaded, nor by a commit since.
    pub fn is_new(&self) -> bool {
        !self.stored
    }

    /// When the session expires by the store's clock, if it is not used again; `None` if it does not.
    ///
    /// The same rule holds whether or not the session is stored.
    pub fn expires_at(&self) -> Option<SystemTime> {
        let pending = self.pending.as_ref().and_then(|pending| pending.commit.until);
        self.expires_with(self.until.or(pending)).map(SystemTime::from)
    }

    /// Sets the date at which the session expires, instead of the rule of [`Expiry`](crate::expiry::Expiry). Like
    /// other changes it is stored by the next commit, if the session is stored by then.
    pub fn expire_at(&mut self, date: SystemTime) {
        self.until = Some(Some(date.into()));
    }

    /// Lets the session expire by the rule again.
    pub fn expire_by_rule(&mut self) {
        self.until = Some(None);
    }

    /// Stores what changed since the session was loaded or committed, in one write, or does nothing if nothing did.
    ///
    /// If another commit came in between, the changes are put on top of it: other fields become theirs; fields that
    /// both changed are merged, refused, or become mine, as their attributes say.
    ///
    /// A commit whose answer is lost (a timeout, a cut connection, a dropped future) can be made again and is applied
    /// once.
    ///
    /// # Errors
    /// [`Error::Destroyed`], [`Error::Renewed`] and [`Error::Expired`] when the session has ended since;
    /// [`Error::Conflict`], [`Error::Contended`], [`Error::TooLarge`], [`Error::Encode`], [`Error::OutcomeUnknown`],
    /// and [`Error::Store`]. The handle keeps the changes.
    #[inline]
    pub async fn commit(&mut self) -> Result<Committed<T>, Error> {
        if self.is_unmarked() {
            self.count(Count::Unmarked, 1);
            Ok(Committed::unchanged())
        } else {
            self.write().await
        }
    }

    /// Removes the session. The handle, and every other that was loaded before, can no longer store anything.
    ///
    /// Returns [`Outcome::Unchanged`] when there was no stored session.
    ///
    /// # Errors
    /// [`Error::Store`]; and as [`commit`](Handle::commit) if the answer to an earlier one is missing. It can be tried
    /// again.
    pub async fn destroy(&mut self) -> Result<Outcome, Error> {
        self.end().await
    }

    /// Commits the session and moves it to the key `to`, in one step; the old key is dead from then on. Use it when
    /// rights change, with a fresh random key.
    ///
    /// # Errors
    /// [`Error::InvalidKey`], [`Error::Occupied`] when a session is stored under the new key, and those of
    /// [`commit`](Handle::commit). It can be tried again.
    pub async fn renew(&mut self, to: &str) -> Result<Committed<T>, Error> {
        let to = Key::new(self.sessions.inner.name.clone(), to)?;
        self.relocate(to).await
    }

    /// When the session expires with this wish of a handler.
    pub(super) fn expires_with(&self, until: Option<Option<Timestamp>>) -> Option<Timestamp> {
        match until {
            None => self.expires_at,
            Some(Some(date)) => Some(date),
            Some(None) => self.sessions.inner.lifetime.expires_at(self.created_at, None, self.loaded_at),
        }
    }

    #[inline]
    pub(super) fn count(&self, count: Count, by: u64) {
        self.sessions.inner.counters.add(count, by);
    }

    /// Whether a commit has nothing to do, which costs nothing to find out.
    #[inline]
    fn is_unmarked(&self) -> bool {
        !self.tracked.marks.any()
            && self.pending.is_none()
            && self.until.is_none()
            && !self.is_due_to_migrate()
            && (self.stored || self.ended.is_some() || !T::CONTAINER.persist_always)
    }

    /// Whether the next commit stores the session in the form of this version, whatever changed.
    #[inline]
    pub(super) fn is_due_to_migrate(&self) -> bool {
        self.migrated && self.ended.is_none() && self.sessions.inner.write_migrated == WriteMigrated::WithNextCommit
    }

    /// Takes over what a record of another commit holds: the base moves, and changes are put on top.
    pub(super) fn rebase(&mut self, restored: Restored<T>) -> Result<(), Error> {
        let Restored { head, baseline, migrated, .. } = restored;
        self.tracked.rebase(&baseline)?;
        self.base = Base::from(&head);
        self.stored = head.stored;
        self.emptied = emptied_now(head.stored);
        self.created_at = head.created_at;
        self.expires_at = head.expires_at;
        self.migrated = migrated;
        Ok(())
    }

    /// Starts over from absence, after the header of an emptied session was forgotten.
    pub(super) fn rebase_on_absence(&mut self, emptied: Incarnation) -> Result<(), Error> {
        self.tracked.rebase(&Baseline::initial(T::LEN))?;
        self.base = Base::Absent { saw: Some(emptied) };
        self.stored = false;
        self.emptied = None;
        self.migrated = false;
        Ok(())
    }

    /// Takes over that a change was stored.
    pub(super) fn settle(&mut self, fields: &Fields<T>, changes: Vec<Change>, applied: &Applied) {
        self.tracked.settle(fields, changes.into_iter().map(|change| change.value));
        if let Some(head) = &applied.head {
            self.base = Base::from(head);
            self.created_at = head.created_at;
            self.expires_at = head.expires_at;
        }
        self.stored = applied.is_stored;
        self.emptied = emptied_now(applied.is_stored);
        self.migrated = false;
    }
}

/// The time, if a record that is there is not stored.
fn emptied_now(stored: bool) -> Option<Instant> {
    (!stored).then(Instant::now)
}

/// What a commit did.
pub struct Committed<T> {
    outcome: Outcome,
    fields: Fields<T>,
}

impl<T> Committed<T> {
    pub(super) const fn unchanged() -> Self {
        Self { outcome: Outcome::Unchanged, fields: Fields::none() }
    }

    pub(super) fn add(&mut self, outcome: Outcome, fields: Fields<T>) {
        self.outcome = outcome;
        if self.fields.is_empty() {
            self.fields = fields;
        } else {
            self.fields.extend(&fields);
        }
    }

    /// What became of the record.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// The fields that were stored or removed.
    #[must_use]
    pub fn fields(&self) -> &Fields<T> {
        &self.fields
    }
}

impl<T: Session> fmt::Debug for Committed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Committed").field("outcome", &self.outcome).field("fields", &self.fields).finish()
    }
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing was written.
    Unchanged,
    /// The session was not stored, and is now.
    Created,
    /// The stored session was changed.
    Updated,
    /// The session is no longer stored: it was destroyed, or all its fields are back at their initial values.
    Removed,
}

impl Outcome {
    pub(super) fn of(was_stored: bool, is_stored: bool) -> Self {
        match (was_stored, is_stored) {
            (false, false) => Self::Unchanged,
            (false, true) => Self::Created,
            (true, true) => Self::Updated,
            (true, false) => Self::Removed,
        }
    }
}

impl<T: Session, S, C: Codec> Deref for Handle<T, S, C> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.tracked
    }
}

impl<T: Session, S, C: Codec> Drop for Handle<T, S, C> {
    fn drop(&mut self) {
        // Only a session that was touched is looked at: what a handler borrowed and did not change is no loss.
        let lost = self.pending.is_some()
            || self.tracked.marks.any() && self.tracked.dirty().map_or(true, |dirty| !dirty.is_empty());
        if lost && self.ended.is_none() && !std::thread::panicking() {
            tracing::warn!(
                session = self.key.name(),
                key = %KeyHash::of(&self.key),
                "a session was dropped with uncommitted changes; call `commit`, or `discard` if that is meant"
            );
        }
    }
}

/// Shows no value: a field can be secret. For the session as its type shows it, dereference the handle.
impl<T: Session, S, C: Codec> fmt::Debug for Handle<T, S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("key", &self.key).finish_non_exhaustive()
    }
}
