//! Attributes stand in parentheses.

use session_runtime::Session;

#[derive(Session)]
#[session] //~ ERROR nothing in it
struct Visitor {
    #[session = "skip"] //~ ERROR no parentheses
    a: u32,
    #[session()]
    b: u32,
}

fn main() {}
