//! Typed sessions that are persisted only when they changed, and then only their changed fields.

mod session;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

pub use session::{Field, Session};
#[cfg(feature = "derive")]
pub use session_derive::Session;
