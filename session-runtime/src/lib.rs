//! Typed sessions that are persisted only when they changed, and then only their changed fields.
//!
//! [`#[derive(Session)]`](derive@Session) makes a plain struct a session: its fields are tracked and compared with their
//! initial values. [`Sessions`] loads a session and lends it as a [`Handle`]; [`Handle::commit`] stores what changed, in
//! one atomic round trip, or does nothing.
//!
//! ```
//! use session_runtime::{MemoryStore, Outcome, Session, Sessions};
//!
//! #[derive(Session)]
//! struct Visitor {
//!     visits: u32,
//!     #[session(initial = "light".to_owned())]
//!     theme: String,
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), session_runtime::Error> {
//! let sessions = Sessions::<Visitor>::new(MemoryStore::new());
//!
//! let mut visitor = sessions.load("42").await?;
//! assert_eq!(visitor.commit().await?.outcome(), Outcome::Unchanged); // fresh defaults are not written
//! *visitor.edit().visits() += 1;
//! assert_eq!(visitor.commit().await?.outcome(), Outcome::Created); // one field is
//! # Ok(()) }
//! ```
//!
//! Where sessions are kept is a [`store`]; how fields become bytes is a [`codec`]; when sessions end says an [`Expiry`];
//! what becomes of a field that two overlapping commits changed says a [`merge`]. [`Tracked`] is the tracking alone.
//! [`Admin`] looks after the sessions of a store without knowing their types, and [`Stats`] says what sessions have cost.
//! [`legacy`] takes over sessions of other libraries.
//! [`check`] tells in a test what a change of a session type does to sessions that are stored.
//!
//! # Features
//!
//! | feature | what it adds |
//! |---|---|
//! | `derive` (default) | the derive macro |
//! | `sqlite` (default) | `SqliteStore`: one file, no server |
//! | `redis`, `redis-tls` | `RedisStore`: a server or a cluster, Redis or Valkey |
//! | `postgres`, `postgres-tls` | `PostgresStore` |
//! | `msgpack` | the MessagePack codec, and the reader of what tower-sessions stored: see [`legacy`] |
//! | `axum` | sessions in a web server, as an argument of handlers: see [`axum`](mod@axum) |
//! | `actix-web` | the same for actix-web: see [`actix_web`](mod@actix_web) |
//! | `teloxide` | sessions in a bot: see [`teloxide`](mod@teloxide) |
//! | `metrics` | the figures of [`Stats`], exported through the crate `metrics` |
//! | `conformance` | the suite that every store passes, and a store that logs its calls, for tests |
//!
//! Without any, tracking and the memory store are left.
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "actix-web")]
pub mod actix_web;
pub mod admin;
#[cfg(feature = "axum")]
pub mod axum;
pub mod check;
pub mod codec;
mod error;
pub mod expiry;
mod field;
pub mod legacy;
pub mod merge;
mod schema;
mod session;
mod sessions;
mod stats;
pub mod store;
#[cfg(feature = "teloxide")]
pub mod teloxide;
mod tracked;
#[cfg(feature = "_web")]
mod web;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

/// Encoded values are [`Bytes`](bytes::Bytes), and stand in public signatures.
pub use bytes;

pub use admin::{Admin, KeyStream, Purger, Purging};
#[cfg(feature = "msgpack")]
pub use codec::MessagePack;
pub use codec::{Codec, CodecError, Json};
pub use error::{Error, Mismatch};
pub use expiry::{ClockOffset, Expiry};
pub use schema::{Agreement, WriteMigrated};
pub use session::{AllFields, Field, Session};
#[cfg(feature = "derive")]
pub use session_derive::Session;
pub use sessions::{
    Absence, Committed, FoundSession, FoundSessions, Handle, Limits, OnUndecodable, Once, Outcome, Sessions,
    SessionsBuilder,
};
#[cfg(feature = "metrics")]
pub use stats::STORE_SECONDS_BUCKETS;
pub use stats::Stats;
pub use store::{AnyStore, Housekeeping, InvalidKey, MemoryStore, Store, StoreError, StoreErrorKind, WorkId, connect};
#[cfg(feature = "postgres")]
pub use store::{PostgresOptions, PostgresStore};
#[cfg(feature = "redis")]
pub use store::{RedisOptions, RedisStore, Slots};
#[cfg(feature = "sqlite")]
pub use store::{SqliteOptions, SqliteStore, Synchronous};
pub use tracked::{Fields, Patch, Tracked};
