//! A stored value is decoded from bytes that are gone, so it owns what it holds.

use std::marker::PhantomData;

use session_runtime::Session;

#[derive(Session)]
struct Visitor {
    name: &'static str, //~ ERROR borrowed
    names: Vec<Option<&'static str>>, //~ ERROR borrowed, deep inside
    pair: (u8, &'static [u8]), //~ ERROR borrowed, in a tuple
    marker: PhantomData<&'static str>,
    #[session(skip)]
    request: &'static str,
}

fn main() {}
