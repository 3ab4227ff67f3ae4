use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use super::error::WebError;
use super::header::Header;
use super::lease::Lease;
use super::lender::Claim;
use super::slot::Slot;
use crate::codec::{Codec, Json};
use crate::error::Error;
use crate::session::Session;
use crate::sessions::{Committed, Handle, Outcome};

/// The session of whoever sent the request.
///
/// It reads like the session itself and is changed through [`edit`](WebSession::edit). What changed is committed when the
/// handler has returned and before the response leaves; a response of 500 or above, a panic, or a connection that broke
/// leaves everything as it was.
///
/// ```
/// # use session_runtime::Session;
/// # use session_runtime::axum::WebSession;
/// #[derive(Session)]
/// struct Visitor {
///     visits: u32,
/// }
///
/// async fn page(mut visitor: WebSession<Visitor>) -> String {
///     *visitor.edit().visits() += 1;
///     format!("visit {}", visitor.visits)
/// }
/// # drop(page);
/// ```
///
/// The store is asked when the session is: a handler that takes none costs nothing. A client without a token has a new
/// session, and the store is not asked for that, but for its clock once an hour; the client gets a token when something is
/// stored.
///
/// With axum `Option<WebSession<T>>` is `None` for a client that has no stored session, unless this request has begun
/// one. With actix-web `ExistingSession` is.
pub struct WebSession<T: Session, C: Codec = Json> {
    slot: Arc<Slot<T, C>>,
    /// There from the moment it is lent until it is dropped.
    lease: Option<Box<Lease<T, C>>>,
}

impl<T: Session, C: Codec> WebSession<T, C> {
    /// Borrows the session of the request with these lines of the header that tokens stand in. It is loaded if nobody
    /// has yet. A client without a token has a new one.
    pub(crate) async fn borrow<'a, I>(slot: Arc<Slot<T, C>>, lines: impl Fn(Header) -> I) -> Result<Self, WebError>
    where
        I: Iterator<Item = &'a [u8]>,
    {
        let mut session = Self::taken(slot)?;
        if session.lease.is_none() {
            session.load(&session.slot.lender.claim(lines)).await?;
        }
        Ok(session)
    }

