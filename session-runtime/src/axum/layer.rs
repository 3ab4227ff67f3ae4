use std::fmt;
use std::sync::Arc;

use axum_core::response::{IntoResponse, Response};
use http::StatusCode;
use tower_layer::Layer;

use super::service::SessionService;
use crate::codec::{Codec, Json};
use crate::session::Session;
use crate::sessions::{Legacy, Sessions};
use crate::web::{LegacyCookie, Policy, SessionCookie, WebError};

/// Gives each request its session of type `T`, for handlers to take as [`WebSession`](super::WebSession).
///
/// ```
/// # use session_runtime::{MemoryStore, Session, Sessions};
/// # #[derive(Session)]
/// # struct Visitor { visits: u32 }
/// # async fn page() {}
/// use axum::{Router, routing::get};
/// use session_runtime::axum::SessionLayer;
///
/// let sessions = Sessions::<Visitor>::new(MemoryStore::new());
/// let app: Router = Router::new().route("/", get(page)).layer(SessionLayer::new(sessions));
/// # drop(app);
/// ```
///
/// Its place is inside of layers that look at responses, such as compression, and outside of those that make a response
/// of a panic, so that they answer with the 500 that it understands.
#[must_use]
pub struct SessionLayer<T: Session, C: Codec = Json> {
    /// axum asks for the service of a handler anew with each request, so making one has to be cheap.
    policy: Arc<Policy<T, C, Response>>,
}

impl<T: Session, C: Codec> SessionLayer<T, C> {
    /// Sessions whose tokens travel in the default [`SessionCookie`].
    pub fn new(sessions: Sessions<T, C>) -> Self {
        Self { policy: Arc::new(Policy::new(sessions, IntoResponse::into_response)) }
    }

