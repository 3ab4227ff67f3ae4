//! The struct's rule refuses before a field's rule is asked.

use session_runtime::Session;

#[derive(Session)]
#[session(conflict = "reject")]
struct Ledger {
    #[session(conflict = "reject")] //~ ERROR no effect
    balance: i64,
    #[session(merge = session_runtime::merge::add)] //~ ERROR no effect
    total: i64,
}

fn main() {}
