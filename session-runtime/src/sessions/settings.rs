use std::time::Duration;

use crate::expiry::{ClockOffset, Expiry, Lifetime, Timestamp};
use crate::schema::{Agreement, WriteMigrated};
use crate::store::IndexKey;

/// The settings of [`Sessions`](super::Sessions), but for those that have a type parameter.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) expiry: Expiry,
    pub(crate) touch_share: f64,
    pub(crate) retention: Duration,
    pub(crate) agreement: Agreement,
    pub(crate) on_undecodable: OnUndecodable,
    pub(crate) write_migrated: WriteMigrated,
    pub(crate) limits: Limits,
    pub(crate) read_back: bool,
    pub(crate) index_key: Option<IndexKey>,
    pub(crate) deadline: Duration,
    pub(crate) clock: ClockOffset,
    /// What a store needs to know of the first three.
    pub(crate) lifetime: Lifetime,
}

impl Default for Settings {
    fn default() -> Self {
        let (expiry, touch_share, retention) = (Expiry::Never, 0.1, Duration::from_secs(3600));
        Self {
            expiry,
            touch_share,
            retention,
            agreement: Agreement::default(),
            on_undecodable: OnUndecodable::default(),
            write_migrated: WriteMigrated::default(),
            limits: Limits::default(),
            read_back: true,
            index_key: None,
            deadline: Duration::from_secs(10),
            clock: ClockOffset::default(),
            lifetime: Lifetime::new(expiry, touch_share, retention),
        }
    }
}

impl Settings {
    /// Keeps the headers of ended sessions at least until this date, and for the usual time after it.
    pub(super) fn keep_headers_until(&mut self, date: Timestamp) {
        let left = date.as_millis().saturating_sub(Timestamp::now(self.clock).as_millis());
        self.lifetime.retention = self.lifetime.retention.saturating_add(left.max(0));
    }
}

/// How large a session may be. What is larger fails before anything is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes of an encoded field. The default is 1 MiB.
    pub field: usize,
    /// The most bytes of a session's encoded fields together. The default is 4 MiB.
    pub record: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { field: 1 << 20, record: 4 << 20 }
    }
}

/// What a load does with a record of this program's version that it cannot decode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OnUndecodable {
    /// The load fails with [`Error::Decode`](crate::Error::Decode), and the record stays as it is.
    #[default]
    Refuse,
    /// The load moves the record aside, and the session starts anew.
    ///
    /// What is set aside keeps its expiry and its key, in the namespace `name#aside`. There [`Admin`](crate::Admin)
    /// lists, shows and destroys it like any session, and puts it back once a program can decode it. It is never
    /// written over: while one is kept, the next undecodable record of its key is refused. In a Redis Cluster it needs
    /// keys that share a slot, as a renewal does.
    SetAside,
}
