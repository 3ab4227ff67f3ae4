//! `sensitive` stands alone.

use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(sensitive = "redact")] //~ ERROR no value
    a: u32,
}

fn main() {}
