//! An application of pages that do one thing each, told once and served by each framework.

use std::any::Any;
use std::convert::Infallible;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use session_runtime::axum::{SessionCookie, WebError, WebSession};
use session_runtime::legacy::{Legacy, LegacyCookie};
use session_runtime::{Error, Sessions};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::client::{Answer, Request};
use crate::visitor::{Cart, Visitor};
use crate::{on_actix_web, on_axum};

/// Who serves an application.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Framework {
    Axum,
    ActixWeb,
}

/// Runs these tests of a file with each framework. A test is a function of the framework.
macro_rules! on_both {
    ($($test:ident),* $(,)?) => {
        mod on_axum {
            $(
                #[tokio::test]
                async fn $test() {
                    crate::site::local(super::$test(crate::site::Framework::Axum)).await;
                }
            )*
        }

        mod on_actix_web {
            $(
                #[tokio::test]
                async fn $test() {
                    crate::site::local(super::$test(crate::site::Framework::ActixWeb)).await;
                }
            )*
        }
    };
}
pub(crate) use on_both;

/// Runs a test where it can spawn what stays on its thread, as the handlers of actix-web do.
pub(crate) async fn local(test: impl Future<Output = ()>) {
    tokio::task::LocalSet::new().run_until(test).await;
}

pub(crate) type Local<T> = Pin<Box<dyn Future<Output = T>>>;

/// A running application, whatever serves it.
#[derive(Clone)]
pub(crate) struct App(Rc<dyn Fn(Request) -> Local<Answer>>);

impl App {
    pub(crate) fn new(answer: impl Fn(Request) -> Local<Answer> + 'static) -> Self {
        Self(Rc::new(answer))
    }

    pub(crate) async fn send(&self, request: Request) -> Answer {
        (self.0)(request).await
    }
}

/// What a handler returns.
pub(crate) enum Reply {
    Text(u16, String),
    Stream(UnboundedReceiver<Bytes>),
    Error(Error),
    WebError(WebError),
}

/// What arrives in a channel, as a stream.
pub(crate) struct Arriving(pub(crate) UnboundedReceiver<Bytes>);

impl Stream for Arriving {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context).map(|item| item.map(Ok))
    }
}

/// A status without a body.
pub(crate) struct Status(pub(crate) u16);

impl From<()> for Reply {
    fn from((): ()) -> Self {
        Self::Text(200, String::new())
    }
}

impl From<&str> for Reply {
    fn from(text: &str) -> Self {
        Self::Text(200, text.to_owned())
    }
}

impl From<String> for Reply {
    fn from(text: String) -> Self {
        Self::Text(200, text)
    }
}

impl From<Status> for Reply {
    fn from(Status(status): Status) -> Self {
        Self::Text(status, String::new())
    }
}

impl<R: Into<Self>> From<Result<R, Error>> for Reply {
    fn from(result: Result<R, Error>) -> Self {
        result.map_or_else(Self::Error, Into::into)
    }
}

impl<R: Into<Self>> From<Result<R, WebError>> for Reply {
    fn from(result: Result<R, WebError>) -> Self {
        result.map_or_else(Self::WebError, Into::into)
    }
}

/// The session if the client has one: `Option<WebSession>` with axum, `ExistingSession` with actix-web.
pub(crate) struct Existing(pub(crate) Option<WebSession<Visitor>>);

/// Asks for the session, and gives up before it is there.
pub(crate) struct GivenUp;

/// What handlers take: something that both frameworks extract.
pub(crate) trait Argument: on_axum::Argument + on_actix_web::Argument + Send + 'static {}

impl<A: on_axum::Argument + on_actix_web::Argument + Send + 'static> Argument for A {}

/// A page, or a middleware, as each framework takes it.
#[derive(Clone)]
pub(crate) struct Part {
    pub(crate) axum: Arc<dyn Fn(axum::Router) -> axum::Router + Send + Sync>,
    pub(crate) actix_web: on_actix_web::Part,
}

/// An application: pages, what stands before them, and the sessions.
#[derive(Clone, Default)]
pub(crate) struct Site {
    pub(crate) pages: Vec<Part>,
    pub(crate) before: Option<Part>,
    pub(crate) layer: Option<Layer>,
    pub(crate) cart: Option<Sessions<Cart>>,
}

