//! What does a layer cost that a request does not use, and one that it does?

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response};
use futures_util::FutureExt;
use serde::{Deserialize, Serialize};
use session_peers_load::cpu_time;
use tower::util::BoxCloneSyncService;
use tower::{Layer, ServiceExt, service_fn};
use tower_sessions::session::{Id, Record};
use tower_sessions::{MemoryStore, Session, SessionManagerLayer, SessionStore};

use crate::compare::Ratio;
use crate::say;

/// Microseconds of processor time per request, of a service in the style of axum.
#[derive(Serialize, Deserialize, Debug, Clone)]
pub struct Layers {
    pub none: f64,
    pub tower_unused: f64,
    pub tower_changed: f64,
    /// This project's, once it has a layer.
    pub ours_unused: Option<f64>,
    pub ours_changed: Option<f64>,
}

type Service = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

pub async fn ask(rounds: usize) -> Layers {
    say!("layers");
    let bare = BoxCloneSyncService::new(service_fn(unused));
    let store = MemoryStore::default();
    let id = Id::default();
    let data = [("visits".to_owned(), 1.into())].into_iter().collect();
    let expiry_date = time::OffsetDateTime::now_utc() + time::Duration::weeks(2);
    store.create(&mut Record { id, data, expiry_date }).await.expect("creates");
    let layer = SessionManagerLayer::new(store).with_secure(false);
    let cookie = {
        // The store gives the record an id of its own if this one is taken, which it is not.
        format!("id={id}")
    };
    let tower_unused = layered(layer.layer(service_fn(unused)));
    let tower_changed = layered(layer.layer(service_fn(changed)));
    let mut times = [const { Vec::new() }; 3];
    for _ in 0..rounds {
        for (service, times) in [&bare, &tower_unused, &tower_changed].into_iter().zip(&mut times) {
            times.push(cost(service, &cookie).await);
        }
    }
    let [none, tower_unused, tower_changed] = times.map(|times| Ratio::of(times.into_iter()).median);
    Layers { none, tower_unused, tower_changed, ours_unused: None, ours_changed: None }
}

fn layered<S>(service: S) -> Service
where
    S: tower::Service<Request<Body>, Response = Response<Body>> + Clone + Send + Sync + 'static,
    S::Error: std::fmt::Debug,
    S::Future: Send,
{
    BoxCloneSyncService::new(service.map_err(|error| -> Infallible { panic!("a layer fails: {error:?}") }))
}

async fn unused(_: Request<Body>) -> Result<Response<Body>, Infallible> {
    Ok(Response::new(Body::empty()))
}

async fn changed(request: Request<Body>) -> Result<Response<Body>, Infallible> {
    let session = request.extensions().get::<Session>().expect("the layer's");
    let visits: u32 = session.get("visits").await.expect("loads").expect("the session is stored");
    session.insert("visits", visits.wrapping_add(1)).await.expect("encodes");
    Ok(Response::new(Body::empty()))
}

async fn cost(service: &Service, cookie: &str) -> f64 {
    let (before, mut done) = (cpu_time(), 0_u32);
    let ended = std::time::Instant::now() + Duration::from_millis(30);
    while std::time::Instant::now() < ended {
        for _ in 0..50 {
            let mut request = Request::new(Body::empty());
            request.headers_mut().insert("cookie", cookie.parse().expect("a header"));
            service.clone().oneshot(request).map(drop).await;
        }
        done += 50;
    }
    (cpu_time() - before).as_secs_f64() * 1e6 / f64::from(done)
}
