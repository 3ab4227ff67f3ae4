//! What happens to the session of a request when its handler has returned.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum_core::BoxError;
use axum_core::body::Body;
use axum_core::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{HeaderName, HeaderValue, VARY};
use http::{Request, StatusCode};
use http_body::Body as HttpBody;
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::codec::Codec;
use crate::error::Error;
use crate::session::Session;
use crate::web::{Closed, Lease, Lender, Notice, Slot, WebError};

/// The service that [`SessionLayer`](super::SessionLayer) makes of another.
pub struct SessionService<T: Session, C: Codec, I> {
    pub(super) shared: Arc<Shared<T, C>>,
    pub(super) inner: I,
}

/// What all services of a layer share: who lends sessions, when to commit, and what to answer when that fails.
pub(super) struct Shared<T: Session, C: Codec> {
    lender: Arc<Lender<T, C>>,
    pub(super) commit_when: Arc<dyn Fn(StatusCode) -> bool + Send + Sync>,
    pub(super) on_error: Arc<dyn Fn(WebError) -> Response + Send + Sync>,
}

impl<T: Session, C: Codec> Shared<T, C> {
    pub(super) fn new(lender: Lender<T, C>) -> Self {
        Self {
            lender: Arc::new(lender),
            commit_when: Arc::new(|status| !status.is_server_error()),
            on_error: Arc::new(IntoResponse::into_response),
        }
    }

    /// Lends otherwise.
    pub(super) fn lend(&mut self, change: impl FnOnce(Lender<T, C>) -> Lender<T, C>) {
        self.lender = Arc::new(change(Lender::clone(&self.lender)));
    }
}

impl<T: Session, C: Codec> Clone for Shared<T, C> {
    fn clone(&self) -> Self {
        let Self { lender, commit_when, on_error } = self;
        Self { lender: lender.clone(), commit_when: commit_when.clone(), on_error: on_error.clone() }
    }
}

impl<T: Session, C: Codec, I: Clone> Clone for SessionService<T, C, I> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone(), inner: self.inner.clone() }
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
        let slot = Slot::new(self.shared.lender.clone());
        request.extensions_mut().insert(slot.clone());
        Finish { stage: Stage::Handling { inner: self.inner.call(request), slot }, shared: self.shared.clone() }
    }
}

pin_project! {
    /// The future of a response: of the handler, and then of the commit.
    pub struct Finish<T: Session, C: Codec, F> {
        #[pin]
        stage: Stage<T, C, F>,
        shared: Arc<Shared<T, C>>,
    }
}

pin_project! {
    #[project = StagePinned]
    enum Stage<T: Session, C: Codec, F> {
        Handling { #[pin] inner: F, slot: Arc<Slot<T, C>> },
        // Made only if there is something to commit.
        Committing { commit: Committing, response: Option<Response> },
    }
}

type Committing = Pin<Box<dyn Future<Output = (Result<(), Error>, Notice)> + Send>>;

impl<T, C, F, B, E> Future for Finish<T, C, F>
where
    T: Session,
    C: Codec,
    F: Future<Output = Result<http::Response<B>, E>>,
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Output = Result<Response, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let (commit, response) = match this.stage.as_mut().project() {
                StagePinned::Committing { commit, response } => {
                    let (done, notice) = ready!(commit.as_mut().poll(context));
                    let response = response.take().unwrap_or_default();
                    let response = done.map_or_else(|error| (this.shared.on_error)(error.into()), |()| response);
                    return Poll::Ready(Ok(this.shared.told(response, &notice)));
                }
                StagePinned::Handling { inner, slot } => {
                    let answer = ready!(inner.poll(context));
                    let closed = slot.close();
                    let response = match answer {
                        Ok(response) => response.map(Body::new),
                        Err(error) => {
                            closed.forget();
                            return Poll::Ready(Err(error));
                        }
                    };
                    match this.shared.leave(closed, response) {
                        Leaving::Now(response) => return Poll::Ready(Ok(response)),
                        Leaving::AfterCommit(lease, response) => (lease.finish(), response),
                    }
                }
            };
            this.stage.set(Stage::Committing { commit: Box::pin(commit), response: Some(response) });
        }
    }
}

/// When a response leaves.
enum Leaving<T: Session, C: Codec> {
    Now(Response),
    AfterCommit(Box<Lease<T, C>>, Response),
}

impl<T: Session, C: Codec> Shared<T, C> {
    /// Decides what becomes of the session of a request.
    fn leave(&self, closed: Closed<T, C>, response: Response) -> Leaving<T, C> {
        let notice = match closed {
            Closed::Unasked => return Leaving::Now(response),
            Closed::Kept => return Leaving::Now(self.told((self.on_error)(WebError::Kept), &Notice::Nothing)),
            Closed::Nothing(notice) => notice,
            Closed::Lease(lease) if (self.commit_when)(response.status()) && !lease.is_unmarked() => {
                return Leaving::AfterCommit(lease, response);
            }
            Closed::Lease(lease) => lease.discard(),
        };
        Leaving::Now(self.told(response, &notice))
    }

    /// A response that depends on the session, and tells the client what became of it.
    fn told(&self, mut response: Response, notice: &Notice) -> Response {
        let transport = &self.lender.transport;
        let headers = response.headers_mut();
        headers.append(VARY, HeaderValue::from_static(transport.header()));
        for (name, value) in transport.tell(notice) {
            match HeaderValue::try_from(value) {
                Ok(value) => drop(headers.append(HeaderName::from_static(name), value)),
                Err(error) => tracing::error!(%error, "the session's name or domain cannot stand in a cookie"),
            }
        }
        response
    }
}

impl<T: Session, C: Codec, I> fmt::Debug for SessionService<T, C, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionService").field("session", &std::any::type_name::<T>()).finish_non_exhaustive()
    }
}

impl<T: Session, C: Codec, F> fmt::Debug for Finish<T, C, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Finish").field("session", &std::any::type_name::<T>()).finish_non_exhaustive()
    }
}
