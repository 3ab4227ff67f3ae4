//! axum_session 0.22 under its layer, with its defaults.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use axum_session::{DatabaseError, DatabasePool, Session, SessionConfig, SessionLayer, SessionStore};
use tower::util::BoxCloneSyncService;
use tower::{Layer, ServiceExt, service_fn};

use super::{Act, Cookies, Counter, View, Web};

pub struct AxumSession {
    service: BoxCloneSyncService<Request<Body>, Response<Body>, Box<dyn std::error::Error + Send + Sync>>,
    cookies: Cookies,
    counter: Counter,
}

#[derive(Clone)]
struct Pool {
    records: Arc<Mutex<HashMap<String, String>>>,
    counter: Counter,
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pool")
    }
}

type Result<T> = std::result::Result<T, DatabaseError>;

#[async_trait]
impl DatabasePool for Pool {
    async fn initiate(&self, _: &str) -> Result<()> {
        Ok(())
    }

    async fn count(&self, _: &str) -> Result<i64> {
        Ok(self.records.lock().expect("no panic").len() as i64)
    }

    async fn store(&self, id: &str, session: &str, _: i64, _: &str) -> Result<()> {
        self.counter.count('S', session.len());
        self.records.lock().expect("no panic").insert(id.to_owned(), session.to_owned());
        Ok(())
    }

    async fn load(&self, id: &str, _: &str) -> Result<Option<String>> {
        self.counter.count('L', 0);
        Ok(self.records.lock().expect("no panic").get(id).cloned())
    }

    async fn delete_one_by_id(&self, id: &str, _: &str) -> Result<()> {
        self.counter.count('D', 0);
        self.records.lock().expect("no panic").remove(id);
        Ok(())
    }

    async fn exists(&self, id: &str, _: &str) -> Result<bool> {
        self.counter.count('E', 0);
        Ok(self.records.lock().expect("no panic").contains_key(id))
    }

    async fn delete_by_expiry(&self, _: &str) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    async fn delete_all(&self, _: &str) -> Result<()> {
        Ok(())
    }

    async fn get_ids(&self, _: &str) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    fn auto_handles_expiry(&self) -> bool {
        true
    }
}

impl AxumSession {
    pub async fn new() -> Self {
        let counter = Counter::default();
        let pool = Pool { records: Arc::default(), counter: counter.clone() };
        let config = SessionConfig::default().with_secure(false);
        let store = SessionStore::new(Some(pool), config).await.expect("a store");
        let handler = service_fn(|request: Request<Body>| async move {
            let act = *request.extensions().get::<Act>().expect("an act");
            let session = request.extensions().get::<Session<Pool>>().expect("the layer's").clone();
            if act != Act::Untouched {
                Handler(session).carry_out(act);
            }
            let mut response = Response::new(Body::empty());
            if act == Act::Fail {
                *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            }
            Ok::<_, Infallible>(response)
        });
        let service = BoxCloneSyncService::new(SessionLayer::new(store).layer(handler).map_err(Into::into));
        Self { service, cookies: Cookies::default(), counter }
    }
}

struct Handler(Session<Pool>);

impl View for Handler {
    fn visits(&mut self) -> u32 {
        self.0.get("visits").unwrap_or_default()
    }

    fn set_visits(&mut self, visits: u32) {
        self.0.set("visits", visits);
    }

    fn set_theme(&mut self, theme: &str) {
        self.0.set("theme", theme);
    }

    fn remove_absent(&mut self) {
        self.0.remove("coupon");
    }
}

impl Web for AxumSession {
    fn name(&self) -> &'static str {
        "axum_session 0.22"
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
