//! Two fields under one stored name would overwrite each other.

use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    visits: u32,
    #[session(rename = "visits")] //~ ERROR taken by a field
    count: u32,
    #[session(alias = "visits")] //~ ERROR taken by a field
    number: u32,
    #[session(alias = "former")]
    first: u32,
    #[session(alias = "former")] //~ ERROR taken by an alias
    second: u32,
    #[session(rename = "former")] //~ ERROR the alias above is
    third: u32,
    #[session(alias = "fourth", alias = "twice", alias = "twice")] //~ ERROR two without effect
    fourth: u32,
    #[session(nested, rename = "second")] //~ ERROR taken by a field
    prefs: Prefs,
}

#[derive(Session)]
struct Prefs {
    theme: String,
}

fn main() {}
