//! An index is about one stored value with one encoding.

use session_runtime::Session;

#[derive(Session)]
#[session(index = ByNothing)] //~ ERROR no field is indexed
struct Without {
    user: u64,
}

#[derive(Session)]
struct Visitor {
    #[session(skip, index)] //~ ERROR no effect
    request: u64,
    #[session(nested, index)] //~ ERROR several
    prefs: Prefs,
    #[session(unordered, index)] //~ ERROR many
    tags: Vec<String>,
    #[session(index)]
    user: Option<u64>,
}

#[derive(Session)]
struct Prefs {
    theme: String,
}

#[derive(Session)]
#[session(index = Same)] //~ ERROR this name already
struct Same {
    #[session(index)]
    user: u64,
}

#[derive(Session)]
#[session(edit = Lent, index = Lent)] //~ ERROR this name already
struct Other {
    #[session(index)]
    user: u64,
}

fn main() {}
