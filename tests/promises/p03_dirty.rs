//! Dirty is exact.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};
use session_runtime::store::Call;
use session_runtime::{Error, Handle, Outcome, Session, Tracked};
use session_tests::{Kept, now};

use crate::visitor::{Item, Visitor, VisitorField, sessions, test_store};

/// A stored session with two visits and one item.
fn loaded() -> Handle<Visitor> {
    let sessions = sessions::<Visitor>();
    let change = |visitor: &mut Handle<Visitor>| {
        *visitor.edit().visits() = 2;
        visitor.edit().cart().push(Item::new("A1", 2));
    };
    now(sessions.update("42", change)).expect("a commit");
    now(sessions.load("42")).expect("a load")
}

/// What a handler does to a session.
type Change<T> = fn(&mut T);

fn dirty(visitor: &Handle<Visitor>) -> Vec<VisitorField> {
    visitor.dirty().expect("it can be encoded").iter().collect()
}

#[test]
fn p03_writing_the_same_value_is_not_dirty() {
    let mut visitor = loaded();
    *visitor.edit().visits() = 2;
    *visitor.edit().theme() = "light".to_owned();
    *visitor.edit().cart() = vec![Item::new("A1", 2)];
    assert_eq!(dirty(&visitor), []);
}

#[test]
fn p03_a_revert_is_not_dirty() {
    let mut visitor = loaded();
    *visitor.edit().visits() += 1;
    visitor.edit().cart().clear();
    assert_eq!(dirty(&visitor), [VisitorField::Visits, VisitorField::Cart]);
    visitor.edit().cart().push(Item::new("A1", 2));
    assert_eq!(dirty(&visitor), [VisitorField::Visits]);
    *visitor.edit().visits() -= 1;
    assert_eq!(dirty(&visitor), []);
}

#[test]
fn p03_a_mutable_borrow_without_a_change_is_not_dirty() {
    let mut visitor = loaded();
    visitor.edit().visits();
    visitor.edit().cart().iter_mut().for_each(drop);
    assert_eq!(dirty(&visitor), []);
    visitor.edit_all();
    visitor.edit().edit_all();
    assert_eq!(dirty(&visitor), []);
}

#[test]
fn p03_of_two_fields_lent_at_once_only_the_changed_one_is_dirty() {
    let mut visitor = loaded();
    let both = visitor.edit_all();
    both.cart[0].quantity += both.visits;
    assert_eq!(dirty(&visitor), [VisitorField::Cart]);
}

#[test]
fn p03_a_skipped_field_is_not_dirty() {
    let mut visitor = loaded();
    *visitor.edit().request_id() = Some("r1".to_owned());
    assert_eq!(dirty(&visitor), []);
}

/// Every way to hide a change that a tracker could miss.
#[derive(Session)]
#[session(name = "p03-deep")]
struct Deep {
    tree: Tree,
    map: BTreeMap<String, Vec<Option<Box<Tree>>>>,
    hashed: HashMap<u32, Tree>,
    set: HashSet<u32>,
    text: String,
    boxed: Box<[u8]>,
    array: [[u8; 2]; 2],
    #[session(initial = (0, Ok(0)))]
    pair: (u8, Result<u8, String>),
}

#[derive(Serialize, Deserialize, Default, Clone)]
struct Tree {
    leaf: f64,
    kind: Kind,
    children: Vec<Tree>,
}

#[derive(Serialize, Deserialize, Default, Clone)]
enum Kind {
    #[default]
    Plain,
    Named {
        name: String,
    },
}

fn grown() -> Deep {
    let tree = Tree { leaf: 1.5, kind: Kind::Named { name: "a".to_owned() }, children: vec![Tree::default(); 2] };
    Deep {
        map: BTreeMap::from([("k".to_owned(), vec![None, Some(Box::new(tree.clone()))])]),
        hashed: HashMap::from([(1, tree.clone()), (2, Tree::default())]),
        set: HashSet::from([1, 2]),
        text: "text".to_owned(),
        boxed: Box::from([1, 2]),
        array: [[1, 2], [3, 4]],
        pair: (1, Err("no".to_owned())),
        tree,
    }
}

