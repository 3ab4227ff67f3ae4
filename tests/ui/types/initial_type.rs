//! An initial value has the field's type.

use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(initial = "light")] //~ ERROR no `String`
    theme: String,
    #[session(initial = missing())] //~ ERROR unknown
    visits: u32,
}

#[derive(Session)]
#[session(initial = 3)] //~ ERROR no `Whole`
struct Whole {
    visits: u32,
}

fn main() {}
