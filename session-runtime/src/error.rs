use std::fmt;
use std::sync::Arc;

use crate::codec::CodecError;
use crate::store::{FieldName, InvalidKey, InvalidName, StoreError};

/// What can go wrong with a session.
///
/// No error changes what is stored, and no message shows a key or a value of a field marked `sensitive`. After an
/// error of a commit the handle still has the changes; which errors are worth another try, the variants say.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The string cannot be a key.
    #[error(transparent)]
    InvalidKey(#[from] InvalidKey),

    /// Another commit changed fields for which `conflict = "reject"` is set. Load again and decide anew.
    #[error("the session was changed by another commit in between ({}); load it again and decide anew", Names(.fields))]
    Conflict {
        /// The stored names of the fields that both changed, or for a rejecting session, that the other changed.
        fields: Vec<FieldName>,
    },

    /// The session was destroyed, or its key had another session since it was loaded.
    #[error("the session was destroyed since it was loaded; nothing was stored")]
    Destroyed,

    /// The session was moved to another key.
    #[error("the session was renewed under another key since it was loaded; nothing was stored")]
    Renewed,

    /// The session expired; or it was not stored when it was loaded, and that is longer ago than the hour for which
    /// every store can tell whether others created and ended it since.
    #[error("the session expired since it was loaded; nothing was stored")]
    Expired,

    /// The new key, to renew to or to start a session at, holds a session already.
    #[error("the new key holds a session already; take a fresh random key")]
    Occupied,

    /// A field or the session is larger than the limits allow. Nothing was sent.
    #[error("{} has {size} bytes, and the limit is {limit}; store less, or raise the limit with `limits`", Subject(.field.as_deref()))]
    TooLarge {
        /// The field, or `None` for the whole session.
        field: Option<FieldName>,
        /// Its encoded size in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },

    /// A field cannot be encoded. Nothing was sent.
    #[error("the field `{field}` cannot be encoded")]
    Encode {
        /// The field's stored name.
        field: FieldName,
        /// Why.
        source: CodecError,
    },

    /// A stored field cannot be decoded into the field's type. It was left as it is.
    #[error(
        "the stored field `{field}` cannot be decoded; if its type changed, give the session a new `version` and migrate with `from`"
    )]
    Decode {
        /// The field's stored name.
        field: FieldName,
        /// Why.
        source: CodecError,
    },

    /// The session was stored by a newer version of its type. It was left as it is.
    #[error(
        "the session was stored by version {stored} of its type, and this program knows versions up to {supported}; deploy the newer program"
    )]
    NewerVersion {
        /// The version that stored it.
        stored: u32,
        /// The version of this program's type.
        supported: u32,
    },

    /// Sessions were stored by an older version of their type, and no `from` leads from there to this one.
    #[error(
        "version {stored} of this session type stored sessions, and no `from` leads from there to version {supported}; keep the older type and write `from = TheOlderType` on this one, or, if those sessions are not needed, withdraw version {stored} with `sessionctl`"
    )]
    NoMigration {
        /// The version that stored it.
        stored: u32,
        /// The version of this program's type.
        supported: u32,
    },

    /// This program's initial values differ from those that all instances agreed on.
    ///
    /// Give the session a new `version` (stored sessions are migrated), adopt the registered values
    /// ([`Agreement::Adopt`](crate::Agreement::Adopt)), or withdraw the registration with `sessionctl` if no stored
    /// session is needed any more: sessions that refer to it answer [`Error::RegistrationGone`] from then on.
    #[error(
        "the initial values of {} differ from those registered in the store; give the session a new `version`, build with \
         `Agreement::Adopt` to use the registered ones, mark a field whose initial value is meant to differ between \
         programs `#[session(pin)]`, or withdraw the registration with `sessionctl`",
        Mismatches(.fields)
    )]
    InitialStateMismatch {
        /// The fields that differ.
        fields: Vec<Mismatch>,
    },

    /// The registered initial value of a field cannot be decoded into the field's type, so it cannot be adopted.
    #[error(
        "the type of the field `{field}` changed since its initial value was registered, so that value cannot be adopted; give the session a new `version` and migrate with `from`"
    )]
    RegisteredType {
        /// The field's stored name.
        field: FieldName,
        /// Why.
        source: CodecError,
    },

    /// A field's initial value is not the same each time it is made. It can turn out late, when a new session has
    /// another value than the one that all instances agreed on: from then on no new session is lent.
    #[error(
        "the initial value of the field `{field}` differs from call to call, so instances cannot agree on it; mark the field `#[session(pin)]` to store it with the session's first commit"
    )]
    UnstableInitial {
        /// The field's stored name.
        field: FieldName,
    },

    /// The record names a registration of initial values that is gone, so its other fields cannot be known.
    #[error(
        "the session refers to a registration of initial values that is gone from the store; restore the registration, or destroy the session"
    )]
    RegistrationGone,

    /// Values are registered in another encoding than this program's.
    #[error(
        "the session's fields are stored as {stored}, and this program encodes {own}; use the same codec, or give the session another `name`"
    )]
    OtherCodec {
        /// The codec that is registered.
        stored: Arc<str>,
        /// This program's codec.
        own: &'static str,
    },

    /// Another session type has registered the name in this store.
    #[error(
        "the sessions called `{name}` in this store are of the type `{registered}`, and `{own}` has other fields; if these are two types, give one of them a name of its own with `#[session(name = \"…\")]` or `Sessions::builder(..).name(\"…\")`, or each application a namespace with `?namespace=…` in the store's URL; if it is one type at another place in the program, move it first and change its fields with the next deployment"
    )]
    NameTaken {
        /// The name.
        name: Arc<str>,
        /// The path of the type that registered it.
        registered: Arc<str>,
        /// The path of this program's type.
        own: &'static str,
    },

    /// The string that [`SessionsBuilder::name`](crate::SessionsBuilder::name) was given cannot be a name.
    #[error(transparent)]
    InvalidName(#[from] InvalidName),

    /// A field is marked both `index` and `sensitive`, and there is no key with which its values could be hidden from
    /// those who read the store.
    #[error(
        "the field `{field}` is sensitive and indexed, and what the store keeps of it to find sessions needs a key; give one that all instances share with `index_key`"
    )]
    NoIndexKey {
        /// The field's stored name.
        field: FieldName,
    },

    /// Other processes kept changing the session until the deadline. Nothing was stored; the commit can be tried again.
    #[error("other processes kept changing the session until the deadline; nothing was stored, try again")]
    Contended,

    /// The answer to a commit was lost, and so many others followed that it cannot be told whether it was applied; or a
    /// session that was to be destroyed ended so long ago that it cannot be told whether it lives on under another key.
    #[error(
        "it can no longer be told what became of the session, or of a commit to it whose answer was lost; load the session again"
    )]
    OutcomeUnknown,

    /// The session's predecessor, which [another library](crate::legacy::Legacy) stored, cannot be taken over. It is left
    /// as it is, and so is what is stored here.
    #[error("the old session of the key {key} cannot be taken over")]
    Legacy {
        /// The key, as this process's log shows it: a hash.
        key: String,
        /// Why.
        source: LegacyError,
    },

    /// The store failed. The commit can be tried again, and is applied once.
    #[error("the session store failed")]
    Store(#[from] StoreError),
}

