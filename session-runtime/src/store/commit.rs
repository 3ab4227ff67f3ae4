//! What a session proposes to a store, and what the store answers.

use std::fmt;

use super::ended::Ended;
use super::field_name::FieldName;
use super::field_value::FieldValue;
use super::id::{CommitId, Incarnation, RegistrationId, WorkId};
use super::index::{IndexEntry, Term};
use super::key::Key;
use super::record::{Head, Record};
use crate::expiry::{ClockOffset, Lifetime, Timestamp};

/// What a session proposes to a store.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Commit {
    /// Names this proposal, so that it is applied once.
    pub id: CommitId,
    /// What it is based on.
    pub base: Base,
    /// What it does.
    pub action: Action,
    /// How long sessions of this name live, and how long the header of an ended one is kept.
    pub lifetime: Lifetime,
    /// Moves the store's clock.
    pub clock: ClockOffset,
}

impl Commit {
    /// A proposal with an id of its own.
    #[must_use]
    pub fn new(base: Base, action: Action, lifetime: Lifetime, clock: ClockOffset) -> Self {
        Self { id: CommitId::random(), base, action, lifetime, clock }
    }

    /// The same proposal, with an id that tells which work it does.
    #[must_use]
    pub fn doing(self, work: WorkId) -> Self {
        Self { id: CommitId::of(work), ..self }
    }

    /// Moves this very record to another key, and leaves its fields, its version and its expiry as they are.
    pub(crate) fn relocation(head: &Head, to: Key, retention: i64, clock: ClockOffset) -> Self {
        let write = Write {
            keep_empty: true,
            expiry: match (head.sliding, head.expires_at) {
                (Some(sliding), _) => ExpiryChange::After(sliding),
                (None, Some(end)) => ExpiryChange::At(end),
                (None, None) => ExpiryChange::ByRule,
            },
            ..Write::new(head.version, head.registration, Vec::new())
        };
        Self::new(Base::from(head), Action::Renew { to, write }, Lifetime::unruled(retention), clock)
    }

    /// What it writes; `None` if it destroys.
    #[must_use]
    pub const fn write(&self) -> Option<&Write> {
        match &self.action {
            Action::Write(write) | Action::Renew { write, .. } => Some(write),
            Action::Destroy => None,
        }
    }

    /// The same, to name another registration.
    pub(crate) fn write_mut(&mut self) -> Option<&mut Write> {
        match &mut self.action {
            Action::Write(write) | Action::Renew { write, .. } => Some(write),
            Action::Destroy => None,
        }
    }

    /// The registration that the store must have if it is to be applied at `key`: the session's name and version, and
    /// the id. `None` if it destroys.
    #[must_use]
    pub fn registration<'a>(&self, key: &'a Key) -> Option<(&'a str, u32, RegistrationId)> {
        self.write().map(|write| (key.registered_name(), write.version, write.registration))
    }

    /// The fields it changes.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        self.write().map_or(&[], |write| &write.changes)
    }

    /// The terms of the indexed fields that it sets.
    #[must_use]
    pub fn index(&self) -> &[IndexEntry] {
        self.write().map_or(&[], |write| &write.index)
    }

    /// Whether it destroys the session.
    #[must_use]
    pub const fn is_destruction(&self) -> bool {
        matches!(self.action, Action::Destroy)
    }
}

/// What a commit is based on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base {
    /// No session was there, but perhaps the header of one that ended.
    Absent {
        /// The header that was there.
        saw: Option<Incarnation>,
        /// When the session that is not stored expires.
        valid_until: Option<Timestamp>,
    },
    /// This record, at this revision.
    Record {
        /// Which life of the key.
        incarnation: Incarnation,
        /// How many commits it had seen.
        revision: u64,
        /// The last of them. It tells revisions apart that come round again after an engine lost some.
        last_commit: CommitId,
    },
}

impl Base {
    /// How many commits the base had seen.
    pub(crate) const fn revision(&self) -> u64 {
        match self {
            Self::Absent { .. } => 0,
            Self::Record { revision, .. } => *revision,
        }
    }
}

impl From<&Head> for Base {
    fn from(head: &Head) -> Self {
        Self::Record { incarnation: head.incarnation, revision: head.revision, last_commit: head.last_commit }
    }
}

