//! What the panel counts, of requests as they happen.

use std::pin::pin;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use session_runtime::axum::{SessionLayer, WebSession};
use session_runtime::{Error, MemoryStore, Session, Sessions};
use session_tests::{Gate, begin};
use tokio::task::JoinHandle;
use tower::ServiceExt;

use super::{Entry, Fate, Loading, Panel, Totals, Watched, watch};

#[derive(Session)]
#[session(name = "seen")]
struct Seen {
    #[session(index)]
    user: Option<u32>,
    visits: u32,
    note: String,
}

/// Pages that do one thing each, and a client with one cookie.
#[derive(Clone)]
struct Site {
    app: Router,
    panel: Panel,
    gate: Gate,
    cookie: Option<String>,
}

impl Site {
    async fn new() -> Self {
        let sessions = Sessions::<Seen>::new(Watched::new(MemoryStore::new()));
        // The store's clock is looked at, so that no request does it.
        sessions.start("clock").await.expect("a store");
        let (panel, gate) = (Panel::default(), Gate::default());
        let (slow, everywhere, devices) = (gate.clone(), sessions.clone(), sessions.clone());
        let app = Router::new()
            .route("/nothing", get(async || ()))
            .route("/maybe", get(async |_: Option<WebSession<Seen>>| ()))
            .route("/look", get(async |_: WebSession<Seen>| ()))
            .route("/visit", get(async |mut seen: WebSession<Seen>| *seen.edit().visits() += 1))
            .route("/note", get(async |mut seen: WebSession<Seen>| *seen.edit().note() = "0123456789".to_owned()))
            .route("/blank", get(async |mut seen: WebSession<Seen>| seen.edit().note().clear()))
            .route(
                "/fail",
                get(async |mut seen: WebSession<Seen>| {
                    *seen.edit().visits() += 1;
                    StatusCode::INTERNAL_SERVER_ERROR
                }),
            )
            .route(
                "/login",
                get(async |mut seen: WebSession<Seen>| {
                    *seen.edit().user() = Some(7);
                    seen.renew().await.map(drop)
                }),
            )
            .route("/logout", get(async |mut seen: WebSession<Seen>| seen.destroy().await.map(drop)))
            .route(
                "/devices",
                get(async move |seen: WebSession<Seen>| {
                    devices.list_found(SeenIndex::User(&seen.user)).await.map(drop)
                }),
            )
            .route(
                "/everywhere",
                get(async move |mut seen: WebSession<Seen>| {
                    seen.destroy().await?;
                    everywhere.destroy_found(SeenIndex::User(&Some(7))).await?;
                    Ok::<_, Error>(())
                }),
            )
            .route(
                "/slow",
                get(async move |mut seen: WebSession<Seen>| {
                    *seen.edit().visits() += 1;
                    slow.pass().await;
                }),
            )
            .layer(SessionLayer::new(sessions))
            .layer(from_fn_with_state(panel.clone(), watch));
        Self { app, panel, gate, cookie: None }
    }

    /// Another client of the same pages.
    fn other(&self) -> Self {
        Self { cookie: None, ..self.clone() }
    }

    async fn get(&mut self, path: &str) -> Entry {
        let request = Request::get(path).header(header::COOKIE, self.cookie.as_deref().unwrap_or_default());
        let response =
            self.app.clone().oneshot(request.body(Body::empty()).expect("a request")).await.expect("an answer");
        if let Some(line) = response.headers().get(header::SET_COOKIE) {
            let line = line.to_str().expect("text");
            self.cookie = line.split(';').next().filter(|_| !line.contains("Max-Age=0")).map(str::to_owned);
        }
        self.last()
    }

    /// Begins the slow request, and comes back when it is inside.
    async fn begin(&self) -> JoinHandle<Entry> {
        let mut site = self.clone();
        let request = tokio::spawn(async move { site.get("/slow").await });
        self.gate.begun().await;
        request
    }

    fn last(&self) -> Entry {
        self.panel.snapshot().0.pop().expect("a request")
    }

    fn totals(&self) -> Totals {
        self.panel.snapshot().1
    }
}

/// Loaded, dirty, written, bytes, and what it takes to write always.
fn told(entry: &Entry) -> (Loading, String, String, u64, u64) {
    let tape = &entry.tape;
    (tape.loaded, tape.dirty.join(","), tape.written.join(","), tape.bytes, tape.whole())
}

fn none() -> String {
    String::new()
}

fn stored(fields: usize, bytes: u64) -> Loading {
    Loading::Session { fields, bytes }
}

