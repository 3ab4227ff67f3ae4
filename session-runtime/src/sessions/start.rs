use std::pin::pin;

use super::deadline::within;
use super::known::Known;
use super::{Handle, Sessions};
use crate::codec::Codec;
use crate::error::Error;
use crate::expiry::Timestamp;
use crate::session::Session;
use crate::store::Key;
use crate::tracked::Tracked;

impl<T: Session, C: Codec> Sessions<T, C> {
    /// A new session, without a read: for a key that was just made at random, so that nothing can be stored under it.
    ///
    /// Committing it creates the session, within an hour by the clocks of this machine and of the store. It never
    /// changes what is there: if the key turns out to hold a session, the commit is [`Error::Occupied`], and if it held
    /// one of which the store still knows, [`Error::Destroyed`].
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
    /// visitor.commit().await?; // the first and only call to the store
    ///
    /// let mut other = sessions.start("b2c9e1").await?;
    /// *other.edit().visits() += 1;
    /// assert!(matches!(other.commit().await, Err(Error::Occupied)));
    /// # other.discard();
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidKey`]; before the first load, those of [`Sessions::prepare`].
    pub async fn start(&self, key: &str) -> Result<Handle<T, C>, Error> {
        let key = Key::new(self.inner.name.clone(), key)?;
        let settings = &self.inner.settings;
        let agreed = within(settings.deadline, pin!(self.inner.agreed())).await?;
        let now = Timestamp::now(settings.clock);
        let tracked = Tracked::initial(agreed.schema.clone())?;
        agreed.schema.watch(&tracked, now)?;
        let known = Known::started(&settings.lifetime, now);
        Ok(Handle::new(self.clone(), agreed.clone(), key, tracked, known, now))
    }
}
