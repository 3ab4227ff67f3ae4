//! `serde` has one value.

use session_runtime::Session;

#[derive(Session)]
#[session(serde)] //~ ERROR no value
struct Visitor {
    #[session(serde = "used")] //~ ERROR another value
    a: u32,
    #[session(serde = "ignored", skip)] //~ ERROR nothing to ignore
    b: u32,
}

fn main() {}
