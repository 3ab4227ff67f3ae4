//! Dirty is exact: fields of every shape, each untouched, borrowed, changed, changed back and reordered.
//!
//! Each round starts from a value that was just decoded, as after a load: whatever has no order comes in another one.
//! `SESSION_TEST_ROUNDS` says how many rounds there are; `scripts/exact` runs thousands.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque};
use std::hash::{BuildHasherDefault, DefaultHasher};

use indexmap::{IndexMap, IndexSet};
use serde::de::{DeserializeOwned, Deserializer};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use session_runtime::codec::{Codec, Json, MessagePack};
use session_runtime::{Session, Tracked};

fn rounds() -> usize {
    std::env::var("SESSION_TEST_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(50)
}

/// A session of one field, which lets the same test run over every shape.
#[derive(Session)]
#[session(name = "p03-shape")]
struct Shape<F: Serialize + DeserializeOwned + Default + Send + 'static> {
    field: F,
}

/// A value that a field can hold, and others, of which some are the first in another order.
struct Values<F> {
    value: F,
    changed: Vec<F>,
}

/// A session that holds `value` and whose baseline that is.
fn stored<F, C: Codec>(codec: &C, value: F) -> (Tracked<Shape<F>, C>, Vec<u8>)
where
    F: Serialize + DeserializeOwned + Default + Send + 'static,
{
    let mut session = Tracked::<Shape<F>, C>::with_codec(codec.clone()).expect("a session");
    let mut bytes = Vec::new();
    codec.encode(&value, &mut bytes).expect("it can be encoded");
    *session.edit().field() = value;
    let patch = session.patch().expect("it can be encoded");
    session.saved(&patch);
    assert!(session.dirty().expect("it can be encoded").is_empty(), "untouched");
    (session, bytes)
}

fn is_dirty<F, C: Codec>(session: &Tracked<Shape<F>, C>) -> bool
where
    F: Serialize + DeserializeOwned + Default + Send + 'static,
{
    session.dirty().expect("it can be encoded").contains(ShapeField::Field)
}

fn check<F, C: Codec>(codec: &C, make: impl Fn() -> Values<F>)
where
    F: Serialize + DeserializeOwned + Default + Send + 'static,
{
    let (mut session, bytes) = stored(codec, make().value);
    for _ in 0..rounds() {
        let fresh = || codec.decode::<F>(&bytes).expect("its own bytes");
        *session.edit().field() = fresh();
        assert!(!is_dirty(&session), "borrowed and not changed");
        for changed in make().changed {
            *session.edit().field() = changed;
            assert!(is_dirty(&session), "changed");
            *session.edit().field() = fresh();
            assert!(!is_dirty(&session), "changed back");
        }
        *session.edit().field() = make().value;
        assert!(!is_dirty(&session), "made anew with the same value");
    }
}

/// A test per shape: its value, and other values.
macro_rules! shapes {
    ($($name:ident: $value:expr, not $($changed:expr),+;)*) => {
        $(#[test]
        fn $name() {
            let make = || Values { value: $value, changed: vec![$($changed),+] };
            check(&Json, make);
            check(&MessagePack, make);
        })*
    };
}

fn set<C: FromIterator<u16>>(entries: impl IntoIterator<Item = u16>) -> C {
    entries.into_iter().collect()
}

fn map<C: FromIterator<(String, u16)>>(keys: &str) -> C {
    keys.chars().map(String::from).zip(1..).collect()
}

fn names<C: FromIterator<String>>(names: &str) -> C {
    names.chars().map(String::from).collect()
}

type Alias = HashMap<String, Vec<u16>>;
type FixedSet = HashSet<u16, BuildHasherDefault<DefaultHasher>>;
type Brown<F> = hashbrown::HashSet<F>;

#[derive(Serialize, Deserialize, Default)]
struct Form {
    tags: HashSet<String>,
    lines: Vec<String>,
}

#[derive(Serialize, Deserialize, Default, PartialEq, Eq, Hash)]
#[serde(transparent)]
struct List(Vec<u16>);

