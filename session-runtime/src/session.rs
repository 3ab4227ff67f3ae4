//! The [`Session`] trait and the small vocabulary that `#[derive(Session)]` speaks.
//!
//! The derive emits data (names, initial values, what the attributes say) and thin shells; everything that can be said
//! without knowing the struct is a function of this crate, so that it is compiled once and not once per session type.

mod field;
mod marks;

use std::fmt::Debug;

use serde::de::{DeserializeOwned, Deserializer};
use serde::ser::{Serialize, Serializer};

pub use self::field::{AllFields, Field};
pub use self::marks::{MarkSet, OwnMarks};

/// A struct whose fields are tracked, compared with their initial values, and stored one by one.
///
/// Implemented by `#[derive(Session)]`, never by hand: the hidden items change with the derive.
///
/// A session owns what it holds and can be sent to another thread, because handlers are tasks that a runtime moves.
/// Code that is generic over sessions writes `T: Session` and nothing else.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a session",
    label = "a session is a struct with `#[derive(Session)]`",
    note = "add `#[derive(session_runtime::Session)]` to the struct `{Self}`",
    note = "an enum or a type of another crate becomes a field of such a struct"
)]
pub trait Session: Sized + Send + 'static {
    /// The borrow of a session and its marks that `edit()` lends: one method per field, each marks its field.
    type Edit<'session>;

    /// The enum that names this session's tracked fields.
    type Field: Field;

    /// The enum of the values by which sessions are found: one variant for each field marked `index`. Without such a
    /// field there is no value of it.
    type Index<'index>: Copy + Debug;

    /// One mark per tracked field.
    #[doc(hidden)]
    type Marks: MarkSet;

    /// What the attributes on the struct say.
    #[doc(hidden)]
    const CONTAINER: Container;

    /// The session's own tracked fields, in the order of their declaration; nested sessions are not among them.
    #[doc(hidden)]
    const FIELDS: &'static [FieldDef];

    /// How many tracked fields there are, those of nested sessions included.
    #[doc(hidden)]
    const LEN: usize;

    /// The value of a session before anyone changed it.
    fn initial() -> Self;

    /// Lends `value` for change. It is not called `edit`: the compiler would suggest it to whoever calls that on what only
    /// leads to a session, such as a `ChatSession`.
    #[doc(hidden)]
    fn lend<'session>(value: &'session mut Self, marks: &'session mut Self::Marks) -> Self::Edit<'session>;

    /// Names the nested sessions, in the order of their declaration.
    #[doc(hidden)]
    fn nested(_nesting: &mut impl Nesting) {}

    /// Shows `visitor` the field with this index: own fields first, then those of each nested session.
    #[doc(hidden)]
    fn read<V: ReadField>(this: &Self, index: usize, visitor: V) -> Option<V::Output>;

    /// Lends `visitor` the field with this index.
    #[doc(hidden)]
    fn write<V: WriteField>(this: &mut Self, index: usize, visitor: V) -> Option<V::Output>;

    /// Shows `visitor` the value of an indexed field, and tells the field's index.
    #[doc(hidden)]
    fn indexed<V: ReadField>(_value: Self::Index<'_>, _visitor: V) -> Option<(usize, V::Output)> {
        None
    }

    /// Says which type the version before this one had.
    #[doc(hidden)]
    fn previous<P: Previous<Self>>(previous: P) -> P::Output {
        previous.none()
    }
}

/// What the attributes on a session's struct say.
#[derive(Debug, Clone, Copy)]
pub struct Container {
    pub(crate) name: &'static str,
    pub(crate) version: u32,
    pub(crate) persist_always: bool,
    pub(crate) reject: bool,
}

impl Container {
    /// A session with this name, version 0, stored only when it differs from its initial value.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name, version: 0, persist_always: false, reject: false }
    }

    /// `version = N`
    #[must_use]
    pub const fn version(self, version: u32) -> Self {
        Self { version, ..self }
    }

    /// `persist = "always"`
    #[must_use]
    pub const fn persist_always(self) -> Self {
        Self { persist_always: true, ..self }
    }

    /// `conflict = "reject"`
    #[must_use]
    pub const fn reject(self) -> Self {
        Self { reject: true, ..self }
    }
}

/// What the attributes on a field say.
#[derive(Debug, Clone, Copy)]
pub struct FieldDef {
    pub(crate) name: &'static str,
    pub(crate) aliases: &'static [&'static str],
    pub(crate) pin: bool,
    pub(crate) unordered: bool,
    pub(crate) reject: bool,
    pub(crate) sensitive: bool,
    pub(crate) index: bool,
}

impl FieldDef {
    /// A field stored under this name.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name, aliases: &[], pin: false, unordered: false, reject: false, sensitive: false, index: false }
    }

    /// `alias = "…"`, each
    #[must_use]
    pub const fn aliases(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    /// `pin`
    #[must_use]
    pub const fn pin(self) -> Self {
        Self { pin: true, ..self }
    }

    /// `unordered`
    #[must_use]
    pub const fn unordered(self) -> Self {
        Self { unordered: true, ..self }
    }

    /// `conflict = "reject"`
    #[must_use]
    pub const fn reject(self) -> Self {
        Self { reject: true, ..self }
    }

    /// `sensitive`
    #[must_use]
    pub const fn sensitive(self) -> Self {
        Self { sensitive: true, ..self }
    }

    /// `index`
    #[must_use]
    pub const fn index(self) -> Self {
        Self { index: true, ..self }
    }
}

/// Collects the nested sessions of a session.
pub trait Nesting {
    /// The next nested session, and what the attributes on its field say; they hold for each of its fields.
    fn nest<N: Session>(&mut self, field: FieldDef);
}

/// Looks at one field.
pub trait ReadField: Sized {
    /// What comes of it.
    type Output;

    /// The field, and how it is encoded.
    fn read<F, R: Format<F>>(self, field: &F) -> Self::Output;
}

/// Changes one field.
pub trait WriteField: Sized {
    /// What comes of it.
    type Output;

    /// The field, how it is encoded, and how it is merged.
    fn write<F, R: Format<F>>(self, field: &mut F, merge: Option<Merge<F>>) -> Self::Output;
}

/// A function that combines two changes of one field: `(base, mine, theirs)`.
pub type Merge<F> = fn(&F, F, F) -> F;

/// How a field of type `F` is encoded.
pub trait Format<F> {
    /// Encodes a field.
    fn serialize<S: Serializer>(field: &F, serializer: S) -> Result<S::Ok, S::Error>;

    /// Decodes a field.
    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<F, D::Error>;

    /// The name of the type that decides how the field is encoded; empty if no type does.
    #[must_use]
    fn type_name() -> &'static str {
        ""
    }
}

/// The field's type says it itself.
#[derive(Debug)]
pub struct Plain;

impl<F: Serialize + DeserializeOwned> Format<F> for Plain {
    #[inline]
    fn serialize<S: Serializer>(field: &F, serializer: S) -> Result<S::Ok, S::Error> {
        field.serialize(serializer)
    }

    #[inline]
    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<F, D::Error> {
        F::deserialize(deserializer)
    }

    #[inline]
    fn type_name() -> &'static str {
        std::any::type_name::<F>()
    }
}

/// Learns which session type came before `T`.
pub trait Previous<T>: Sized {
    /// What comes of it.
    type Output;

    /// `from = Old`
    fn from<Old: Session>(self) -> Self::Output
    where
        T: From<Old>;

    /// There is none.
    fn none(self) -> Self::Output;
}
