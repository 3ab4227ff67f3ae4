//! What generated code names. Not part of the public interface.

pub use core::fmt::{self, Debug, Formatter};
pub use core::hash::{Hash, Hasher};
pub use core::prelude::v1::{Clone, Copy, Default, Eq, None, Option, PartialEq, Result, Some};

pub use serde::de::{DeserializeOwned, Deserializer};
pub use serde::ser::{Serialize, Serializer};

pub use crate::session::{
    Container, Field, FieldDef, Format, MarkSet, Merge, Nesting, OwnMarks, Plain, Previous, ReadField, Session,
    WriteField,
};

/// A type whose values can be fields of a session, encoded as the type itself says.
///
/// The derive asks for it by `<Type as Stored>`, so that a type without it is reported at the user's tokens, and once:
/// the compiler shows the same error of two generated functions a single time.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stored in a session",
    label = "a tracked field's type needs `Serialize` and `Deserialize`, and so does every type in it",
    note = "add `#[derive(serde::Serialize, serde::Deserialize)]` to the types of your own",
    note = "for a type of another crate, turn on its feature `serde`, or write `#[session(with = path::to::module)]`",
    note = "for a value that need not be stored, write `#[session(skip)]`"
)]
pub trait Stored: Sized {
    /// Shows a visitor the field.
    fn read<V: ReadField>(&self, visitor: V) -> V::Output;

    /// Lends a visitor the field.
    fn write<V: WriteField>(&mut self, visitor: V, merge: Option<Merge<Self>>) -> V::Output;
}

#[diagnostic::do_not_recommend]
impl<F: Serialize + DeserializeOwned> Stored for F {
    #[inline]
    fn read<V: ReadField>(&self, visitor: V) -> V::Output {
        visitor.read::<F, Plain>(self)
    }

    #[inline]
    fn write<V: WriteField>(&mut self, visitor: V, merge: Option<Merge<F>>) -> V::Output {
        visitor.write::<F, Plain>(self, merge)
    }
}

/// A type that has an initial value of its own.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no initial value",
    label = "a field without `initial` needs a type with `Default`",
    note = "write `#[session(initial = expression)]` on the field, or add `#[derive(Default)]` to the type"
)]
pub trait Initial {
    /// The initial value of a field without `initial`.
    fn initial() -> Self;
}

#[diagnostic::do_not_recommend]
impl<F: Default> Initial for F {
    #[inline]
    fn initial() -> Self {
        F::default()
    }
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
