//! Sessions in a web server, with [actix-web].
//!
//! A [`SessionMiddleware`] around the application, and handlers take a [`WebSession`]:
//!
//! ```no_run
//! use actix_web::web::{Redirect, get, post};
//! use actix_web::{App, HttpServer};
//! use session_runtime::actix_web::{SessionMiddleware, WebSession};
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
//!     Ok(Redirect::to("/").see_other())
//! }
//!
//! async fn logout(mut visitor: WebSession<Visitor>) -> Result<Redirect, Error> {
//!     visitor.destroy().await?;
//!     Ok(Redirect::to("/").see_other())
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let sessions = Sessions::<Visitor>::new(MemoryStore::new()); // made once, and cloned into each worker
//! HttpServer::new(move || {
//!     App::new()
//!         .route("/", get().to(page))
//!         .route("/login", post().to(login))
//!         .route("/logout", post().to(logout))
//!         .wrap(SessionMiddleware::new(sessions.clone()))
//! })
//! .h1_allow_half_closed(false) // a request whose client is gone ends, and stores nothing
//! .bind(("127.0.0.1", 3000))?
//! .run()
//! .await
//! # }
//! ```
//!
//! - The store is asked when a handler takes the session, and not at all for a client without a token until something
//!   is stored. What changed is stored in one write before the response leaves, or nothing if nothing did.
//! - A client gets a cookie when its session is stored, and loses it by [`WebSession::destroy`]. The store has a hash
//!   of the token, so who reads the store cannot take over a session. A token that is not of a stored session is never
//!   adopted.
//! - What the handler did is forgotten if it answers with 500 or above, or panics. It is forgotten when its client is
//!   gone, if actix-web drops the handler then: with HTTP/1 it does by `h1_allow_half_closed(false)`.
//! - A session that ended while a request was in flight stays ended: the response is 409.
//!
//! Errors of the toolkit are responses: a handler may return [`Error`](crate::Error). Where a handler wants a session
//! only if there is one, it takes an [`ExistingSession`]; whoever has the request finds its session by [`SessionExt`].
//!
//! Several types of sessions are several middlewares. Each has a cookie of its own.
//!
//! [actix-web]: https://docs.rs/actix-web

mod extract;
mod middleware;
mod respond;

pub use crate::web::{Finish, SameSite, SessionCookie, WebError, WebSession, slot_of};
pub use extract::{ExistingSession, SessionExt};
pub use middleware::{SessionMiddleware, SessionService};
