//! A session is a struct with the derive.

use session_runtime::Tracked;

struct Visitor {
    visits: u32,
}

fn load() -> Result<Tracked<Visitor>, session_runtime::Error> { //~ ERROR no session
    Tracked::new()
}

fn main() {}
