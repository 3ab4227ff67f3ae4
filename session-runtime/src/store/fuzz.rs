//! Whatever bytes a store holds or answers, what this crate makes of them is a value or an error.
//!
//! Each engine has functions that take any bytes and try what its decoders say to them. The fuzzer calls them, see the
//! folder `fuzz`, and so do the tests: with samples, and with samples that were damaged.

#[cfg(feature = "postgres")]
pub use super::postgres::fuzz::rows as postgres_rows;
#[cfg(feature = "redis")]
pub use super::redis::fuzz::{answers as redis_answers, records as redis_records};
#[cfg(feature = "sqlite")]
pub use super::sqlite::fuzz::rows as sqlite_rows;
