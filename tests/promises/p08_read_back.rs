//! What is committed can be loaded: a value that would not come back is refused, and nothing is sent.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::net::IpAddr;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::de::{DeserializeOwned, Deserializer};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use session_runtime::codec::{Codec, CodecError, Json, MessagePack};
use session_runtime::{Error, Session, Tracked};
use session_tests::CountingCodec;

/// A session of one field, which lets the same test run over every type.
#[derive(Session)]
#[session(name = "p08-one")]
struct One<F: Serialize + DeserializeOwned + Default + Send + 'static> {
    field: F,
}

/// What the patch of a session that holds `value` says about it, with all sources.
fn refusal<F, C: Codec>(codec: C, value: F) -> Option<String>
where
    F: Serialize + DeserializeOwned + Default + Send + 'static,
{
    let mut session = Tracked::<One<F>, C>::with_codec(codec).expect("a session");
    *session.edit().field() = value;
    let error = match session.patch() {
        Ok(patch) => {
            assert_eq!(patch.changes().len(), 1, "the value is sent");
            return None;
        }
        Err(error) => error,
    };
    assert!(matches!(&error, Error::Encode { field, .. } if **field == *"field"), "{error:?}");
    let mut text = String::new();
    let mut source = error.source();
    while let Some(error) = source {
        text += &error.to_string();
        text += "; ";
        source = error.source();
    }
    Some(text)
}

#[track_caller]
fn is_refused<F, C: Codec>(codec: C, value: F, because: &str)
where
    F: Serialize + DeserializeOwned + Default + Send + 'static,
{
    let text = refusal(codec, value).expect("it would not come back");
    assert!(text.contains(because), "{text}");
}

