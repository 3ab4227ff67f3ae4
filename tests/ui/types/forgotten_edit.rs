//! A change needs `edit()`; the message is the compiler's own.

use session_runtime::{Session, Tracked};

#[derive(Session)]
struct Visitor {
    visits: u32,
    cart: Vec<String>,
}

fn change(visitor: &mut Tracked<Visitor>) {
    visitor.visits += 1; //~ ERROR no `edit()`
    visitor.cart.push("tea".to_owned()); //~ ERROR no `edit()`
}

fn main() {}
