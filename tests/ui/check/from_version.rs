//! Version 0 has no predecessor.

use session_runtime::Session;

#[derive(Session)]
#[session(from = Old)] //~ ERROR no version
struct Visitor0 {
    visits: u32,
}

#[derive(Session)]
#[session(version = 0, from = Old)] //~ ERROR no version
struct Visitor1 {
    visits: u32,
}


#[derive(Session)]
struct Old {
    visits: u32,
}

fn main() {}
