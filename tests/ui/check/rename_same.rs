//! A field has its name without being told.

use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(rename = "visits")] //~ ERROR no effect
    visits: u32,
    #[session(rename = "type")] //~ ERROR no effect
    r#type: u32,
}

#[derive(Session)]
struct Pair(u8, #[session(rename = "1")] u8); //~ ERROR no effect

fn main() {}
