//! A type that borrows cannot be decoded from bytes that are gone.

use serde::{Deserialize, Serialize};
use session_runtime::Session;

#[derive(Default, Serialize, Deserialize)]
struct Name<'a>(&'a str);

#[derive(Session)]
struct Visitor {
    name: Name<'static>, //~ ERROR borrowed
}

fn main() {}
