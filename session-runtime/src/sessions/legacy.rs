//! Sessions that another library stored, and how they are asked for.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::error::LegacyError;
use crate::expiry::{Timestamp, to_millis};
use crate::store::{ExpiryChange, Key, KeyHash};

/// Takes over sessions that another library stored: each at the first load of its key, once.
///
/// A load that finds nothing stored under a key, and no trace of a session that ended there, asks the function for the
/// old session. What it returns is the session's content from then on, and is stored as a whole by the next commit, also
/// by one of a handler that changed nothing. The old session stays as it is: nothing here writes to the old store.
///
/// ```
/// # use std::collections::HashMap;
/// # use std::sync::Arc;
/// # use std::time::{Duration, SystemTime};
/// use session_runtime::legacy::{self, Legacy, Old};
/// use session_runtime::{MemoryStore, Outcome, Session, Sessions};
///
/// #[derive(Session)]
/// struct Visitor {
///     visits: u32,
///     theme: String,
/// }
///
/// #[derive(serde::Deserialize)]
/// struct OldVisitor {
///     visits: u32,
/// }
///
/// impl From<OldVisitor> for Visitor {
///     fn from(old: OldVisitor) -> Self {
///         Self { visits: old.visits, ..Self::initial() }
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), session_runtime::Error> {
/// # let old_store = Arc::new(HashMap::from([("42".to_owned(), br#"{"visits":"7"}"#.to_vec())]));
/// # let in_a_month = SystemTime::now() + Duration::from_secs(30 * 24 * 3600);
/// let legacy = Legacy::until(in_a_month, move |key| {
///     let old_store = old_store.clone();
///     async move {
///         let Some(stored) = old_store.get(&key) else { return Ok(None) };
///         let old: OldVisitor = legacy::actix_session(stored)?;
///         Ok(Some(Old::new(old.into())))
///     }
/// });
/// let sessions = Sessions::<Visitor>::builder(MemoryStore::new()).legacy(legacy).build();
///
/// let mut visitor = sessions.load("42").await?; // asks the old store, this once
/// assert_eq!(visitor.visits, 7);
/// assert_eq!(visitor.commit().await?.outcome(), Outcome::Created); // also where nothing was changed
/// # Ok(()) }
/// ```
///
/// What ends after that does not come back from the old store: the headers of ended sessions are kept until the date.
/// What is loaded and never committed is asked for again.
pub struct Legacy<T> {
    until: Timestamp,
    ask: Arc<Ask<T>>,
    after: Option<Arc<After>>,
    skips_damaged: bool,
}

type Ask<T> = dyn Fn(String) -> Asking<T> + Send + Sync;
type Asking<T> = Pin<Box<dyn Future<Output = Result<Option<Old<T>>, LegacyError>> + Send>>;
type After = dyn Fn(&str) + Send + Sync;

impl<T: 'static> Legacy<T> {
    /// Asks `ask` for the old session of a key, until this date by the store's clock. Then the old store can go.
    ///
    /// Until then the headers of sessions that end are kept, some 200 bytes each, so choose it as late as old sessions are
    /// worth waiting for, and no later. Set it to the same date everywhere.
    pub fn until<F>(date: SystemTime, ask: impl Fn(String) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Option<Old<T>>, LegacyError>> + Send + 'static,
    {
        let ask = move |key| -> Asking<T> { Box::pin(ask(key)) };
        Self { until: date.into(), ask: Arc::new(ask), after: None, skips_damaged: false }
    }

    /// Calls `after` with the key of each old session that has been stored here, for whoever wants to delete it there.
    ///
    /// It is called in the middle of a commit, so let it send the key to a task and return. A process that dies right
    /// after a commit does not call it.
    #[must_use]
    pub fn after(self, after: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self { after: Some(Arc::new(after)), ..self }
    }

    /// Begins a new session where the old one cannot be read ([`LegacyError::Damaged`]), with a warning in the log. By
    /// default such a load fails with [`Error::Legacy`](crate::Error::Legacy).
    #[must_use]
    pub fn skip_damaged(self) -> Self {
        Self { skips_damaged: true, ..self }
    }

    /// The same, for keys that are longer than those of the old store by so many bytes at their beginning.
    #[cfg(feature = "_web")]
    pub(crate) fn behind(self, prefix: usize) -> Self {
        let Self { until, ask, after, skips_damaged } = self;
        let ask: Arc<Ask<T>> = Arc::new(move |key| ask(key.get(prefix..).unwrap_or_default().to_owned()));
        let after = after
            .map(|after| -> Arc<After> { Arc::new(move |key: &str| after(key.get(prefix..).unwrap_or_default())) });
        Self { until, ask, after, skips_damaged }
    }
}

impl<T> Legacy<T> {
    pub(super) fn end(&self) -> Timestamp {
        self.until
    }

    /// The old session of a key, if one goes on `now`.
    pub(super) async fn find(&self, key: &Key, now: Timestamp) -> Result<Option<Old<T>>, LegacyError> {
        if now >= self.until {
            return Ok(None);
        }
        match (self.ask)(key.id().to_owned()).await {
            Ok(old) => Ok(old.filter(|old| old.goes_on(now))),
            Err(LegacyError::Damaged(error)) if self.skips_damaged => {
                let (session, key) = (key.name(), KeyHash::of(key));
                tracing::warn!(session, %key, %error, "left an old session alone that cannot be read");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Says that the old session of a key is stored.
    pub(super) fn moved(&self, key: &str) {
        if let Some(after) = &self.after {
            after(key);
        }
    }
}

impl<T> Clone for Legacy<T> {
    fn clone(&self) -> Self {
        let Self { until, ask, after, skips_damaged } = self;
        Self { until: *until, ask: ask.clone(), after: after.clone(), skips_damaged: *skips_damaged }
    }
}

impl<T> fmt::Debug for Legacy<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Legacy").field("until", &self.until).finish_non_exhaustive()
    }
}

/// An old session, as the session that it becomes.
pub struct Old<T> {
    pub(super) value: T,
    pub(super) expiry: ExpiryChange,
}

impl<T> Old<T> {
    /// One that ends by the rule of its new sessions, as if it had been used just now.
    pub fn new(value: T) -> Self {
        Self { value, expiry: ExpiryChange::Keep }
    }

    /// Keeps the date at which it was to end, whatever the rule says: see
    /// [`Handle::expire_at`](crate::Handle::expire_at). One whose date is over is not taken over.
    #[must_use]
    pub fn expire_at(self, date: SystemTime) -> Self {
        Self { expiry: ExpiryChange::At(date.into()), ..self }
    }

    /// Gives it a sliding lifetime of its own: see [`Handle::expire_after`](crate::Handle::expire_after).
    #[must_use]
    pub fn expire_after(self, lifetime: Duration) -> Self {
        Self { expiry: ExpiryChange::After(to_millis(lifetime)), ..self }
    }

    fn goes_on(&self, now: Timestamp) -> bool {
        !matches!(self.expiry, ExpiryChange::At(date) if date <= now)
    }
}

/// Shows no value: it can be secret.
impl<T> fmt::Debug for Old<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Old").field("expiry", &self.expiry).finish_non_exhaustive()
    }
}
