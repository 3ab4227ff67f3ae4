//! A version, for incompatible changes.

use session_runtime::Session;

#[derive(Session)]
#[session(version = 3)]
struct Visitor {
    visits: u32,
}

#[derive(Session)]
#[session(version = 0xFF_u32)]
struct Other {
    visits: u32,
}

fn main() {
    assert_eq!(Visitor::initial().visits + Other::initial().visits, 0);
}
