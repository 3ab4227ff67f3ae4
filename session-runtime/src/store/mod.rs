//! Where sessions are kept.
//!
//! A store knows keys, headers and opaque values; it knows nothing of the session's type. It answers two questions:
//! what is there ([`Store::load`]), and may this change be applied to it ([`Store::commit`]). The second is decided
//! inside the engine, by one rule that [`rule::decide`] writes down.

use std::future::Future;

mod any;
#[cfg(any(feature = "postgres", feature = "redis"))]
mod both;
mod commit;
mod commits;
#[cfg(feature = "conformance")]
pub mod conformance;
mod connect;
mod delegate;
mod ended;
mod error;
mod field_name;
mod field_value;
mod find;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz;
mod housekeeping;
mod id;
mod index;
mod key;
#[cfg(feature = "conformance")]
mod log;
#[cfg(any(test, fuzzing))]
mod material;
mod memory;
mod name;
mod namespaced;
#[cfg(feature = "postgres")]
mod postgres;
mod record;
#[cfg(feature = "redis")]
mod redis;
mod registration;
pub mod rule;
#[cfg(feature = "sqlite")]
mod sqlite;

pub use any::AnyStore;
pub(crate) use any::Erased;
pub use commit::{Action, Applied, Base, Change, Commit, ExpiryChange, Reply, Write};
pub use connect::connect;
pub use ended::{Ended, Past};
pub use error::{StoreError, StoreErrorKind};
pub use field_name::FieldName;
pub use field_value::FieldValue;
pub use find::{Find, FoundPage};
pub use housekeeping::{Cursor, Housekeeping, Keys, Purged};
pub use id::{CommitId, Incarnation, RegistrationId, WorkId};
pub(crate) use index::IndexKey;
pub use index::{IndexEntry, Term};
pub use key::{InvalidKey, Key};
pub(crate) use key::{KeyHash, KeyHasher, shard_of};
#[cfg(feature = "conformance")]
pub use log::{Call, LogStore};
pub use memory::MemoryStore;
pub use name::InvalidName;
pub(crate) use name::check_name;
pub use namespaced::Namespaced;
pub(crate) use namespaced::SEPARATOR;
#[cfg(feature = "postgres")]
pub use postgres::{PostgresOptions, PostgresStore};
pub use record::{Found, Head, Load, Loaded, Record, StoredField};
#[cfg(feature = "redis")]
pub use redis::{RedisOptions, RedisStore, Slots};
pub use registration::{DamagedRegistration, RegisteredField, Registration, Registrations};
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
    note = "`session_runtime::connect` opens one by its URL"
)]
pub trait Store: Clone + Send + Sync + 'static {
    /// Makes the store ready: connects, creates or upgrades its schema, checks its settings. Can be called again.
    fn prepare(&self) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Reads a session, and moves its expiry if that is due.
    fn load(&self, key: &Key, load: Load) -> impl Future<Output = Result<Loaded, StoreError>> + Send;

    /// Applies a change if its base is current, and else says what is there instead. Nothing is acknowledged that names
    /// a registration which the store does not have.
    ///
    /// A store may send a commit again whose answer is missing, since its id tells whether it was applied, as long as
    /// the header keeps it: see [`Commits::have_forgotten`](rule::Commits::have_forgotten).
    fn commit(&self, key: &Key, commit: &Commit) -> impl Future<Output = Result<Reply, StoreError>> + Send;

    /// The sessions that are stored, have not expired, and have a value in a field: those whose commits named its term
    /// with the value, see [`Write::index`].
    ///
    /// No other session is in the answer. Without a limit it is what was there at one moment. With one, sessions that
    /// are found from before the first page until after the last are in one of them, perhaps in two.
    fn find(&self, find: &Find) -> impl Future<Output = Result<FoundPage, StoreError>> + Send;

    /// The initial values that instances agreed on for a session name and version, if any were registered.
    fn registration(
        &self,
        name: &str,
        version: u32,
    ) -> impl Future<Output = Result<Option<Registration>, StoreError>> + Send;

    /// Registers initial values. What is registered already stays as it is: the answer, complete, tells.
    fn register(&self, proposal: &Registration) -> impl Future<Output = Result<Registration, StoreError>> + Send;
}
