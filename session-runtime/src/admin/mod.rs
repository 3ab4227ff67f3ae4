//! Looking after sessions without knowing their types: listing, showing, destroying, purging.
//!
//! What a tool must know of a session type stands in its registration: the names of its fields, their initial values,
//! how they are encoded, and which are sensitive. [`Sessions::admin`](crate::Sessions::admin) is the same for the sessions of one type.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OnceCell;
use tracing::{Instrument, Span, debug_span};

use crate::error::Error;
use crate::expiry::{ClockOffset, Lifetime, to_millis};
use crate::schema::Sensitive;
use crate::stats::{Count, Counters};
use crate::store::{
    Action, Base, Commit, Cursor, Found, Housekeeping, Key, KeyHash, Keys, Load, Purged, Record, Registration, Reply,
    StoreError, StoreErrorKind,
};

mod date;
mod inspected;
mod listing;
mod of_sessions;
mod purging;

pub use inspected::{Inspected, InspectedField, InspectedValue};
pub use listing::KeyStream;
pub use purging::{Purger, Purging};

/// How many keys are asked for at a time. Some stores look at all keys for each part of a listing.
const LISTED_AT_ONCE: usize = 4096;

/// How many records are removed at a time.
const PURGED_AT_ONCE: usize = 1000;

/// How often a session is looked for again that was replaced while it was about to be destroyed.
const TRIES: u32 = 64;

/// Administration of all sessions in a store, whatever their types.
///
/// Looking at a session is no activity: it moves no expiry.
///
/// ```
/// # use session_runtime::{Admin, MemoryStore, Session, Sessions};
/// # #[derive(Session)]
/// # #[session(name = "visitor")]
/// # struct Visitor { visits: u32, #[session(sensitive)] token: String }
/// # async fn look() -> Result<(), session_runtime::Error> {
/// # let store = MemoryStore::new();
/// # Sessions::<Visitor>::new(store.clone()).update("42", |visitor| *visitor.edit().visits() += 1).await?;
/// let admin = Admin::new(store);
/// let mut keys = admin.keys("visitor");
/// while let Some(key) = keys.next().await {
///     let visitor = admin.inspect("visitor", key?.id()).await?.expect("it is stored");
///     assert_eq!(visitor.to_json()["fields"]["visits"]["value"], 1);
///     assert_eq!(visitor.to_json()["fields"]["token"]["redacted"], true);
/// }
/// assert!(admin.destroy("visitor", "42").await?);
/// # Ok(())
/// # }
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(look()).unwrap();
/// ```
pub struct Admin<S> {
    store: S,
    clock: ClockOffset,
    retention: i64,
    prepared: Arc<OnceCell<()>>,
    counters: Option<Arc<Counters>>,
    /// The fields that a session type marks as sensitive, if this is the administration of one.
    sensitive: Option<Arc<Sensitive>>,
}

/// How many sessions of a name there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameStats {
    /// The session's name.
    pub name: Arc<str>,
    /// The versions that are registered, the oldest first.
    pub versions: Vec<u32>,
    /// How many sessions of this name are stored and have not expired.
    pub sessions: u64,
}

impl<S: Housekeeping> Admin<S> {
    /// The administration of `store`.
    pub fn new(store: S) -> Self {
        let retention = to_millis(Duration::from_secs(3600));
        Self {
            store,
            clock: ClockOffset::default(),
            retention,
            prepared: Arc::default(),
            counters: None,
            sensitive: None,
        }
    }

    /// How long the headers of sessions that this destroys are kept; see
    /// [`retention`](crate::SessionsBuilder::retention). The default is an hour.
    #[must_use]
    pub fn retention(self, retention: Duration) -> Self {
        Self { retention: to_millis(retention), ..self }
    }

    /// Moves the store's clock, for tests.
    #[must_use]
    pub fn clock_offset(self, clock: ClockOffset) -> Self {
        Self { clock, ..self }
    }

