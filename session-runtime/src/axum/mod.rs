//! Sessions in a web server: with axum, and with whatever else is built of [tower] services.
//!
//! A [`SessionLayer`] around the routes, and handlers take a [`WebSession`]:
//!
//! ```
//! use axum::Router;
//! use axum::response::Redirect;
//! use axum::routing::{get, post};
//! use session_runtime::axum::{SessionLayer, WebSession};
//! use session_runtime::{Error, MemoryStore, Session, Sessions};
//!
//! #[derive(Session)]
//! struct Visitor {
//!     visits: u32,
//!     user: Option<u64>,
//! }
//!
//! async fn page(mut visitor: WebSession<Visitor>) -> String {
//!     *visitor.edit().visits() += 1;
//!     format!("visit {}", visitor.visits)
//! }
//!
//! async fn login(mut visitor: WebSession<Visitor>) -> Result<Redirect, Error> {
//!     *visitor.edit().user() = Some(7);
//!     visitor.renew().await?; // the old token is dead
//!     Ok(Redirect::to("/"))
//! }
//!
//! async fn logout(mut visitor: WebSession<Visitor>) -> Result<Redirect, Error> {
//!     visitor.destroy().await?;
//!     Ok(Redirect::to("/"))
//! }
//!
//! let sessions = Sessions::<Visitor>::new(MemoryStore::new());
//! let app: Router = Router::new()
//!     .route("/", get(page))
//!     .route("/login", post(login))
//!     .route("/logout", post(logout))
//!     .layer(SessionLayer::new(sessions));
//! # drop(app);
//! ```
//!
//! - The store is asked when a handler takes the session, and not at all for a client without a token until something
//!   is stored. What changed is stored in one write before the response leaves, or nothing if nothing did.
//! - A client gets a cookie when its session is stored, and loses it by [`WebSession::destroy`]. The store has a hash
//!   of the token, so who reads the store cannot take over a session. A token that is not of a stored session is never
//!   adopted.
//! - What the handler did is forgotten if it answers with 500 or above, panics, or its client is gone.
//! - A session that ended while a request was in flight stays ended: the response is 409.
//!
//! Errors of the toolkit are responses: a handler may return [`Error`](crate::Error).
//!
//! Several types of sessions are several layers. Each has a cookie of its own.
//!
//! [tower]: https://docs.rs/tower

mod extract;
mod layer;
mod respond;
mod service;

pub use crate::web::{Finish, SameSite, SessionCookie, WebError, WebSession, slot_of};
pub use layer::SessionLayer;
pub use service::SessionService;
