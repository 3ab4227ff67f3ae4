//! A merge function takes the base, mine and theirs.

use session_runtime::Session;

use session_runtime::merge;

fn two(mine: u32, theirs: u32) -> u32 {
    mine + theirs
}

fn by_value(base: u32, mine: u32, theirs: u32) -> u32 {
    base + mine + theirs
}

#[derive(Session)]
struct Visitor {
    #[session(merge = two)] //~ ERROR two parameters
    a: u32,
    #[session(merge = by_value)] //~ ERROR no reference
    b: u32,
    #[session(merge = merge::add)] //~ ERROR no number
    c: String,
    #[session(merge = missing)] //~ ERROR unknown
    d: u32,
}

fn main() {}
