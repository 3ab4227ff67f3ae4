//! actix-session 0.11 under its middleware.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use actix_session::config::CookieContentSecurity;
use actix_session::storage::{LoadError, SaveError, SessionKey, SessionStore, UpdateError, generate_session_key};
use actix_session::{Session, SessionExt, SessionMiddleware};
use actix_web::body::BoxBody;
use actix_web::cookie::{Key, time::Duration};
use actix_web::dev::{Service, ServiceResponse};
use actix_web::http::header;
use actix_web::{App, HttpRequest, HttpResponse, test, web};
use futures_util::future::LocalBoxFuture;

use super::{Act, Cookies, Counter, View, Web};

/// The header that tells the handler what to do.
const ACT: &str = "act";

type Call = dyn Fn(test::TestRequest) -> LocalBoxFuture<'static, ServiceResponse<BoxBody>>;

pub struct Actix {
    call: Rc<Call>,
    cookies: Cookies,
    counter: Counter,
}

/// A store in memory, which actix-session has none of; it counts its calls if it was given a counter.
#[derive(Default)]
pub struct Kept {
    records: Arc<Mutex<HashMap<String, HashMap<String, String>>>>,
    counter: Option<Counter>,
}

impl Kept {
    fn count(&self, letter: char, bytes: impl FnOnce() -> usize) {
        if let Some(counter) = &self.counter {
            counter.count(letter, bytes());
        }
    }

    fn put(&self, letter: char, key: &str, state: HashMap<String, String>) {
        self.count(letter, || serde_json::to_vec(&state).map_or(0, |bytes| bytes.len()));
        self.records.lock().expect("no panic").insert(key.to_owned(), state);
    }
}

impl SessionStore for Kept {
    async fn load(&self, key: &SessionKey) -> Result<Option<HashMap<String, String>>, LoadError> {
        self.count('L', || 0);
        Ok(self.records.lock().expect("no panic").get(key.as_ref()).cloned())
    }

    async fn save(&self, state: HashMap<String, String>, _: &Duration) -> Result<SessionKey, SaveError> {
        let key = generate_session_key();
        self.put('C', key.as_ref(), state);
        Ok(key)
    }

    async fn update(
        &self,
        key: SessionKey,
        state: HashMap<String, String>,
        _: &Duration,
    ) -> Result<SessionKey, UpdateError> {
        self.put('S', key.as_ref(), state);
        Ok(key)
    }

    async fn update_ttl(&self, _: &SessionKey, _: &Duration) -> Result<(), anyhow::Error> {
        self.count('T', || 0);
        Ok(())
    }

    async fn delete(&self, key: &SessionKey) -> Result<(), anyhow::Error> {
        self.count('D', || 0);
        self.records.lock().expect("no panic").remove(key.as_ref());
        Ok(())
    }
}

async fn handle(request: HttpRequest) -> HttpResponse {
    let act = request.headers().get(ACT).and_then(|act| serde_json::from_slice(act.as_bytes()).ok()).expect("an act");
    if act != Act::Untouched {
        Handler(request.get_session()).carry_out(act);
    }
    if act == Act::Fail { HttpResponse::InternalServerError().finish() } else { HttpResponse::Ok().finish() }
}

/// The middleware with a signed cookie, which costs less time than an encrypted one.
pub fn signed(store: Kept) -> SessionMiddleware<Kept> {
    SessionMiddleware::builder(store, Key::from(&[7; 64]))
        .cookie_secure(false)
        .cookie_content_security(CookieContentSecurity::Signed)
        .build()
}

impl Actix {
    pub async fn new() -> Self {
        let counter = Counter::default();
        let store = Kept { records: Arc::default(), counter: Some(counter.clone()) };
        let app = App::new().wrap(signed(store)).route("/", web::get().to(handle));
        let service = Rc::new(test::init_service(app).await);
        let call = Rc::new(move |request: test::TestRequest| {
            let service = service.clone();
            let future: LocalBoxFuture<'static, _> = Box::pin(async move {
                let response = service.call(request.to_request()).await.expect("answers");
                response.map_into_boxed_body()
            });
            future
        });
        Self { call, cookies: Cookies::default(), counter }
    }
}

struct Handler(Session);

impl View for Handler {
    fn visits(&mut self) -> u32 {
        self.0.get("visits").expect("decodes").unwrap_or_default()
    }

    fn set_visits(&mut self, visits: u32) {
        self.0.insert("visits", visits).expect("encodes");
    }

    fn set_theme(&mut self, theme: &str) {
        self.0.insert("theme", theme).expect("encodes");
    }

    fn remove_absent(&mut self) {
        self.0.remove("coupon");
    }
}

impl Web for Actix {
    fn name(&self) -> &'static str {
        "actix-session 0.11"
    }

    async fn request(&mut self, client: usize, act: Act) {
        let mut request = test::TestRequest::get();
        if let Some(cookies) = self.cookies.of(client) {
            request = request.insert_header((header::COOKIE, cookies));
        }
        let act = serde_json::to_string(&act).expect("encodes");
        let response = (self.call)(request.insert_header((ACT, act))).await;
        for cookie in response.headers().get_all(header::SET_COOKIE) {
            self.cookies.keep(client, cookie.to_str().unwrap_or_default());
        }
    }

    fn counter(&self) -> &Counter {
        &self.counter
    }
}
