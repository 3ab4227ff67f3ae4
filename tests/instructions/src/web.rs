//! Requests to an application of axum, as they cost beside its sessions.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use axum::routing::get;
use session_runtime::axum::{SessionLayer, WebSession};
use session_runtime::{Error, MemoryStore, Sessions};
use tower::ServiceExt as _;

use super::{Visitor, run};

/// Without sessions at all.
pub(crate) fn no_layer(count: u32) -> Result<(), Error> {
    request(&pages(), "/none", Sends::Something, count)
}

/// The handler takes no session.
pub(crate) fn unused(count: u32) -> Result<(), Error> {
    request(&site(), "/none", Sends::Token, count)
}

/// The handler looks at the session of a client that has none.
pub(crate) fn no_cookie(count: u32) -> Result<(), Error> {
    request(&site(), "/read", Sends::Something, count)
}

/// The handler looks at a stored session.
pub(crate) fn read(count: u32) -> Result<(), Error> {
    request(&site(), "/read", Sends::Token, count)
}

/// The handler changes one field of a stored session.
pub(crate) fn change(count: u32) -> Result<(), Error> {
    request(&site(), "/visit", Sends::Token, count)
}

fn pages() -> Router {
    Router::new()
        .route("/none", get(async || {}))
        .route("/read", get(async |visitor: WebSession<Visitor>| std::hint::black_box(visitor.visits).to_string()))
        .route("/visit", get(async |mut visitor: WebSession<Visitor>| *visitor.edit().visits() += 1))
}

fn site() -> Router {
    pages().layer(SessionLayer::<Visitor>::new(Sessions::new(MemoryStore::new())))
}

/// The cookie of a request. Each sends one, because a header costs something too.
#[derive(Clone, Copy)]
enum Sends {
    /// As long as a token, and no token.
    Something,
    /// The one of a stored session.
    Token,
}

/// Sends a request so many times, after one that stores a session if that is to be sent.
fn request(app: &Router, path: &str, sends: Sends, count: u32) -> Result<(), Error> {
    run(async {
        let cookie = match sends {
            Sends::Something => format!("__Host-another={}", "A".repeat(47)),
            Sends::Token => {
                let response = app.clone().oneshot(of("/visit", "")).await.expect("a response");
                let line = response.headers().get(header::SET_COOKIE).and_then(|line| line.to_str().ok());
                line.and_then(|line| line.split(';').next()).expect("a cookie").to_owned()
            }
        };
        for _ in 0..count {
            let response = app.clone().oneshot(of(path, &cookie)).await.expect("a response");
            assert!(response.status().is_success());
        }
        Ok(())
    })
}

fn of(path: &str, cookie: &str) -> Request<Body> {
    Request::get(path).header(header::COOKIE, cookie).body(Body::empty()).expect("a request")
}
