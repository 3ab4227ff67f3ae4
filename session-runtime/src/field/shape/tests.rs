use std::collections::{BTreeMap, HashSet};
use std::net::Ipv4Addr;
use std::num::NonZeroU16;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Ask;
use crate::__private::Plain;
use crate::session::ReadField;

#[derive(Serialize, Deserialize, Default)]
struct Item {
    #[serde(rename = "code")]
    sku: String,
    quantity: NonZero,
    #[serde(default)]
    notes: Option<Vec<char>>,
    #[serde(skip)]
    _cached: bool,
}

#[derive(Serialize, Deserialize)]
struct NonZero(NonZeroU16);

impl Default for NonZero {
    fn default() -> Self {
        Self(NonZeroU16::MIN)
    }
}

#[derive(Serialize, Deserialize, Default)]
enum Step {
    #[default]
    Start,
    Asked(Ipv4Addr),
    Pair(u8, bool),
    Named {
        name: String,
        age: f64,
    },
}

#[derive(Serialize, Deserialize, Default)]
struct Tree {
    children: Vec<Tree>,
    twin: Option<Box<Tree>>,
}

#[derive(Serialize, Deserialize)]
enum Sum {
    Add(Box<(Sum, Sum)>),
    One(u8),
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Either {
    Number(u8),
}

fn shape<F: Serialize + serde::de::DeserializeOwned>(value: &F) -> Value {
    Ask { is_human_readable: true }.read::<F, Plain>(value)
}

#[test]
fn a_field_of_any_type_says_what_it_reads() {
    assert_eq!(shape(&7_u32), json!("u32"));
    assert_eq!(shape(&Box::new(String::new())), json!("string"));
    assert_eq!(shape(&BTreeMap::<String, Vec<u8>>::new()), json!(["map", "string", ["list", "u8"]]));
    assert_eq!(shape(&HashSet::<(u8, Option<bool>)>::new()), json!(["list", ["tuple", "u8", ["option", "bool"]]]));
    assert_eq!(shape(&[1_u8; 2]), json!(["tuple", "u8", "u8"]));
    assert_eq!(shape(&Duration::ZERO), json!({ "secs": "u64", "nanos": "u32" }));
}

#[test]
fn a_struct_says_it_of_each_field_that_is_stored_by_its_stored_name() {
    let item = json!({ "code": "string", "quantity": "u16: NonZero<u16>", "notes": ["option", ["list", "char"]] });
    assert_eq!(shape(&vec![Item::default()]), json!(["list", item]));
}

#[test]
fn an_enum_says_it_of_each_variant() {
    let variants = json!({
        "Start": "null",
        "Asked": "string: Ipv4Addr",
        "Pair": ["tuple", "u8", "bool"],
        "Named": { "name": "string", "age": "f64" },
    });
    assert_eq!(shape(&Step::Start), json!(["enum", variants]));
    let result = json!({ "Ok": "u8", "Err": "string" });
    assert_eq!(shape(&Ok::<u8, String>(1)), json!(["enum", result]));
}

#[test]
fn a_type_that_holds_itself_comes_to_an_end() {
    let again = json!(["again", "Tree"]);
    assert_eq!(shape(&Tree::default()), json!({ "children": ["list", again], "twin": ["option", again] }));
    let again = json!(["again", "Sum"]);
    let sum = json!({ "Add": ["tuple", again, ["any", "?"]], "One": "u8" });
    assert_eq!(shape(&Sum::One(1)), json!(["enum", sum]), "no `Sum` can be made up without end");
}

type Eight<T> = Vec<Vec<Vec<Vec<Vec<Vec<Vec<Vec<T>>>>>>>>;

#[test]
fn a_type_is_described_as_deep_as_anybody_compares_it() {
    let mut seen = &shape(&Eight::<Eight<Eight<Eight<Eight<u8>>>>>::new());
    let mut lists = 0;
    while let Some(element) = seen.get(1).filter(|_| seen[0] == "list") {
        (seen, lists) = (element, lists + 1);
    }
    assert_eq!((lists, seen), (33, &json!(["any", "deep inside"])));
}

#[test]
fn a_type_says_what_it_reads_of_a_format_for_machines() {
    let address = Ask { is_human_readable: false }.read::<Ipv4Addr, Plain>(&Ipv4Addr::LOCALHOST);
    assert_eq!(address, json!(["tuple", "u8", "u8", "u8", "u8"]));
}

#[test]
fn what_looks_at_the_data_is_known_by_its_name() {
    assert_eq!(shape(&json!(1)), json!(["any", "Value"]));
    assert_eq!(shape(&Some(Value::Null)), json!(["option", ["any", "Value"]]));
    assert_eq!(shape(&Some(Either::Number(1))), json!(["option", ["any", "Option<Either>"]]));
    assert_eq!(super::short("alloc::vec::Vec<(a::b::C, &str)>"), "Vec<(C, &str)>");
}