#[track_caller]
fn comes_back<F, C: Codec>(codec: C, value: F)
where
    F: Serialize + DeserializeOwned + Default + Send + 'static,
{
    assert_eq!(refusal(codec, value), None);
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Loses {
    Short { x: u8 },
    Long { x: u8, y: u8 },
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Width {
    Narrow(u8),
    Wide(u64),
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Number {
    Float(f64),
    Whole(i64),
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Keyed {
    Map { map: BTreeMap<u64, u8> },
}

#[derive(Serialize, Deserialize)]
struct Outer {
    #[serde(flatten)]
    inner: Inner,
}

#[derive(Serialize, Deserialize)]
struct Inner {
    number: u128,
}

#[derive(Serialize, Deserialize)]
struct Raw {
    raw: Box<RawValue>,
}

/// A number with its digits, as `serde_json` writes one to every codec but its own when it has the feature
/// `arbitrary_precision`.
#[derive(Serialize)]
#[serde(rename = "$serde_json::private::Number")]
struct Digits {
    #[serde(rename = "$serde_json::private::Number")]
    digits: String,
}

impl<'de> Deserialize<'de> for Digits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u64::deserialize(deserializer).map(|number| Self { digits: number.to_string() })
    }
}

#[derive(Serialize, Deserialize, Default)]
struct Cart {
    lines: Vec<Line>,
}

#[derive(Serialize, Deserialize)]
struct Line {
    note: Option<Option<u8>>,
}

#[test]
fn p08_what_json_has_no_second_null_for_is_refused() {
    is_refused(Json, Some(Some(None::<u8>)), "Some(Some(None)) would be read as None");
    is_refused(Json, vec![Some(None::<u8>)], "at `[0]` Some(None) would be read as None");
    is_refused(Json, vec![Some(())], "Some(()) would be read as None");
    is_refused(Json, vec![Some(Value::Null)], "would be read as None");
    is_refused(MessagePack, vec![Some(None::<u8>)], "would be read as None");
    let cart = Cart { lines: vec![Line { note: None }, Line { note: Some(None) }] };
    is_refused(Json, cart, "at `.lines[1].note` Some(None) would be read as None");
}

#[test]
fn p08_a_change_that_would_be_lost_is_refused_also_when_its_bytes_are_those_of_the_baseline() {
    for value in [Some(None), Some(Some(()))] {
        is_refused(Json, value, "would be read as None");
    }
    is_refused(Json, Some(Value::Null), "would be read as None");
}

#[test]
fn p08_a_large_value_that_would_be_lost_is_refused_also_after_another_came_back_from_the_same_bytes() {
    let mut session = Tracked::<One<Vec<Option<Option<u8>>>>>::new().expect("a session");
    *session.edit().field() = vec![None; 100];
    let patch = session.patch().expect("it comes back");
    session.saved(&patch);
    *session.edit().field() = vec![Some(None); 100];
    assert!(matches!(session.patch(), Err(Error::Encode { .. })));
}

#[derive(Serialize, Deserialize)]
enum Word {
    #[serde(rename = "secret")]
    Secret,
    #[serde(rename = "forgotten")]
    Forgotten,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Sign {
    Plus(Plus),
    Minus(Minus),
}

#[derive(Serialize, Deserialize)]
struct Plus;

#[derive(Serialize, Deserialize)]
struct Minus;

/// Reads itself the wrong way round.
#[derive(Serialize, Deserialize, Default, Clone)]
#[serde(into = "(u8, u8)", from = "(u8, u8)")]
struct Turned(u8, u8);

impl From<(u8, u8)> for Turned {
    fn from((one, other): (u8, u8)) -> Self {
        Self(other, one)
    }
}

impl From<Turned> for (u8, u8) {
    fn from(Turned(one, other): Turned) -> Self {
        (one, other)
    }
}

#[test]
fn p08_a_refusal_names_the_place_and_what_would_be_read_there() {
    is_refused(Forgetful, vec![Word::Secret], "at `[0]` variant secret would be read as variant forgotten");
    comes_back(Forgetful, vec![Word::Forgotten]);
    is_refused(Json, vec![Sign::Minus(Minus)], "at `[0]` unit struct Minus would be read as unit struct Plus");
    comes_back(Json, vec![Sign::Plus(Plus)]);
    is_refused(Json, Turned(1, 2), "at `.0` u8 would be read as another value of its kind");
    comes_back(Json, Turned(2, 2));
    let key = BTreeMap::from([(Some(Some(1)), 1_u8), (Some(None), 2)]);
    is_refused(MessagePack, key, "at `[key 0]` Some(None) would be read as None");
    let value = BTreeMap::from([(1_u8, Some(Some(1_u8))), (2, Some(None))]);
    is_refused(Json, value, "at `[value 1]` Some(None) would be read as None");
}

#[test]
fn p08_a_variant_that_reads_back_as_another_is_refused() {
    is_refused(Json, Some(Loses::Long { x: 1, y: 2 }), "would not come back");
    comes_back(Json, Some(Loses::Short { x: 1 }));
    is_refused(Json, Some(Width::Wide(5)), "u64 would be read as u8");
    comes_back(Json, Some(Width::Wide(500)));
    comes_back(Json, Some(Width::Narrow(5)));
    is_refused(Json, Some(Number::Whole(5)), "i64 would be read as f64");
    comes_back(Json, Some(Number::Float(5.0)));
}

#[test]
fn p08_what_serde_can_write_and_not_read_is_refused() {
    let keyed = || Some(Keyed::Map { map: BTreeMap::from([(1, 2)]) });
    is_refused(Json, keyed(), "could not be decoded");
    is_refused(Json, Some(Outer { inner: Inner { number: u128::MAX } }), "could not be decoded");
    is_refused(MessagePack, Some(Raw { raw: RawValue::from_string("[1]".to_owned()).expect("JSON") }), "could not");
    comes_back(Json, Some(Raw { raw: RawValue::from_string("{ \"b\": 1.50 }".to_owned()).expect("JSON") }));
    is_refused(Json, Some(Digits { digits: "12".to_owned() }), "could not be decoded");
    is_refused(MessagePack, Some(Digits { digits: "12".to_owned() }), "could not be decoded");
}

#[test]
fn p08_ordinary_values_of_every_kind_come_back() {
    comes_back(Json, json!({ "b": [1, -1, 1.5, null, { "x": 1e300 }], "a": "t", "most": u64::MAX }));
    comes_back(MessagePack, json!({ "b": [1, -1, 1.5, null, { "x": 1e300 }], "a": "t", "most": u64::MAX }));
    comes_back(Json, (i128::MIN, u128::MAX, 'x', 0.1_f32, -0.0_f64));
    comes_back(MessagePack, (i128::MIN, u128::MAX, 'x', f32::NAN, -0.0_f64, Some([1_u8, 2])));
}

#[test]
fn p08_a_type_with_one_form_for_people_and_one_for_machines_comes_back_in_either() {
    let addresses = || vec![IpAddr::from([127, 0, 0, 1]), IpAddr::from([0; 16])];
    comes_back(Json, addresses());
    comes_back(MessagePack, addresses());
    let mut session = Tracked::<One<Vec<IpAddr>>, _>::with_codec(MessagePack).expect("a session");
    *session.edit().field() = addresses();
    let patch = session.patch().expect("it comes back");
    let bytes = patch.changes()[0].value.as_deref().expect("it is set");
    assert!(!bytes.windows(3).any(|text| text == b"127"), "a compact codec writes no text: {bytes:?}");
    let mut session = Tracked::<One<Vec<IpAddr>>>::new().expect("a session");
    *session.edit().field() = addresses();
    let patch = session.patch().expect("it comes back");
    assert_eq!(patch.changes()[0].value.as_deref(), Some(&br#"["127.0.0.1","::"]"#[..]));
}

/// JSON that forgets what it read last.
#[derive(Debug, Clone, Copy)]
struct Forgetful;

impl Codec for Forgetful {
    const NAME: &'static str = "forgetful";

    fn encode<V: Serialize + ?Sized>(&self, value: &V, out: &mut Vec<u8>) -> Result<(), CodecError> {
        Json.encode(value, out)
    }

    fn decode<V: DeserializeOwned>(&self, bytes: &[u8]) -> Result<V, CodecError> {
        Json.decode(&String::from_utf8_lossy(bytes).replace("secret", "forgotten").into_bytes())
    }
}

#[test]
fn p08_the_codecs_own_mistakes_are_found() {
    let lines = |word: &str| Some((word.to_owned(), (1_u8, Some(2_u8))));
    comes_back(Forgetful, lines("public"));
    is_refused(Forgetful, lines("secret"), "at `.0` string would be read as another value of its kind");
}

/// `levels` lists in each other.
fn nested(levels: usize) -> Value {
    (1..levels).fold(json!([]), |inner, _| Value::Array(vec![inner]))
}

#[derive(Serialize, Deserialize, Default)]
struct Chain(Option<Box<Chain>>);

fn chain(levels: usize) -> Chain {
    (0..levels).fold(Chain(None), |inner, _| Chain(Some(Box::new(inner))))
}

#[derive(Serialize, Deserialize, Default)]
struct Listed {
    next: Option<Box<Listed>>,
}

/// Runs on a stack as small as threads have.
fn on_a_small_stack(test: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(2 << 20).spawn(test).expect("a thread").join().expect("no panic");
}

/// Takes a deep value apart, because a recursive drop of twenty thousand levels would be the test's own overflow.
fn dismantle(mut value: Value) {
    while let Value::Array(inner) = &mut value {
        match inner.pop() {
            Some(next) => value = next,
            None => return,
        }
    }
}

#[test]
fn p08_a_value_of_128_levels_comes_back_and_a_deeper_one_is_refused_by_every_codec() {
    fn check<C: Codec>(codec: &C) {
        comes_back(codec.clone(), nested(127));
        let linked = (1..127).fold(Listed::default(), |next, _| Listed { next: Some(Box::new(next)) });
        comes_back(codec.clone(), linked);
        for levels in [128, 700, 1_023, 1_024] {
            is_refused(codec.clone(), nested(levels), "more than 128 levels");
        }
        is_refused(codec.clone(), chain(1_000), "more than 128 levels");
    }
    on_a_small_stack(|| {
        check(&Json);
        check(&MessagePack);
        check(&Forgetful);
    });
}

#[test]
fn p08_twenty_thousand_levels_are_an_error_and_no_overflow() {
    fn check<C: Codec>(codec: C) {
        let mut session = Tracked::<One<Value>, C>::with_codec(codec).expect("a session");
        *session.edit().field() = nested(20_000);
        assert!(matches!(session.patch(), Err(Error::Encode { .. })));
        assert!(matches!(session.dirty(), Err(Error::Encode { .. })));
        dismantle(std::mem::take(session.edit().field()));
    }
    on_a_small_stack(|| {
        check(Json);
        check(MessagePack);
        check(Forgetful);
    });
}

/// A random value, often deep and often odd.
fn random(rng: &mut StdRng, depth: usize) -> Value {
    match rng.random_range(0..if depth == 0 { 6 } else { 9 }) {
        0 => Value::Null,
        1 => json!(rng.random::<bool>()),
        2 => json!(rng.random::<i64>() >> rng.random_range(0..64)),
        3 => json!(rng.random::<u64>()),
        4 => json!(f64::from_bits(rng.random())),
        5 => json!(String::from_utf16_lossy(&[rng.random(), rng.random(), rng.random_range(0..128)])),
        6 | 7 => (0..rng.random_range(0..4)).map(|_| random(rng, depth - 1)).collect(),
        _ => {
            let entry = |rng: &mut StdRng| {
                (
                    ["", "a", "\0", "$serde_json::private::Number"][rng.random_range(0..4)].to_owned(),
                    random(rng, depth - 1),
                )
            };
            Value::Object((0..rng.random_range(0..4)).map(|_| entry(rng)).collect())
        }
    }
}

#[test]
fn p08_random_values_are_refused_or_come_back() {
    fn run<C: Codec>(codec: &C, seed: u64, values: usize) {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut session = Tracked::<One<Value>, C>::with_codec(codec.clone()).expect("a session");
        let mut sent = 0;
        for round in 0..values {
            let depth = rng.random_range(0..6);
            let mut value = random(&mut rng, depth);
            for _ in 0..if round % 16 == 0 { rng.random_range(0..300) } else { 0 } {
                value = Value::Array(vec![value]);
            }
            *session.edit().field() = value;
            // What cannot come back is refused; whatever is sent comes back as it is.
            let Ok(patch) = session.patch() else { continue };
            if let Some(bytes) = patch.changes().first().and_then(|change| change.value.as_ref()) {
                let loaded: Value = codec.decode(bytes).expect("what is sent can be loaded");
                assert_eq!(loaded, session.field, "seed {seed}, round {round}");
                sent += 1;
            }
            session.saved(&patch);
        }
        assert!(sent * 2 > values, "{sent} of {values} were sent");
    }
    let values = std::env::var("SESSION_TEST_VALUES").ok().and_then(|values| values.parse().ok()).unwrap_or(2_000);
    run(&Json, 0x5e55_0008, values);
    run(&MessagePack, 0x5e55_0009, values);
}

#[derive(Session)]
#[session(name = "p08-lines")]
struct Lines {
    lines: Vec<Entry>,
}

#[derive(Serialize, Deserialize, Clone)]
struct Entry {
    text: String,
    number: u32,
}

#[test]
fn p08_a_value_that_was_read_back_is_not_decoded_again_while_it_stays_the_same() {
    let codec = CountingCodec::default();
    let mut lines = Tracked::<Lines, _>::with_codec(codec.clone()).expect("an initial value");
    *lines.edit().lines() = vec![Entry { text: "a line".to_owned(), number: 7 }; 32];
    let patch = lines.patch().expect("it comes back");
    lines.saved(&patch);
    _ = codec.take();
    for _ in 0..3 {
        lines.edit().lines();
        assert!(lines.patch().expect("it comes back").is_empty());
        assert_eq!(codec.take().1, 0, "it is encoded to be compared, and not decoded");
    }
}
