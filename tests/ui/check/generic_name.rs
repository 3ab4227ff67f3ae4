//! The name of a generic type does not tell its instances apart.

use session_runtime::Session;

#[derive(Session)]
struct Pair<A, B> { //~ ERROR no name
    first: A,
    second: B,
}

#[derive(Session)]
struct Board<const N: usize> { //~ ERROR no name
    #[session(initial = N)]
    size: usize,
}

fn main() {}
