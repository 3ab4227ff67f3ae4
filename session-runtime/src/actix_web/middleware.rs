use std::fmt;
use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::body::EitherBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::http::StatusCode;
use actix_web::{HttpMessage, HttpResponse, ResponseError};

use crate::codec::{Codec, Json};
use crate::session::Session;
use crate::sessions::{Legacy, Sessions};
use crate::web::{Finish, LegacyCookie, Policy, SessionCookie, WebError};

/// Gives each request its session of type `T`, for handlers to take as [`WebSession`](super::WebSession).
///
/// ```
/// # use session_runtime::{MemoryStore, Session, Sessions};
/// # #[derive(Session)]
/// # struct Visitor { visits: u32 }
/// # async fn page() -> &'static str { "" }
/// use actix_web::{App, web};
/// use session_runtime::actix_web::SessionMiddleware;
///
/// let sessions = Sessions::<Visitor>::new(MemoryStore::new());
/// let app = App::new().route("/", web::get().to(page)).wrap(SessionMiddleware::new(sessions));
/// # drop(app);
/// ```
///
/// actix-web makes an `App` for each of its workers: make the [`Sessions`] before, and clone them, or this, into each.
///
/// Its place is inside of middlewares that look at responses, such as `Logger` and `Compress`, so it is wrapped before
/// them.
#[must_use]
pub struct SessionMiddleware<T: Session, C: Codec = Json> {
    policy: Arc<Policy<T, C, HttpResponse>>,
}

impl<T: Session, C: Codec> SessionMiddleware<T, C> {
    /// Sessions whose tokens travel in the default [`SessionCookie`].
    pub fn new(sessions: Sessions<T, C>) -> Self {
        Self { policy: Arc::new(Policy::new(sessions, |error| error.error_response())) }
    }

    /// How the cookie is set.
    ///
    /// ```
    /// # use session_runtime::{MemoryStore, Session, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { visits: u32 }
    /// # let sessions = Sessions::<Visitor>::new(MemoryStore::new());
    /// use session_runtime::actix_web::{SameSite, SessionCookie, SessionMiddleware};
    ///
    /// let cookie = SessionCookie::new().same_site(SameSite::Strict);
    /// let middleware = SessionMiddleware::new(sessions).cookie(cookie);
    /// # drop(middleware);
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "it is made for this call")]
    pub fn cookie(self, cookie: SessionCookie) -> Self {
        self.with(|policy| policy.cookie(&cookie))
    }

    /// Looks for tokens in `Authorization: Bearer TOKEN` instead of a cookie, for clients that are no browsers. A handler
    /// hands the token out: see [`WebSession::token`](super::WebSession::token).
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
    /// use session_runtime::actix_web::SessionMiddleware;
    /// use session_runtime::legacy::{Legacy, LegacyCookie};
    ///
    /// # async fn find(id: String) -> Result<Option<session_runtime::legacy::Old<Visitor>>, session_runtime::legacy::LegacyError> { Ok(None) }
    /// let middleware = SessionMiddleware::new(sessions).legacy(LegacyCookie::new("id"), Legacy::until(in_a_month, find));
    /// # drop(middleware);
    /// ```
    pub fn legacy(self, cookie: LegacyCookie, legacy: Legacy<T>) -> Self {
        self.with(|policy| policy.legacy(cookie, legacy))
    }

    /// Lets the requests of one session take turns, within this process and whichever worker they come to: each sees
    /// what the one before left. A request takes its turn with the session, and passes it on when its response leaves,
    /// or by [`into_handle`](super::WebSession::into_handle). Who waits longer than the deadline of the sessions gets
    /// [`WebError::OthersTakeTooLong`].
    ///
    /// Without it they run at the same time, which loses nothing: changes of different fields both survive.
    ///
    /// actix-web extracts all arguments of a handler at once. Of several types in turn, let handlers take one as an
    /// argument and the others, always in the same order, by [`SessionExt`](super::SessionExt).
    pub fn in_turn(self) -> Self {
        self.with(Policy::in_turn)
    }

    /// After which responses changes are stored. The default is all below 500. An error that a handler or a middleware
    /// returns is a response too.
    ///
    /// What a handler committed itself is stored whatever it answers.
    ///
    /// ```
    /// # use session_runtime::{MemoryStore, Session, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { visits: u32 }
    /// # let sessions = Sessions::<Visitor>::new(MemoryStore::new());
    /// use session_runtime::actix_web::SessionMiddleware;
    ///
    /// let middleware =
    ///     SessionMiddleware::new(sessions).commit_when(|status| status.is_success() || status.is_redirection());
    /// # drop(middleware);
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
    /// use actix_web::http::header::LOCATION;
    /// use actix_web::{HttpResponse, ResponseError};
    /// use session_runtime::actix_web::SessionMiddleware;
    ///
    /// let middleware = SessionMiddleware::new(sessions).on_error(|error| match error.status() {
    ///     409 => HttpResponse::SeeOther().insert_header((LOCATION, "/login")).finish(),
    ///     _ => error.error_response(),
    /// });
    /// # drop(middleware);
    /// ```
    pub fn on_error(self, answer: impl Fn(WebError) -> HttpResponse + Send + Sync + 'static) -> Self {
        self.with(|policy| policy.on_error = Arc::new(answer))
    }

    fn with(mut self, set: impl FnOnce(&mut Policy<T, C, HttpResponse>)) -> Self {
        set(Arc::make_mut(&mut self.policy));
        self
    }
}

impl<T, C, I, B> Transform<I, ServiceRequest> for SessionMiddleware<T, C>
where
    T: Session,
    C: Codec,
    I: Service<ServiceRequest, Response = ServiceResponse<B>, Error = actix_web::Error>,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = actix_web::Error;
    type Transform = SessionService<T, C, I>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, inner: I) -> Self::Future {
        ready(Ok(SessionService { policy: self.policy.clone(), inner }))
    }
}

impl<T: Session, C: Codec> Clone for SessionMiddleware<T, C> {
    fn clone(&self) -> Self {
        Self { policy: self.policy.clone() }
    }
}

impl<T: Session, C: Codec> fmt::Debug for SessionMiddleware<T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionMiddleware").field("session", &std::any::type_name::<T>()).finish_non_exhaustive()
    }
}

/// The service that [`SessionMiddleware`] makes of another.
pub struct SessionService<T: Session, C: Codec, I> {
    policy: Arc<Policy<T, C, HttpResponse>>,
    inner: I,
}

impl<T, C, I, B> Service<ServiceRequest> for SessionService<T, C, I>
where
    T: Session,
    C: Codec,
    I: Service<ServiceRequest, Response = ServiceResponse<B>, Error = actix_web::Error>,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = actix_web::Error;
    type Future = Finish<T, C, I::Future>;

    forward_ready!(inner);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let (slot, span) = (self.policy.slot(), self.policy.span());
        request.extensions_mut().insert(slot.clone());
        // A layer inside begins its span with the call.
        let handler = {
            let _inside = span.enter();
            self.inner.call(request)
        };
        Finish::new(self.policy.clone(), slot, span, handler)
    }
}

impl<T: Session, C: Codec, I> fmt::Debug for SessionService<T, C, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionService").field("session", &std::any::type_name::<T>()).finish_non_exhaustive()
    }
}
