//! Typed sessions that are persisted only when they changed, and then only their changed fields.

pub mod codec;
pub mod expiry;
mod session;
pub mod store;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

pub use session::{Field, Session};
