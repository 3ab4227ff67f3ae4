//! A small shop with sessions: login, devices, basket and theme, and beside it a [`panel`] that shows what each request
//! asked of the store.
//!
//! [`router`] is the whole application, [`Shopper`] its session, and [`open`] finds a store to keep it in.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use session_runtime::axum::{SessionCookie, SessionLayer, WebError, slot_of};
use session_runtime::store::Store;
use session_runtime::{AnyStore, Error, Expiry, RedisOptions, Session, Sessions, Slots, StoreError, connect};
use tower_http::csrf::CsrfLayer;

use panel::{Panel, Watched};

mod goods;
mod handlers;
mod options;
mod pages;
pub mod panel;

pub use options::Options;

/// How long a session lives without a visit.
const IDLE: Duration = Duration::from_secs(2 * 3600);

/// How long one lives that is to be remembered.
const REMEMBERED: Duration = Duration::from_secs(30 * 24 * 3600);

/// What the shop knows of a visitor. Of one who only looks it stores nothing.
#[derive(Debug, Session)]
#[session(name = "shopper")]
pub struct Shopper {
    /// Who it is, after a login. Found by it are the devices of a user.
    #[session(index)]
    pub user: Option<String>,
    /// The browser that logged in.
    pub device: String,
    /// How many of each tea are in the basket.
    pub basket: BTreeMap<String, u32>,
    /// How the pages look.
    #[session(initial = Theme::Light)]
    pub theme: Theme,
}

/// How pages look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

/// What handlers share.
#[derive(Debug, Clone)]
struct Shop {
    sessions: Sessions<Shopper>,
    panel: Panel,
}

/// Opens the store at a URL, so that a login can give its session another token: in a cluster a session can only move
/// within a slot, and so the part of its key that stays the same is its slot.
///
/// # Errors
/// Those of [`connect`].
pub async fn open(url: &str) -> Result<AnyStore, StoreError> {
    if url.starts_with("redis+cluster:") || url.starts_with("rediss+cluster:") {
        return RedisOptions::new(url).slots(Slots::By(slot_of)).open().await.map(AnyStore::new);
    }
    connect(url).await
}

/// The shop on a store. The routes `more` are within the layer of its sessions, so their handlers can take a
/// [`Shopper`] too.
///
/// It is made for plain http on the machine it runs on: see
/// [`insecure_for_development`](SessionCookie::insecure_for_development).
///
/// # Errors
/// When the store cannot serve sessions.
pub async fn router<S: Store>(store: S, more: Router) -> Result<Router, Error> {
    let sessions = Sessions::<Shopper>::builder(Watched::new(store)).expiry(Expiry::AfterInactivity(IDLE)).build();
    sessions.prepare().await?;
    let shop = Shop { sessions, panel: Panel::default() };
    // Over https this line goes, and the cookie is called `__Host-shopper`, and Secure.
    let cookie = SessionCookie::new().insecure_for_development();
    let layer = SessionLayer::new(shop.sessions.clone()).cookie(cookie).on_error(cannot_store);
    let watched = from_fn_with_state(shop.panel.clone(), panel::watch);
    let pages = Router::new()
        .route("/", get(handlers::front))
        .route("/basket", get(handlers::basket))
        .route("/basket/add", post(handlers::add))
        .route("/basket/remove", post(handlers::remove))
        .route("/theme", post(handlers::theme))
        .route("/login", get(handlers::login_form).post(handlers::login))
        .route("/logout", post(handlers::logout))
        .route("/logout-everywhere", post(handlers::logout_everywhere))
        .route("/devices", get(handlers::devices))
        .route("/devices/end", post(handlers::end_device))
        .with_state(shop.clone())
        .merge(more)
        .layer(layer)
        .layer(watched);
    let events = Router::new().route("/panel/events", get(panel::events)).with_state(shop.panel.clone());
    let panel = Router::new().route("/panel", get(handlers::panel)).with_state(shop);
    Ok(pages.merge(panel).merge(events).layer(CsrfLayer::new()))
}

/// What a visitor sees whose changes cannot be stored.
fn cannot_store(error: WebError) -> Response {
    match StatusCode::from_u16(error.status()) {
        Ok(StatusCode::CONFLICT) => (StatusCode::CONFLICT, pages::ended_meanwhile()).into_response(),
        _ => error.into_response(),
    }
}
