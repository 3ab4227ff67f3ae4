//! Decodes a value whose type nobody knows into hashes: of a map, of each of its fields, and so on for a few levels.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// How deep names and texts are kept. Below, hashes are all that is left.
const KEPT: u8 = 4;
/// How deep MessagePack may be nested, as JSON may.
const DEEPEST: usize = 128;

/// A value: two are the same if their hashes are. The order of a map's fields does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub hash: u64,
    pub inside: Inside,
}

/// What is kept of a value besides its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Inside {
    Fields(Vec<(String, Node)>),
    Items(Vec<Node>),
    Text(String),
    Other,
}

impl Node {
    /// Reads JSON, all of it.
    pub(super) fn from_json(bytes: &[u8]) -> Option<Self> {
        let mut json = serde_json::Deserializer::from_slice(bytes);
        let node = Seed { kept: KEPT }.deserialize(&mut json).ok()?;
        json.end().is_ok().then_some(node)
    }

    /// Reads MessagePack, all of it.
    pub(super) fn from_message_pack(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        let mut packed = rmp_serde::Deserializer::new(&mut rest);
        packed.set_max_depth(DEEPEST);
        let node = Seed { kept: KEPT }.deserialize(&mut packed).ok()?;
        rest.is_empty().then_some(node)
    }

    pub(super) fn fields(&self) -> Option<&[(String, Node)]> {
        match &self.inside {
            Inside::Fields(fields) => Some(fields),
            _ => None,
        }
    }

    pub(super) fn items(&self) -> Option<&[Node]> {
        match &self.inside {
            Inside::Items(items) => Some(items),
            _ => None,
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match &self.inside {
            Inside::Text(text) => Some(text),
            _ => None,
        }
    }

    fn leaf(value: impl Hash) -> Self {
        Self { hash: hash_of(value), inside: Inside::Other }
    }
}

/// The hash of something: the same in every run.
pub(super) fn hash_of(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Decodes a value, and keeps this many levels of what is inside.
#[derive(Clone, Copy)]
struct Seed {
    kept: u8,
}

impl Seed {
    fn inner(self) -> Self {
        Self { kept: self.kept.saturating_sub(1) }
    }
}

impl<'de> DeserializeSeed<'de> for Seed {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed {
    type Value = Node;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::leaf(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::leaf(i128::from(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::leaf(i128::from(value)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::leaf(("float", value.to_bits())))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        let inside = if self.kept > 0 { Inside::Text(value.to_owned()) } else { Inside::Other };
        Ok(Node { hash: hash_of(value), inside })
    }

    fn visit_bytes<E>(self, value: &[u8]) -> Result<Node, E> {
        Ok(Node::leaf(("bytes", value)))
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::leaf(()))
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::leaf(()))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let (mut hasher, mut kept) = (DefaultHasher::new(), Vec::new());
        "items".hash(&mut hasher);
        while let Some(item) = items.next_element_seed(self.inner())? {
            item.hash.hash(&mut hasher);
            if self.kept > 0 {
                kept.push(item);
            }
        }
        Ok(Node { hash: hasher.finish(), inside: if self.kept > 0 { Inside::Items(kept) } else { Inside::Other } })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Node, A::Error> {
        let (mut sum, mut kept) = (0_u64, Vec::new());
        // A name is read as a value with its text: MessagePack allows whatever it likes.
        while let Some(name) = fields.next_key_seed(Self { kept: 1 })? {
            let value = fields.next_value_seed(self.inner())?;
            sum = sum.wrapping_add(hash_of((name.hash, value.hash)));
            if self.kept > 0 {
                let name = name.text().map_or_else(|| format!("{:x}", name.hash), str::to_owned);
                kept.push((name, value));
            }
        }
        let inside = if self.kept > 0 { Inside::Fields(kept) } else { Inside::Other };
        Ok(Node { hash: hash_of(("fields", sum)), inside })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn json(text: &str) -> Node {
        Node::from_json(text.as_bytes()).expect("JSON")
    }

    #[test]
    fn the_order_of_fields_does_not_count_and_that_of_items_does() {
        assert_eq!(json(r#"{"a":1,"b":{"c":2,"d":3}}"#).hash, json(r#"{ "b": {"d":3,"c":2}, "a": 1 }"#).hash);
        assert_ne!(json("[1,2]").hash, json("[2,1]").hash);
        for (one, other) in [("1", "1.0"), ("1", "\"1\""), ("null", "[]"), ("{}", "[]"), ("{\"a\":1}", "{\"a\":2}")] {
            assert_ne!(json(one).hash, json(other).hash, "{one} {other}");
        }
    }

    #[test]
    fn both_encodings_of_a_value_are_the_same() {
        let value = json!({ "visits": 3, "left": -4, "theme": "dark", "cart": [{ "sku": "A1" }], "user": null });
        let packed = rmp_serde::to_vec_named(&value).expect("MessagePack");
        let plain = serde_json::to_vec(&value).expect("JSON");
        assert_eq!(Node::from_message_pack(&packed).map(|node| node.hash), Some(json(&value.to_string()).hash));
        assert_eq!(Node::from_message_pack(&plain), None);
    }

    #[test]
    fn depth_and_length_that_lie_are_refused() {
        assert_eq!(Node::from_json("[".repeat(100_000).as_bytes()), None);
        assert_eq!(Node::from_message_pack(&vec![0x91; 100_000]), None);
        assert_eq!(Node::from_message_pack(&[0xdf, 0xff, 0xff, 0xff, 0xff]), None);
        assert_eq!(Node::from_message_pack(&[0xc6, 0xff, 0xff, 0xff, 0xff, 1]), None);
        assert_eq!(Node::from_json(b"{} {}"), None);
        assert_eq!(Node::from_message_pack(b""), None);
    }
}
