//! axum, with this project's layer and with tower-sessions'.

use std::hint::black_box;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request, StatusCode, Uri, header};
use axum::response::Response;
use axum::routing::get;
use session_runtime::axum::{SessionLayer, WebSession};
use tower::Service;
use tower_sessions::{MemoryStore, Session, SessionManagerLayer};

use super::{Application, Visitor, sessions};

pub struct Axum {
    router: Router,
    cookie: HeaderValue,
}

pub async fn applications() -> [Axum; 3] {
    let bare = Router::new().route("/unused", get(unused));
    let ours = Router::new()
        .route("/unused", get(unused))
        .route("/login", get(login))
        .route("/read", get(read))
        .route("/change", get(change))
        .layer(SessionLayer::new(sessions()));
    let theirs = Router::new()
        .route("/unused", get(unused))
        .route("/login", get(tower_login))
        .route("/read", get(tower_read))
        .route("/change", get(tower_change))
        .layer(SessionManagerLayer::new(MemoryStore::default()));
    let bare = Axum { router: bare, cookie: HeaderValue::from_static("id=none") };
    [bare, Axum::logged_in(ours).await, Axum::logged_in(theirs).await]
}

impl Axum {
    async fn logged_in(router: Router) -> Self {
        let mut application = Self { router, cookie: HeaderValue::from_static("") };
        let response = application.answer(&(Uri::from_static("/login"), None)).await;
        let cookie = response.headers().get(header::SET_COOKIE).expect("a cookie").to_str().expect("text");
        application.cookie = cookie.split(';').next().unwrap_or_default().parse().expect("a header");
        application
    }

    async fn answer(&mut self, (uri, cookie): &<Self as Application>::Parts) -> Response {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = uri.clone();
        if let Some(cookie) = cookie {
            request.headers_mut().insert(header::COOKIE, cookie.clone());
        }
        // A router is always ready.
        let Ok(response) = self.router.call(request).await;
        assert_eq!(response.status(), StatusCode::OK);
        response
    }
}

impl Application for Axum {
    type Parts = (Uri, Option<HeaderValue>);

    fn parts(&self, path: &'static str, has_cookie: bool) -> Self::Parts {
        (Uri::from_static(path), has_cookie.then(|| self.cookie.clone()))
    }

    async fn serve(&mut self, parts: &Self::Parts) {
        self.answer(parts).await;
    }
}

async fn unused() {}

async fn login(mut visitor: WebSession<Visitor>) {
    *visitor.edit_all() = Visitor { visits: 1, theme: "dark".to_owned(), user: Some(7) };
}

async fn read(visitor: WebSession<Visitor>) {
    black_box(visitor.visits);
}

async fn change(mut visitor: WebSession<Visitor>) {
    let visits = visitor.visits.wrapping_add(1);
    *visitor.edit().visits() = visits;
}

async fn tower_login(session: Session) {
    session.insert("visits", 1).await.expect("encodes");
    session.insert("theme", "dark").await.expect("encodes");
    session.insert("user", 7).await.expect("encodes");
}

async fn tower_read(session: Session) {
    black_box(session.get::<u32>("visits").await.expect("loads"));
}

async fn tower_change(session: Session) {
    let visits: u32 = session.get("visits").await.expect("loads").unwrap_or_default();
    session.insert("visits", visits.wrapping_add(1)).await.expect("encodes");
}