/// What a commit does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Changes the record, or creates it.
    Write(Write),
    /// Changes the record and moves it to another key, which must not hold a session.
    Renew {
        /// The new key.
        to: Key,
        /// The change.
        write: Write,
    },
    /// Removes the record. Applies to any revision of its base. Based on absence it removes nothing, and conflicts with
    /// a record that is there.
    Destroy,
}

/// What becomes of a record's content.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Write {
    /// The fields it changes.
    pub changes: Vec<Change>,
    /// Whether all other stored fields are removed: a migrated session replaces what was stored.
    pub replace: bool,
    /// Whether a record without fields is kept as a stored session.
    pub keep_empty: bool,
    /// The incarnation of the record, if it creates one.
    pub creates: Incarnation,
    /// The version of the session type.
    pub version: u32,
    /// The initial values the fields differ from.
    pub registration: RegistrationId,
    /// What becomes of the expiry.
    pub expiry: ExpiryChange,
    /// The terms of the indexed fields that it sets, and in a renewal those of all that the session has. A field that
    /// is set without a term is not found any more.
    pub index: Vec<IndexEntry>,
}

impl Write {
    /// A write of these fields that leaves all else as it is.
    #[must_use]
    pub fn new(version: u32, registration: RegistrationId, changes: Vec<Change>) -> Self {
        Self {
            changes,
            replace: false,
            keep_empty: false,
            creates: Incarnation::random(),
            version,
            registration,
            expiry: ExpiryChange::Keep,
            index: Vec::new(),
        }
    }

    /// The term of a field that it sets, if that is indexed.
    #[must_use]
    pub fn term(&self, field: &str) -> Option<&Term> {
        self.index.iter().find(|entry| &*entry.field == field).map(|entry| &entry.term)
    }
}

/// What a commit does to the end of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ExpiryChange {
    /// The end stays what it is: by the rule, or the date that a handler set.
    #[default]
    Keep,
    /// The rule decides again.
    ByRule,
    /// This date replaces the rule.
    At(Timestamp),
    /// This sliding lifetime, in milliseconds, replaces that of the rule; its limit since the creation still holds.
    After(i64),
}

impl ExpiryChange {
    /// The fixed end after this change of one that was `before`.
    #[must_use]
    pub fn apply(self, before: Option<Timestamp>) -> Option<Timestamp> {
        match self {
            Self::Keep => before,
            Self::ByRule | Self::After(_) => None,
            Self::At(date) => Some(date),
        }
    }

    /// The session's own sliding lifetime after this change of one that was `before`, in milliseconds.
    #[must_use]
    pub fn apply_to_sliding(self, before: Option<i64>) -> Option<i64> {
        match self {
            Self::Keep => before,
            Self::ByRule | Self::At(_) => None,
            Self::After(sliding) => Some(sliding),
        }
    }

    /// This change, or `earlier` if it changes nothing.
    #[must_use]
    pub fn or(self, earlier: Self) -> Self {
        if self == Self::Keep { earlier } else { self }
    }
}

/// One field of a commit.
#[derive(Clone, PartialEq, Eq)]
pub struct Change {
    /// The stored name.
    pub name: FieldName,
    /// The encoded value to store, or `None` to remove the field.
    pub value: Option<FieldValue>,
}

/// Shows the value's length only: values can be secret.
impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => write!(f, "{}: {} bytes", self.name, value.len()),
            None => write!(f, "{}: removed", self.name),
        }
    }
}

/// The answer to a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// It is applied, now or when it was sent before.
    Applied(Applied),
    /// Its base is not current: nothing was changed, and this is there.
    Conflict(Record),
    /// What it is based on has ended; nothing was changed.
    Ended(Ended),
    /// The key to renew to holds a session; nothing was changed.
    Occupied,
    /// The store does not have the registration that the commit names, so that what it stores could not be read. It is
    /// to be sent again, under the same id, when that is registered: it may have been applied nevertheless.
    Unregistered,
}

/// What an applied commit did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Applied {
    /// The header of the record (of the new key after a renewal); `None` if no record is left, or if it is not known
    /// any more, because a renewal was asked for again when its old key had another life.
    pub head: Option<Head>,
    /// Whether a session was stored before.
    pub was_stored: bool,
    /// Whether a session is stored now.
    pub is_stored: bool,
    /// Whether the commit had been applied before, so that only its answer was repeated.
    pub repeated: bool,
}
