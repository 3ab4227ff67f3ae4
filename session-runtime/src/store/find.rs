//! How a store is asked for the sessions with a value, and what it answers.

use std::fmt;
use std::sync::Arc;

use super::field_name::FieldName;
use super::field_value::FieldValue;
use super::housekeeping::Cursor;
use super::index::Term;
use super::key::Key;
use super::record::Head;
use crate::expiry::{ClockOffset, Timestamp};

/// Asks for the sessions that have this value in an indexed field.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Find {
    /// The session's name.
    pub name: Arc<str>,
    /// The stored name of the field.
    pub field: FieldName,
    /// The encoded value.
    pub value: FieldValue,
    /// Its term, as commits name it.
    pub term: Term,
    /// Where the search goes on.
    pub after: Option<Cursor>,
    /// About how many sessions the answer may have; `None` for all.
    pub limit: Option<usize>,
    /// Moves the store's clock.
    pub clock: ClockOffset,
}

/// The sessions that were found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundPage {
    /// The time of the store's clock before it looked.
    pub now: Timestamp,
    /// The keys, and the headers of their records.
    pub sessions: Vec<(Key, Head)>,
    /// Where the search goes on; `None` at its end.
    pub next: Option<Cursor>,
}

impl Find {
    /// Asks for all sessions of this name with this value.
    #[must_use]
    pub fn all(name: Arc<str>, field: FieldName, value: FieldValue, term: Term, clock: ClockOffset) -> Self {
        Self { name, field, value, term, after: None, limit: None, clock }
    }
}

/// Leaves out the value, which can be secret.
impl fmt::Debug for Find {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Find").field("name", &self.name).field("field", &self.field).finish_non_exhaustive()
    }
}
