//! What the tests of promise 3 cannot see from outside: names, and types that put in order what they read.

use std::any::type_name;
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque};
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::sync::{Arc, Mutex, RwLock};

use serde::de::{DeserializeOwned, Deserializer};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::names::{self, Order};
use super::{Baseline, Differs, Memory, from_bytes, has_other_bytes};
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
        type_name::<BTreeMap<Vec<u8>, u8>>(),
        type_name::<HashMap<String, u8, BuildHasherDefault<DefaultHasher>>>(),
        "alloc::vec::Vec<u8, some::Arena<(u8, [u8; 4])>>",
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

fn is_clean<F: Serialize + DeserializeOwned>(baseline: &[u8], value: &F) -> bool {
    is_clean_in(&Json, baseline, value)
}

fn is_clean_in<F: Serialize + DeserializeOwned, C: Codec>(codec: &C, baseline: &[u8], value: &F) -> bool {
    let encoded = encoded(codec, value);
    let Memory { is_human_readable, .. } = Memory::of(codec);
    let baseline = Baseline { bytes: baseline, is_human_readable, is_ours: false, is_unordered: false };
    encoded == baseline.bytes || !Differs { codec, encoded: &encoded, baseline }.read::<F, Plain>(value)
}

fn encoded<F: Serialize>(codec: &impl Codec, value: &F) -> Vec<u8> {
    let mut encoded = Vec::new();
    codec.encode(value, &mut encoded).expect("it can be encoded");
    encoded
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

/// A set that does not say that it is one.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Bag(HashSet<u8>);

/// A list that does not say that it is one.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Row(Vec<u8>);

#[test]
fn a_long_list_that_keeps_its_order_does_not_hide_that_a_small_set_has_none() {
    let value = || (Bag(HashSet::from([1, 2])), Row((0..20).collect()));
    for _ in 0..300 {
        assert!(is_clean(&encoded(&Json, &value()), &value()));
    }
    let mut other = value();
    other.1.0.swap(3, 4);
    assert!(!is_clean(&encoded(&Json, &value()), &other));
}

/// Two numbers that only one kind of codec is shown.
#[derive(Deserialize)]
struct Pair<const READABLE: bool>(u8, u8);

impl<const READABLE: bool> Serialize for Pair<READABLE> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() == READABLE {
            (self.0, self.1).serialize(serializer)
        } else {
            serializer.serialize_str("a pair")
        }
    }
}

#[test]
fn a_value_is_compared_as_its_codec_sees_it() {
    assert!(!is_clean(b"[1,2]", &Pair::<true>(2, 1)));
    #[cfg(feature = "msgpack")]
    {
        use crate::codec::MessagePack;

        let stored = encoded(&MessagePack, &Pair::<false>(1, 2));
        assert!(!is_clean_in(&MessagePack, &stored, &Pair::<false>(2, 1)));
    }
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
enum Colour {
    Red,
}

#[test]
fn a_unit_variant_is_read_in_each_form_that_its_codec_knows() {
    assert!(is_clean(br#"{"Red":null}"#, &Colour::Red));
    assert!(!is_clean(br#"{"Red":1}"#, &Colour::Red));
}

#[test]
fn an_error_says_what_was_expected() {
    let error = from_bytes::<u8, Plain>(&Json, br#""seven""#).expect_err("it is no number");
    let source = std::error::Error::source(&error).expect("serde's own").to_string();
    assert!(source.contains("expected u8"), "{source}");
}

#[cfg(feature = "msgpack")]
#[test]
fn a_type_that_asks_how_many_entries_follow_is_told_what_the_codec_knows() {
    use std::fmt;

    use serde::de::{MapAccess, SeqAccess, Visitor};

    use crate::codec::MessagePack;

    /// How many entries were said to follow.
    struct Hint(Option<usize>);

    impl<'de> Visitor<'de> for Hint {
        type Value = Self;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("entries")
        }

        fn visit_seq<A: SeqAccess<'de>>(mut self, mut entries: A) -> Result<Self, A::Error> {
            self.0 = entries.size_hint();
            while entries.next_element::<u8>()?.is_some() {}
            Ok(self)
        }

        fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<Self, A::Error> {
            self.0 = entries.size_hint();
            while entries.next_entry::<u8, u8>()?.is_some() {}
            Ok(self)
        }
    }

    impl<'de> Deserialize<'de> for Hint {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_any(Self(None))
        }
    }

    impl Serialize for Hint {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_unit()
        }
    }

    let hint = |bytes: &[u8]| from_bytes::<Hint, Plain>(&MessagePack, bytes).expect("entries").0;
    assert_eq!(hint(&encoded(&MessagePack, &[7; 5])), Some(5));
    assert_eq!(hint(&encoded(&MessagePack, &BTreeMap::from([(1, 1), (2, 2)]))), Some(2));
}
