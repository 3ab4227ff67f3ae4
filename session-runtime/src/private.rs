//! What generated code names. Not part of the public interface.

pub use core::fmt::{self, Debug, Formatter};
pub use core::hash::{Hash, Hasher};
pub use core::prelude::v1::{Clone, Copy, Default, Eq, None, Option, PartialEq, Result, Some};

pub use serde::de::{DeserializeOwned, Deserializer};
pub use serde::ser::{Serialize, Serializer};

pub use crate::session::{
    Container, Field, FieldDef, Flags, Merge, Nesting, Plain, Previous, ReadField, Rule, Session, Touched, WriteField,
};

/// The rule of a field whose type says itself how it is encoded.
///
/// The answer's type hides its bounds, so that a type that breaks them is reported here and nowhere else: the calls in
/// the two generated functions give the same error at the same place, and the compiler shows it once.
#[inline]
#[must_use]
pub fn plain<F: Serialize + DeserializeOwned>() -> impl Rule<F> {
    Plain
}

/// Shows a visitor a field.
#[inline]
pub fn read<V: ReadField, F, R: Rule<F>>(visitor: V, field: &F, _: R) -> V::Output {
    visitor.read::<F, R>(field)
}

/// Lends a visitor a field.
#[inline]
pub fn write<V: WriteField, F, R: Rule<F>>(visitor: V, field: &mut F, _: R, merge: Option<Merge<F>>) -> V::Output {
    visitor.write::<F, R>(field, merge)
}

/// The initial value of a field without `initial`.
#[inline]
#[must_use]
pub fn initial<F: Default>() -> F {
    F::default()
}

/// The field with this index, among a session's own fields.
#[inline]
#[must_use]
pub fn nth<F: Field>(own: &[F], index: usize) -> Option<F> {
    own.get(index).copied()
}

/// Shows an own field as it is stored.
///
/// # Errors
///
/// Those of the formatter.
pub fn debug_field(fields: &[FieldDef], index: usize, f: &mut Formatter<'_>) -> fmt::Result {
    f.write_str(fields.get(index).map_or("?", |field| field.name))
}

/// Shows a field of a nested session as it is stored.
///
/// # Errors
///
/// Those of the formatter.
pub fn debug_nested(name: &str, field: &impl Field, f: &mut Formatter<'_>) -> fmt::Result {
    write!(f, "{name}.{field:?}")
}

/// The fields of a type that is no session: there are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NoField {}

impl Field for NoField {
    fn index(self) -> usize {
        match self {}
    }

    fn from_index(_: usize) -> Option<Self> {
        None
    }
}
