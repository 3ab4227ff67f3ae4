use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OnceCell;
use tracing::Instrument;

use crate::error::Error;
use crate::expiry::{ClockOffset, to_millis};
use crate::schema::Sensitive;
use crate::sessions::{key_span, span};
use crate::stats::Counters;
use crate::store::{Found, Housekeeping, Key, Load, Record};

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
    pub(super) store: S,
    pub(super) clock: ClockOffset,
    pub(super) retention: i64,
    prepared: Arc<OnceCell<()>>,
    pub(super) counters: Option<Arc<Counters>>,
    /// The fields that a session type marks as sensitive, if this is the administration of one.
    pub(super) sensitive: Option<Arc<Sensitive>>,
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
    /// [`retention`](crate::SessionsBuilder::retention). The default is an hour, and so is
    /// the least; a session for which its program asked for longer is kept so.
    #[must_use]
    pub fn retention(self, retention: Duration) -> Self {
        Self { retention: to_millis(retention), ..self }
    }

    /// Moves the store's clock, for tests.
    #[must_use]
    pub fn clock_offset(self, clock: ClockOffset) -> Self {
        Self { clock, ..self }
    }

    pub(super) fn of_sessions(self, sensitive: Sensitive, counters: Arc<Counters>) -> Self {
        Self { sensitive: Some(Arc::new(sensitive)), counters: Some(counters), ..self }
    }

    /// The store.
    pub fn store(&self) -> &S {
        &self.store
    }

    pub(super) async fn prepare(&self) -> Result<(), Error> {
        let prepare = || self.store.prepare().instrument(span("prepare", ""));
        self.prepared.get_or_try_init(prepare).await?;
        Ok(())
    }

    /// What is there, without moving its expiry.
    pub(super) async fn look(&self, key: &Key) -> Result<Option<Record>, Error> {
        self.prepare().await?;
        match self.store.load(key, Load::look(self.clock)).instrument(key_span("load", key)).await?.found {
            Found::Record(record) => Ok(Some(record)),
            Found::Absent { .. } => Ok(None),
        }
    }
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
