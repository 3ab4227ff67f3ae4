//! The applications of the tests, served by actix-web.

use std::any::Any;
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::body::{BoxBody, MessageBody, to_bytes};
use actix_web::dev::{Payload, Service, ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::middleware::{Condition, Next, from_fn};
use actix_web::test::{TestRequest, init_service};
use actix_web::web::ServiceConfig;
use actix_web::{
    App as ActixApp, Error, FromRequest, HttpRequest, HttpResponse, HttpServer, Responder, ResponseError as _,
};
use session_runtime::actix_web::{ExistingSession, SessionMiddleware, WebError, WebSession};
use session_runtime::{MemoryStore, Sessions};
use session_tests::begin;

use crate::client::Answer;
use crate::site::{App, Arriving, Existing, GivenUp, Layer, Local, Reply, Site, tell};
use crate::visitor::Visitor;

pub(crate) trait Argument: FromRequest {}

impl<A: FromRequest> Argument for A {}

/// What a middleware does, and what it keeps.
type Before = dyn Fn(&HttpRequest) -> Local<Result<Box<dyn Any>, Error>> + Send + Sync;

/// A page, or a middleware: what it does with a request before the next service, and what is kept meanwhile.
#[derive(Clone)]
pub(crate) enum Part {
    Page(Arc<dyn Fn(&mut ServiceConfig) + Send + Sync>),
    Before(Arc<Before>),
}

pub(crate) fn page<A, H, F>(path: &'static str, handler: H) -> Part
where
    A: Argument + 'static,
    H: FnOnce(A) -> F + Clone + Send + Sync + 'static,
    F: Future<Output: Into<Reply>> + 'static,
{
    Part::Page(Arc::new(move |config| {
        let handler = handler.clone();
        let handler = move |argument: A| {
            let handler = handler.clone();
            async move { handler(argument).await.into() }
        };
        config.route(path, actix_web::web::get().to(handler));
    }))
}

pub(crate) fn before<A, H, F>(handler: H) -> Part
where
    A: Argument + 'static,
    H: FnOnce(A) -> F + Clone + Send + Sync + 'static,
    F: Future<Output: Any> + 'static,
{
    Part::Before(Arc::new(move |request| {
        let (argument, handler) = (A::extract(request), handler.clone());
        Box::pin(async move {
            let kept = handler(argument.await.map_err(Into::into)?).await;
            Ok(Box::new(kept) as Box<dyn Any>)
        })
    }))
}

type AnyResponse = ServiceResponse<BoxBody>;

fn app(
    site: Site,
) -> ActixApp<impl ServiceFactory<ServiceRequest, Config = (), Response = AnyResponse, Error = Error, InitError = ()>> {
    let before = site.before.clone();
    let pass = move |request: ServiceRequest, next: Next<BoxBody>| {
        let before = before.clone();
        async move {
            let _kept = match before {
                Some(crate::site::Part { actix_web: Part::Before(before), .. }) => {
                    Some(before(request.request()).await?)
                }
                _ => None,
            };
            next.call(request).await
        }
    };
    let nowhere = || Layer::new(Sessions::new(MemoryStore::new()));
    let configure = |config: &mut ServiceConfig| {
        for page in &site.pages {
            if let Part::Page(add) = &page.actix_web {
                add(config);
            }
        }
    };
    ActixApp::new()
        .configure(configure)
        .wrap(from_fn(pass))
        .wrap(Condition::new(site.layer.is_some(), session_middleware(&site.layer.unwrap_or_else(nowhere))))
        .wrap(SessionMiddleware::new(site.cart.unwrap_or_else(|| Sessions::new(MemoryStore::new()))))
        .wrap(from_fn(async |request, next: Next<_>| Ok(next.call(request).await?.map_into_boxed_body())))
}

fn session_middleware(layer: &Layer) -> SessionMiddleware<Visitor> {
    let redirect = |error: WebError, location| match error.status() {
        409 => HttpResponse::SeeOther().insert_header((LOCATION, location)).finish(),
        _ => error.error_response(),
    };
    tell!(layer, SessionMiddleware::new(layer.sessions.clone()), redirect)
}

pub(crate) async fn run(site: &Site) -> App {
    let service = Rc::new(init_service(app(site.clone())).await);
    App::new(move |request| {
        let service = service.clone();
        Box::pin(async move {
            let mut asked = TestRequest::get().uri(&request.path);
            for header in request.headers {
                asked = asked.append_header(header);
            }
            match service.call(asked.to_request()).await {
                Ok(response) => answer(response.map_body(|_, body| body).into_parts().1).await,
                Err(error) => answer(error.error_response()).await,
            }
        })
    })
}

async fn answer(response: HttpResponse<impl MessageBody>) -> Answer {
    let header = |(name, value): (&actix_web::http::header::HeaderName, &actix_web::http::header::HeaderValue)| {
        (name.to_string(), value.to_str().expect("text").to_owned())
    };
    let (status, headers) = (response.status().as_u16(), response.headers().iter().map(header).collect());
    let body = to_bytes(response.into_body()).await.map_err(|_| "broken").expect("a body");
    Answer { status, headers, text: String::from_utf8_lossy(&body).into_owned() }
}

pub(crate) fn listen(site: Site) -> SocketAddr {
    let server = HttpServer::new(move || app(site.clone()))
        .workers(1)
        .disable_signals()
        // Handlers of clients that are gone are dropped.
        .h1_allow_half_closed(false)
        .bind(("127.0.0.1", 0))
        .expect("a port");
    let address = server.addrs()[0];
    tokio::spawn(server.run());
    address
}

impl Responder for Reply {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        match self {
            Self::Text(status, text) => HttpResponse::build(StatusCode::from_u16(status).expect("a status")).body(text),
            Self::Stream(arriving) => HttpResponse::Ok().streaming(Arriving(arriving)),
            Self::Error(error) => HttpResponse::from_error(error),
            Self::WebError(error) => HttpResponse::from_error(error),
        }
    }
}

impl FromRequest for Existing {
    type Error = WebError;
    type Future = Local<Result<Self, WebError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let session = ExistingSession::from_request(request, payload);
        Box::pin(async move { session.await.map(|ExistingSession(session)| Self(session)) })
    }
}

impl FromRequest for GivenUp {
    type Error = WebError;
    type Future = Local<Result<Self, WebError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let session = WebSession::<Visitor>::from_request(request, payload);
        Box::pin(async move {
            assert!(begin(pin!(session)).is_pending(), "it is not there yet");
            Ok(Self)
        })
    }
}
