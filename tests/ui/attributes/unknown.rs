//! Unknown attributes list the known ones and suggest the nearest.

use session_runtime::Session;

#[derive(Session)]
#[session(nmae = "visitor")] //~ ERROR near `name`
#[session(rename_all = "camelCase", version = 1)] //~ ERROR nothing near
#[session(pin)] //~ ERROR belongs on a field
struct Visitor {
    #[session(intial = 3)] //~ ERROR near `initial`
    a: u32,
    #[session(default)] //~ ERROR serde's name of `initial`
    b: u32,
    #[session(flatten)] //~ ERROR serde's name of `nested`
    c: u32,
    #[session(version = 1)] //~ ERROR belongs on the struct
    d: u32,
    #[session(3, pin)] //~ ERROR no name
    e: u32,
}

fn main() {}
