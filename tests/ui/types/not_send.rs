//! A handler is a task that may go on in another thread, and takes its session along.

use std::rc::Rc;

use session_runtime::Session;

#[derive(Session)]
struct Visitor { //~ ERROR not `Send`
    visits: u32,
    #[session(skip)]
    shared: Rc<u8>,
}

#[derive(Session)]
#[session(name = "generic")]
struct Generic<T> {
    #[session(skip)]
    value: Option<T>,
}

fn generic() -> Generic<Rc<u8>> {
    Session::initial() //~ ERROR not `Send`
}

fn main() {}