impl Site {
    /// Adds a page. Its handler takes one argument, or a tuple of several.
    pub(crate) fn page<A, H, F>(mut self, path: &'static str, handler: H) -> Self
    where
        A: Argument,
        H: FnOnce(A) -> F + Clone + Send + Sync + 'static,
        F: Future<Output: Into<Reply>> + Send + 'static,
    {
        let actix_web = on_actix_web::page(path, handler.clone());
        self.pages.push(Part { axum: on_axum::page(path, handler), actix_web });
        self
    }

    /// Lets all requests pass a middleware first. What it returns is kept until the response is there.
    pub(crate) fn before<A, H, F>(mut self, handler: H) -> Self
    where
        A: Argument,
        H: FnOnce(A) -> F + Clone + Send + Sync + 'static,
        F: Future<Output: Any + Send> + Send + 'static,
    {
        let actix_web = on_actix_web::before(handler.clone());
        self.before = Some(Part { axum: on_axum::before(handler), actix_web });
        self
    }

    pub(crate) fn layer(self, layer: Layer) -> Self {
        Self { layer: Some(layer), ..self }
    }

    /// A second session type, in a layer around the first.
    pub(crate) fn carts(self, cart: Sessions<Cart>) -> Self {
        Self { cart: Some(cart), ..self }
    }

    /// The running application.
    pub(crate) async fn on(self, framework: Framework) -> App {
        match framework {
            Framework::Axum => on_axum::run(&self),
            Framework::ActixWeb => on_actix_web::run(&self).await,
        }
    }

    /// The same on a port, for as long as the test runs.
    pub(crate) async fn listen(self, framework: Framework) -> std::net::SocketAddr {
        match framework {
            Framework::Axum => on_axum::listen(&self).await,
            Framework::ActixWeb => on_actix_web::listen(self),
        }
    }
}

/// What the layer of the visitors is told.
#[derive(Clone)]
pub(crate) struct Layer {
    pub(crate) sessions: Sessions<Visitor>,
    pub(crate) cookie: Option<SessionCookie>,
    pub(crate) bearer: bool,
    pub(crate) in_turn: bool,
    pub(crate) legacy: Option<(LegacyCookie, Legacy<Visitor>)>,
    pub(crate) commit_when: Option<fn(u16) -> bool>,
    /// Where to send a client whose session has ended meanwhile.
    pub(crate) ended: Option<&'static str>,
}

impl Layer {
    pub(crate) fn new(sessions: Sessions<Visitor>) -> Self {
        Self { sessions, cookie: None, bearer: false, in_turn: false, legacy: None, commit_when: None, ended: None }
    }

    pub(crate) fn cookie(self, cookie: SessionCookie) -> Self {
        Self { cookie: Some(cookie), ..self }
    }

    pub(crate) fn bearer(self) -> Self {
        Self { bearer: true, ..self }
    }

    pub(crate) fn legacy(self, cookie: LegacyCookie, legacy: Legacy<Visitor>) -> Self {
        Self { legacy: Some((cookie, legacy)), ..self }
    }

    pub(crate) fn in_turn(self) -> Self {
        Self { in_turn: true, ..self }
    }

    pub(crate) fn commit_when(self, commit_when: fn(u16) -> bool) -> Self {
        Self { commit_when: Some(commit_when), ..self }
    }

    pub(crate) fn ended(self, location: &'static str) -> Self {
        Self { ended: Some(location), ..self }
    }
}

/// Tells a framework's layer what this one was told: both have the same methods.
macro_rules! tell {
    ($layer:ident, $told:expr, $redirect:expr) => {{
        let mut told = $told;
        if let Some(cookie) = $layer.cookie.clone() {
            told = told.cookie(cookie);
        }
        if $layer.bearer {
            told = told.bearer();
        }
        if $layer.in_turn {
            told = told.in_turn();
        }
        if let Some((cookie, legacy)) = $layer.legacy.clone() {
            told = told.legacy(cookie, legacy);
        }
        if let Some(commit_when) = $layer.commit_when {
            told = told.commit_when(move |status| commit_when(status.as_u16()));
        }
        if let Some(location) = $layer.ended {
            told = told.on_error(move |error| $redirect(error, location));
        }
        told
    }};
}
pub(crate) use tell;
