//! Sessions of web clients, free of any framework: the token that a client holds, how it travels, and the one session
//! of one request, which is lent, given back, and finished before the response leaves.
//!
//! A framework's layer has a [`Policy`]. It makes a [`Slot`] for each request, from which the extractor
//! [borrows](WebSession::borrow) the session, and lets [`Finish`] close it when the handler has returned. What
//! frameworks do differently with a response, they say by [`Handled`].

mod cookie;
mod error;
mod finish;
mod header;
mod lease;
mod legacy;
mod lender;
mod policy;
mod session;
mod slot;
mod token;
mod transport;

pub use cookie::{SameSite, SessionCookie};
pub use error::WebError;
pub(crate) use error::{status, tell};
pub use finish::Finish;
pub(crate) use finish::Handled;
pub(crate) use header::{Header, constants_of};
pub use legacy::LegacyCookie;
pub(crate) use policy::Policy;
pub use session::WebSession;
pub(crate) use slot::Slot;
pub use token::slot_of;
