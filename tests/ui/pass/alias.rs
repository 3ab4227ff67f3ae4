//! Former names of a field, as many as there were.

use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(alias = "count", alias = "number")]
    visits: u32,
    #[session(rename = "theme", alias = "colour")]
    look: String,
}

fn main() {
    assert_eq!(Visitor::initial().visits, 0);
    assert_eq!(Visitor::initial().look, "");
}
