//! Where sessions are kept.
//!
//! A store knows keys, headers and opaque values; it knows nothing of the session's type. It answers two questions:
//! what is there ([`Store::load`]), and may this change be applied to it ([`Store::commit`]). The second is decided
//! inside the engine, by one rule that [`rule::decide`] writes down.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;

use crate::expiry::{ClockOffset, Lifetime, Timestamp};

mod boxed;
#[cfg(feature = "conformance")]
pub mod conformance;
mod connect;
mod delegate;
mod error;
mod key;
#[cfg(feature = "conformance")]
mod log;
mod memory;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redis")]
mod redis;
pub mod rule;
#[cfg(feature = "sqlite")]
mod sqlite;

pub use boxed::BoxStore;
pub use connect::connect;
pub use error::{StoreError, StoreErrorKind};
pub use key::{InvalidKey, Key};
#[cfg(feature = "conformance")]
pub use log::{Call, LogStore};
pub use memory::MemoryStore;
#[cfg(feature = "postgres")]
pub use postgres::{PostgresOptions, PostgresStore};
#[cfg(feature = "redis")]
pub use redis::{RedisStore, RedisStoreBuilder, Slots};
#[cfg(feature = "sqlite")]
pub use sqlite::{SqliteOptions, SqliteStore, Synchronous};

/// A place where sessions are kept: one round trip per load, one per commit.
///
/// This is a whole store:
///
/// ```
#[doc = include_str!("example.rs")]
/// ```
///
/// A store is a handle: clones share what is stored. Every operation is atomic, and what it acknowledged is kept as
/// far as the engine is set up to keep it. Where an engine decides by itself, in a script or a statement, it says the
/// same as [`rule`]. The feature `conformance` has a suite that every store passes, and the one above does:
///
/// ```text
/// session_runtime::conformance!(async { MapStore::default() });
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a session store",
    label = "sessions cannot be kept here",
    note = "the stores of this crate are `MemoryStore`, `SqliteStore`, `RedisStore` and `PostgresStore`, each behind its feature",
    note = "to choose a store at run time, use `BoxStore`"
)]
pub trait Store: Clone + Send + Sync + 'static {
    /// Makes the store ready: connects, creates or upgrades its schema, checks its settings. Can be called again.
    fn prepare(&self) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Reads a session, and moves its expiry if that is due.
    fn load(&self, key: &Key, load: Load) -> impl Future<Output = Result<Loaded, StoreError>> + Send;

    /// Applies a change if its base is current, and else says what is there instead.
    fn commit(&self, key: &Key, commit: &Commit) -> impl Future<Output = Result<Reply, StoreError>> + Send;

    /// The initial values that instances agreed on for a session name and version, if any were registered.
    fn registration(
        &self,
        name: &str,
        version: u32,
    ) -> impl Future<Output = Result<Option<Registration>, StoreError>> + Send;

    /// Registers initial values. What is registered already stays as it is: the answer, complete, tells.
    fn register(&self, proposal: &Registration) -> impl Future<Output = Result<Registration, StoreError>> + Send;

    /// Removes a registration; records that name it can no longer be read. Returns whether there was one.
    fn withdraw(&self, name: &str, version: u32) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// All registrations, for tools.
    fn registrations(&self) -> impl Future<Output = Result<Vec<Registration>, StoreError>> + Send;

    /// The keys of stored sessions that have not expired: at most `limit`, those after `after`, in an order of the
    /// store's own.
    ///
    /// Sessions that are stored from before the first call until after the last are listed exactly once.
    fn keys(
        &self,
        name: &str,
        after: Option<Cursor>,
        limit: usize,
        clock: ClockOffset,
    ) -> impl Future<Output = Result<Keys, StoreError>> + Send;

    /// How many sessions of this name are stored and have not expired.
    fn count(&self, name: &str, clock: ClockOffset) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Removes at most `limit` records and headers whose retention is over, of all names.
    fn purge(&self, limit: usize, clock: ClockOffset) -> impl Future<Output = Result<Purged, StoreError>> + Send;
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u64);

        impl $name {
            /// A random one. Made by the client, because an engine's random numbers can repeat after a restart.
            #[must_use]
            pub fn random() -> Self {
                Self(rand::random())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({:016x})", stringify!($name), self.0)
            }
        }
    };
}

id! {
    /// Names one life of a key: made when its record is created.
    Incarnation
}
id! {
    /// Names the bytes of one change, so that it is applied once however often it is sent.
    CommitId
}
id! {
    /// Names one agreement on initial values.
    RegistrationId
}

/// What a load asks for.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// How long sessions of this name live.
    pub lifetime: Lifetime,
    /// Moves the store's clock.
    pub clock: ClockOffset,
}

/// What a load found.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The time of the store's clock.
    pub now: Timestamp,
    /// Whether this load moved the expiry.
    pub touched: bool,
    /// What is there.
    pub found: Found,
}

/// What a key holds.
#[derive(Debug, Clone)]
pub enum Found {
    /// No session; `saw` names the life of the key that has ended, while its header is kept.
    Absent {
        /// The header that was there.
        saw: Option<Incarnation>,
    },
    /// A record, or the header that an emptied one left.
    Record(Record),
}

/// A stored session.
#[derive(Debug, Clone)]
pub struct Record {
    /// What is known about the session.
    pub head: Head,
    /// The fields that differ from their initial values, in no particular order.
    pub fields: Vec<StoredField>,
}

