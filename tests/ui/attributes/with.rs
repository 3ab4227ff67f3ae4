//! `with` takes the path of a module.

use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(with)] //~ ERROR no value
    a: u32,
    #[session(with = "module")] //~ ERROR no string
    b: u32,
}

fn main() {}
