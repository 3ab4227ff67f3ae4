//! `skip` stands alone.

use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(skip = true)] //~ ERROR no value
    a: u32,
    #[session(skip(always))] //~ ERROR no value
    b: u32,
    #[session(skip pin)] //~ ERROR no comma
    c: u32,
}

fn main() {}
