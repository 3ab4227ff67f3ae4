use std::pin::pin;

use super::deadline::within;
use super::known::Known;
use super::spans::{key_verb_span, tell_loaded};
use super::{Handle, Inner, Sessions};
use crate::codec::Codec;
use crate::error::Error;
use crate::expiry::Timestamp;
use crate::session::Session;
use crate::store::Key;
use crate::tracked::Tracked;

impl<T: Session, C: Codec> Sessions<T, C> {
    /// A new session, without a read: for a key that was just made at random, so that nothing can be stored under it.
    ///
    /// Committing it creates the session. It never changes what is there: if the key turns out to hold a session, the
    /// commit is [`Error::Occupied`], and if it held one of which the store still knows, [`Error::Destroyed`].
    ///
    /// The session is to be stored within an hour, or by its expiry if that is sooner, and the store's clock decides
    /// that: so the first start of a process looks at that clock, and then one each hour.
    ///
    /// ```
    /// # use session_runtime::{Error, MemoryStore, Session, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { visits: u32 }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), session_runtime::Error> {
    /// # let sessions = Sessions::<Visitor>::new(MemoryStore::new());
    /// let mut visitor = sessions.start("b2c9e1").await?;
    /// *visitor.edit().visits() += 1;
    /// visitor.commit().await?;
    ///
    /// let mut other = sessions.start("b2c9e1").await?;
    /// *other.edit().visits() += 1;
    /// assert!(matches!(other.commit().await, Err(Error::Occupied)));
    /// # other.discard();
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidKey`]; before the first load, those of [`Sessions::prepare`]; [`Error::Store`], when the store's
    /// clock is to be looked at.
    pub async fn start(&self, key: &str) -> Result<Handle<T, C>, Error> {
        let key = Key::new(self.inner.name.clone(), key)?;
        let span = key_verb_span("start", &key);
        let started = within(self.inner.settings.deadline, &span, pin!(self.start_key(key))).await;
        tell_loaded(&span, started.as_ref());
        started
    }

    /// The same, for who makes the key when the session is to be stored, because most that are new never are. A box is
    /// cheaper to hand on.
    #[cfg(feature = "_web")]
    pub(crate) async fn start_unnamed(&self) -> Result<Box<Handle<T, C>>, Error> {
        let key = self.inner.unnamed.clone();
        let span = key_verb_span("start", &key);
        let start = async { self.start_key(key).await.map(Box::new) };
        let started = within(self.inner.settings.deadline, &span, pin!(start)).await;
        tell_loaded(&span, started.as_deref());
        started
    }

    async fn start_key(&self, key: Key) -> Result<Handle<T, C>, Error> {
        let inner = &self.inner;
        let agreed = inner.agreed().await?;
        let now = match inner.clock.now() {
            Some(now) => now,
            None => Box::pin(inner.look_at_clock(&key)).await?,
        };
        let tracked = Tracked::initial(agreed.schema.clone())?;
        agreed.schema.watch(&tracked, now)?;
        let known = Known::started(&inner.settings.lifetime, now);
        Ok(Handle::new(self.clone(), agreed.clone(), key, tracked, known, now))
    }
}

impl<T: Session, C: Codec> Inner<T, C> {
    async fn look_at_clock(&self, key: &Key) -> Result<Timestamp, Error> {
        let now = self.look(key).await?.now;
        self.clock.showed(now);
        Ok(now)
    }
}
