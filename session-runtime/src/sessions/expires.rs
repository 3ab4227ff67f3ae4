//! When a session expires, and what a handler wants its end to be.

use std::time::{Duration, SystemTime};

use super::handle::Handle;
use super::pending::Pending;
use crate::codec::Codec;
use crate::expiry::{Timestamp, to_millis};
use crate::session::Session;
use crate::store::ExpiryChange;

impl<T: Session, C: Codec> Handle<T, C> {
    /// When the session expires by the store's clock, if it is not used again; `None` if it does not.
    ///
    /// The same rule holds whether or not the session is stored.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use session_runtime::{Expiry, MemoryStore, Session, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { visits: u32 }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), session_runtime::Error> {
    /// let hour = Expiry::AfterInactivity(Duration::from_secs(3600));
    /// let sessions = Sessions::<Visitor>::builder(MemoryStore::new()).expiry(hour).build();
    /// assert!(sessions.load("42").await?.expires_at().is_some());
    /// # Ok(()) }
    /// ```
    pub fn expires_at(&self) -> Option<SystemTime> {
        let pending = self.pending.as_ref().map_or(ExpiryChange::Keep, Pending::expiry);
        self.expires_with(self.expiry.or(pending)).map(SystemTime::from)
    }

    /// Sets the date at which the session expires, instead of the rule of [`Expiry`](crate::expiry::Expiry). Like
    /// other changes it is stored by the next commit, if the session is stored by then.
    ///
    /// ```
    /// # use std::time::{Duration, SystemTime};
    /// # use session_runtime::{MemoryStore, Session, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { visits: u32 }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), session_runtime::Error> {
    /// # let sessions = Sessions::<Visitor>::new(MemoryStore::new());
    /// let mut visitor = sessions.load("42").await?;
    /// *visitor.edit().visits() += 1;
    /// visitor.expire_at(SystemTime::now() + Duration::from_secs(3600));
    /// visitor.commit().await?;
    /// visitor.expire_by_rule(); // it has none here, so the session does not expire
    /// assert_eq!(visitor.expires_at(), None);
    /// # Ok(()) }
    /// ```
    pub fn expire_at(&mut self, date: SystemTime) {
        self.expiry = ExpiryChange::At(date.into());
    }

    /// Gives this session a sliding lifetime of its own ("remember me"): it expires this long after it was last loaded
    /// or committed, whatever the rule says of inactivity. All instances keep to it, and a limit of the rule since the
    /// creation ([`Expiry::AfterEither`](crate::Expiry::AfterEither)) still holds. Like other changes it is stored by
    /// the next commit, if the session is stored by then.
    ///
    /// ```
    /// # use std::time::{Duration, SystemTime};
    /// # use session_runtime::{Expiry, MemoryStore, Session, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { user: Option<u64> }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), session_runtime::Error> {
    /// const DAY: Duration = Duration::from_secs(24 * 3600);
    /// let expiry = Expiry::AfterEither { inactivity: DAY / 48, creation: 90 * DAY };
    /// let sessions = Sessions::<Visitor>::builder(MemoryStore::new()).expiry(expiry).build();
    /// let mut visitor = sessions.load("42").await?;
    /// *visitor.edit().user() = Some(7);
    /// visitor.expire_after(30 * DAY);
    /// visitor.commit().await?;
    /// assert!(sessions.load("42").await?.expires_at() > Some(SystemTime::now() + 29 * DAY));
    /// # Ok(()) }
    /// ```
    pub fn expire_after(&mut self, lifetime: Duration) {
        self.expiry = ExpiryChange::After(to_millis(lifetime));
    }

    /// Lets the session expire by the rule again, after [`expire_at`](Handle::expire_at) or
    /// [`expire_after`](Handle::expire_after).
    ///
    /// ```
    /// # use std::time::{Duration, SystemTime};
    /// # use session_runtime::{MemoryStore, Session, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { visits: u32 }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), session_runtime::Error> {
    /// # let sessions = Sessions::<Visitor>::new(MemoryStore::new());
    /// let mut visitor = sessions.load("42").await?;
    /// visitor.expire_at(SystemTime::now());
    /// visitor.expire_by_rule();
    /// assert_eq!(visitor.expires_at(), None); // the rule of these sessions is that they do not expire
    /// # visitor.discard();
    /// # Ok(()) }
    /// ```
    pub fn expire_by_rule(&mut self) {
        self.expiry = ExpiryChange::ByRule;
    }

    /// When the session expires with this wish of a handler.
    pub(super) fn expires_with(&self, expiry: ExpiryChange) -> Option<Timestamp> {
        match expiry {
            ExpiryChange::Keep => self.known.expires_at(),
            ExpiryChange::At(date) => Some(date),
            ExpiryChange::ByRule | ExpiryChange::After(_) => {
                let created_at = self.known.created_at().unwrap_or(self.loaded_at);
                let lifetime = self.sessions.inner.settings.lifetime.sliding(expiry.apply_to_sliding(None));
                lifetime.expires_at(created_at, None, self.loaded_at)
            }
        }
    }

    /// The end of a stored session to which a handler gave a sliding lifetime of its own.
    #[cfg(feature = "_web")]
    pub(crate) fn sliding_end(&self) -> Option<Timestamp> {
        self.known.sliding().and(self.known.expires_at())
    }

    /// How long after its last use such a session ends.
    #[cfg(feature = "_web")]
    pub(crate) fn sliding_lifetime(&self) -> Option<Duration> {
        // The rule can set a limit since the creation, which is nearer.
        let left = self.sliding_end()?.as_millis().saturating_sub(self.loaded_at.as_millis());
        let millis = self.known.sliding()?.min(left);
        Some(Duration::from_millis(u64::try_from(millis).unwrap_or(0)))
    }
}
