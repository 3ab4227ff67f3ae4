//! What the tests of promise 3 cannot see from outside: names, and types that put in order what they read.

use std::any::type_name;
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque};
use std::sync::{Arc, Mutex, RwLock};

use serde::de::Deserializer;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::names::{self, Order};
use super::{Baseline, Differs, has_other_bytes};
use crate::codec::{Codec, Json};
use crate::session::{Plain, ReadField};

#[test]
fn names_tell_whether_a_type_keeps_the_order_of_its_entries() {
    for (name, order) in [
        (type_name::<HashMap<u8, Vec<u8>>>(), Order::Free),
        (type_name::<&Box<Arc<HashSet<u8>>>>(), Order::Free),
        (type_name::<Cow<'_, HashSet<u8>>>(), Order::Free),
        (type_name::<Mutex<HashSet<u8>>>(), Order::Free),
        (type_name::<RwLock<HashSet<u8>>>(), Order::Free),
        (type_name::<RefCell<HashSet<u8>>>(), Order::Free),
        (type_name::<BinaryHeap<u8>>(), Order::Free),
        (type_name::<Vec<HashMap<u8, u8>>>(), Order::Kept),
        (type_name::<[u8]>(), Order::Kept),
        (type_name::<Box<[u8]>>(), Order::Kept),
        (type_name::<Cow<'_, [u8]>>(), Order::Kept),
        (type_name::<VecDeque<u8>>(), Order::Kept),
        (type_name::<LinkedList<u8>>(), Order::Kept),
        (type_name::<BTreeMap<u8, u8>>(), Order::Kept),
        (type_name::<BTreeSet<u8>>(), Order::Kept),
        (type_name::<Value>(), Order::Kept),
        (type_name::<Option<HashMap<u8, u8>>>(), Order::Unknown),
        (type_name::<Sorting>(), Order::Unknown),
        ("", Order::Unknown),
    ] {
        assert_eq!(names::order(name), order, "{name}");
    }
}

#[test]
fn scalars_strings_and_containers_of_them_need_not_be_read_back() {
    for name in [
        type_name::<u8>(),
        type_name::<u128>(),
        type_name::<f64>(),
        type_name::<String>(),
        type_name::<Option<Box<String>>>(),
        type_name::<Vec<Option<u64>>>(),
        type_name::<HashMap<String, Vec<bool>>>(),
        type_name::<HashMap<u64, HashSet<i128>>>(),
        type_name::<BTreeMap<char, BTreeMap<u8, f64>>>(),
    ] {
        assert!(names::is_plain(name), "{name}");
    }
    for name in [
        type_name::<()>(),
        type_name::<Option<()>>(),
        type_name::<Option<Option<u8>>>(),
        type_name::<Option<Box<Option<u8>>>>(),
        type_name::<Option<Value>>(),
        type_name::<Vec<Option<Option<u8>>>>(),
        type_name::<HashMap<String, Value>>(),
        type_name::<Sorting>(),
        type_name::<[u8; 2]>(),
        "",
        "u8x",
    ] {
        assert!(!names::is_plain(name), "{name}");
    }
}

#[test]
fn another_order_of_the_same_bytes_has_no_other_bytes() {
    assert!(!has_other_bytes(b"[1,22,333]", b"[333,1,22]"));
    assert!(has_other_bytes(b"[1,2]", b"[1,3]"));
    assert!(has_other_bytes(b"[1,2]", b"[1,2,0]"));
    assert!(has_other_bytes(&[255; 1000], &[254; 1000]));
}

fn is_clean<F: Serialize + serde::de::DeserializeOwned>(baseline: &[u8], value: &F) -> bool {
    let mut encoded = Vec::new();
    Json.encode(value, &mut encoded).expect("it can be encoded");
    let baseline = Baseline { bytes: baseline, is_human_readable: true, is_ours: false, is_unordered: false };
    encoded == baseline.bytes || !Differs { codec: &Json, encoded: &encoded, baseline }.read::<F, Plain>(value)
}

/// Sorts what it reads.
#[derive(Serialize)]
#[serde(transparent)]
struct Sorting(Vec<u8>);

impl<'de> Deserialize<'de> for Sorting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut list = Vec::deserialize(deserializer)?;
        list.sort_unstable();
        Ok(Self(list))
    }
}

/// Sorts what it reads by the score alone, so that the order of ties is a part of its value.
#[derive(Serialize)]
#[serde(transparent)]
struct Board(Vec<(u8, String)>);

impl<'de> Deserialize<'de> for Board {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut list = Vec::<(u8, String)>::deserialize(deserializer)?;
        list.sort_by_key(|(score, _)| *score);
        Ok(Self(list))
    }
}

fn board(lines: &[(u8, &str)]) -> Board {
    Board(lines.iter().map(|(score, name)| (*score, (*name).to_owned())).collect())
}

#[test]
fn a_type_that_sorts_what_it_reads_is_clean_when_the_same_would_come_back() {
    assert!(is_clean(b"[3,1,2]", &Sorting(vec![1, 2, 3])));
    assert!(is_clean(b"[1,2,3]", &Sorting(vec![3, 1, 2])));
    assert!(!is_clean(b"[1,2,3]", &Sorting(vec![4, 1, 2])));
    let stored = br#"[[1,"a"],[5,"b"],[5,"c"]]"#;
    assert!(is_clean(stored, &board(&[(5, "b"), (5, "c"), (1, "a")])));
    assert!(!is_clean(stored, &board(&[(5, "c"), (5, "b"), (1, "a")])));
}

#[derive(Serialize, Deserialize)]
struct Form {
    tags: HashSet<String>,
    #[serde(default)]
    lines: Vec<u8>,
}

#[test]
fn what_an_older_build_wrote_in_other_bytes_is_the_same_value() {
    let form = || Form { tags: HashSet::from(["x".to_owned(), "y".to_owned()]), lines: Vec::new() };
    for older in
        [&br#"{"tags":["x","y"]}"#[..], br#"{"tags":["y","x"]}"#, br#" { "lines" : [ ] , "tags" : ["x","y"] }"#]
    {
        assert!(is_clean(older, &form()));
    }
    assert!(!is_clean(br#"{"tags":["x","z"]}"#, &form()));
    assert!(!is_clean(b"[", &form()), "what cannot be decoded has changed");
}
