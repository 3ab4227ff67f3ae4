//! What generated code names. Not part of the public interface.

pub use core::assert;
pub use core::fmt::{self, Debug, Formatter};
pub use core::hash::{Hash, Hasher};
pub use core::prelude::v1::{Clone, Copy, Default, Eq, None, Option, PartialEq, Result, Send, Some};
pub use std::borrow::Cow;

use std::marker::PhantomData;

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

/// A type by whose values sessions can be found: equal values have one encoding.
///
/// `Hash` is what tells: it is implemented where equal values have the same parts in the same order, so not for a
/// `HashMap` and not for a float.
#[diagnostic::on_unimplemented(
    message = "sessions cannot be found by a `{Self}`",
    label = "an indexed field's type needs `Eq` and `Hash`",
    note = "add `#[derive(PartialEq, Eq, Hash)]` to a type of your own",
    note = "maps and sets without order, and floats, have no `Hash`, because equal values of them are encoded differently: \
            index a number or a string"
)]
pub trait Indexed {
    /// Names the trait where the compiler is to look for it.
    const CHECKED: () = ();
}

#[diagnostic::do_not_recommend]
impl<F: Eq + Hash> Indexed for F {}

/// The value by which a session without an index is found: there is none.
#[derive(Debug, Clone, Copy)]
pub enum NoIndex {}

/// The version of a session type: `VersionOf<T>::VERSION`.
#[derive(Debug)]
pub struct VersionOf<T>(PhantomData<T>);

impl<T: Session> VersionOf<T> {
    /// `version = N`
    pub const VERSION: u32 = T::CONTAINER.version;
}

/// The version of a type that is no session. In scope, it keeps the compiler from reporting once more what it reports
/// elsewhere: the constant of the implementation above comes first where there is one.
pub trait NoVersion {
    /// Lower than that of every session which comes from another.
    const VERSION: u32 = 0;
}

impl<T> NoVersion for VersionOf<T> {}

/// The field with this index, among a session's own fields.
#[inline]
#[must_use]
pub fn nth<F: Field>(own: &[F], index: usize) -> Option<F> {
    own.get(index).copied()
}

/// The stored name of an own field.
#[must_use]
pub fn own_name(fields: &'static [FieldDef], index: usize) -> Cow<'static, str> {
    Cow::Borrowed(fields.get(index).map_or("?", |field| field.name))
}

/// The stored name of a nested session's field.
#[must_use]
pub fn nested_name(name: &str, field: impl Field) -> Cow<'static, str> {
    Cow::Owned(format!("{name}.{}", field.name()))
}

/// Shows a field as it is stored.
///
/// # Errors
///
/// Those of the formatter.
pub fn debug_field(field: impl Field, f: &mut Formatter<'_>) -> fmt::Result {
    f.write_str(&field.name())
}

/// The fields of a type that is no session: there are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NoField {}

impl Field for NoField {
    fn name(self) -> Cow<'static, str> {
        match self {}
    }

    fn index(self) -> usize {
        match self {}
    }

    fn from_index(_: usize) -> Option<Self> {
        None
    }
}
