//! What a store holds for a key, and how a load asks for it.

use std::fmt;

use super::commits::Commits;
use super::ended::Past;
use super::field_name::FieldName;
use super::field_value::FieldValue;
use super::id::{CommitId, Incarnation, RegistrationId};
use crate::expiry::{ClockOffset, Lifetime, Timestamp};

/// What a load asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Load {
    /// How long sessions of this name live, if this load counts as activity: it touches the session when that is due.
    pub lifetime: Option<Lifetime>,
    /// Moves the store's clock.
    pub clock: ClockOffset,
}

impl Load {
    /// A load that looks at a session without touching it.
    #[must_use]
    pub const fn look(clock: ClockOffset) -> Self {
        Self { lifetime: None, clock }
    }

    /// A load that counts as activity of a session that lives this long.
    #[must_use]
    pub const fn touch(lifetime: Lifetime, clock: ClockOffset) -> Self {
        Self { lifetime: Some(lifetime), clock }
    }
}

/// What a load found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// The time of the store's clock.
    pub now: Timestamp,
    /// Whether this load moved the expiry.
    pub touched: bool,
    /// What is there.
    pub found: Found,
}

/// What a key holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// No session, but perhaps the header of one that ended.
    Absent {
        /// The life of the key that has ended, while its header is kept.
        saw: Option<Past>,
    },
    /// A record, or the header that an emptied one left.
    Record(Record),
}

/// A stored session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What is known about the session.
    pub head: Head,
    /// The last commits of its key.
    pub commits: Commits,
    /// The fields that differ from their initial values, in no particular order.
    pub fields: Vec<StoredField>,
}

/// The part of a record's header that a session needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Which life of the key this is.
    pub incarnation: Incarnation,
    /// How many commits it has seen.
    pub revision: u64,
    /// The last of them.
    pub last_commit: CommitId,
    /// The version of the session type that wrote it.
    pub version: u32,
    /// The initial values it differs from.
    pub registration: RegistrationId,
    /// When it was created.
    pub created_at: Timestamp,
    /// The end that a handler set instead of the rule, if one did.
    pub fixed_end: Option<Timestamp>,
    /// The sliding lifetime of its own, in milliseconds, that a handler gave it instead of that of the rule.
    pub sliding: Option<i64>,
    /// When it expires.
    pub expires_at: Option<Timestamp>,
    /// Whether a session is stored; else this is the header that an emptied one left.
    pub stored: bool,
}

/// A stored field: its dotted name and its encoded value.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredField {
    /// The stored name.
    pub name: FieldName,
    /// The encoded value.
    pub value: FieldValue,
}

/// Shows the value's length only: values can be secret.
impl fmt::Debug for StoredField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} bytes", self.name, self.value.len())
    }
}
