//! `alias` takes one string that a store accepts.

use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(alias)] //~ ERROR no value
    a: u32,
    #[session(alias = ["x", "y"])] //~ ERROR one string each
    b: u32,
    #[session(alias = "x.y")] //~ ERROR a dot
    c: u32,
    #[session(alias = "")] //~ ERROR empty
    d: u32,
}

fn main() {}
