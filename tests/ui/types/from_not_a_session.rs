//! The version before was a session, and turns into this one.

use session_runtime::Session;

struct Plain {
    visits: u32,
}

#[derive(Session)]
struct Old {
    visits: u32,
}

#[derive(Session)]
#[session(version = 1, from = Plain)] //~ ERROR no session
struct Visitor {
    visits: u32,
}

impl From<Plain> for Visitor {
    fn from(plain: Plain) -> Self {
        Self { visits: plain.visits }
    }
}

#[derive(Session)]
#[session(name = "Old", version = 1, from = Old)] //~ ERROR no `From`
struct New {
    visits: u64,
}

fn main() {}
