use std::fmt;

use super::fields::Fields;
use crate::session::Session;
use crate::store::Change;

/// What a commit sends: the dirty fields, with their new values.
pub struct Patch<T> {
    /// The fields, in their order.
    pub(crate) fields: Fields<T>,
    /// The change of each of them.
    pub(crate) changes: Vec<Change>,
}

impl<T> Patch<T> {
    pub(crate) const fn empty() -> Self {
        Self { fields: Fields::none(), changes: Vec::new() }
    }

    /// Adds the change of one more field.
    pub(super) fn push(&mut self, index: usize, change: Change) {
        let place = self.fields.insert(index);
        self.changes.insert(place, change);
    }

    /// The change of a field.
    pub(super) fn change(&self, index: usize) -> Option<&Change> {
        self.fields.indices().zip(&self.changes).find(|(changed, _)| *changed == index).map(|(_, change)| change)
    }

    /// The fields it changes.
    #[must_use]
    pub fn fields(&self) -> &Fields<T> {
        &self.fields
    }

    /// The change of each field, in the order of [`Patch::fields`].
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Whether it changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

impl<T> Clone for Patch<T> {
    fn clone(&self) -> Self {
        Self { fields: self.fields.clone(), changes: self.changes.clone() }
    }
}

impl<T> PartialEq for Patch<T> {
    fn eq(&self, other: &Self) -> bool {
        self.fields == other.fields && self.changes == other.changes
    }
}

impl<T> Eq for Patch<T> {}

impl<T: Session> fmt::Debug for Patch<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Patch").field(&self.changes).finish()
    }
}
