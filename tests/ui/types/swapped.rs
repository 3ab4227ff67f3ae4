//! Two sessions' contents cannot be swapped.

use session_runtime::{Session, Tracked};

#[derive(Session)]
struct Visitor {
    visits: u32,
}

fn swap(first: &mut Tracked<Visitor>, second: &mut Tracked<Visitor>) {
    std::mem::swap(&mut **first, &mut **second); //~ ERROR both
}

fn main() {}
