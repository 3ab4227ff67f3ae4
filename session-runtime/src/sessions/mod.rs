//! How a session travels: load, lend, commit.

use std::any::TypeId;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use tokio::sync::OnceCell;
use tracing::{Instrument, debug_span};

use crate::codec::{Codec, Json};
use crate::error::Error;
use crate::expiry::{ClockOffset, Lifetime};
use crate::schema::{Agreement, Make, Schema, WriteMigrated, migration};
use crate::session::Session;
use crate::stats::{Count, Counters};
use crate::store::{Found, Head, Key, Load, Loaded, Record, RegistrationId, Store};
use crate::tracked::{Baseline, baseline_of, restore};

mod admin;
mod aside;
mod builder;
mod commit;
mod handle;
mod queue;
mod update;

pub use aside::OnUndecodable;
pub use builder::{Limits, SessionsBuilder};
pub use handle::{Committed, Handle, Outcome};
use queue::Queues;

/// The sessions of type `T` in a store.
///
/// Clones are cheap and share everything. One per session type is enough for a program.
pub struct Sessions<T: Session, S, C = Json> {
    pub(crate) inner: Arc<Inner<T, S, C>>,
}

pub(crate) struct Inner<T: Session, S, C> {
    store: S,
    codec: C,
    name: Arc<str>,
    make: Make<T>,
    agreement: Agreement,
    on_undecodable: OnUndecodable,
    write_migrated: WriteMigrated,
    limits: Limits,
    lifetime: Lifetime,
    deadline: std::time::Duration,
    clock: ClockOffset,
    ready: OnceCell<Ready<T, C>>,
    queues: Arc<Queues>,
    counters: Arc<Counters>,
}

/// What is known once all instances agreed on the initial state.
struct Ready<T, C> {
    schema: Arc<Schema<T, C>>,
    registration: RegistrationId,
}

/// A stored session, decoded.
struct Restored<T> {
    head: Head,
    value: T,
    baseline: Baseline,
    /// Whether an older version of the type stored it: the next commit then replaces all of it.
    migrated: bool,
}

impl<T: Session + Send + 'static, S: Store> Sessions<T, S> {
    /// The sessions of type `T` in `store`: in JSON, without expiry, with the default limits.
    pub fn new(store: S) -> Self {
        Self::builder(store).build()
    }

    /// The sessions of type `T` in `store`, with settings.
    pub fn builder(store: S) -> SessionsBuilder<T, S> {
        SessionsBuilder::new(store)
    }
}

