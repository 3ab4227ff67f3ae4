//! A conflict is either merged or refused.

use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(merge = session_runtime::merge::add, conflict = "reject")] //~ ERROR either
    a: u32,
}

fn main() {}
