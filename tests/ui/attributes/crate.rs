//! `crate` takes the path of the runtime.

use session_runtime::Session;

#[derive(Session)]
#[session(crate)] //~ ERROR no value
struct Visitor0 {
    visits: u32,
}

#[derive(Session)]
#[session(crate = "session_runtime")] //~ ERROR no string
struct Visitor1 {
    visits: u32,
}

fn main() {}
