//! `conflict` has one value, on a field and on a struct.

use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(conflict)] //~ ERROR no value
    a: u32,
    #[session(conflict = reject)] //~ ERROR no string
    b: u32,
    #[session(conflict = "merge")] //~ ERROR another value
    c: u32,
}

#[derive(Session)]
#[session(conflict = "last")] //~ ERROR another value
struct Ledger {
    visits: u32,
}

fn main() {}
