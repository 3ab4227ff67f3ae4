//! Looking after sessions without knowing their types: listing, finding, showing, destroying, purging.
//!
//! What a tool must know of a session type stands in its registration: the names of its fields, their initial values,
//! how they are encoded, and which are sensitive. [`Sessions::admin`](crate::Sessions::admin) is the same for the sessions of one type.

mod aside;
mod checking;
mod date;
mod destroying;
mod finding;
mod indexing;
mod inspected;
mod listing;
mod of_sessions;
mod purging;
mod question;
mod registrations;
mod showing;
mod tool;

pub use checking::Checked;
pub use inspected::{Inspected, InspectedField, InspectedValue};
pub use listing::{KeyStream, NameStats};
pub use purging::{Purger, Purging};
pub use tool::Admin;