/// The part of a record's header that a session needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Which life of the key this is.
    pub incarnation: Incarnation,
    /// How many commits it has seen.
    pub revision: u64,
    /// The last of them.
    pub last_commit: CommitId,
    /// The version of the session type that wrote it.
    pub version: u32,
    /// The initial values it differs from.
    pub registration: RegistrationId,
    /// When it was created.
    pub created_at: Timestamp,
    /// The expiry that a handler set, if one did.
    pub until: Option<Timestamp>,
    /// When it expires.
    pub expires_at: Option<Timestamp>,
    /// Whether a session is stored; else this is the header that an emptied one left.
    pub stored: bool,
}

/// A stored field: its dotted name and its encoded value.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredField {
    /// The stored name.
    pub name: Arc<str>,
    /// The encoded value.
    pub value: Bytes,
}

/// Shows the value's length only: values can be secret.
impl fmt::Debug for StoredField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} bytes", self.name, self.value.len())
    }
}

/// What a session proposes to change.
#[derive(Debug, Clone)]
pub struct Commit {
    /// Names this change.
    pub id: CommitId,
    /// What it is based on.
    pub base: Base,
    /// What it does besides changing fields.
    pub action: Action,
    /// The fields it changes.
    pub changes: Vec<Change>,
    /// Whether all other stored fields are removed: a migrated session replaces what was stored.
    pub replace: bool,
    /// The incarnation of the record, if it creates one.
    pub creates: Incarnation,
    /// The version of the session type.
    pub version: u32,
    /// The initial values the fields differ from.
    pub registration: RegistrationId,
    /// Whether a record without fields is kept as a stored session.
    pub keep_empty: bool,
    /// How long sessions of this name live.
    pub lifetime: Lifetime,
    /// Sets or clears (`Some(None)`) the expiry that replaces the rule.
    pub until: Option<Option<Timestamp>>,
    /// For a base of absence: when the session that is not stored expires.
    pub valid_until: Option<Timestamp>,
    /// Moves the store's clock.
    pub clock: ClockOffset,
}

/// What a commit is based on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base {
    /// No session was there, but perhaps the header of one that ended.
    Absent {
        /// The header that was there.
        saw: Option<Incarnation>,
    },
    /// This record, at this revision.
    Record {
        /// Which life of the key.
        incarnation: Incarnation,
        /// How many commits it had seen.
        revision: u64,
        /// The last of them. It tells revisions apart that come round again after an engine lost some.
        last_commit: CommitId,
    },
}

impl From<&Head> for Base {
    fn from(head: &Head) -> Self {
        Self::Record { incarnation: head.incarnation, revision: head.revision, last_commit: head.last_commit }
    }
}

/// What a commit does besides changing fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    Write,
    /// Removes the record. Applies to any revision of its base.
    Destroy,
    /// Moves the record to another key, which must not hold a session.
    Renew {
        /// The new key.
        to: Key,
    },
}

/// One field of a commit.
#[derive(Clone, PartialEq, Eq)]
pub struct Change {
    /// The stored name.
    pub name: Arc<str>,
    /// The encoded value to store, or `None` to remove the field.
    pub value: Option<Bytes>,
}

/// Shows the value's length only: values can be secret.
impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => write!(f, "{}: {} bytes", self.name, value.len()),
            None => write!(f, "{}: removed", self.name),
        }
    }
}

/// The answer to a commit.
#[derive(Debug, Clone)]
pub enum Reply {
    /// It is applied, now or when it was sent before.
    Applied(Applied),
    /// Its base is not current: nothing was changed, and this is there.
    Conflict(Record),
    /// What it is based on has ended; nothing was changed.
    Ended(Ended),
    /// The key to renew to holds a session; nothing was changed.
    Occupied,
}

/// What an applied commit did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Applied {
    /// The header of the record (of the new key after a renewal); `None` if no record is left.
    pub head: Option<Head>,
    /// Whether a session was stored before.
    pub was_stored: bool,
    /// Whether a session is stored now.
    pub is_stored: bool,
    /// Whether the commit had been applied before, so that only its answer was repeated.
    pub repeated: bool,
}

/// How the base of a commit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was destroyed, or created anew since.
    Destroyed,
    /// It was moved to another key.
    Renewed,
    /// It has expired.
    Expired,
    /// There is no trace of it.
    Unknown,
}

/// The initial values that all instances agreed on for a session name and version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// Records name it.
    pub id: RegistrationId,
    /// The session's name.
    pub name: Arc<str>,
    /// The session's version.
    pub version: u32,
    /// How values are encoded.
    pub codec: Arc<str>,
    /// Each field.
    pub fields: Vec<RegisteredField>,
}

/// One field of a registration.
#[derive(Clone, PartialEq, Eq)]
pub struct RegisteredField {
    /// The stored name.
    pub name: Arc<str>,
    /// The encoded initial value; `None` for a pinned field, which is outside the agreement.
    pub initial: Option<Bytes>,
    /// Whether values must not be shown.
    pub sensitive: bool,
}

/// Shows the initial value's length only: it can be secret.
impl fmt::Debug for RegisteredField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.initial {
            Some(initial) => write!(f, "{}: {} bytes", self.name, initial.len()),
            None => write!(f, "{}: pinned", self.name),
        }
    }
}

/// Where a listing of keys goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(pub Arc<[u8]>);

/// A part of a listing of keys.
#[derive(Debug, Clone)]
pub struct Keys {
    /// The keys.
    pub keys: Vec<Key>,
    /// Where the listing goes on; `None` at its end.
    pub next: Option<Cursor>,
}

/// What a purge did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Purged {
    /// How many records and headers it removed.
    pub removed: u64,
    /// Whether there may be more to remove.
    pub more: bool,
}
