use std::fmt;

use crate::session::Session;
use crate::stats::Count;
use crate::tracked::Fields;

/// What a commit did.
pub struct Committed<T> {
    outcome: Outcome,
    fields: Fields<T>,
    overlapped: Fields<T>,
}

impl<T> Committed<T> {
    pub(crate) const fn unchanged() -> Self {
        Self { outcome: Outcome::Unchanged, fields: Fields::none(), overlapped: Fields::none() }
    }

    /// Adds what one more change of the same commit did.
    pub(super) fn add(&mut self, outcome: Outcome, fields: Fields<T>) {
        self.outcome = outcome;
        if self.fields.is_empty() {
            self.fields = fields;
        } else {
            self.fields.extend(&fields);
        }
    }

    /// Adds fields that others had changed too.
    pub(super) fn overlap(&mut self, fields: &Fields<T>) {
        self.overlapped.extend(fields);
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

    /// The fields that others had changed since the session was loaded, and that this commit made its own: what they
    /// stored there is overwritten, or was the same. Fields with a `merge` are never among them.
    ///
    /// Where that must not happen, give the field a `merge`, refuse with `conflict = "reject"`, or change it by
    /// [`Sessions::update`](crate::Sessions::update).
    #[must_use]
    pub fn overlapped(&self) -> &Fields<T> {
        &self.overlapped
    }
}

impl<T> Clone for Committed<T> {
    fn clone(&self) -> Self {
        Self { outcome: self.outcome, fields: self.fields.clone(), overlapped: self.overlapped.clone() }
    }
}

impl<T> PartialEq for Committed<T> {
    fn eq(&self, other: &Self) -> bool {
        (self.outcome, &self.fields, &self.overlapped) == (other.outcome, &other.fields, &other.overlapped)
    }
}

impl<T> Eq for Committed<T> {}

impl<T: Session> fmt::Debug for Committed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Committed")
            .field("outcome", &self.outcome)
            .field("fields", &self.fields)
            .field("overlapped", &self.overlapped)
            .finish()
    }
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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

    pub(super) fn count(self) -> Count {
        match self {
            Self::Unchanged => Count::Unchanged,
            Self::Created => Count::Created,
            Self::Updated => Count::Updated,
            Self::Removed => Count::Removed,
        }
    }
}
