//! Entries in another order are no change where the user says so; maps and sets without an order need no attribute.

use std::collections::{HashMap, HashSet};

use session_runtime::{Session, Tracked};

#[derive(Session)]
struct Visitor {
    #[session(unordered, initial = vec![1, 2, 3])]
    bag: Vec<u8>,
    #[session(initial = vec![1, 2, 3])]
    list: Vec<u8>,
    #[session(unordered, initial = Some(vec![1, 2, 3]))]
    wrapped: Option<Vec<u8>>,
    map: HashMap<String, u8>,
    set: std::collections::HashSet<u8>,
    other: HashSet<(u8, u8)>,
}

fn main() -> Result<(), session_runtime::Error> {
    let mut visitor = Tracked::<Visitor>::new()?;
    visitor.edit().bag().reverse();
    visitor.edit().list().reverse();
    visitor.edit().wrapped().as_mut().into_iter().for_each(|list| list.reverse());
    visitor.edit().map().insert("a".to_owned(), 1);
    visitor.edit().map().clear();
    visitor.edit().set().insert(1);
    assert!(visitor.other.is_empty());
    assert_eq!(visitor.dirty()?.iter().collect::<Vec<_>>(), [VisitorField::List, VisitorField::Set]);
    Ok(())
}
