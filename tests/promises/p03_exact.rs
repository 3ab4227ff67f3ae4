//! Dirty is exact: random edits against a comparison of the values.

use std::collections::{BTreeMap, HashSet};

use proptest::prelude::*;
use serde_json::{Value, json};
use session_runtime::{Session, Tracked};

#[derive(Session)]
#[session(name = "p03-exact")]
struct Exact {
    number: i16,
    #[session(initial = 0.5)]
    ratio: f64,
    choice: Option<u8>,
    names: Vec<String>,
    scores: BTreeMap<u8, Vec<u8>>,
    tags: HashSet<u8>,
    #[session(nested)]
    inner: Inner,
    #[session(skip)]
    scratch: u8,
}

#[derive(Session)]
#[session(name = "p03-exact-inner")]
struct Inner {
    #[session(initial = "light".to_owned())]
    theme: String,
    #[session(unordered)]
    bag: Vec<u8>,
}

/// The value of each field, in the order of the fields; what has no order is sorted.
fn values(exact: &Exact) -> [Value; 8] {
    let sorted = |mut entries: Vec<u8>| {
        entries.sort_unstable();
        json!(entries)
    };
    [
        json!(exact.number),
        json!(exact.ratio.to_bits()),
        json!(exact.choice),
        json!(exact.names),
        json!(exact.scores),
        sorted(exact.tags.iter().copied().collect()),
        json!(exact.inner.theme),
        sorted(exact.inner.bag.clone()),
    ]
}

/// One edit of the field at `place`, through a borrow of that field alone.
fn edit(exact: &mut Tracked<Exact>, place: usize, n: u8) {
    match place {
        0 => *exact.edit().number() = i16::from(n) - 1,
        1 => *exact.edit().ratio() = f64::from(n) / 2.0 - 0.5,
        2 => *exact.edit().choice() = (n > 0).then_some(n),
        3 if n == 0 => drop(exact.edit().names().pop()),
        3 => exact.edit().names().push(n.to_string()),
        4 if n == 0 => drop(exact.edit().scores().pop_first()),
        4 => exact.edit().scores().entry(n).or_default().push(n),
        5 if n == 0 => exact.edit().tags().clear(),
        5 => exact.edit().tags().extend([n]),
        6 => *exact.edit().inner().theme() = if n == 0 { "light".to_owned() } else { n.to_string() },
        7 if n == 0 => exact.edit().inner().bag().reverse(),
        7 => exact.edit().inner().bag().push(n),
        8 => *exact.edit().scratch() = n,
        _ => drop(exact.edit_all().names.clone()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn p03_dirty_are_the_fields_whose_values_differ_and_no_others(
        steps in proptest::collection::vec((0..10_usize, 0..4_u8, proptest::bool::weighted(0.1)), 1..40),
    ) {
        let mut exact = Tracked::<Exact>::new().expect("a session");
        let initial = values(&exact);
        let mut baseline = initial.clone();
        for (place, n, save) in steps {
            edit(&mut exact, place, n);
            let now = values(&exact);
            let patch = exact.patch().expect("it can be encoded");
            let names = ["number", "ratio", "choice", "names", "scores", "tags", "inner.theme", "inner.bag"];
            let expected: Vec<_> = (0..8)
                .filter(|&field| now[field] != baseline[field])
                .map(|field| (names[field], now[field] != initial[field]))
                .collect();
            let found: Vec<_> =
                patch.changes().iter().map(|change| (&*change.name, change.value.is_some())).collect();
            // A field is set where it differs from its initial value, and removed where it does not.
            prop_assert_eq!(found, expected);
            prop_assert_eq!(exact.dirty().expect("it can be encoded").len(), patch.changes().len());
            if save {
                exact.saved(&patch);
                baseline = now;
                prop_assert!(exact.dirty().expect("it can be encoded").is_empty());
            }
        }
    }
}