#[test]
fn p03_no_change_through_a_mutable_borrow_is_missed_however_deep() {
    let sessions = Kept::<Deep, _>::builder(test_store()).initial(grown).build();
    let changes: [(&str, Change<Deep>); 16] = [
        ("tree", |deep| deep.tree.children[1].leaf = 0.5),
        ("tree", |deep| {
            if let Kind::Named { name } = &mut deep.tree.kind {
                name.push('b');
            }
        }),
        ("tree", |deep| {
            deep.tree.children.iter_mut().for_each(|child| child.kind = Kind::Named { name: String::new() });
        }),
        ("tree", |deep| deep.tree.children[0].leaf = -0.0),
        ("map", |deep| deep.map.values_mut().for_each(|list| list.reverse())),
        ("map", |deep| deep.map.get_mut("k").and_then(|list| list[1].as_mut()).expect("a tree").children.clear()),
        ("map", |deep| deep.map.entry("l".to_owned()).or_default().clear()),
        ("hashed", |deep| deep.hashed.entry(2).or_default().leaf += 1.0),
        ("hashed", |deep| deep.hashed.retain(|&key, _| key == 1)),
        ("hashed", |deep| {
            let [one, two] = deep.hashed.get_disjoint_mut([&1, &2]).map(|tree| tree.expect("a tree"));
            std::mem::swap(one, two);
        }),
        ("set", |deep| deep.set.extend([3])),
        ("text", |deep| deep.text.make_ascii_uppercase()),
        ("boxed", |deep| deep.boxed[0] = 9),
        ("array", |deep| deep.array.as_flattened_mut()[3] = 9),
        ("pair", |deep| deep.pair.1 = Err("yes".to_owned())),
        ("pair", |deep| {
            let (one, _) = &mut deep.pair;
            *one = 9;
        }),
    ];
    for (place, (field, change)) in changes.into_iter().enumerate() {
        let mut deep = now(sessions.load(&place.to_string())).expect("a load");
        change(deep.edit_all());
        let found: Vec<_> = deep.dirty().expect("finite").iter().map(|field| format!("{field:?}")).collect();
        assert_eq!(found, [field], "change {place}");
        deep.discard();
    }
}

#[derive(Session)]
#[session(name = "p03-unordered")]
struct Unordered {
    prices: HashMap<String, u32>,
    #[session(unordered)]
    bag: Vec<u8>,
    list: Vec<u8>,
}

#[test]
fn p03_entries_without_order_compare_as_multisets() {
    let mut session = Tracked::<Unordered>::new().expect("a session");
    for n in 0..50 {
        session.edit().prices().insert(n.to_string(), n);
    }
    session.edit().bag().extend([1, 2, 2, 3]);
    session.edit().list().extend([1, 2]);
    let patch = session.patch().expect("a patch");
    session.saved(&patch);

    // Another map with the same entries comes in another order.
    *session.edit().prices() = session.prices.iter().map(|(key, price)| (key.clone(), *price)).collect();
    *session.edit().bag() = vec![2, 3, 1, 2];
    *session.edit().list() = vec![2, 1];
    let dirty = || session.dirty().expect("it can be encoded").iter().collect::<Vec<_>>();
    assert_eq!(dirty(), [UnorderedField::List]);

    *session.edit().list() = vec![1, 2];
    *session.edit().bag() = vec![1, 2, 3, 3];
    let dirty = session.dirty().expect("it can be encoded");
    assert_eq!(dirty.iter().collect::<Vec<_>>(), [UnorderedField::Bag], "an entry counts as often as it is there");
}

#[derive(Session)]
#[session(name = "p03-inside")]
struct Inside {
    stock: Warehouse,
}

#[derive(Serialize, Deserialize, Default)]
struct Warehouse {
    shelves: HashMap<u32, u32>,
}

#[test]
fn p03_a_hash_map_deep_inside_another_type_is_dirty_when_it_changed_and_only_then() {
    let sessions = sessions::<Inside>();
    let fill = |session: &mut Handle<Inside>| session.edit().stock().shelves.extend((0..64).map(|n| (n, n)));
    now(sessions.update("42", fill)).expect("a commit");

    let mut session = now(sessions.load("42")).expect("a load");
    session.edit().stock();
    // 64 entries do not come back in the same order.
    assert!(session.dirty().expect("it can be encoded").is_empty());
    assert_eq!(now(session.commit()).expect("a commit").outcome(), Outcome::Unchanged);

    for test_store in 0..64 {
        let mut session = now(sessions.load("42")).expect("a load");
        *session.edit().stock().shelves.get_mut(&test_store).expect("a test_store") += 1;
        now(session.commit()).expect("a commit");
        assert_eq!(now(sessions.load("42")).expect("a load").stock.shelves[&test_store], test_store + 1);
    }
}

