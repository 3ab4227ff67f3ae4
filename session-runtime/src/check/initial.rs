//! An initial value, as a snapshot tells it.

use std::fmt::Write;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::codec::{self, Codec};
use crate::schema::Schema;
use crate::session::Session;
use crate::store::FieldValue;

/// What such a value is called that is no JSON, and the hash of one that must not be shown.
const ENCODED: &str = "encoded";
const HASH: &str = "sha256";

/// The initial value of a field in JSON; encoded if it does not come back from that; hashed if it is sensitive.
pub(super) fn of<T: Session, C: Codec>(schema: &Schema<T, C>, value: &T, index: usize) -> Value {
    let leaf = &schema.leaves[index];
    if leaf.def.sensitive {
        return hashed(&leaf.initial);
    }
    let readable = schema.codec.decode::<Value>(&leaf.initial).ok().filter(|found| {
        let comes_back = |bytes: Vec<u8>| schema.same(value, index, &leaf.initial, &bytes).unwrap_or(false);
        special(found).is_none() && encode(&schema.codec, found).is_some_and(comes_back)
    });
    readable.unwrap_or_else(|| encoded(&leaf.initial))
}

/// The encoding of such a value, for a program whose own is `own`. What cannot be one is no encoding of anything.
pub(super) fn to_bytes<C: Codec>(codec: &C, value: &Value, own: Option<&FieldValue>) -> FieldValue {
    let bytes = match special(value) {
        None => encode(codec, value).map(FieldValue::from),
        Some((ENCODED, hex)) => unhex(hex).map(FieldValue::from),
        Some(_) => own.filter(|own| hashed(own) == *value).cloned(),
    };
    bytes.unwrap_or_default()
}

/// Whether an encoded value is this one, as far as that can be told without its type.
pub(super) fn is(value: &Value, codec: &str, bytes: &[u8]) -> bool {
    match special(value) {
        None => codec::to_json(codec, bytes).as_ref() == Some(value),
        Some((ENCODED, _)) => encoded(bytes) == *value,
        Some(_) => hashed(bytes) == *value,
    }
}

/// The value as text.
pub(super) fn show(value: &Value) -> String {
    match special(value) {
        Some((HASH, _)) => "[redacted]".to_owned(),
        _ => value.to_string(),
    }
}

fn special(value: &Value) -> Option<(&'static str, &str)> {
    let object = value.as_object().filter(|object| object.len() == 1)?;
    [ENCODED, HASH].into_iter().find_map(|name| Some((name, object.get(name)?.as_str()?)))
}

fn encode(codec: &impl Codec, value: &Value) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    codec.encode(value, &mut bytes).ok().map(|()| bytes)
}

fn encoded(bytes: &[u8]) -> Value {
    json!({ ENCODED: hex(bytes) })
}

fn hashed(bytes: &[u8]) -> Value {
    json!({ HASH: hex(&Sha256::digest(bytes)) })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut hex, byte| {
        // Writing to a string cannot fail.
        _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok());
    pairs.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect()
}
