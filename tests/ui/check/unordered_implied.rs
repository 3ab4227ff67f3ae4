//! What the type says need not be said again.

use std::collections::HashMap;

use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(unordered)] //~ ERROR implied
    a: HashMap<String, u8>,
    #[session(unordered)] //~ ERROR implied
    b: std::collections::HashSet<u8>,
}

fn main() {}
