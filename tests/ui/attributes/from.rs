//! `from` takes the type of the version before.

use session_runtime::Session;

#[derive(Session)]
#[session(version = 1, from)] //~ ERROR no value
struct Visitor0 {
    visits: u32,
}

#[derive(Session)]
#[session(version = 1, from = "Old")] //~ ERROR no string
struct Visitor1 {
    visits: u32,
}

fn main() {}
