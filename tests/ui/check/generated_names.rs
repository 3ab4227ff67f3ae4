//! The generated items stand beside the struct.

use session_runtime::Session;

#[derive(Session)]
#[session(edit = Visitor0)] //~ ERROR the struct has it
struct Visitor0 {
    visits: u32,
}

#[derive(Session)]
#[session(field = Visitor1)] //~ ERROR the struct has it
struct Visitor1 {
    visits: u32,
}

#[derive(Session)]
#[session(edit = Same, field = Same)] //~ ERROR one name for two
struct Visitor2 {
    visits: u32,
}

#[derive(Session)]
#[session(edit = Visitor3Field)] //~ ERROR one name for two
struct Visitor3 {
    visits: u32,
}

fn main() {}
