use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use super::error::ChatError;
use super::lease::Lease;
use super::slot::Slot;
use crate::codec::{Codec, Json};
use crate::error::Error;
use crate::session::Session;
use crate::sessions::{Committed, Handle, Once, Outcome};

/// What a handler takes to get at the session of its update: [`get`](ChatSession::get) lends it.
///
/// A handler that takes it and does not ask costs no call to the store.
///
/// ```
/// use session_runtime::Session;
/// use session_runtime::teloxide::ChatSession;
///
/// #[derive(Session)]
/// struct Chat {
///     count: u32,
/// }
///
/// type HandlerResult = Result<(), Box<dyn std::error::Error + Send + Sync>>;
///
/// async fn count(chat: ChatSession<Chat>) -> HandlerResult {
///     *chat.get().await?.edit().count() += 1;
///     Ok(()) // it is stored now
/// }
/// # drop(count);
/// ```
pub struct ChatSession<T: Session, C: Codec = Json> {
    pub(super) slot: Arc<Slot<T, C>>,
}

impl<T: Session, C: Codec> ChatSession<T, C> {
    /// Lends the session. The first time it is loaded, in one read; later in the same update it is as it was left.
    ///
    /// # Errors
    /// [`ChatError::DoneBefore`] if the update was delivered before and is done: pass it on, before anything is sent to
    /// anybody. [`ChatError::InUse`] while it is lent; [`ChatError::Finished`] after the handler has returned;
    /// [`ChatError::Session`] when it cannot be loaded.
    pub async fn get(&self) -> Result<LentSession<T, C>, ChatError> {
        let lease = self.slot.take()?;
        // From here on the slot gets it back, whatever happens.
        let mut lent = LentSession { slot: self.slot.clone(), lease };
        if lent.lease.is_none() {
            lent.lease = Some(self.slot.load().await?);
        }
        Ok(lent)
    }

    /// The key of the session.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.slot.key
    }
}

impl<T: Session, C: Codec> Clone for ChatSession<T, C> {
    fn clone(&self) -> Self {
        Self { slot: self.slot.clone() }
    }
}

/// Shows no value: a field can be secret.
impl<T: Session, C: Codec> fmt::Debug for ChatSession<T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChatSession").field("session", &std::any::type_name::<T>()).finish_non_exhaustive()
    }
}

/// The session of an update, lent to one place. It goes back when it is dropped.
///
/// It reads like the session itself and is changed through [`edit`](LentSession::edit). What changed is committed when
/// the handler has returned `Ok`, and forgotten if it returned `Err` or panicked.
pub struct LentSession<T: Session, C: Codec = Json> {
    slot: Arc<Slot<T, C>>,
    /// There from the moment it is lent until it is dropped.
    lease: Option<Box<Lease<T, C>>>,
}

impl<T: Session, C: Codec> LentSession<T, C> {
    fn lease(&self) -> &Lease<T, C> {
        self.lease.as_deref().expect("it is there until it is dropped")
    }

    fn lease_mut(&mut self) -> &mut Lease<T, C> {
        self.lease.as_deref_mut().expect("it is there until it is dropped")
    }

    /// Lends the session for change, field by field: see [`Handle::edit`].
    pub fn edit(&mut self) -> T::Edit<'_> {
        self.lease_mut().handle.edit()
    }

    /// Lends the whole session for change: see [`Handle::edit_all`].
    pub fn edit_all(&mut self) -> &mut T {
        self.lease_mut().handle.edit_all()
    }

    /// Whether the session is not stored.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.lease().handle.is_new()
    }

    /// Stores what changed, now: for a handler that has to know that it is stored before it sends something. From then
    /// on the update is done, and what it changes later is stored when the handler has returned.
    ///
    /// ```
    /// # use session_runtime::Session;
    /// # use session_runtime::teloxide::ChatSession;
    /// # #[derive(Session)]
    /// # struct Chat { coins: u32 }
    /// # type HandlerResult = Result<(), Box<dyn std::error::Error + Send + Sync>>;
    /// async fn pay(chat: ChatSession<Chat>) -> HandlerResult {
    ///     let mut chat = chat.get().await?;
    ///     let left = chat.coins.checked_sub(5).ok_or("too few coins")?;
    ///     *chat.edit().coins() = left;
    ///     chat.commit().await?;
    ///     // What is sent now is sent once at most, and not at all if the process dies here.
    ///     Ok(())
    /// }
    /// # drop(pay);
    /// ```
    ///
    /// # Errors
    /// [`ChatError::DoneBefore`] when another delivery of the update was faster; those of [`Handle::commit`].
    pub async fn commit(&mut self) -> Result<Committed<T>, ChatError> {
        match self.lease_mut().commit().await? {
            Once::Done(committed) => Ok(committed),
            Once::DoneBefore => Err(ChatError::DoneBefore),
        }
    }

    /// Ends the session, now. An update that ends a session is not remembered as done: delivered again, it finds none.
    ///
    /// # Errors
    /// Those of [`Handle::destroy`].
    pub async fn destroy(&mut self) -> Result<Outcome, Error> {
        self.lease_mut().handle.destroy().await
    }

    /// The handle behind it, for all else that it can: when the session ends, for example. What is committed by the
    /// handle itself is not known as the work of the update.
    pub fn handle(&mut self) -> &mut Handle<T, C> {
        &mut self.lease_mut().handle
    }
}

impl<T: Session, C: Codec> Deref for LentSession<T, C> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.lease().handle
    }
}

impl<T: Session, C: Codec> Drop for LentSession<T, C> {
    fn drop(&mut self) {
        self.slot.give_back(self.lease.take());
    }
}

/// Shows no value: a field can be secret.
impl<T: Session, C: Codec> fmt::Debug for LentSession<T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LentSession").field("session", &std::any::type_name::<T>()).finish_non_exhaustive()
    }
}
