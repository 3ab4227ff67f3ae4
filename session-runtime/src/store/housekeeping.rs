//! What tools ask of a store.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use super::Store;
use super::error::StoreError;
use super::key::Key;
use super::registration::Registrations;
use crate::expiry::ClockOffset;

/// A store that tools can look after: list and count its sessions, and remove what has ended.
///
/// [`Admin`](crate::Admin) needs it; [`Sessions`](crate::Sessions) does not.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say how to look after its sessions",
    label = "administration needs a store that implements `Housekeeping`",
    note = "the stores of this crate implement it; implement `Housekeeping` beside `Store` for one of your own"
)]
pub trait Housekeeping: Store {
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

    /// All registrations. A damaged one is named, and does not stand in the way of the others.
    fn registrations(&self) -> impl Future<Output = Result<Registrations, StoreError>> + Send;

    /// Removes a registration; records that name it can no longer be read, until a program that has agreed on it
    /// registers it again with its next commit. Returns whether there was one.
    fn withdraw(&self, name: &str, version: u32) -> impl Future<Output = Result<bool, StoreError>> + Send;
}

/// Where a listing of keys goes on.
#[derive(Clone, PartialEq, Eq)]
pub struct Cursor(pub Arc<[u8]>);

/// Leaves out the place, which is a key.
impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cursor(..)")
    }
}

/// A part of a listing of keys.
#[derive(Debug, Clone, PartialEq, Eq)]
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