    fn of_sessions(self, sensitive: Sensitive, counters: Arc<Counters>) -> Self {
        Self { sensitive: Some(Arc::new(sensitive)), counters: Some(counters), ..self }
    }

    /// The store.
    pub fn store(&self) -> &S {
        &self.store
    }

    /// All registrations: the session names and versions that programs have served, and their initial values.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn registrations(&self) -> Result<Vec<Registration>, Error> {
        self.prepare().await?;
        Ok(self.store.registrations().instrument(span("registrations", "")).await?)
    }

    /// Removes a registration, so that the next program that starts registers its own initial values. Returns whether
    /// there was one.
    ///
    /// Records that refer to it can no longer be read by any program: do this only when there are none.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn withdraw(&self, name: &str, version: u32) -> Result<bool, Error> {
        self.prepare().await?;
        Ok(self.store.withdraw(name, version).instrument(span("withdraw", name)).await?)
    }

    /// The keys of the sessions of this name that are stored and have not expired, in an order of the store's own.
    ///
    /// Sessions that are stored from the first key until after the last are listed exactly once.
    pub fn keys(&self, name: &str) -> KeyStream<S> {
        KeyStream::new(self.clone(), name.into())
    }

    /// How many sessions of this name are stored and have not expired.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn count(&self, name: &str) -> Result<u64, Error> {
        self.prepare().await?;
        Ok(self.store.count(name, self.clock).instrument(span("count", name)).await?)
    }

    /// How many sessions there are of each registered name.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn stats(&self) -> Result<Vec<NameStats>, Error> {
        let mut names: BTreeMap<Arc<str>, Vec<u32>> = BTreeMap::new();
        for registration in self.registrations().await? {
            names.entry(registration.name).or_default().push(registration.version);
        }
        let mut stats = Vec::with_capacity(names.len());
        for (name, mut versions) in names {
            versions.sort_unstable();
            let sessions = self.count(&name).await?;
            stats.push(NameStats { name, versions, sessions });
        }
        Ok(stats)
    }

    /// Shows a session; `None` if none is stored under this key.
    ///
    /// Values of fields that the session's registration marks as sensitive are redacted, and so are those of which it
    /// is not known: fields that the registration does not have, and all if it was withdrawn.
    ///
    /// # Errors
    /// [`Error::InvalidKey`], [`Error::Store`].
    pub async fn inspect(&self, name: &str, id: &str) -> Result<Option<Inspected>, Error> {
        let key = Key::new(name.into(), id)?;
        let Some(record) = self.look(&key).await?.filter(|record| record.head.stored) else { return Ok(None) };
        let version = record.head.version;
        let registered = self.store.registration(name, version).instrument(span("registration", name)).await?;
        let registration = registered.filter(|registration| registration.id == record.head.registration);
        let found = Inspected::new(key, record, registration);
        Ok(Some(match &self.sensitive {
            Some(sensitive) => found.redact(|field| sensitive.contains(field)),
            None => found,
        }))
    }

    /// Destroys a session; handles that were loaded before can no longer store anything. Returns whether a session was
    /// stored.
    ///
    /// # Errors
    /// [`Error::InvalidKey`]; [`Error::Store`], as [`Busy`](StoreErrorKind::Busy) if the session is created anew as
    /// fast as it is destroyed. It can be tried again.
    pub async fn destroy(&self, name: &str, id: &str) -> Result<bool, Error> {
        let key = Key::new(name.into(), id)?;
        for _ in 0..TRIES {
            let Some(record) = self.look(&key).await? else { return Ok(false) };
            let (base, lifetime) = (Base::from(&record.head), Lifetime::unruled(self.retention));
            let commit = Commit::new(base, Action::Destroy, lifetime, self.clock);
            if let Reply::Applied(applied) =
                self.store.commit(&key, &commit).instrument(key_span("destroy", &key)).await?
            {
                return Ok(applied.was_stored);
            }
            // It ended since, or another took its place.
        }
        let message = "the session was created anew each time it was about to be destroyed; try again";
        Err(StoreError::new(StoreErrorKind::Busy, message).into())
    }

    /// Puts a record that could not be decoded and was set aside back under its key, where a program that can decode
    /// it finds it. Returns whether one was kept aside.
    ///
    /// See [`OnUndecodable::SetAside`](crate::OnUndecodable::SetAside). What is set aside is listed, shown and
    /// destroyed under the name `name#aside`.
    ///
    /// # Errors
    /// [`Error::Occupied`] when a session is stored under the key by now; [`Error::InvalidKey`]; [`Error::Store`].
    pub async fn put_back(&self, name: &str, id: &str) -> Result<bool, Error> {
        let key = Key::new(name.into(), id)?;
        let aside = key.aside();
        let Some(record) = self.look(&aside).await?.filter(|record| record.head.stored) else { return Ok(false) };
        let commit = Commit::relocation(&record.head, key, self.retention, self.clock);
        match self.store.commit(&aside, &commit).instrument(key_span("put_back", &aside)).await? {
            Reply::Applied(_) => Ok(true),
            Reply::Occupied => Err(Error::Occupied),
            Reply::Conflict(_) | Reply::Ended(_) => {
                let message = "the record that is kept aside changed just now; try again";
                Err(StoreError::new(StoreErrorKind::Busy, message).not_applied().into())
            }
        }
    }

    /// Removes records and headers whose retention is over, of all names. Awaited it returns how many; as a stream it
    /// tells of each batch, so that progress can be shown.
    pub fn purge(&self) -> Purging<S> {
        Purging::new(self.clone())
    }

    /// Purges now and then once every `period`, in the background, until the returned guard is dropped. An error is
    /// logged, and the next turn tries again.
    ///
    /// # Errors
    /// [`Error::Store`] as [`Configuration`](StoreErrorKind::Configuration) outside of a Tokio runtime. The runtime
    /// must have its timer enabled.
    pub fn purge_every(&self, period: Duration) -> Result<Purger, Error> {
        Purger::start(self.clone(), period)
    }

    async fn prepare(&self) -> Result<(), Error> {
        let prepare = || self.store.prepare().instrument(span("prepare", ""));
        self.prepared.get_or_try_init(prepare).await?;
        Ok(())
    }

    async fn page(&self, name: &str, after: Option<Cursor>) -> Result<Keys, Error> {
        self.prepare().await?;
        Ok(self.store.keys(name, after, LISTED_AT_ONCE, self.clock).instrument(span("keys", name)).await?)
    }

    async fn purge_batch(&self) -> Result<Purged, Error> {
        self.prepare().await?;
        let purged = self.store.purge(PURGED_AT_ONCE, self.clock).instrument(span("purge", "")).await?;
        if let Some(counters) = &self.counters {
            counters.add(Count::PurgeBatches, 1);
            counters.add(Count::Purged, purged.removed);
        }
        Ok(purged)
    }

    /// What is there, without moving its expiry.
    async fn look(&self, key: &Key) -> Result<Option<Record>, Error> {
        self.prepare().await?;
        match self.store.load(key, Load::look(self.clock)).instrument(key_span("load", key)).await?.found {
            Found::Record(record) => Ok(Some(record)),
            Found::Absent { .. } => Ok(None),
        }
    }
}

fn span(operation: &'static str, session: &str) -> Span {
    debug_span!("session_store", operation, session)
}

fn key_span(operation: &'static str, key: &Key) -> Span {
    debug_span!("session_store", operation, session = key.name(), key = %KeyHash::of(key))
}

impl<S: Clone> Clone for Admin<S> {
    fn clone(&self) -> Self {
        Self {
            store: self.store.clone(),
            clock: self.clock,
            retention: self.retention,
            prepared: self.prepared.clone(),
            counters: self.counters.clone(),
            sensitive: self.sensitive.clone(),
        }
    }
}

impl<S: fmt::Debug> fmt::Debug for Admin<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admin").field("store", &self.store).finish_non_exhaustive()
    }
}
