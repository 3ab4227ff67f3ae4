//! Handlers take the session as an argument.

use std::sync::Arc;

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;
use http::{Extensions, HeaderMap, HeaderName, HeaderValue};

use crate::codec::Codec;
use crate::session::Session;
use crate::web::{Header, Slot, WebError, WebSession};

impl<T: Session, C: Codec> WebSession<T, C> {
    /// The session of a request, for services that are no handlers of axum: give it the extensions and headers of the
    /// request that came through the layer.
    ///
    /// ```
    /// # use session_runtime::Session;
    /// # #[derive(Session)]
    /// # struct Visitor { visits: u32 }
    /// use session_runtime::axum::{WebError, WebSession};
    ///
    /// async fn handle(request: http::Request<String>) -> Result<http::Response<String>, WebError> {
    ///     let (parts, body) = request.into_parts();
    ///     let mut visitor = WebSession::<Visitor>::of(&parts.extensions, &parts.headers).await?;
    ///     *visitor.edit().visits() += 1;
    ///     Ok(http::Response::new(body))
    /// }
    /// # drop(handle);
    /// ```
    ///
    /// # Errors
    /// [`WebError::NoLayer`]; [`WebError::InUse`], [`WebError::Taken`] and [`WebError::Finished`] when somebody else has
    /// it; [`WebError::Session`] when it cannot be loaded.
    pub async fn of(extensions: &Extensions, headers: &HeaderMap) -> Result<Self, WebError> {
        Self::borrow(slot(extensions)?, |header| lines(headers, header)).await
    }

    /// The same if the client has a session. Without a token the store is not asked.
    ///
    /// # Errors
    /// Those of [`WebSession::of`].
    pub async fn of_existing(extensions: &Extensions, headers: &HeaderMap) -> Result<Option<Self>, WebError> {
        Self::borrow_existing(slot(extensions)?, |header| lines(headers, header)).await
    }
}

fn slot<T: Session, C: Codec>(extensions: &Extensions) -> Result<Arc<Slot<T, C>>, WebError> {
    let slot = extensions.get::<Arc<Slot<T, C>>>().cloned();
    slot.ok_or_else(|| WebError::no_layer::<T, C>("`.layer(SessionLayer::new(sessions))` after the routes"))
}

fn lines(headers: &HeaderMap, header: Header) -> impl Iterator<Item = &[u8]> {
    headers.get_all(HeaderName::from(header)).iter().map(HeaderValue::as_bytes)
}

impl<T: Session, C: Codec, X: Sync> FromRequestParts<X> for WebSession<T, C> {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, _: &X) -> Result<Self, WebError> {
        Self::of(&parts.extensions, &parts.headers).await
    }
}

impl<T: Session, C: Codec, X: Sync> OptionalFromRequestParts<X> for WebSession<T, C> {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, _: &X) -> Result<Option<Self>, WebError> {
        Self::of_existing(&parts.extensions, &parts.headers).await
    }
}