    /// The same if the client has a session. Without a token the store is not asked.
    pub(crate) async fn borrow_existing<'a, I>(
        slot: Arc<Slot<T, C>>,
        lines: impl Fn(Header) -> I,
    ) -> Result<Option<Self>, WebError>
    where
        I: Iterator<Item = &'a [u8]>,
    {
        let mut session = Self::taken(slot)?;
        if session.lease.is_none() {
            let claim = session.slot.lender.claim(lines);
            if matches!(claim, Claim::Nothing) {
                return Ok(None);
            }
            session.load(&claim).await?;
        }
        Ok(Some(session).filter(|session| session.lease().exists()))
    }

    /// What the slot has. From here on it gets it back, whatever happens.
    fn taken(slot: Arc<Slot<T, C>>) -> Result<Self, WebError> {
        let lease = slot.take()?;
        Ok(Self { slot, lease })
    }

    async fn load(&mut self, claim: &Claim) -> Result<(), WebError> {
        self.lease = Some(Box::new(self.slot.lender.lend(claim).await?));
        Ok(())
    }

    fn lease(&self) -> &Lease<T, C> {
        self.lease.as_deref().expect("it is there until it is dropped")
    }

    fn lease_mut(&mut self) -> &mut Lease<T, C> {
        self.lease.as_deref_mut().expect("it is there until it is dropped")
    }

    /// The lease, which then does not go back. The value ends with it.
    fn parted(&mut self) -> Box<Lease<T, C>> {
        self.lease.take().expect("it is there until it is dropped")
    }

    /// Lends the session for change, field by field: see [`Handle::edit`].
    pub fn edit(&mut self) -> T::Edit<'_> {
        self.lease_mut().handle.edit()
    }

    /// Lends the whole session for change: see [`Handle::edit_all`].
    pub fn edit_all(&mut self) -> &mut T {
        self.lease_mut().handle.edit_all()
    }

    /// Gives this session a sliding lifetime of its own ("remember me"): see [`Handle::expire_after`]. Its cookie then
    /// outlives the browser, and is set again whenever the end of the session moves.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use session_runtime::{Error, Session};
    /// # use session_runtime::axum::WebSession;
    /// # #[derive(Session)]
    /// # struct Visitor { user: Option<u64> }
    /// async fn login(mut visitor: WebSession<Visitor>) -> Result<&'static str, Error> {
    ///     *visitor.edit().user() = Some(7);
    ///     visitor.expire_after(Duration::from_secs(30 * 24 * 3600));
    ///     visitor.renew().await?;
    ///     Ok("welcome, for a month after your last visit")
    /// }
    /// # drop(login);
    /// ```
    pub fn expire_after(&mut self, lifetime: Duration) {
        self.lease_mut().handle.expire_after(lifetime);
    }

    /// Lets the session expire by the rule again, after [`expire_after`](WebSession::expire_after). Its cookie then lives
    /// as long as the browser runs.
    pub fn expire_by_rule(&mut self) {
        self.lease_mut().handle.expire_by_rule();
    }

    /// Whether the session is not stored.
    pub fn is_new(&self) -> bool {
        self.lease().handle.is_new()
    }

    /// What the client shows with its next request, for handlers that hand it out themselves: clients that are no
    /// browsers send it as `Authorization: Bearer`, see `SessionLayer::bearer`. `None` until the session is stored.
    ///
    /// Whoever has it has the session, so it belongs into no log and no address.
    pub fn token(&self) -> Option<&str> {
        self.lease().token()
    }

    /// The key under which the store has the session, to tell it from others of the same user on a page of devices:
    /// [`FoundSession::key`](crate::FoundSession::key) is the same. `None` until the session is stored.
    ///
    /// Nobody finds the token by it, so it may stand in a page of that user. [`renew`](WebSession::renew) changes it.
    ///
    /// ```
    /// # use session_runtime::{Error, Session, Sessions};
    /// # use session_runtime::axum::WebSession;
    /// # #[derive(Session)]
    /// # struct Visitor { #[session(index)] user: Option<u64> }
    /// async fn devices(sessions: Sessions<Visitor>, visitor: WebSession<Visitor>) -> Result<String, Error> {
    ///     let devices = sessions.list_found(VisitorIndex::User(&visitor.user)).await?;
    ///     let others = devices.iter().filter(|(device, _)| Some(device.key()) != visitor.key());
    ///     Ok(format!("this device, and {} others", others.count()))
    /// }
    /// # drop(devices);
    /// ```
    pub fn key(&self) -> Option<&str> {
        self.lease().key()
    }

    /// Stores what changed, now: for a handler that has to know that it is stored, or goes on for long. Nothing is
    /// written twice when the handler has returned.
    ///
    /// ```
    /// # use session_runtime::{Error, Session};
    /// # use session_runtime::axum::WebSession;
    /// # #[derive(Session)]
    /// # struct Visitor { orders: u32 }
    /// async fn order(mut visitor: WebSession<Visitor>) -> Result<&'static str, Error> {
    ///     *visitor.edit().orders() += 1;
    ///     visitor.commit().await?;
    ///     Ok("it is ordered, whatever becomes of this response")
    /// }
    /// # drop(order);
    /// ```
    ///
    /// # Errors
    /// Those of [`Handle::commit`]. [`Error::Renewed`] also when the client sent a token that another request has
    /// renewed since.
    pub async fn commit(&mut self) -> Result<Committed<T>, Error> {
        self.lease_mut().commit().await
    }

    /// Commits the session under a new token, which the response tells the client. The old one is dead from then on,
    /// also for requests in flight.
    ///
    /// Call it whenever rights change: who knew the token before a login must not have the session after it.
    ///
    /// ```
    /// # use session_runtime::{Error, Session};
    /// # use session_runtime::axum::WebSession;
    /// # #[derive(Session)]
    /// # struct Visitor { user: Option<u64> }
    /// async fn login(mut visitor: WebSession<Visitor>) -> Result<&'static str, Error> {
    ///     *visitor.edit().user() = Some(7);
    ///     visitor.renew().await?;
    ///     Ok("welcome")
    /// }
    /// # drop(login);
    /// ```
    ///
    /// # Errors
    /// Those of [`Handle::renew`]. It can be tried again.
    pub async fn renew(&mut self) -> Result<Committed<T>, Error> {
        self.lease_mut().renew().await
    }

    /// Ends the session. Requests in flight can no longer store anything in it, and the response removes the client's
    /// cookie.
    ///
    /// What this value holds afterwards is a new session: a change that is made now is stored under a new token.
    ///
    /// ```
    /// # use session_runtime::{Error, Session};
    /// # use session_runtime::axum::WebSession;
    /// # #[derive(Session)]
    /// # struct Visitor { user: Option<u64> }
    /// async fn logout(mut visitor: WebSession<Visitor>) -> Result<&'static str, Error> {
    ///     visitor.destroy().await?;
    ///     assert_eq!(visitor.user, None);
    ///     Ok("goodbye")
    /// }
    /// # drop(logout);
    /// ```
    ///
    /// # Errors
    /// Those of [`Handle::destroy`]. [`Error::Renewed`] when another request has renewed the token that the client sent:
    /// the session lives on under the new one.
    pub async fn destroy(&mut self) -> Result<Outcome, Error> {
        self.lease_mut().destroy().await
    }

    /// Takes the session out of the request, for what lives longer than its response: a stream of events, a WebSocket, a
    /// task. It commits by itself from now on.
    ///
    /// What the client has to be told goes out with this response. So [`commit`](WebSession::commit) first: a new
    /// session that is stored later is one of which no client has the token.
    ///
    /// ```
    /// # use session_runtime::{Error, Session};
    /// # use session_runtime::axum::WebSession;
    /// # #[derive(Session)]
    /// # struct Visitor { seen: u32 }
    /// async fn events(mut visitor: WebSession<Visitor>) -> Result<(), Error> {
    ///     visitor.commit().await?;
    ///     let mut visitor = visitor.into_handle();
    ///     tokio::spawn(async move {
    ///         *visitor.edit().seen() += 1;
    ///         visitor.commit().await
    ///     });
    ///     Ok(())
    /// }
    /// # drop(events);
    /// ```
    pub fn into_handle(mut self) -> Handle<T, C> {
        let (handle, notice) = self.parted().into_handle();
        self.slot.keep(notice);
        handle
    }
}

impl<T: Session, C: Codec> Deref for WebSession<T, C> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.lease().handle
    }
}

impl<T: Session, C: Codec> Drop for WebSession<T, C> {
    fn drop(&mut self) {
        // Too late for a commit. That it was kept was an error already.
        if let Some(late) = self.slot.give_back(self.lease.take()) {
            late.discard();
        }
    }
}

/// Shows no value: a field can be secret.
impl<T: Session, C: Codec> fmt::Debug for WebSession<T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSession").field("session", &std::any::type_name::<T>()).finish_non_exhaustive()
    }
}
