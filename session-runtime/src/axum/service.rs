use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum_core::BoxError;
use axum_core::response::Response;
use bytes::Bytes;
use http::Request;
use http_body::Body as HttpBody;
use tower_service::Service;

use crate::codec::Codec;
use crate::session::Session;
use crate::web::{Finish, Policy};

/// The service that [`SessionLayer`](super::SessionLayer) makes of another.
pub struct SessionService<T: Session, C: Codec, I> {
    pub(super) policy: Arc<Policy<T, C, Response>>,
    pub(super) inner: I,
}

impl<T: Session, C: Codec, I: Clone> Clone for SessionService<T, C, I> {
    fn clone(&self) -> Self {
        Self { policy: self.policy.clone(), inner: self.inner.clone() }
    }
}

impl<T: Session, C: Codec, I, A, B> Service<Request<A>> for SessionService<T, C, I>
where
    I: Service<Request<A>, Response = http::Response<B>>,
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response;
    type Error = I::Error;
    type Future = Finish<T, C, I::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), I::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<A>) -> Self::Future {
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
