//! Dirty is exact: random nested values, changed at random, against a comparison that knows their types.
//!
//! `SESSION_TEST_VALUES` says how many values there are; `scripts/exact` runs so many that there are a million changes.

use std::collections::HashMap;

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Serialize};
use session_runtime::codec::{Codec, Json, MessagePack};
use session_runtime::{Session, Tracked};

/// Everything that can stand in a field. Its `PartialEq` is exact: the order of lists counts, that of maps does not.
#[derive(Serialize, Deserialize, Clone, PartialEq, Debug)]
enum Any {
    Number(u8),
    Text(String),
    List(Vec<Any>),
    Slots(Slots),
    Map(HashMap<String, Any>),
    Clear(Clear),
    Choice(Option<Box<Any>>),
    Both { map: HashMap<u8, Any>, list: Vec<Any> },
    Brown(hashbrown::HashMap<u8, Any>),
}

/// A list whose type's name does not tell that it is one.
#[derive(Serialize, Deserialize, Clone, PartialEq, Debug)]
#[serde(transparent)]
struct Slots(Vec<Any>);

/// A map whose type's name does not tell that it is one.
#[derive(Serialize, Deserialize, Clone, PartialEq, Debug)]
#[serde(transparent)]
struct Clear(HashMap<String, Any>);

impl Default for Any {
    fn default() -> Self {
        Self::Number(0)
    }
}

#[derive(Session)]
#[session(name = "p03-random")]
struct Random {
    field: Any,
}

fn list(rng: &mut StdRng, depth: usize) -> Vec<Any> {
    (0..rng.random_range(0..4)).map(|_| random(rng, depth)).collect()
}

fn named<M: FromIterator<(String, Any)>>(rng: &mut StdRng, depth: usize) -> M {
    list(rng, depth).into_iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect()
}

fn numbered<M: FromIterator<(u8, Any)>>(rng: &mut StdRng, depth: usize) -> M {
    (0..).zip(list(rng, depth)).collect()
}

fn random(rng: &mut StdRng, depth: usize) -> Any {
    let Some(inner) = depth.checked_sub(1) else {
        return match rng.random_range(0..2) {
            0 => Any::Number(rng.random_range(0..3)),
            _ => Any::Text(["", "a", "b"][rng.random_range(0..3)].to_owned()),
        };
    };
    match rng.random_range(0..8) {
        0 => random(rng, 0),
        1 => Any::List(list(rng, inner)),
        2 => Any::Slots(Slots(list(rng, inner))),
        3 => Any::Map(named(rng, inner)),
        4 => Any::Clear(Clear(named(rng, inner))),
        5 => Any::Choice(rng.random::<bool>().then(|| Box::new(random(rng, inner)))),
        6 => Any::Both { map: numbered(rng, inner), list: list(rng, inner) },
        _ => Any::Brown(numbered(rng, inner)),
    }
}

/// Changes one thing, and likes best what only moves things about: that is hardest to see.
fn change(rng: &mut StdRng, value: &mut Any) {
    let deeper = rng.random_range(0..4) > 0;
    let next = match value {
        Any::List(list) | Any::Slots(Slots(list)) | Any::Both { list, .. }
            if list.len() > 1 && rng.random_range(0..3) == 0 =>
        {
            list.shuffle(rng);
            return;
        }
        Any::List(list) | Any::Slots(Slots(list)) if deeper => pick(rng, list.iter_mut()),
        Any::Map(map) | Any::Clear(Clear(map)) if deeper => pick(rng, map.values_mut()),
        Any::Map(map) | Any::Clear(Clear(map)) if map.len() > 1 => {
            // Two keys swap their values.
            let (mut one, mut other) = (map.remove("0"), map.remove("1"));
            std::mem::swap(&mut one, &mut other);
            map.extend(one.map(|one| ("0".to_owned(), one)));
            map.extend(other.map(|other| ("1".to_owned(), other)));
            return;
        }
        Any::Both { map, .. } if deeper => pick(rng, map.values_mut()),
        Any::Brown(map) if deeper => pick(rng, map.values_mut()),
        Any::Choice(Some(inner)) if deeper => Some(&mut **inner),
        _ => None,
    };
    match next {
        Some(next) => change(rng, next),
        None => *value = random(rng, 1),
    }
}

fn pick<'a>(rng: &mut StdRng, values: impl ExactSizeIterator<Item = &'a mut Any>) -> Option<&'a mut Any> {
    let len = values.len();
    let mut values = values;
    (len > 0).then(|| rng.random_range(0..len)).and_then(|at| values.nth(at))
}

/// How many real changes there were.
fn run<C: Codec>(codec: &C, seed: u64, values: usize) -> usize {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut changes = 0;
    for round in 0..values {
        let value = random(&mut rng, 4);
        let mut bytes = Vec::new();
        codec.encode(&value, &mut bytes).expect("it can be encoded");
        let loaded = || codec.decode::<Any>(&bytes).expect("its own bytes");
        let mut session = Tracked::<Random, C>::with_codec(codec.clone()).expect("a session");
        *session.edit().field() = value.clone();
        let patch = session.patch().expect("it comes back");
        session.saved(&patch);
        let mut is_dirty = |value: Any| {
            *session.edit().field() = value;
            !session.dirty().expect("it can be encoded").is_empty()
        };
        assert!(!is_dirty(loaded()), "untouched, and dirty: seed {seed}, round {round}, {value:?}");
        for _ in 0..4 {
            let mut next = loaded();
            change(&mut rng, &mut next);
            let differs = next != value;
            changes += usize::from(differs);
            let text = format!("{next:?}");
            assert_eq!(is_dirty(next), differs, "seed {seed}, round {round}, {value:?} to {text}");
        }
    }
    changes
}

#[test]
fn p03_of_random_nested_values_exactly_the_changed_are_dirty() {
    let values = std::env::var("SESSION_TEST_VALUES").ok().and_then(|values| values.parse().ok()).unwrap_or(300);
    let seed = 0x5e55_0001;
    let changes = run(&Json, seed, values) + run(&MessagePack, seed + 1, values);
    assert!(changes > values, "{changes} changes of {values} values");
}