#[tokio::test]
async fn each_request_shows_what_was_loaded_dirty_and_written() {
    let mut site = Site::new().await;
    assert_eq!(told(&site.get("/nothing").await), (Loading::NotAsked, none(), none(), 0, 0));
    assert_eq!(told(&site.get("/maybe").await), (Loading::NotAsked, none(), none(), 0, 0));
    let created = site.get("/visit").await;
    assert_eq!(told(&created), (Loading::NotAsked, "visits".into(), "visits".into(), 7, 7));
    assert_eq!((created.tape.fate, created.tape.writes), (Fate::Created, 1));
    assert_eq!(told(&site.get("/look").await), (stored(1, 7), none(), none(), 0, 7));
    assert_eq!(told(&site.get("/note").await), (stored(1, 7), "note".into(), "note".into(), 16, 23));
    assert_eq!(told(&site.get("/note").await), (stored(2, 23), none(), none(), 0, 23), "the same once more");
    let failed = site.get("/fail").await;
    assert_eq!((told(&failed), failed.status), ((stored(2, 23), none(), none(), 0, 23), Some(500)));
    assert_eq!(told(&site.get("/blank").await), (stored(2, 23), "note".into(), "note".into(), 4, 7), "taken out");
    let totals = Totals { requests: 8, loads: 5, writes: 3, bytes: 27, always_writes: 8, always_bytes: 90 };
    assert_eq!(site.totals(), totals);
    assert_eq!((totals.writes_avoided(), totals.bytes_avoided()), (5, 63));
}

#[tokio::test]
async fn a_login_a_logout_and_the_end_of_other_sessions_are_told_apart() {
    let mut site = Site::new().await;
    site.get("/visit").await;
    let login = site.get("/login").await;
    assert_eq!(told(&login), (stored(1, 7), "user".into(), "user".into(), 5, 12));
    assert_eq!(login.tape.fate, Fate::Renewed);
    let mut other = site.other();
    other.get("/login").await;
    let key = site.get("/look").await.tape.key().map(str::to_owned);
    assert_eq!(login.tape.key(), key.as_deref(), "a request is shown under the key that its session has after it");
    let devices = site.get("/devices").await;
    assert_eq!(told(&devices), (stored(2, 12), none(), none(), 0, 12), "what was read of others is not what it loaded");
    assert_eq!((devices.tape.looks, devices.tape.key()), (3, key.as_deref()), "a search, and a look at each");
    let everywhere = site.get("/everywhere").await.tape;
    assert_eq!((everywhere.fate, everywhere.writes, everywhere.ended), (Fate::Destroyed, 1, 1));
    let ended = other.get("/look").await;
    assert_eq!(told(&ended), (Loading::Nothing, none(), none(), 0, 0));
    other.get("/visit").await;
    assert_eq!(other.get("/logout").await.tape.fate, Fate::Destroyed);
}

#[tokio::test]
async fn requests_at_the_same_time_each_have_what_they_did() {
    let mut site = Site::new().await;
    site.get("/visit").await;
    let slow = site.begin().await;
    let mut other = site.other();
    assert_eq!(told(&other.get("/note").await), (Loading::NotAsked, "note".into(), "note".into(), 16, 16));
    assert_eq!(told(&site.get("/note").await), (stored(1, 7), "note".into(), "note".into(), 16, 23));
    site.gate.open();
    let slow = slow.await.expect("an answer");
    assert_eq!(slow.path, "/slow");
    assert_eq!(told(&slow), (stored(1, 7), "visits".into(), "visits".into(), 7, 23), "what is there when it ends");
}

#[tokio::test]
async fn a_change_that_was_refused_is_dirty_and_not_written() {
    let mut site = Site::new().await;
    site.get("/visit").await;
    let slow = site.begin().await;
    site.get("/logout").await;
    site.gate.open();
    let slow = slow.await.expect("an answer");
    assert_eq!((slow.status, slow.tape.fate, slow.tape.writes), (Some(409), Fate::Refused, 0));
    assert_eq!((slow.tape.dirty.join(","), slow.tape.written.len()), ("visits".to_owned(), 0));
}

#[tokio::test]
async fn a_request_whose_client_is_gone_is_counted_without_a_status() {
    let site = Site::new().await;
    let slow = site.begin().await;
    slow.abort();
    assert!(slow.await.is_err());
    let entry = site.last();
    assert_eq!((entry.path.as_str(), entry.status, entry.tape.writes), ("/slow", None, 0));
}

#[tokio::test]
async fn the_last_fifty_requests_are_kept_and_all_are_counted() {
    let mut site = Site::new().await;
    for _ in 0..53 {
        site.get("/nothing").await;
    }
    let (kept, totals) = site.panel.snapshot();
    assert_eq!((kept.len(), kept[0].number, kept[49].number, totals.requests), (50, 4, 53, 53));
}

#[tokio::test]
async fn who_waits_for_more_gets_what_came_after_and_nothing_twice() {
    let mut site = Site::new().await;
    site.get("/nothing").await;
    site.get("/look").await;
    let numbers = |entries: Vec<Entry>| entries.iter().map(|entry| entry.number).collect::<Vec<_>>();
    let (entries, totals) = site.panel.after(1).await;
    assert_eq!((numbers(entries), totals.requests), (vec![2], 2));
    let panel = site.panel.clone();
    let mut waiting = pin!(panel.after(2));
    assert!(begin(waiting.as_mut()).is_pending());
    site.get("/nothing").await;
    assert_eq!(numbers(waiting.await.0), [3]);
    assert_eq!(numbers(site.panel.after(1000).await.0), [1, 2, 3], "a page from before the shop began anew");
}
