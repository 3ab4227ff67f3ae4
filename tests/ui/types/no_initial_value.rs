//! A field has an initial value.

use session_runtime::Session;

#[derive(serde::Serialize, serde::Deserialize)]
struct Theme(String);

#[derive(Session)]
struct Visitor {
    theme: Theme, //~ ERROR no `Default`
    #[session(skip)]
    started: std::time::Instant, //~ ERROR no `Default`
}

fn main() {}
