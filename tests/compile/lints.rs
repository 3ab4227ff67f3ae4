//! The library of this package forbids every lint over every shape. Here it is used, so that it is not only compiled.

use session_runtime::{Session, Tracked};
use session_tests::lints::{
    Counter, CounterField, Former, Names, NamesField, Nothing, Pair, PairField, Visitor, VisitorField, Whole,
    WholeField,
};

#[test]
fn strict_lints_say_nothing_about_generated_code() {
    let visitor = Visitor::<Pair, u8, 3>::from(Former { visits: 2 });
    assert_eq!((visitor.visits, visitor.private(), visitor.table.len()), (2, (3, false, None), 3));
    let Nothing = Nothing::initial();
    let mut visitor = Tracked::<Visitor<Nothing, u8, 3>>::new().unwrap();
    visitor.edit().text().to_mut().push('x');
    assert!(visitor.dirty().unwrap().contains(VisitorField::Text));
    assert!(!visitor.dirty().unwrap().contains(VisitorField::<Nothing>::Visits));
    assert_eq!(format!("{:?}", PairField::_0), "0");
}

#[test]
fn fields_may_have_the_names_of_methods() {
    let mut names = Tracked::<Names>::new().unwrap();
    *names.edit().iter() = 1;
    *names.edit().clone() = 1;
    *names.edit().edit() = 1;
    *names.edit().name() = 1;
    assert_eq!((names.iter, names.clone, names.edit, names.name), (1, 1, 1, 1));
    let dirty: Vec<_> = names.dirty().unwrap().iter().collect();
    assert_eq!(dirty, [NamesField::Iter, NamesField::Clone, NamesField::Edit, NamesField::Name]);
}

#[test]
fn a_macro_may_derive() {
    let mut counter = Tracked::<Counter>::new().unwrap();
    *counter.edit().iter() = 1;
    *counter.edit().into_inner().iter() = 1;
    counter.edit().iter_mut().push(1);
    let dirty: Vec<_> = counter.dirty().unwrap().iter().collect();
    assert_eq!(dirty, [CounterField::Iter, CounterField::IterMut, CounterField::IntoInner(NamesField::Iter)]);
    assert_eq!((counter.clone, counter.into, counter.private()), (3, 0, (None, 0)));
    let mut whole = Tracked::<Whole>::new().unwrap();
    *whole.edit().into() = 4;
    assert!(whole.dirty().unwrap().contains(WholeField::Into));
    assert_eq!((whole.iter, whole.clone, whole.into), (1, 2, 4));
}