    /// How the cookie is set.
    ///
    /// ```
    /// # use session_runtime::{MemoryStore, Session, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { visits: u32 }
    /// # let sessions = Sessions::<Visitor>::new(MemoryStore::new());
    /// use session_runtime::axum::{SessionCookie, SessionLayer};
    ///
    /// let is_development = cfg!(debug_assertions);
    /// let cookie = SessionCookie::new();
    /// let cookie = if is_development { cookie.insecure_for_development() } else { cookie };
    /// let layer = SessionLayer::new(sessions).cookie(cookie);
    /// # drop(layer);
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "it is made for this call")]
    pub fn cookie(self, cookie: SessionCookie) -> Self {
        self.with(|policy| policy.cookie(&cookie))
    }

    /// Looks for tokens in `Authorization: Bearer TOKEN` instead of a cookie, for clients that are no browsers. A handler
    /// hands the token out: see [`WebSession::token`](super::WebSession::token).
    ///
    /// ```
    /// # use session_runtime::{Error, MemoryStore, Session, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { user: Option<u64> }
    /// use session_runtime::axum::{SessionLayer, WebSession};
    ///
    /// async fn login(mut visitor: WebSession<Visitor>) -> Result<String, Error> {
    ///     *visitor.edit().user() = Some(7);
    ///     visitor.renew().await?;
    ///     Ok(visitor.token().unwrap_or_default().to_owned())
    /// }
    ///
    /// # let sessions = Sessions::<Visitor>::new(MemoryStore::new());
    /// let layer = SessionLayer::new(sessions).bearer();
    /// # drop((layer, login));
    /// ```
    pub fn bearer(self) -> Self {
        self.with(Policy::bearer)
    }

    /// Takes over sessions that another library gave clients by a cookie: see [moving in](crate::legacy).
    ///
    /// A client that comes with that cookie, and with no token, gets what [`Legacy`] finds of it. The session is stored
    /// under a fresh token with the response, also if its handler changed nothing, and the old cookie is removed. From
    /// then on the old id is dead here.
    ///
    /// ```
    /// # use std::time::{Duration, SystemTime};
    /// # use session_runtime::{MemoryStore, Session, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { visits: u32 }
    /// # let sessions = Sessions::<Visitor>::new(MemoryStore::new());
    /// # let in_a_month = SystemTime::now() + Duration::from_secs(30 * 24 * 3600);
    /// use session_runtime::axum::SessionLayer;
    /// use session_runtime::legacy::{Legacy, LegacyCookie};
    ///
    /// # async fn find(id: String) -> Result<Option<session_runtime::legacy::Old<Visitor>>, session_runtime::legacy::LegacyError> { Ok(None) }
    /// let layer = SessionLayer::new(sessions).legacy(LegacyCookie::new("id"), Legacy::until(in_a_month, find));
    /// # drop(layer);
    /// ```
    pub fn legacy(self, cookie: LegacyCookie, legacy: Legacy<T>) -> Self {
        self.with(|policy| policy.legacy(cookie, legacy))
    }

    /// Lets the requests of one session take turns, within this process: each sees what the one before left. A request
    /// takes its turn with the session, and passes it on when its response leaves, or by
    /// [`into_handle`](super::WebSession::into_handle). Who waits longer than the deadline of the sessions gets
    /// [`WebError::OthersTakeTooLong`].
    ///
    /// Without it they run at the same time, which loses nothing: changes of different fields both survive.
    ///
    /// Of several layers in turn, let handlers take the sessions in the same order.
    pub fn in_turn(self) -> Self {
        self.with(Policy::in_turn)
    }

    /// After which responses changes are stored. The default is all below 500.
    ///
    /// What a handler committed itself is stored whatever it answers.
    ///
    /// ```
    /// # use session_runtime::{MemoryStore, Session, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { visits: u32 }
    /// # let sessions = Sessions::<Visitor>::new(MemoryStore::new());
    /// use session_runtime::axum::SessionLayer;
    ///
    /// let layer = SessionLayer::new(sessions).commit_when(|status| status.is_success() || status.is_redirection());
    /// # drop(layer);
    /// ```
    pub fn commit_when(self, commit_when: impl Fn(StatusCode) -> bool + Send + Sync + 'static) -> Self {
        let commit_when = move |status| StatusCode::from_u16(status).is_ok_and(&commit_when);
        self.with(|policy| policy.commit_when = Arc::new(commit_when))
    }

    /// What to answer when a session cannot be stored after its handler has returned: it ended while the request was in
    /// flight, the store failed, or the handler kept it. The default is [`WebError`]'s own response, which logs it.
    ///
    /// ```
    /// # use session_runtime::{MemoryStore, Session, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { visits: u32 }
    /// # let sessions = Sessions::<Visitor>::new(MemoryStore::new());
    /// use axum::response::{IntoResponse, Redirect};
    /// use session_runtime::axum::SessionLayer;
    ///
    /// let layer = SessionLayer::new(sessions).on_error(|error| match error.status() {
    ///     409 => Redirect::to("/login").into_response(),
    ///     _ => error.into_response(),
    /// });
    /// # drop(layer);
    /// ```
    pub fn on_error<R: IntoResponse>(self, answer: impl Fn(WebError) -> R + Send + Sync + 'static) -> Self {
        self.with(|policy| policy.on_error = Arc::new(move |error| -> Response { answer(error).into_response() }))
    }

    fn with(mut self, set: impl FnOnce(&mut Policy<T, C, Response>)) -> Self {
        set(Arc::make_mut(&mut self.policy));
        self
    }
}

impl<T: Session, C: Codec, I> Layer<I> for SessionLayer<T, C> {
    type Service = SessionService<T, C, I>;

    fn layer(&self, inner: I) -> Self::Service {
        SessionService { policy: self.policy.clone(), inner }
    }
}

impl<T: Session, C: Codec> Clone for SessionLayer<T, C> {
    fn clone(&self) -> Self {
        Self { policy: self.policy.clone() }
    }
}

impl<T: Session, C: Codec> fmt::Debug for SessionLayer<T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionLayer").field("session", &std::any::type_name::<T>()).finish_non_exhaustive()
    }
}