impl<T: Session + Send + 'static, S: Store, C: Codec> Sessions<T, S, C> {
    /// Checks the store, its schema, and that all instances agree on the initial state. Without it, the first load
    /// does.
    ///
    /// # Errors
    /// [`Error::Store`] when the store is not usable, [`Error::InitialStateMismatch`], [`Error::UnstableInitial`] and
    /// [`Error::OtherCodec`] when this program does not agree with the others, [`Error::NameTaken`] when another
    /// session type of this process has the same name.
    pub async fn prepare(&self) -> Result<(), Error> {
        self.ready().await.map(drop)
    }

    /// Loads the session of `key`, known or new, in one read.
    ///
    /// With a sliding expiry this counts as activity.
    ///
    /// # Errors
    /// [`Error::InvalidKey`]; [`Error::Store`] when the store fails, which is never taken for a new session;
    /// [`Error::Decode`], [`Error::NewerVersion`], [`Error::NoMigration`] and [`Error::RegistrationGone`] when what is
    /// stored cannot be read by this program: it is left as it is. Before the first load, those of
    /// [`Sessions::prepare`].
    pub async fn load(&self, key: &str) -> Result<Handle<T, S, C>, Error> {
        let key = Key::new(self.inner.name.clone(), key)?;
        let ready = self.ready().await?;
        let inner = &self.inner;
        let mut sets_aside = inner.on_undecodable == OnUndecodable::SetAside;
        loop {
            let loaded = inner.fetch(&key).await?;
            let record = match loaded.found {
                Found::Absent { saw } => {
                    return Handle::absent(self.clone(), ready.schema.clone(), key, saw, loaded.now);
                }
                Found::Record(record) => record,
            };
            let head = record.head;
            inner.count_touch(&head, loaded.touched);
            let restored = inner.restore(ready, record).await;
            match restored.inspect_err(|_| inner.counters.add(Count::LoadFailures, 1)) {
                Ok(restored) => {
                    return Handle::known(self.clone(), ready.schema.clone(), key, restored, loaded.now);
                }
                // Looked at once more, whatever became of it, and only once.
                Err(Error::Decode { .. })
                    if ready.wrote(&head)
                        && std::mem::take(&mut sets_aside)
                        && Box::pin(inner.set_aside(&key, &head)).await? => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The store.
    pub fn store(&self) -> &S {
        &self.inner.store
    }

    async fn ready(&self) -> Result<&Ready<T, C>, Error> {
        // Looked at first, because the cell's future is large and nearly every call finds it filled.
        match self.inner.ready.get() {
            Some(ready) => Ok(ready),
            None => self.inner.ready.get_or_try_init(|| self.inner.prepare()).await,
        }
    }
}

impl<T: Session, C> Ready<T, C> {
    /// Whether a record is of this program's version, and differs from the initial values that it agreed on.
    fn wrote(&self, head: &Head) -> bool {
        head.version == T::CONTAINER.version && head.registration == self.registration
    }
}

impl<T: Session + Send + 'static, S: Store, C: Codec> Inner<T, S, C> {
    async fn prepare(&self) -> Result<Ready<T, C>, Error> {
        claim_name::<T>()?;
        let span = debug_span!("session_store", operation = "prepare", session = &*self.name);
        self.store.prepare().instrument(span.clone()).await?;
        let mut schema = Schema::new(self.codec.clone(), self.make.clone())?;
        let registration = schema.agree(&self.store, &self.name, self.agreement).instrument(span).await?;
        Ok(Ready { schema: Arc::new(schema), registration })
    }

    /// Counts whether a load moved the sliding expiry of a stored session.
    fn count_touch(&self, head: &Head, touched: bool) {
        if touched {
            self.counters.add(Count::TouchesSent, 1);
        } else if head.stored && head.until.is_none() && self.lifetime.inactivity.is_some() {
            self.counters.add(Count::TouchesSkipped, 1);
        }
    }

    /// Reads what the store holds.
    async fn fetch(&self, key: &Key) -> Result<Loaded, Error> {
        let span = debug_span!("session_store", operation = "load", session = key.name(), key = %KeyHash::of(key));
        let load = self.store.load(key, Load { lifetime: self.lifetime, clock: self.clock });
        let loaded = load.instrument(span).await.inspect_err(|_| self.counters.add(Count::LoadFailures, 1))?;
        self.counters.add(Count::Loads, 1);
        let known = matches!(loaded.found, Found::Record(_));
        tracing::debug!(session = key.name(), key = %KeyHash::of(key), known, touched = loaded.touched, "loaded");
        Ok(loaded)
    }

    /// Decodes a record, through older versions of the type if need be.
    async fn restore(&self, ready: &Ready<T, C>, record: Record) -> Result<Restored<T>, Error> {
        let Record { head, fields } = record;
        if !head.stored {
            // The header that an emptied session left holds nothing that another version could have meant otherwise.
            let (value, baseline) = (ready.schema.initial()?, Baseline::initial(T::LEN));
            return Ok(Restored { head, value, baseline, migrated: false });
        }
        let version = T::CONTAINER.version;
        if head.version > version {
            return Err(Error::NewerVersion { stored: head.version, supported: version });
        }
        if head.version == version {
            if !ready.wrote(&head) {
                return Err(Error::RegistrationGone);
            }
            let (value, baseline) = restore(&ready.schema, fields)?;
            return Ok(Restored { head, value, baseline, migrated: false });
        }
        let span = debug_span!("session_store", operation = "registration", session = &*self.name);
        let registration = self.store.registration(&self.name, head.version).instrument(span).await?;
        let registration = registration.filter(|found| found.id == head.registration).ok_or(Error::RegistrationGone)?;
        let value: T = migration::migrate(&ready.schema.codec, head.version, fields, &registration)?;
        let baseline = baseline_of(&ready.schema, &value)?;
        Ok(Restored { head, value, baseline, migrated: true })
    }
}

/// Keeps two session types of one process from sharing a name, and with it a namespace.
fn claim_name<T: Session + 'static>() -> Result<(), Error> {
    static NAMES: LazyLock<Mutex<HashMap<(&'static str, u32), TypeId>>> = LazyLock::new(Mutex::default);
    // Versions of one session type are different types.
    let name = (T::CONTAINER.name, T::CONTAINER.version);
    let owner = *NAMES.lock().unwrap_or_else(PoisonError::into_inner).entry(name).or_insert(TypeId::of::<T>());
    if owner == TypeId::of::<T>() { Ok(()) } else { Err(Error::NameTaken { name: name.0 }) }
}

impl<T: Session, S, C> Clone for Sessions<T, S, C> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone() }
    }
}

impl<T: Session, S, C> fmt::Debug for Sessions<T, S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").field("name", &self.inner.name).finish_non_exhaustive()
    }
}

/// A key in a log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeyHash(u64);

impl KeyHash {
    pub(crate) fn of(key: &Key) -> Self {
        Self(key.keyed_hash())
    }
}

impl fmt::Display for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}
