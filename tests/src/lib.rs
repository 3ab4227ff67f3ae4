//! What the tests of the session toolkit share; the tests are beside this folder.

mod counting;
mod events;
mod poll;
mod stage;
mod stored;

pub use counting::CountingCodec;
pub use events::Events;
pub use poll::{begin, now};
pub use stage::{Fault, Stage};
pub use stored::{is_stored, record, stored, write};
