//! The struct's initial value gives every field its own.

use session_runtime::Session;

#[derive(Session)]
#[session(initial = Visitor { visits: 1 })]
struct Visitor {
    #[session(initial = 2)] //~ ERROR which of the two?
    visits: u32,
}

fn main() {}
