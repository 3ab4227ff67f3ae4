//! `field` takes a name.

use session_runtime::Session;

#[derive(Session)]
#[session(field)] //~ ERROR no value
struct Visitor0 {
    visits: u32,
}

#[derive(Session)]
#[session(field = "Name")] //~ ERROR no string
struct Visitor1 {
    visits: u32,
}

fn main() {}
