//! `pin` stands alone.

use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(pin = "always")] //~ ERROR no value
    a: u32,
    #[session(pin, pin)] //~ ERROR twice
    b: u32,
}

fn main() {}
