//! A session that is stored from its first commit on.

use session_runtime::Session;

#[derive(Session)]
#[session(persist = "always")]
struct Visitor {
    visits: u32,
}

fn main() {
    assert_eq!(Visitor::initial().visits, 0);
}
