use std::fmt;
use std::marker::PhantomData;

use crate::session::{Field, Session};

/// A set of a session's fields.
pub struct Fields<T> {
    /// Sorted.
    indices: Vec<usize>,
    session: PhantomData<fn() -> T>,
}

impl<T: Session> Fields<T> {
    /// Whether the set has `field`.
    #[must_use]
    pub fn contains(&self, field: T::Field) -> bool {
        self.indices.binary_search(&field.index()).is_ok()
    }

    /// The fields: the session's own in the order of their declaration, then those of its nested sessions.
    pub fn iter(&self) -> impl Iterator<Item = T::Field> {
        self.indices.iter().filter_map(|&index| T::Field::from_index(index))
    }
}

impl<T> Fields<T> {
    /// No fields. Allocates nothing.
    pub(crate) const fn none() -> Self {
        Self { indices: Vec::new(), session: PhantomData }
    }

    /// How many fields there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.indices.len()
    }

    /// Whether there is no field.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }

    pub(crate) fn indices(&self) -> impl Iterator<Item = usize> {
        self.indices.iter().copied()
    }

    pub(crate) fn insert(&mut self, index: usize) {
        if let Err(place) = self.indices.binary_search(&index) {
            self.indices.insert(place, index);
        }
    }
}

impl<T> Clone for Fields<T> {
    fn clone(&self) -> Self {
        Self { indices: self.indices.clone(), session: PhantomData }
    }
}

impl<T> PartialEq for Fields<T> {
    fn eq(&self, other: &Self) -> bool {
        self.indices == other.indices
    }
}

impl<T> Eq for Fields<T> {}

impl<T: Session> fmt::Debug for Fields<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
