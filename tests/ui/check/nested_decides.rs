//! A nested session is stored as its own fields say.

use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(nested, with = module)] //~ ERROR no effect
    a: Prefs,
    #[session(nested, unordered)] //~ ERROR no effect
    b: Prefs,
    #[session(nested, merge = merge)] //~ ERROR no effect
    c: Prefs,
}

#[derive(Session)]
struct Prefs {
    theme: String,
}

fn main() {}