impl Error {
    /// The same error about a registered value instead of a stored one.
    pub(crate) fn into_type_change(self) -> Self {
        match self {
            Self::Decode { field, source } => Self::RegisteredType { field, source },
            error => error,
        }
    }

    /// Whether the same operation can succeed later without a change of the program, its settings or what is stored:
    /// the store was out of reach, or others kept changing the session. A commit that failed so can be tried again
    /// with the same handle, and is applied once.
    ///
    /// ```
    /// use session_runtime::Error;
    /// use session_runtime::store::{StoreError, StoreErrorKind};
    ///
    /// let lost = Error::from(StoreError::new(StoreErrorKind::Unavailable, "the connection broke"));
    /// assert!(lost.is_transient());
    /// assert!(!Error::Destroyed.is_transient());
    /// ```
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Contended | Self::Legacy { source: LegacyError::Unavailable(_), .. } => true,
            Self::Store(error) => error.kind().is_transient(),
            _ => false,
        }
    }
}

/// Why a session that another library stored cannot be taken over.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LegacyError {
    /// The old store gave no answer. It can be tried again.
    #[error("the old store gave no answer")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),

    /// What it holds cannot be read.
    #[error("what the old store holds cannot be read")]
    Damaged(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl LegacyError {
    /// The old store gave no answer, because of this.
    ///
    /// ```
    /// use session_runtime::legacy::LegacyError;
    ///
    /// # fn get() -> std::io::Result<Vec<u8>> { Err(std::io::ErrorKind::TimedOut.into()) }
    /// let stored = get().map_err(LegacyError::unavailable);
    /// assert!(matches!(stored, Err(LegacyError::Unavailable(_))));
    /// ```
    pub fn unavailable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Unavailable(source.into())
    }

    /// What the old store holds cannot be read, because of this.
    pub fn damaged(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Damaged(source.into())
    }
}

/// A field whose initial value differs from the registered one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// The field's stored name.
    pub field: FieldName,
    /// The value that is registered, as text; redacted if the field is marked `sensitive`.
    pub registered: String,
    /// The value of this program, as text; redacted if the field is marked `sensitive`.
    pub own: String,
}

struct Names<'a>(&'a [FieldName]);

impl fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        list(f, self.0, |f, name| write!(f, "`{name}`"))
    }
}

struct Mismatches<'a>(&'a [Mismatch]);

impl fmt::Display for Mismatches<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        list(f, self.0, |f, Mismatch { field, registered, own }| {
            write!(f, "`{field}` (registered {registered}, here {own})")
        })
    }
}

fn list<I>(
    f: &mut fmt::Formatter<'_>,
    items: &[I],
    show: impl Fn(&mut fmt::Formatter<'_>, &I) -> fmt::Result,
) -> fmt::Result {
    for (place, item) in items.iter().enumerate() {
        f.write_str(if place == 0 { "" } else { ", " })?;
        show(f, item)?;
    }
    Ok(())
}

struct Subject<'a>(Option<&'a str>);

impl fmt::Display for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(field) => write!(f, "the field `{field}`"),
            None => f.write_str("the session"),
        }
    }
}
