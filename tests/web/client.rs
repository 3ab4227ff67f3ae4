//! A client with the cookies of a browser, and the clock of none.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, HeaderName, Request, StatusCode, header};
use tower::ServiceExt as _;

/// Sends requests to an application, one after the other or, as clones, several at once.
#[derive(Clone)]
pub(crate) struct Client {
    app: Router,
    /// The cookies, by their names.
    cookies: Vec<(String, String)>,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Client {
    pub(crate) fn new(app: &Router) -> Self {
        Self { app: app.clone(), cookies: Vec::new() }
    }

    /// A client that comes with this cookie.
    pub(crate) fn with(app: &Router, cookie: &str) -> Self {
        let mut client = Self::new(app);
        client.keep(cookie);
        client
    }

    /// Requests a page and keeps the cookies that come with it.
    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        let answer = self.look(path).await;
        for line in answer.lines(&header::SET_COOKIE) {
            self.keep(&line);
        }
        answer
    }

    /// Requests a page and forgets the cookies that come with it.
    pub(crate) async fn look(&self, path: &str) -> Answer {
        let mut request = Request::get(path);
        if !self.cookies.is_empty() {
            request = request.header(header::COOKIE, self.cookie());
        }
        send(&self.app, request.body(Body::empty()).expect("a request")).await
    }

    /// The cookies as they are sent.
    pub(crate) fn cookie(&self) -> String {
        let pairs: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }

    /// The token in the only cookie.
    pub(crate) fn token(&self) -> &str {
        let [(_, token)] = &*self.cookies else { panic!("one cookie: {:?}", self.cookies.len()) };
        token
    }

    pub(crate) fn has_cookie(&self) -> bool {
        !self.cookies.is_empty()
    }

    fn keep(&mut self, line: &str) {
        let (name, value) = line.split(';').next().and_then(|pair| pair.split_once('=')).expect("a pair");
        self.cookies.retain(|(kept, _)| kept != name);
        if !line.contains("Max-Age=0") {
            self.cookies.push((name.to_owned(), value.to_owned()));
        }
    }
}

/// Sends one request.
pub(crate) async fn send(app: &Router, request: Request<Body>) -> Answer {
    let response = app.clone().oneshot(request).await.expect("a response");
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, 1 << 20).await.expect("a body");
    Answer { status: parts.status, headers: parts.headers, text: String::from_utf8_lossy(&body).into_owned() }
}

impl Answer {
    /// The values of a header.
    pub(crate) fn lines(&self, name: &HeaderName) -> Vec<String> {
        self.headers.get_all(name).iter().map(|value| value.to_str().expect("text").to_owned()).collect()
    }

    /// The cookies that it sets or removes.
    pub(crate) fn cookies(&self) -> Vec<String> {
        self.lines(&header::SET_COOKIE)
    }
}
