//! The view has a method of its own.

use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    edit_all: bool, //~ ERROR taken
    visits: u32,
}

fn main() {}
