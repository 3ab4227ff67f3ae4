//! Sessions of web clients, free of any framework: the token that a client holds, how it travels, and the one session
//! of one request, which is lent, given back, and finished before the response leaves.
//!
//! A framework's layer makes a [`Slot`] for each request, lets its extractor [borrow](Slot::borrow) the session from it,
//! and [closes](Slot::close) it when the handler has returned.

mod cookie;
mod error;
mod lease;
mod lender;
mod session;
mod slot;
mod token;
mod transport;

pub use cookie::{SameSite, SessionCookie};
pub use error::WebError;
pub(crate) use error::status;
pub(crate) use lease::{Lease, Notice};
pub(crate) use lender::Lender;
pub use session::WebSession;
pub(crate) use slot::{Closed, Slot};
pub use token::slot_of;
