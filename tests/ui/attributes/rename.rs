//! `rename` takes one string that a store accepts.

use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    #[session(rename)] //~ ERROR no value
    a: u32,
    #[session(rename = b)] //~ ERROR no string
    b: u32,
    #[session(rename = 3)] //~ ERROR no string
    c: u32,
    #[session(rename = "d1", rename = "d2")] //~ ERROR twice
    d: u32,
    #[session(rename = "")] //~ ERROR empty
    e: u32,
    #[session(rename = "prefs.theme")] //~ ERROR a dot
    f: u32,
    #[session(rename = "#header")] //~ ERROR reserved
    g: u32,
    #[session(rename = "a\tb")] //~ ERROR a control character
    h: u32,
    #[session(rename = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")] //~ ERROR too long
    i: u32,
}

fn main() {}
