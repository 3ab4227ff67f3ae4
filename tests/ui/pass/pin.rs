//! A pinned field is stored with the session's first commit.

use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(pin, initial = 1_700_000_000)]
    created: u64,
    #[session(pin)]
    id: u64,
}

fn main() {
    assert_eq!((Visitor::initial().created, Visitor::initial().id), (1_700_000_000, 0));
}
