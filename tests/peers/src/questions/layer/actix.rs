//! actix-web, with this project's middleware and with actix-session's.

use std::hint::black_box;
use std::rc::Rc;

use actix_session::Session;
use actix_web::App;
use actix_web::body::BoxBody;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::test::{TestRequest, init_service};
use actix_web::web::get;
use futures_util::future::LocalBoxFuture;
use session_runtime::actix_web::{SessionMiddleware, WebSession};

use super::{Application, Visitor, sessions};
use crate::web::actix::{Kept, signed};

type Call = dyn Fn(TestRequest) -> LocalBoxFuture<'static, ServiceResponse<BoxBody>>;

pub struct Actix {
    call: Box<Call>,
    cookie: HeaderValue,
}

/// A call of the application, whatever the type of its service is.
macro_rules! call {
    ($app:expr) => {{
        let service = Rc::new(init_service($app).await);
        Box::new(move |request: TestRequest| {
            let service = service.clone();
            let future: LocalBoxFuture<'static, _> = Box::pin(async move {
                let response = service.call(request.to_request()).await.expect("answers");
                response.map_into_boxed_body()
            });
            future
        })
    }};
}

pub async fn applications() -> [Actix; 3] {
    let bare = App::new().route("/unused", get().to(unused));
    let ours = App::new()
        .route("/unused", get().to(unused))
        .route("/login", get().to(login))
        .route("/read", get().to(read))
        .route("/change", get().to(change))
        .wrap(SessionMiddleware::new(sessions()));
    let theirs = App::new()
        .route("/unused", get().to(unused))
        .route("/login", get().to(their_login))
        .route("/read", get().to(their_read))
        .route("/change", get().to(their_change))
        .wrap(signed(Kept::default()));
    let bare = Actix { call: call!(bare), cookie: HeaderValue::from_static("id=none") };
    [bare, Actix::logged_in(call!(ours)).await, Actix::logged_in(call!(theirs)).await]
}

impl Actix {
    async fn logged_in(call: Box<Call>) -> Self {
        let response = call(TestRequest::with_uri("/login")).await;
        let cookie = response.headers().get(header::SET_COOKIE).expect("a cookie").to_str().expect("text");
        let cookie = cookie.split(';').next().unwrap_or_default().parse().expect("a header");
        Self { call, cookie }
    }
}

impl Application for Actix {
    type Parts = (&'static str, Option<HeaderValue>);

    fn parts(&self, path: &'static str, has_cookie: bool) -> Self::Parts {
        (path, has_cookie.then(|| self.cookie.clone()))
    }

    async fn serve(&mut self, (path, cookie): &Self::Parts) {
        let mut request = TestRequest::with_uri(path);
        if let Some(cookie) = cookie {
            request = request.insert_header((header::COOKIE, cookie.clone()));
        }
        assert_eq!((self.call)(request).await.status(), StatusCode::OK);
    }
}

async fn unused() -> &'static str {
    ""
}

async fn login(mut visitor: WebSession<Visitor>) -> &'static str {
    *visitor.edit_all() = Visitor { visits: 1, theme: "dark".to_owned(), user: Some(7) };
    ""
}

async fn read(visitor: WebSession<Visitor>) -> &'static str {
    black_box(visitor.visits);
    ""
}

async fn change(mut visitor: WebSession<Visitor>) -> &'static str {
    let visits = visitor.visits.wrapping_add(1);
    *visitor.edit().visits() = visits;
    ""
}

async fn their_login(session: Session) -> &'static str {
    session.insert("visits", 1).expect("encodes");
    session.insert("theme", "dark").expect("encodes");
    session.insert("user", 7).expect("encodes");
    ""
}

async fn their_read(session: Session) -> &'static str {
    black_box(session.get::<u32>("visits").expect("decodes"));
    ""
}

async fn their_change(session: Session) -> &'static str {
    let visits: u32 = session.get("visits").expect("decodes").unwrap_or_default();
    session.insert("visits", visits.wrapping_add(1)).expect("encodes");
    ""
}
