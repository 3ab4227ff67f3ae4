//! Moving in: sessions that another library stored go on here.
//!
//! A [`Legacy`] says how the old session of a key is found; [`SessionsBuilder::legacy`](crate::SessionsBuilder::legacy)
//! takes it, and so do the layers of the web frameworks, together with the cookie by which a client knows its old
//! session. [`actix_session`] and, with the feature `msgpack`, `tower_sessions` read what those libraries
//! store. A storage of teloxide is asked itself: see `teloxide::stored_dialogue`.

mod actix;
#[cfg(feature = "msgpack")]
mod tower;

pub use crate::error::LegacyError;
pub use crate::sessions::{Legacy, Old};
#[cfg(feature = "_web")]
pub use crate::web::LegacyCookie;
pub use actix::actix_session;
#[cfg(feature = "msgpack")]
pub use tower::{TowerSession, tower_sessions};
