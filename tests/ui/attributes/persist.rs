//! `persist` has one value.

use session_runtime::Session;

#[derive(Session)]
#[session(persist)] //~ ERROR no value
struct Visitor0 {
    visits: u32,
}

#[derive(Session)]
#[session(persist = "never")] //~ ERROR another value
struct Visitor1 {
    visits: u32,
}

#[derive(Session)]
#[session(persist = always)] //~ ERROR no string
struct Visitor2 {
    visits: u32,
}

fn main() {}
