//! `unordered` stands alone.

use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(unordered = true)] //~ ERROR no value
    a: Vec<u32>,
}

fn main() {}
