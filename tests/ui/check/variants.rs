//! Names that differ, but not in `UpperCamelCase`, and names without one.

use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    foo_bar: u32,
    foo__bar: u32, //~ ERROR the same variant
    _foo_bar: u32, //~ ERROR the same variant
    self_: u32, //~ ERROR a keyword
    __: u32, //~ ERROR nothing left
    #[session(skip)]
    fooBar: u32,
}

fn main() {}
