//! `nested` stands alone.

use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(nested = Prefs)] //~ ERROR no value
    prefs: Prefs,
}

#[derive(Session)]
struct Prefs {
    theme: String,
}

fn main() {}
