//! `initial` takes any expression, commas and brackets included.

use std::collections::BTreeMap;

use session_runtime::{Session, Tracked};

fn eleven() -> u8 {
    11
}

#[derive(Session)]
struct Visitor {
    #[session(initial = 7)]
    number: u32,
    #[session(initial = -1)]
    negative: i32,
    #[session(initial = "light".to_owned(), pin)]
    method: String,
    #[session(initial = [1, 2, 3])]
    array: [u8; 3],
    #[session(initial = vec![1; 4])]
    invoked: Vec<u8>,
    #[session(initial = BTreeMap::<String, Vec<(u8, u8)>>::new(), pin)]
    turbofish: BTreeMap<String, Vec<(u8, u8)>>,
    #[session(initial = <(u8, u8) as Default>::default(), pin)]
    qualified: (u8, u8),
    #[session(initial = (|a: u8, b| -> u8 { a + b })(1, 2), pin)]
    called_closure: u8,
    #[session(initial = Some(3).map_or(0, |x| x | 4), pin)]
    closure: u8,
    #[session(initial = match eleven() { 0 | 1 => "low", _ => "high" }.to_owned(), pin)]
    matched: String,
    #[session(initial = if eleven() > 3 && eleven() < 12 { 1 } else { 2 }, pin)]
    branched: u8,
    #[session(initial = if let Some(x) = Some(5) { x } else { 2 })]
    bound: u8,
    #[session(initial = { let a = 1; let b = 2; a + b }, pin)]
    block: u8,
    #[session(initial = unsafe_free::<u8, u16>(1, 2) as u32 + 1, pin)]
    cast: u32,
    #[session(initial = 1 < 2, pin)]
    comparison: bool,
    #[session(initial = 0..10, pin)]
    range: std::ops::Range<u8>,
    #[session(initial = 'found: { if eleven() == 11 { break 'found 1 } 2 })]
    labelled: u8,
    #[session(initial = loop { break 9 })]
    looped: u8,
    #[session(initial = Point { x: 1, ..Point::default() }.x)]
    literal: u8,
    #[session(initial = std::convert::identity::<fn(u8, u8) -> u8>(|a, b| a * b)(3, 4))]
    pointer: u8,
    #[session(initial = "5".parse::<u8>().unwrap_or_default())]
    parsed: u8,
}

#[derive(Default)]
struct Point {
    x: u8,
    #[expect(dead_code)]
    y: u8,
}

fn unsafe_free<A: Into<u16>, B: Into<u16>>(a: A, b: B) -> u16 {
    a.into() + b.into()
}

fn main() -> Result<(), session_runtime::Error> {
    let visitor = Tracked::<Visitor>::new()?;
    assert_eq!((visitor.number, visitor.negative, visitor.method.as_str()), (7, -1, "light"));
    assert_eq!((visitor.array, visitor.invoked.len(), visitor.turbofish.len()), ([1, 2, 3], 4, 0));
    assert_eq!((visitor.qualified, visitor.called_closure, visitor.closure), ((0, 0), 3, 7));
    assert_eq!((visitor.matched.as_str(), visitor.branched, visitor.bound, visitor.block), ("high", 1, 5, 3));
    assert_eq!((visitor.cast, visitor.comparison, visitor.range.clone()), (4, true, 0..10));
    assert_eq!((visitor.labelled, visitor.looped, visitor.literal, visitor.pointer, visitor.parsed), (1, 9, 1, 12, 5));
    Ok(())
}
