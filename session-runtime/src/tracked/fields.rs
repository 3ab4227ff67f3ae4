use std::fmt;
use std::marker::PhantomData;

use crate::session::{Field, Session};

/// A set of a session's fields.
pub struct Fields<T> {
    /// One bit for each of the first fields, so that nearly every set needs no allocation.
    low: u128,
    /// The others, sorted.
    high: Vec<usize>,
    session: PhantomData<fn() -> T>,
}

/// How many fields have a bit.
const LOW: usize = u128::BITS as usize;

impl<T: Session> Fields<T> {
    /// Whether the set has `field`.
    #[must_use]
    pub fn contains(&self, field: T::Field) -> bool {
        self.has(field.index())
    }

    /// The fields: the session's own in the order of their declaration, then those of its nested sessions.
    pub fn iter(&self) -> impl Iterator<Item = T::Field> {
        self.indices().filter_map(T::Field::from_index)
    }
}

impl<T> Fields<T> {
    /// No fields. Allocates nothing.
    pub(crate) const fn none() -> Self {
        Self { low: 0, high: Vec::new(), session: PhantomData }
    }

    /// How many fields there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.low.count_ones() as usize + self.high.len()
    }

    /// Whether there is no field.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.low == 0 && self.high.is_empty()
    }

    pub(crate) fn has(&self, index: usize) -> bool {
        if index < LOW { self.low >> index & 1 == 1 } else { self.high.binary_search(&index).is_ok() }
    }

    pub(crate) fn indices(&self) -> impl Iterator<Item = usize> {
        let mut low = self.low;
        let bits = std::iter::from_fn(move || {
            let index = low.trailing_zeros() as usize;
            low &= low.wrapping_sub(1);
            (index < LOW).then_some(index)
        });
        bits.chain(self.high.iter().copied())
    }

    /// Adds the fields of another set.
    pub(crate) fn extend(&mut self, others: &Self) {
        for index in others.indices() {
            self.insert(index);
        }
    }

    /// Adds a field and returns its place in the set.
    pub(crate) fn insert(&mut self, index: usize) -> usize {
        if index < LOW {
            self.low |= 1 << index;
            return (self.low & !(u128::MAX << index)).count_ones() as usize;
        }
        let place = self.high.binary_search(&index).unwrap_or_else(|place| {
            self.high.insert(place, index);
            place
        });
        self.low.count_ones() as usize + place
    }
}

impl<'a, T: Session> IntoIterator for &'a Fields<T> {
    type Item = T::Field;
    type IntoIter = Box<dyn Iterator<Item = T::Field> + 'a>;

    fn into_iter(self) -> Self::IntoIter {
        Box::new(self.iter())
    }
}

impl<T> Default for Fields<T> {
    fn default() -> Self {
        Self::none()
    }
}

impl<T> Clone for Fields<T> {
    fn clone(&self) -> Self {
        Self { low: self.low, high: self.high.clone(), session: PhantomData }
    }
}

impl<T> PartialEq for Fields<T> {
    fn eq(&self, other: &Self) -> bool {
        (self.low, &self.high) == (other.low, &other.high)
    }
}

impl<T> Eq for Fields<T> {}

impl<T: Session> fmt::Debug for Fields<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_keeps_the_order_of_the_fields_beyond_those_that_have_a_bit() {
        let mut fields = Fields::<()>::none();
        for index in [300, 0, 127, 128, 5, 300] {
            fields.insert(index);
        }
        assert_eq!(fields.indices().collect::<Vec<_>>(), [0, 5, 127, 128, 300]);
        assert_eq!(fields.len(), 5);
        assert!(fields.has(127) && fields.has(128) && !fields.has(126) && !fields.has(129));
        for (place, index) in [0, 5, 127, 128, 300].into_iter().enumerate() {
            assert_eq!(fields.insert(index), place);
        }
    }
}
