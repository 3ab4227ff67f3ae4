//! `initial` takes one expression.

use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(initial)] //~ ERROR no value
    a: u32,
    #[session(initial = )] //~ ERROR no value
    b: u32,
    #[session(initial = , pin)] //~ ERROR no value
    c: u32,
    #[session(initial(1))] //~ ERROR not in parentheses
    d: u32,
    #[session(initial = 1 +)] //~ ERROR an operand is missing
    e: u32,
    #[session(initial = 1 2)] //~ ERROR an operator is missing
    f: u32,
}

fn main() {}
