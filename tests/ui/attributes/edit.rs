//! `edit` takes a name.

use session_runtime::Session;

#[derive(Session)]
#[session(edit)] //~ ERROR no value
struct Visitor0 {
    visits: u32,
}

#[derive(Session)]
#[session(edit = "View")] //~ ERROR no string
struct Visitor1 {
    visits: u32,
}

#[derive(Session)]
#[session(edit = a::View)] //~ ERROR no path
struct Visitor2 {
    visits: u32,
}

#[derive(Session)]
#[session(edit = struct)] //~ ERROR a keyword
struct Visitor3 {
    visits: u32,
}

fn main() {}
