//! A nested type is a session.

use session_runtime::Session;

#[derive(Default)]
struct Prefs {
    theme: String,
}

#[derive(Session)]
struct Visitor {
    visits: u32,
    #[session(nested)]
    prefs: Prefs, //~ ERROR no session
    #[session(nested)]
    more: Option<More>, //~ ERROR no session
}

#[derive(Session)]
struct More {
    theme: String,
}

fn main() {}