#[derive(Serialize, Deserialize, Default)]
#[serde(transparent)]
struct Clear(HashSet<u16>);

#[derive(Serialize, Deserialize, Default)]
struct Newtype(HashMap<String, u16>);

#[derive(Serialize, Deserialize, Default)]
struct Flat {
    id: u8,
    #[serde(flatten)]
    rest: HashMap<String, u16>,
}

#[derive(Serialize, Deserialize, Default)]
struct FlatInOrder {
    id: u8,
    #[serde(flatten)]
    rest: IndexMap<String, u16>,
}

#[derive(Serialize, Deserialize, Default)]
enum Choice {
    #[default]
    Nothing,
    Newtype(HashSet<u16>),
    Tuple(HashMap<String, u16>, u8),
    Struct {
        sets: HashMap<String, HashSet<u16>>,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Tagged {
    List { entries: Vec<u16> },
    Set { entries: HashSet<u16> },
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", content = "entries")]
enum Adjacent {
    List(Vec<u16>),
    Set(HashSet<u16>),
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Set(HashSet<u16>),
    List(Vec<String>),
}

#[derive(Serialize, Deserialize, Default)]
struct Node {
    seen: HashSet<u16>,
    list: Vec<u16>,
    next: Option<Box<Node>>,
    more: HashMap<String, Node>,
}

fn node() -> Node {
    let leaf = || Node { seen: set([1, 2]), list: vec![2, 1], ..Node::default() };
    let more = HashMap::from([("a".to_owned(), leaf()), ("b".to_owned(), leaf())]);
    Node { seen: set([3, 4, 5]), list: vec![9], next: Some(Box::new(leaf())), more }
}

#[derive(Serialize, Deserialize, Default)]
struct Paired {
    #[serde(with = "pairs")]
    map: HashMap<(u8, u8), Vec<u16>>,
    list: Vec<u16>,
}

mod pairs {
    use super::*;

    type Map = HashMap<(u8, u8), Vec<u16>>;

    pub fn serialize<S: Serializer>(map: &Map, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Map, D::Error> {
        Ok(Vec::deserialize(deserializer)?.into_iter().collect())
    }
}

fn paired(first: [u16; 2], list: [u16; 2]) -> Paired {
    Paired { map: HashMap::from([((1, 2), first.to_vec()), ((2, 1), vec![7])]), list: list.to_vec() }
}

shapes! {
    p03_shape_number: 7_u32, not 8, 0;
    p03_shape_float: -0.0_f64, not 0.0, 1.5;
    p03_shape_wide_number: u128::MAX, not u128::MAX - 1, 1;
    p03_shape_text: "ab".to_owned(), not "ba".to_owned(), String::new();
    p03_shape_char: 'a', not 'b';
    p03_shape_bool: true, not false;
    p03_shape_option: Some(3_u16), not Some(4), None;
    p03_shape_tuple: (1_u16, 2_u16), not (2, 1);
    p03_shape_array: [1_u16, 2, 3], not [1, 3, 2];
    p03_shape_vec: vec![1_u16, 2], not vec![2, 1], vec![1], vec![];
    p03_shape_vec_of_vec: vec![vec![1_u16, 2], vec![2, 1]], not vec![vec![2, 1], vec![1, 2]];
    p03_shape_deque: VecDeque::from([1_u16, 2]), not VecDeque::from([2, 1]);
    p03_shape_linked_list: LinkedList::from([1_u16, 2]), not LinkedList::from([2, 1]);
    p03_shape_boxed_slice: Box::<[u16]>::from([1, 2]), not Box::from([2, 1]);
    p03_shape_cow: Cow::<'static, [u16]>::Owned(vec![1, 2]), not Cow::Owned(vec![2, 1]);
    p03_shape_btree_map: map::<BTreeMap<_, _>>("ab"), not map("ba"), map("abc");
    p03_shape_btree_set: set::<BTreeSet<_>>([1, 2]), not set([1, 3]);
    p03_shape_index_map: map::<IndexMap<_, _>>("ab"), not map("ba"), map::<IndexMap<_, _>>("ab").into_iter().rev().collect();
    p03_shape_index_set: set::<IndexSet<_>>([1, 2]), not set([2, 1]);
    p03_shape_binary_heap: BinaryHeap::from([3_u16, 1, 2]), not BinaryHeap::from([3, 1]);
    p03_shape_json_value: json!({ "b": [1, 2], "a": null }), not json!({ "b": [2, 1], "a": null }), Value::Null;
    p03_shape_hash_map: map::<HashMap<_, _>>("ab"), not map("ba"), map("a");
    p03_shape_hash_set: set::<HashSet<_>>([1, 2]), not set([1, 3]);
    p03_shape_large_hash_map: (0..200_u16).map(|n| (n, n)).collect::<HashMap<_, _>>(), not (0..200).map(|n| (n, n / 199)).collect();
    p03_shape_alias: Alias::from([("a".to_owned(), vec![1, 2])]), not Alias::from([("a".to_owned(), vec![2, 1])]);
    p03_shape_set_of_lists: HashSet::from([vec![1_u16, 2], vec![2, 1]]), not HashSet::from([vec![1, 2]]), HashSet::from([vec![1, 2], vec![1, 3]]);
    p03_shape_other_hasher: set::<FixedSet>([1, 2, 77]), not set([1, 2]);
    p03_shape_optional_map: Some(map::<HashMap<_, _>>("ab")), not Some(map("ba")), None;
    p03_shape_map_of_sets: HashMap::from([("a".to_owned(), set::<HashSet<_>>([1, 2])), ("b".to_owned(), set([3, 4, 5]))]),
        not HashMap::from([("a".to_owned(), set::<HashSet<_>>([1, 2])), ("b".to_owned(), set([3, 4, 6]))]);
    p03_shape_vec_of_maps: vec![map::<HashMap<_, _>>("ab"), map("ab"), map("ba")], not vec![map("ab"), map("ba"), map("ab")];
    p03_shape_vec_of_sets: vec![set::<HashSet<_>>([1, 2]), set([3])], not vec![set([3]), set([1, 2])];
    p03_shape_boxed_map: Box::new(map::<HashMap<_, _>>("abc")), not Box::new(map("acb"));
    p03_shape_nested_boxes: Box::new(Some(Box::new(set::<HashSet<_>>([1, 2])))), not Box::new(Some(Box::new(set([1]))));
    p03_shape_tuple_of_sets: (set::<HashSet<_>>([1, 2]), vec![1_u16, 2]), not (set([1, 2]), vec![2, 1]);
    p03_shape_struct: Form { tags: names("ab"), lines: names("ab") }, not Form { tags: names("ab"), lines: names("ba") };
    p03_shape_newtype: Newtype(map("ab")), not Newtype(map("ba"));
    p03_shape_recursive: node(), not Node { list: vec![8], ..node() }, Node { next: None, ..node() };
    p03_shape_variant_newtype: Choice::Newtype(set([1, 2])), not Choice::Newtype(set([1])), Choice::Nothing;
    p03_shape_variant_tuple: Choice::Tuple(map("ab"), 1), not Choice::Tuple(map("ba"), 1), Choice::Tuple(map("ab"), 2);
    p03_shape_variant_struct: Choice::Struct { sets: HashMap::from([("a".to_owned(), set([1, 2]))]) },
        not Choice::Struct { sets: HashMap::from([("a".to_owned(), set([1, 3]))]) };
    p03_shape_transparent_list: List(vec![1, 2]), not List(vec![2, 1]);
    p03_shape_transparent_lists: vec![List(vec![1, 2]), List(vec![2, 1])], not vec![List(vec![2, 1]), List(vec![1, 2])];
    p03_shape_transparent_set: Clear(set([1, 2])), not Clear(set([1, 3]));
    p03_shape_transparent_sets: (0..8).map(|n| Clear(set([n, n + 1]))).collect::<Vec<_>>(),
        not (0..8).rev().map(|n| Clear(set([n, n + 1]))).collect();
    p03_shape_set_deep_on_the_left_of_a_list: ((0_u8, Clear(set([1, 2]))), List(vec![1, 2])),
        not ((0, Clear(set([1, 2]))), List(vec![2, 1]));
    p03_shape_flattened_map: Flat { id: 1, rest: map("ab") }, not Flat { id: 1, rest: map("ba") };
    p03_shape_flattened_index_map: FlatInOrder { id: 1, rest: map("ab") },
        not FlatInOrder { id: 1, rest: map::<IndexMap<_, _>>("ab").into_iter().rev().collect() };
    p03_shape_hashbrown: set::<Brown<_>>([1, 2]), not set([1, 3]);
    p03_shape_hashbrown_of_lists: Brown::from_iter([vec![1_u16, 2], vec![3]]), not Brown::from_iter([vec![2_u16, 1], vec![3]]);
    p03_shape_with_module: paired([1, 2], [2, 1]), not paired([2, 1], [2, 1]), paired([1, 2], [1, 2]);
    p03_shape_internally_tagged: vec![Tagged::List { entries: vec![2, 1] }, Tagged::Set { entries: set([1, 2]) }],
        not vec![Tagged::List { entries: vec![1, 2] }, Tagged::Set { entries: set([1, 2]) }];
    p03_shape_adjacently_tagged: vec![Adjacent::List(vec![2, 1]), Adjacent::Set(set([1, 2]))],
        not vec![Adjacent::List(vec![1, 2]), Adjacent::Set(set([1, 2]))];
    p03_shape_untagged: vec![Untagged::Set(set([1, 2])), Untagged::List(names("ba"))],
        not vec![Untagged::Set(set([1, 2])), Untagged::List(names("ab"))];
}

#[derive(Session)]
#[session(name = "p03-declared")]
struct Declared {
    #[session(unordered)]
    #[expect(clippy::box_collection, reason = "it holds through a box")]
    bag: Option<Box<Vec<Vec<u8>>>>,
}

#[test]
fn p03_unordered_holds_for_the_outermost_sequence_through_option_and_box_and_no_deeper() {
    let mut session = Tracked::<Declared>::new().expect("a session");
    let bag = |entries: &[&[u8]]| Some(Box::new(entries.iter().map(|entry| entry.to_vec()).collect()));
    *session.edit().bag() = bag(&[&[1, 2], &[3]]);
    let patch = session.patch().expect("it can be encoded");
    session.saved(&patch);
    *session.edit().bag() = bag(&[&[3], &[1, 2]]);
    assert!(session.dirty().expect("it can be encoded").is_empty());
    *session.edit().bag() = bag(&[&[3], &[2, 1]]);
    assert!(session.dirty().expect("it can be encoded").contains(DeclaredField::Bag));
}

#[test]
fn p03_initial_values_without_an_order_are_stable_at_any_depth() {
    #[derive(Session)]
    #[session(name = "p03-initial")]
    struct Initial {
        #[session(initial = Form { tags: names("abcdef"), lines: names("ab") })]
        form: Form,
        #[session(initial = Some(Clear(set([1, 2]))))]
        clear: Option<Clear>,
        #[session(initial = vec![set([1, 2, 3])])]
        sets: Vec<HashSet<u16>>,
    }

    for _ in 0..rounds() {
        let mut session = Tracked::<Initial>::new().expect("equal initial values");
        session.edit().form().tags.insert("g".to_owned());
        session.edit().sets().clear();
        let patch = session.patch().expect("it can be encoded");
        session.saved(&patch);
        session.edit().form().tags.remove("g");
        *session.edit().sets() = vec![set([3, 2, 1])];
        let patch = session.patch().expect("it can be encoded");
        assert_eq!(patch.changes().len(), 2);
        assert!(patch.changes().iter().all(|change| change.value.is_none()), "back at their initial values");
    }
}
