use std::borrow::Cow;
use std::error::Error;
use std::fmt;

/// A store could not do what it was asked to.
#[derive(Debug)]
pub struct StoreError {
    kind: StoreErrorKind,
    message: Cow<'static, str>,
    not_applied: bool,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// What went wrong in a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// The engine cannot be reached, or went away. Try again.
    Unavailable,
    /// The engine did not answer in time. Try again.
    TimedOut,
    /// The engine is busy with other work. Try again.
    Busy,
    /// The engine has no room left.
    Full,
    /// The engine takes no writes.
    ReadOnly,
    /// The engine refuses these credentials or this operation.
    Denied,
    /// What is stored under the key is not what this crate wrote. It was left as it is.
    Corrupt,
    /// The store's schema or the engine's version or settings do not fit this build.
    Incompatible,
    /// Two keys of one operation live on different nodes of a cluster.
    CrossSlot,
    /// The store was given an address or an option that it does not understand.
    Configuration,
    /// Anything else.
    Other,
}

impl StoreErrorKind {
    /// Whether the same operation can succeed later without a change of the program, its settings or what is stored.
    #[must_use]
    pub const fn is_transient(self) -> bool {
        matches!(self, Self::Unavailable | Self::TimedOut | Self::Busy | Self::Full | Self::ReadOnly)
    }
}

impl StoreError {
    /// An error of this kind. The message says what to do about it, and shows no key and no value.
    pub fn new(kind: StoreErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, message: message.into(), not_applied: false, source: None }
    }

    /// Keeps the engine's own error.
    #[must_use]
    pub fn with_source(self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { source: Some(source.into()), ..self }
    }

    /// States that the operation changed nothing for certain, so that it need not be settled.
    #[must_use]
    pub fn not_applied(self) -> Self {
        Self { not_applied: true, ..self }
    }

    /// Takes back that the operation changed nothing: it was sent before, and that answer is missing.
    #[cfg(feature = "postgres")]
    pub(crate) fn perhaps_applied(self) -> Self {
        Self { not_applied: false, ..self }
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }

    /// Whether the operation changed nothing for certain. If not, it may have been applied.
    #[must_use]
    pub fn is_not_applied(&self) -> bool {
        self.not_applied
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