#[derive(Session, Debug)]
#[session(name = "p03-carried")]
struct Carried {
    choice: Option<Option<u8>>,
    ratio: f64,
    points: Vec<Option<(f32, f32)>>,
    visits: u32,
}

#[test]
fn p03_some_none_looks_like_none_in_json_and_is_refused_instead_of_dropped() {
    let mut session = Tracked::<Carried>::new().expect("a session");
    *session.edit().choice() = Some(None);
    assert!(session.dirty().expect("it can be encoded").is_empty());
    let error = session.patch().expect_err("it would come back as `None`");
    assert!(matches!(&error, Error::Encode { field, .. } if **field == *"choice"), "{error:?}");
    *session.edit().choice() = Some(Some(0));
    assert!(session.dirty().expect("it can be encoded").contains(CarriedField::Choice));
}

#[test]
fn p03_a_float_that_json_cannot_hold_is_an_encode_error_and_nothing_is_sent() {
    let sessions = sessions::<Carried>();
    now(sessions.update("42", |session| *session.edit().visits() = 1)).expect("a commit");
    let before = now(session_tests::record(sessions.store(), "p03-carried", "42")).expect("a record");
    let spoils: [(&str, Change<Carried>); 3] = [
        ("ratio", |session| session.ratio = f64::NAN),
        ("ratio", |session| session.ratio = f64::NEG_INFINITY),
        ("points", |session| session.points = vec![None, Some((0.5, f32::INFINITY))]),
    ];
    for (name, spoil) in spoils {
        let mut session = now(sessions.load("42")).expect("a load");
        *session.edit().visits() += 1;
        spoil(session.edit_all());
        let _ = sessions.store().take();
        let error = now(session.commit()).expect_err("JSON has no such float");
        assert!(matches!(&error, Error::Encode { field, .. } if **field == *name), "{error:?}");
        assert!(matches!(session.dirty(), Err(Error::Encode { .. })));
        assert_eq!(sessions.store().take(), [], "nothing was sent");
        session.discard();
    }
    let after = now(session_tests::record(sessions.store(), "p03-carried", "42")).expect("a record");
    assert_eq!((before.head, before.fields), (after.head, after.fields));
}

#[test]
fn p03_a_session_whose_value_can_be_encoded_again_is_committed_with_all_its_changes() {
    let sessions = sessions::<Carried>();
    let mut session = now(sessions.load("42")).expect("a load");
    *session.edit().visits() += 1;
    *session.edit().ratio() = f64::NAN;
    now(session.commit()).expect_err("JSON has no such float");
    *session.edit().ratio() = 0.1 + 0.2;
    assert_eq!(now(session.commit()).expect("a commit").fields().len(), 2);
    assert_eq!(now(sessions.load("42")).expect("a load").ratio.to_bits(), (0.1_f64 + 0.2).to_bits());
}

#[test]
fn p03_the_same_value_in_the_bytes_of_another_build_is_not_dirty() {
    let sessions = sessions::<Visitor>();
    now(sessions.update("42", |visitor| *visitor.edit().visits() = 1)).expect("a commit");
    let spaced = r#"[ { "quantity": 2, "sku": "A1" } ]"#;
    now(session_tests::write(sessions.store(), "visitor", "42", &[("cart", Some(spaced)), ("visits", Some(" 7"))]));
    let mut visitor = now(sessions.load("42")).expect("a load");
    assert_eq!((visitor.visits, visitor.cart.as_slice()), (7, [Item::new("A1", 2)].as_slice()));
    visitor.edit_all();
    assert_eq!(dirty(&visitor), []);
    *visitor.edit().visits() = 8;
    assert_eq!(dirty(&visitor), [VisitorField::Visits]);
    now(visitor.commit()).expect("a commit");
    let calls = sessions.store().take();
    assert!(matches!(calls.last(), Some(Call::Commit { set, .. }) if set.len() == 1), "{calls:?}");
}
