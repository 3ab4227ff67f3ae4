//! The applications of the tests, served by axum.

use std::any::Any;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use session_runtime::axum::{SessionLayer, WebError, WebSession};
use session_tests::begin;
use tokio::net::TcpListener;
use tower::ServiceExt as _;

use crate::client::{Answer, Request};
use crate::site::{App, Arriving, Existing, GivenUp, Layer, Reply, Site, tell};
use crate::visitor::Visitor;

pub(crate) trait Argument: FromRequestParts<()> {}

impl<A: FromRequestParts<()>> Argument for A {}

type Change = Arc<dyn Fn(Router) -> Router + Send + Sync>;

pub(crate) fn page<A, H, F>(path: &'static str, handler: H) -> Change
where
    A: Argument + Send + 'static,
    H: FnOnce(A) -> F + Clone + Send + Sync + 'static,
    F: Future<Output: Into<Reply>> + Send + 'static,
{
    Arc::new(move |router| {
        let handler = handler.clone();
        router.route(path, get(async move |argument: A| handler(argument).await.into()))
    })
}

pub(crate) fn before<A, H, F>(handler: H) -> Change
where
    A: Argument + Send + 'static,
    H: FnOnce(A) -> F + Clone + Send + Sync + 'static,
    F: Future<Output: Any + Send> + Send + 'static,
{
    Arc::new(move |router| {
        let handler = handler.clone();
        router.layer(from_fn(move |argument: A, request: axum::extract::Request, next: Next| {
            let handler = handler.clone();
            async move {
                let _kept = handler(argument).await;
                next.run(request).await
            }
        }))
    })
}

fn router(site: &Site) -> Router {
    let mut router = site.pages.iter().fold(Router::new(), |router, page| (page.axum)(router));
    if let Some(before) = &site.before {
        router = (before.axum)(router);
    }
    if let Some(layer) = &site.layer {
        router = router.layer(session_layer(layer));
    }
    match &site.cart {
        Some(sessions) => router.layer(SessionLayer::new(sessions.clone())),
        None => router,
    }
}

fn session_layer(layer: &Layer) -> SessionLayer<Visitor> {
    let redirect = |error: WebError, location| match error.status() {
        409 => Redirect::to(location).into_response(),
        _ => error.into_response(),
    };
    tell!(layer, SessionLayer::new(layer.sessions.clone()), redirect)
}

pub(crate) fn run(site: &Site) -> App {
    let router = router(site);
    App::new(move |request| Box::pin(answer(router.clone(), request)))
}

async fn answer(router: Router, request: Request) -> Answer {
    let mut asked = axum::http::Request::get(request.path);
    for (name, value) in request.headers {
        asked = asked.header(name, value);
    }
    let response = router.oneshot(asked.body(Body::empty()).expect("a request")).await.expect("a response");
    let (parts, body) = response.into_parts();
    let header = |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| {
        (name.to_string(), value.to_str().expect("text").to_owned())
    };
    let headers = parts.headers.iter().map(header).collect();
    let body = to_bytes(body, 1 << 20).await.expect("a body");
    Answer { status: parts.status.as_u16(), headers, text: String::from_utf8_lossy(&body).into_owned() }
}

pub(crate) async fn listen(site: &Site) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let (address, router) = (listener.local_addr().expect("an address"), router(site));
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        match self {
            Self::Text(status, text) => (StatusCode::from_u16(status).expect("a status"), text).into_response(),
            Self::Stream(arriving) => Body::from_stream(Arriving(arriving)).into_response(),
            Self::Error(error) => error.into_response(),
            Self::WebError(error) => error.into_response(),
        }
    }
}

impl FromRequestParts<()> for Existing {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, state: &()) -> Result<Self, WebError> {
        let session = <WebSession<_> as OptionalFromRequestParts<()>>::from_request_parts(parts, state).await?;
        Ok(Self(session))
    }
}

impl FromRequestParts<()> for GivenUp {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, state: &()) -> Result<Self, WebError> {
        let session = pin!(<WebSession<Visitor> as FromRequestParts<()>>::from_request_parts(parts, state));
        assert!(begin(session).is_pending(), "it is not there yet");
        Ok(Self)
    }
}
