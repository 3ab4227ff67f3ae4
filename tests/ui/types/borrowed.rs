//! A stored value is decoded from bytes that are gone, so it owns what it holds.

use session_runtime::Session;

#[derive(Session)]
struct Visitor<'a> {
    name: Option<&'a str>, //~ ERROR borrowed
}

fn main() {}
