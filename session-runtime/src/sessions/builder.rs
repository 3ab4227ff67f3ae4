use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OnceCell;

use super::{Inner, OnUndecodable, Queues, Sessions};
use crate::codec::{Codec, Json};
use crate::expiry::{ClockOffset, Expiry, Lifetime};
use crate::schema::{Agreement, Make, WriteMigrated};
use crate::session::Session;
use crate::stats::Counters;
use crate::store::Store;

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

/// Settings of [`Sessions`].
#[must_use]
pub struct SessionsBuilder<T, S, C = Json> {
    store: S,
    codec: C,
    make: Make<T>,
    expiry: Expiry,
    touch_share: f64,
    retention: Duration,
    agreement: Agreement,
    on_undecodable: OnUndecodable,
    write_migrated: WriteMigrated,
    limits: Limits,
    deadline: Duration,
    clock: ClockOffset,
}

impl<T: Session + Send + 'static, S: Store> SessionsBuilder<T, S> {
    pub(super) fn new(store: S) -> Self {
        Self {
            store,
            codec: Json,
            make: Arc::new(T::initial),
            expiry: Expiry::Never,
            touch_share: 0.1,
            retention: Duration::from_secs(3600),
            agreement: Agreement::default(),
            on_undecodable: OnUndecodable::default(),
            write_migrated: WriteMigrated::default(),
            limits: Limits::default(),
            deadline: Duration::from_secs(10),
            clock: ClockOffset::default(),
        }
    }
}

impl<T: Session + Send + 'static, S: Store, C: Codec> SessionsBuilder<T, S, C> {
    /// How fields are encoded. The default is [`Json`].
    pub fn codec<D: Codec>(self, codec: D) -> SessionsBuilder<T, S, D> {
        SessionsBuilder {
            store: self.store,
            codec,
            make: self.make,
            expiry: self.expiry,
            touch_share: self.touch_share,
            retention: self.retention,
            agreement: self.agreement,
            on_undecodable: self.on_undecodable,
            write_migrated: self.write_migrated,
            limits: self.limits,
            deadline: self.deadline,
            clock: self.clock,
        }
    }

    /// When a session ends by itself. The default is never.
    pub fn expiry(self, expiry: Expiry) -> Self {
        Self { expiry, ..self }
    }

    /// Which share of the time to live must have passed before a load moves a sliding expiry: from 0, on every load,
    /// to 1. The default is a tenth, so that most read-only requests write nothing.
    pub fn touch_share(self, share: f64) -> Self {
        Self { touch_share: share.clamp(0.0, 1.0), ..self }
    }

    /// How long the header of an ended session is kept, so that those who still hold it learn that it ended. It is
    /// also how long an expired session stays before it is removed. The default is an hour.
    pub fn retention(self, retention: Duration) -> Self {
        Self { retention, ..self }
    }

    /// The initial value of a session, instead of the one that its type declares.
    pub fn initial(self, initial: impl Fn() -> T + Send + Sync + 'static) -> Self {
        Self { make: Arc::new(initial), ..self }
    }

    /// What to do when this program's initial values are not those that all instances agreed on. The default is to
    /// refuse.
    pub fn agreement(self, agreement: Agreement) -> Self {
        Self { agreement, ..self }
    }

    /// What to do with a record that cannot be decoded. The default is to refuse it.
    pub fn on_undecodable(self, on_undecodable: OnUndecodable) -> Self {
        Self { on_undecodable, ..self }
    }

    /// When a session that an older version of its type stored is stored in the new form. The default is with its
    /// next change.
    pub fn write_migrated(self, write_migrated: WriteMigrated) -> Self {
        Self { write_migrated, ..self }
    }

    /// How large a session may be.
    pub fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// How long a commit goes on rebasing on the commits of other processes. The default is ten seconds.
    pub fn deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// Moves the store's clock, for tests.
    pub fn clock_offset(self, clock: ClockOffset) -> Self {
        Self { clock, ..self }
    }

    /// The sessions. Nothing is checked yet: see [`Sessions::prepare`].
    pub fn build(self) -> Sessions<T, S, C> {
        let name = T::CONTAINER.name.into();
        Sessions {
            inner: Arc::new(Inner {
                counters: Counters::new(&name),
                store: self.store,
                codec: self.codec,
                name,
                make: self.make,
                agreement: self.agreement,
                on_undecodable: self.on_undecodable,
                write_migrated: self.write_migrated,
                limits: self.limits,
                lifetime: Lifetime::new(self.expiry, self.touch_share, self.retention),
                deadline: self.deadline,
                clock: self.clock,
                ready: OnceCell::new(),
                queues: Queues::new(),
            }),
        }
    }
}

impl<T, S: std::fmt::Debug, C> std::fmt::Debug for SessionsBuilder<T, S, C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionsBuilder")
            .field("store", &self.store)
            .field("expiry", &self.expiry)
            .finish_non_exhaustive()
    }
}
