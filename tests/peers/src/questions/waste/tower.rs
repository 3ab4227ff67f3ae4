//! tower-sessions 0.15 with its store on Redis, as their documentation shows them.

use std::convert::Infallible;
use std::sync::Arc;

use async_trait::async_trait;
use axum::body::Body;
use axum::http::{Request, Response, header};
use time::Duration;
use tokio::sync::Barrier;
use tower::util::BoxCloneSyncService;
use tower::{Layer, ServiceExt, service_fn};
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result};
use tower_sessions::{Expiry, Session, SessionManagerLayer, SessionStore};
use tower_sessions_core_014::{self as earlier, SessionStore as _};
use tower_sessions_redis_store::RedisStore;
use tower_sessions_redis_store::fred::prelude::{ClientLike, Config, Pool};

use super::{Act, Library, View, carry_out};
use crate::web::Cookies;

type Service = BoxCloneSyncService<Request<Body>, Response<Body>, Box<dyn std::error::Error + Send + Sync>>;

pub(super) struct Tower {
    instances: Vec<Service>,
    cookies: Cookies,
}

/// The store, which stayed behind at the core before.
#[derive(Debug, Clone)]
struct Kept(RedisStore<Pool>);

fn to_store(record: &Record) -> earlier::session::Record {
    let id = earlier::session::Id(record.id.0);
    earlier::session::Record { id, data: record.data.clone(), expiry_date: record.expiry_date }
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::Backend(error.to_string())
}

#[async_trait]
impl SessionStore for Kept {
    async fn create(&self, record: &mut Record) -> Result<()> {
        let mut kept = to_store(record);
        self.0.create(&mut kept).await.map_err(failed)?;
        record.id = Id(kept.id.0);
        Ok(())
    }

    async fn save(&self, record: &Record) -> Result<()> {
        self.0.save(&to_store(record)).await.map_err(failed)
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let found = self.0.load(&earlier::session::Id(id.0)).await.map_err(failed)?;
        Ok(found.map(|record| Record { id: *id, data: record.data, expiry_date: record.expiry_date }))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        self.0.delete(&earlier::session::Id(id.0)).await.map_err(failed)
    }
}

impl Tower {
    pub(super) async fn new(url: &str) -> Self {
        let mut instances = Vec::new();
        for _ in 0..2 {
            let pool = Pool::new(Config::from_url(url).expect("a URL"), None, None, None, 6).expect("a pool");
            pool.init().await.expect("a server");
            let layer = SessionManagerLayer::new(Kept(RedisStore::new(pool)))
                .with_secure(false)
                .with_expiry(Expiry::OnInactivity(Duration::hours(1)));
            let handler = service_fn(|request: Request<Body>| async move {
                let session = request.extensions().get::<Session>().expect("the layer's").clone();
                let act = *request.extensions().get::<Act>().expect("an act");
                let meeting = request.extensions().get::<Arc<Barrier>>();
                carry_out(&mut Handler(session), act, meeting.map(|meeting| &**meeting)).await;
                Ok::<_, Infallible>(Response::new(Body::empty()))
            });
            instances.push(BoxCloneSyncService::new(layer.layer(handler).map_err(Into::into)));
        }
        Self { instances, cookies: Cookies::default() }
    }

    async fn serve(&self, instance: usize, client: usize, act: Act, meeting: Option<Arc<Barrier>>) -> Response<Body> {
        let mut request = Request::new(Body::empty());
        request.extensions_mut().insert(act);
        if let Some(meeting) = meeting {
            request.extensions_mut().insert(meeting);
        }
        if let Some(cookies) = self.cookies.of(client) {
            request.headers_mut().insert(header::COOKIE, cookies.parse().expect("a header"));
        }
        self.instances[instance].clone().oneshot(request).await.expect("answers")
    }
}

struct Handler(Session);

impl View for Handler {
    async fn visits(&mut self) -> u32 {
        self.0.get("visits").await.expect("loads").unwrap_or_default()
    }

    async fn set_visits(&mut self, visits: u32) {
        self.0.insert("visits", visits).await.expect("encodes");
    }

    async fn dark(&mut self) -> bool {
        self.0.get("dark").await.expect("loads").unwrap_or_default()
    }

    async fn set_dark(&mut self, dark: bool) {
        self.0.insert("dark", dark).await.expect("encodes");
    }
}

impl Library for Tower {
    fn name(&self) -> String {
        "tower-sessions 0.15, pools of 6".to_owned()
    }

    fn keeps_its_end(&self) -> bool {
        true
    }

    async fn request(&mut self, instance: usize, client: usize, act: Act) {
        let response = self.serve(instance, client, act, None).await;
        for cookie in response.headers().get_all(header::SET_COOKIE) {
            self.cookies.keep(client, cookie.to_str().unwrap_or_default());
        }
    }

    async fn meet(&mut self, client: usize) {
        let meeting = Arc::new(Barrier::new(2));
        let one = self.serve(0, client, Act::Visit, Some(meeting.clone()));
        tokio::join!(one, self.serve(1, client, Act::Turn, Some(meeting)));
    }
}
