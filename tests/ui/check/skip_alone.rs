//! A skipped field is not stored, so nothing else can hold for it.

use session_runtime::Session;

#[derive(Session)] //~ ERROR no effect
struct Visitor {
    #[session(skip, pin)] //~ ERROR no effect
    a: u32,
    #[session(skip, rename = "x", alias = "y")] //~ ERROR no effect
    b: u32,
    #[session(skip, nested)] //~ ERROR no effect
    c: u32,
    #[session(skip, unordered, merge = merge)] //~ ERROR no effect
    d: u32,
    #[session(skip, conflict = "reject", sensitive)] //~ ERROR no effect
    e: u32,
    #[session(skip, with = module)] //~ ERROR no effect
    f: u32,
}

fn main() {}
