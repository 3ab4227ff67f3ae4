//! Versions rise.

use session_runtime::Session;

#[derive(Session)]
#[session(name = "Visitor", version = 2)]
struct Second {
    visits: u32,
}

#[derive(Session)]
#[session(version = 2, from = Second)] //~ ERROR the same
struct Visitor {
    visits: u64,
}

impl From<Second> for Visitor {
    fn from(second: Second) -> Self {
        Self { visits: second.visits.into() }
    }
}

#[derive(Session)]
#[session(name = "Visitor", version = 1, from = Second)] //~ ERROR a lower one
struct First {
    visits: u16,
}

impl From<Second> for First {
    fn from(second: Second) -> Self {
        Self { visits: second.visits as u16 }
    }
}

fn main() {}
