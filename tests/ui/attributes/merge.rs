//! `merge` takes the path of a function.

use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(merge)] //~ ERROR no value
    a: u32,
    #[session(merge = "add")] //~ ERROR no string
    b: u32,
    #[session(merge = |base, mine, theirs| mine)] //~ ERROR no closure
    c: u32,
}

fn main() {}
