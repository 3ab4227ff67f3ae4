//! `unordered` is for lists, whatever they are wrapped in.

use std::collections::{BTreeSet, HashMap};

use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(unordered)] //~ ERROR without an order
    a: HashMap<String, u8>,
    #[session(unordered)] //~ ERROR without an order
    b: Option<std::collections::HashSet<u8>>,
    #[session(unordered)] //~ ERROR sorted
    c: BTreeSet<u8>,
    #[session(unordered, merge = merge)] //~ ERROR one value
    d: Option<u32>,
    #[session(unordered)] //~ ERROR a tuple
    e: (u8, String),
    #[session(unordered)]
    f: Box<[u8]>,
}

fn merge(_base: &Option<u32>, mine: Option<u32>, _theirs: Option<u32>) -> Option<u32> {
    mine
}

fn main() {}
