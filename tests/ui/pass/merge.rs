//! Ready-made merges, and one of the user's own whose name is that of a generated variable.

use session_runtime::{Session, merge};

#[derive(Session)]
struct Visitor {
    #[session(merge = merge::add)]
    visits: u32,
    #[session(merge = merge::union)]
    cart: Vec<String>,
    #[session(merge = index)]
    last: Option<u8>,
    #[session(merge = self::visitor)]
    other: Option<u8>,
    #[session(unordered, merge = merge)]
    third: Vec<u8>,
}

fn index(_base: &Option<u8>, mine: Option<u8>, theirs: Option<u8>) -> Option<u8> {
    mine.or(theirs)
}

fn visitor(_base: &Option<u8>, _mine: Option<u8>, theirs: Option<u8>) -> Option<u8> {
    theirs
}

fn merge(_base: &Vec<u8>, mine: Vec<u8>, _theirs: Vec<u8>) -> Vec<u8> {
    mine
}

fn main() {
    let visitor = Visitor::initial();
    assert_eq!((visitor.visits, visitor.cart.len(), visitor.last, visitor.other), (0, 0, None, None));
    assert!(visitor.third.is_empty());
}
