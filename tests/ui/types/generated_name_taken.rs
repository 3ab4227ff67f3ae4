//! A type that has the name of a generated one; `edit = …` and `field = …` choose others.

use session_runtime::Session;

struct VisitorEdit;

#[derive(Session)]
struct Visitor { //~ ERROR the view
    visits: u32,
}

fn main() {}
