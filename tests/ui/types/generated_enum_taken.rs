//! A type that has the name of a generated one; `edit = …` and `field = …` choose others.

use session_runtime::Session;

enum VisitorField {}

#[derive(Session)]
struct Visitor { //~ ERROR the enum
    visits: u32,
}

fn main() {}
