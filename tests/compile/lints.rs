//! The library of this package forbids every lint over every shape. Here it is used, so that it is not only compiled.

use session_runtime::{Session, Tracked};
use session_tests::lints::{Former, Nothing, Pair, PairField, Visitor, VisitorField};

#[test]
fn strict_lints_say_nothing_about_generated_code() {
    let visitor = Visitor::<Pair, u8, 3>::from(Former { visits: 2 });
    assert_eq!((visitor.visits, visitor.private(), visitor.table.len()), (2, (3, false, None), 3));
    let Nothing = Nothing::initial();
    let mut visitor = Tracked::<Visitor<'static, Nothing, u8, 3>>::new().unwrap();
    visitor.edit().text().to_mut().push('x');
    assert!(visitor.dirty().unwrap().contains(VisitorField::Text));
    assert!(!visitor.dirty().unwrap().contains(VisitorField::<Nothing>::Visits));
    assert_eq!(format!("{:?}", PairField::_0), "0");
}
