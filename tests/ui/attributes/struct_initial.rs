//! `initial` takes one expression.

use session_runtime::Session;

#[derive(Session)]
#[session(initial)] //~ ERROR no value
struct Visitor0 {
    visits: u32,
}

#[derive(Session)]
#[session(initial = ;)] //~ ERROR no expression
struct Visitor1 {
    visits: u32,
}

fn main() {}
