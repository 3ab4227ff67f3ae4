//! Handlers take the session as an argument.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use actix_web::dev::{Payload, ServiceRequest};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{FromRequest, HttpMessage, HttpRequest};

use crate::codec::{Codec, Json};
use crate::session::Session;
use crate::web::{Header, Slot, WebError, WebSession};

/// The session of a request, for middlewares and whatever else has the request.
///
/// ```
/// # use session_runtime::Session;
/// # #[derive(Session)]
/// # struct Visitor { visits: u32 }
/// use actix_web::HttpRequest;
/// use session_runtime::actix_web::{SessionExt, WebError, WebSession};
///
/// async fn handle(request: HttpRequest) -> Result<String, WebError> {
///     let mut visitor: WebSession<Visitor> = request.session().await?;
///     *visitor.edit().visits() += 1;
///     Ok(format!("visit {}", visitor.visits))
/// }
/// # drop(handle);
/// ```
pub trait SessionExt {
    /// The session of this request.
    ///
    /// # Errors
    /// [`WebError::NoLayer`]; [`WebError::InUse`], [`WebError::Taken`] and [`WebError::Finished`] when somebody else has
    /// it; [`WebError::Session`] when it cannot be loaded.
    fn session<T: Session, C: Codec>(&self) -> impl Future<Output = Result<WebSession<T, C>, WebError>>;

    /// The same if the client has a session. Without a token the store is not asked.
    ///
    /// # Errors
    /// Those of [`session`](SessionExt::session).
    fn existing_session<T: Session, C: Codec>(
        &self,
    ) -> impl Future<Output = Result<Option<WebSession<T, C>>, WebError>>;
}

impl SessionExt for HttpRequest {
    async fn session<T: Session, C: Codec>(&self) -> Result<WebSession<T, C>, WebError> {
        WebSession::borrow(slot(self)?, |header| lines(self, header)).await
    }

    async fn existing_session<T: Session, C: Codec>(&self) -> Result<Option<WebSession<T, C>>, WebError> {
        WebSession::borrow_existing(slot(self)?, |header| lines(self, header)).await
    }
}

impl SessionExt for ServiceRequest {
    async fn session<T: Session, C: Codec>(&self) -> Result<WebSession<T, C>, WebError> {
        self.request().session().await
    }

    async fn existing_session<T: Session, C: Codec>(&self) -> Result<Option<WebSession<T, C>>, WebError> {
        self.request().existing_session().await
    }
}

fn slot<T: Session, C: Codec>(request: &HttpRequest) -> Result<Arc<Slot<T, C>>, WebError> {
    let slot = request.extensions().get::<Arc<Slot<T, C>>>().cloned();
    slot.ok_or_else(|| WebError::no_layer::<T, C>("`.wrap(SessionMiddleware::new(sessions))` to the `App`"))
}

fn lines(request: &HttpRequest, header: Header) -> impl Iterator<Item = &[u8]> {
    request.headers().get_all(HeaderName::from(header)).map(HeaderValue::as_bytes)
}

/// What actix waits for.
type Extracting<S> = Pin<Box<dyn Future<Output = Result<S, WebError>>>>;

impl<T: Session, C: Codec> FromRequest for WebSession<T, C> {
    type Error = WebError;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { request.session().await })
    }
}

/// The session of whoever sent the request, if there is one: `None` for a client that has no stored session, unless this
/// request has begun one. Without a token the store is not asked.
///
/// ```
/// # use session_runtime::Session;
/// # #[derive(Session)]
/// # struct Visitor { user: Option<u64> }
/// use session_runtime::actix_web::ExistingSession;
///
/// async fn account(ExistingSession(visitor): ExistingSession<Visitor>) -> String {
///     match visitor.and_then(|visitor| visitor.user) {
///         Some(user) => format!("hello, {user}"),
///         None => "who are you?".to_owned(),
///     }
/// }
/// # drop(account);
/// ```
///
/// Take this and not `Option<WebSession<T>>`, which means something else in actix-web: `None` where
/// [`WebSession`] would be an error, also when the store cannot be reached, and a new session for a client without one.
#[derive(Debug)]
pub struct ExistingSession<T: Session, C: Codec = Json>(pub Option<WebSession<T, C>>);

impl<T: Session, C: Codec> FromRequest for ExistingSession<T, C> {
    type Error = WebError;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { request.existing_session().await.map(Self) })
    }
}
