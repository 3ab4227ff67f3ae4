//! Load for a contender, and what it took: shared by the two programs that measure.
//!
//! A [`Contender`] is a session library on a store. [`drive`] lets tasks use it for a while, as a [`Load`] says, and
//! returns [`Figures`]. A [`Side`] is a contender somewhere: in this process ([`Local`]) or in another ([`Child`]).

mod child;
mod drive;
mod figures;
mod side;
mod tower;
mod visitor;
mod zipf;

pub use child::{Child, serve};
pub use drive::drive;
pub use figures::{Figures, Latencies};
pub use side::{Contender, Load, Local, Side, Verb, cpu_time};
pub use visitor::{Item, Visitor, filled};
pub use zipf::{Random, Zipf};

#[doc(hidden)]
pub use serde_json;
