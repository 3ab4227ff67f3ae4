//! A value of another type than the field's finds nothing, and a type without one encoding cannot be looked for.

use std::collections::HashSet;

use session_runtime::{Session, Sessions};

#[derive(Session)]
struct Visitor {
    #[session(index)]
    user: Option<u64>,
}

#[derive(Session)]
struct Tagged {
    #[session(index)]
    tags: HashSet<String>, //~ ERROR cannot be found
    #[session(index)]
    ratio: f64, //~ ERROR cannot be found
}

#[derive(Session)]
struct Plain {
    user: Option<u64>,
}

fn find(sessions: &Sessions<Visitor>, plain: &Sessions<Plain>) {
    sessions.find(VisitorIndex::User(&7)); //~ ERROR mismatched types
    plain.find(VisitorIndex::User(&Some(7))); //~ ERROR mismatched types
}

fn main() {}
