//! Typed sessions that are persisted only when they changed, and then only their changed fields.

pub mod codec;
mod error;
pub mod expiry;
pub mod merge;
mod schema;
mod session;
mod sessions;
pub mod store;
mod tracked;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

pub use error::{Error, Mismatch};
pub use expiry::Expiry;
pub use schema::Agreement;
pub use session::{Field, Session};
#[cfg(feature = "derive")]
pub use session_derive::Session;
pub use sessions::{Committed, Handle, Limits, Outcome, Sessions, SessionsBuilder};
#[cfg(feature = "redis")]
pub use store::RedisStore;
#[cfg(feature = "sqlite")]
pub use store::SqliteStore;
pub use store::{BoxStore, MemoryStore};
pub use tracked::{Fields, Patch, Tracked};
