//! `version` takes one number.

use session_runtime::Session;

#[derive(Session)]
#[session(version)] //~ ERROR no value
struct Visitor0 {
    visits: u32,
}

#[derive(Session)]
#[session(version = "1")] //~ ERROR no string
struct Visitor1 {
    visits: u32,
}

#[derive(Session)]
#[session(version = -1)] //~ ERROR negative
struct Visitor2 {
    visits: u32,
}

#[derive(Session)]
#[session(version = 4294967296)] //~ ERROR too large
struct Visitor3 {
    visits: u32,
}

#[derive(Session)]
#[session(version = 1.5)] //~ ERROR no integer
struct Visitor4 {
    visits: u32,
}

fn main() {}
