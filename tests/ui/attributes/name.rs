//! `name` takes one string that suits every key.

use session_runtime::Session;

#[derive(Session)]
#[session(name)] //~ ERROR no value
struct Visitor0 {
    visits: u32,
}

#[derive(Session)]
#[session(name = Visitor)] //~ ERROR no string
struct Visitor1 {
    visits: u32,
}

#[derive(Session)]
#[session(name = "")] //~ ERROR empty
struct Visitor2 {
    visits: u32,
}

#[derive(Session)]
#[session(name = "a visitor")] //~ ERROR a space
struct Visitor3 {
    visits: u32,
}

#[derive(Session)]
#[session(name = "bésucher")] //~ ERROR another alphabet
struct Visitor4 {
    visits: u32,
}

#[derive(Session)]
#[session(name = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")] //~ ERROR too long
struct Visitor5 {
    visits: u32,
}

#[derive(Session)]
#[session(name = "a", name = "b")] //~ ERROR twice
struct Visitor6 {
    visits: u32,
}

fn main() {}
