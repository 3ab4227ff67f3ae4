//! tower-sessions 0.15 under its layer.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use futures_util::FutureExt;
use tower::util::BoxCloneSyncService;
use tower::{Layer, ServiceExt, service_fn};
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result};
use tower_sessions::{Session, SessionManagerLayer, SessionStore};

use super::{Act, Cookies, Counter, View, Web};

pub struct Tower {
    service: BoxCloneSyncService<Request<Body>, Response<Body>, Box<dyn std::error::Error + Send + Sync>>,
    cookies: Cookies,
    counter: Counter,
}

#[derive(Clone)]
struct Counted {
    records: Arc<Mutex<HashMap<Id, Record>>>,
    counter: Counter,
}

impl fmt::Debug for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Counted")
    }
}

impl Counted {
    fn put(&self, letter: char, record: &Record) -> Result<()> {
        let bytes = serde_json::to_vec(record).map_err(|error| Error::Encode(error.to_string()))?;
        self.counter.count(letter, bytes.len());
        self.records.lock().expect("no panic").insert(record.id, record.clone());
        Ok(())
    }
}

#[async_trait]
impl SessionStore for Counted {
    async fn create(&self, record: &mut Record) -> Result<()> {
        self.put('C', record)
    }

    async fn save(&self, record: &Record) -> Result<()> {
        self.put('S', record)
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        self.counter.count('L', 0);
        Ok(self.records.lock().expect("no panic").get(id).cloned())
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        self.counter.count('D', 0);
        self.records.lock().expect("no panic").remove(id);
        Ok(())
    }
}

impl Tower {
    pub fn new() -> Self {
        let counter = Counter::default();
        let store = Counted { records: Arc::default(), counter: counter.clone() };
        let layer = SessionManagerLayer::new(store).with_secure(false);
        let handler = service_fn(|request: Request<Body>| async move {
            let act = *request.extensions().get::<Act>().expect("an act");
            let session = request.extensions().get::<Session>().expect("the layer's").clone();
            if act != Act::Untouched {
                Handler(session).carry_out(act);
            }
            let status = if act == Act::Fail { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK };
            let mut response = Response::new(Body::empty());
            *response.status_mut() = status;
            Ok::<_, Infallible>(response)
        });
        let service = BoxCloneSyncService::new(layer.layer(handler).map_err(Into::into));
        Self { service, cookies: Cookies::default(), counter }
    }
}

/// Its store never waits, so neither do its methods.
struct Handler(Session);

fn now<T>(future: impl Future<Output = std::result::Result<T, tower_sessions::session::Error>>) -> T {
    // Unconstrained, because the scheduler would make a task wait that has done much at once.
    tokio::task::unconstrained(future).now_or_never().expect("waits for nothing").expect("works")
}

impl View for Handler {
    fn visits(&mut self) -> u32 {
        now(self.0.get("visits")).unwrap_or_default()
    }

    fn set_visits(&mut self, visits: u32) {
        now(self.0.insert("visits", visits));
    }

    fn set_theme(&mut self, theme: &str) {
        now(self.0.insert("theme", theme));
    }

    fn remove_absent(&mut self) {
        now(self.0.remove::<String>("coupon"));
    }
}

impl Web for Tower {
    fn name(&self) -> &'static str {
        "tower-sessions 0.15"
    }

    async fn request(&mut self, client: usize, act: Act) {
        let mut request = Request::new(Body::empty());
        request.extensions_mut().insert(act);
        if let Some(cookies) = self.cookies.of(client) {
            request.headers_mut().insert(header::COOKIE, cookies.parse().expect("a header"));
        }
        let response = self.service.clone().oneshot(request).await.expect("answers");
        for cookie in response.headers().get_all(header::SET_COOKIE) {
            self.cookies.keep(client, cookie.to_str().unwrap_or_default());
        }
    }

    fn counter(&self) -> &Counter {
        &self.counter
    }
}
