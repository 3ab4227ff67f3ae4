//! The name of a type may be too long for a key, or in another alphabet.

use session_runtime::Session;

#[derive(Session)]
struct AVisitorWhoseNameIsSoLongThatItWouldMakeEveryKeyInTheStoreLongerThanNeeded { //~ ERROR too long
    visits: u32,
}

#[derive(Session)]
struct Bésucher { //~ ERROR another alphabet
    visits: u32,
}

fn main() {}
