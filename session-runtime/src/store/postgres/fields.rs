//! Which fields the header of a session keeps itself, and how: as JSON, which psql shows.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use super::super::{Commit, FieldValue, StoreError, StoreErrorKind, StoredField, Write};
use super::arguments::{Argument, Value};

/// The longest value, as text, that a header keeps.
const LONGEST_SMALL: usize = 128;

/// Stands before the hexadecimal digits of a value that is no text.
const HEX: char = '#';

/// What a commit does to the fields, sorted by where they are kept. Those of each kind are in one order for all, so that
/// no two commits wait for each other.
#[derive(Debug, Default)]
pub(super) struct Changes<'a> {
    /// Set in the header, if there is room.
    small: BTreeMap<&'a str, Cow<'a, str>>,
    /// Set in rows.
    rows: BTreeMap<&'a str, &'a [u8]>,
    unset: Vec<&'a str>,
}

impl<'a> Changes<'a> {
    pub(super) fn of(commit: &'a Commit) -> Self {
        let mut changes = Self::default();
        for change in commit.changes() {
            let is_indexed = commit.write().is_some_and(|write| write.term(&change.name).is_some());
            match change.value.as_deref() {
                None => changes.unset.push(&change.name),
                Some(value) => match small(value).filter(|_| !is_indexed) {
                    Some(text) => {
                        changes.small.insert(&change.name, text);
                    }
                    None => {
                        changes.rows.insert(&change.name, value);
                    }
                },
            }
        }
        changes
    }

    /// Whether all fields are set, and to small values.
    pub(super) fn are_small(&self) -> bool {
        self.rows.is_empty() && self.unset.is_empty()
    }

    /// The small ones, and their names.
    pub(super) fn small(&self) -> Result<[Argument<'a>; 2], StoreError> {
        let json = serde_json::to_string(&self.small).map_err(|source| {
            StoreError::new(StoreErrorKind::Other, "the fields cannot be written as JSON")
                .not_applied()
                .with_source(source)
        })?;
        Ok([("p_small", Value::Json(json)), ("p_small_names", Value::Texts(self.small.keys().copied().collect()))])
    }

    /// Those that have rows, and by which terms some are found.
    pub(super) fn rows(&self, write: Option<&'a Write>) -> [Argument<'a>; 4] {
        let index = || write.into_iter().flat_map(|write| &write.index);
        [
            ("p_set", Value::Texts(self.rows.keys().copied().collect())),
            ("p_values", Value::AllBytes(self.rows.values().copied().map(Some).collect())),
            ("p_indexed", Value::Texts(index().map(|entry| &*entry.field).collect())),
            ("p_terms", Value::Texts(index().map(|entry| entry.term.as_str()).collect())),
        ]
    }

    pub(super) fn unset(&self) -> Argument<'a> {
        ("p_unset", Value::Texts(self.unset.clone()))
    }
}

/// A value as a header keeps it; `None` if it is too long.
fn small(value: &[u8]) -> Option<Cow<'_, str>> {
    if value.len() > LONGEST_SMALL {
        return None;
    }
    let text = std::str::from_utf8(value).ok().filter(|text| !text.starts_with(HEX) && !text.contains('\0'));
    let text = text.map_or_else(|| Cow::Owned(hex(value)), Cow::Borrowed);
    (text.len() <= LONGEST_SMALL).then_some(text)
}

fn hex(value: &[u8]) -> String {
    let mut text = String::with_capacity(1 + 2 * value.len());
    text.push(HEX);
    for byte in value {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// What a header keeps as `text`; `None` if no store wrote it.
fn bytes(text: &str) -> Option<FieldValue> {
    let Some(digits) = text.strip_prefix(HEX) else { return Some(text.into()) };
    let pairs = digits.as_bytes().chunks(2).map(|pair| {
        let [high, low] = *pair else { return None };
        let digit = |digit: u8| char::from(digit).to_digit(16);
        u8::try_from(digit(high)? * 16 + digit(low)?).ok()
    });
    pairs.collect::<Option<Vec<u8>>>().map(FieldValue::from)
}

/// The fields that a header keeps.
#[derive(Debug)]
pub(super) struct Small(pub(super) Vec<StoredField>);

struct SmallValue(FieldValue);

impl<'de> Deserialize<'de> for Small {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = Small;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the fields of a session")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Small, A::Error> {
                let mut fields = Vec::new();
                while let Some((name, SmallValue(value))) = map.next_entry()? {
                    fields.push(StoredField { name, value });
                }
                Ok(Small(fields))
            }
        }

        deserializer.deserialize_map(Fields)
    }
}

impl<'de> Deserialize<'de> for SmallValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = SmallValue;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value as text, or `#` and hexadecimal digits")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<SmallValue, E> {
                bytes(text).map(SmallValue).ok_or_else(|| E::custom("not hexadecimal"))
            }
        }

        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_text_is_kept_as_digits() {
        for (value, text) in [
            (&b"\"dark\""[..], "\"dark\""),
            (b"", ""),
            (b"#", "#23"),
            (b"#00", "#233030"),
            (b"a#", "a#"),
            (b"\0", "#00"),
            (b"\xff\x0a", "#ff0a"),
            ("\u{e9}\\".as_bytes(), "\u{e9}\\"),
        ] {
            assert_eq!(small(value).unwrap(), text);
            assert_eq!(*bytes(text).unwrap(), *value);
        }
    }

    #[test]
    fn what_is_long_has_a_row() {
        assert!(small(&[b'x'; 128]).is_some());
        assert!(small(&[b'x'; 129]).is_none());
        assert!(small(&[0; 63]).is_some());
        assert!(small(&[0; 64]).is_none());
    }

    #[test]
    fn what_no_store_wrote_is_refused() {
        for text in ["#0", "#zz", "#0g", "#+1", "#é"] {
            assert!(bytes(text).is_none(), "{text}");
        }
        for json in ["[]", "{\"a\":1}", "{\"a\":null}", "{\"a\":\"#x\"}", "{\"a\"", "1"] {
            assert!(serde_json::from_str::<Small>(json).is_err(), "{json}");
        }
        let kept = serde_json::from_str::<Small>("{\"a\":\"1\",\"b\":\"#ff\"}").unwrap().0;
        let kept: Vec<_> = kept.iter().map(|field| (&*field.name, &field.value[..])).collect();
        assert_eq!(kept, [("a", &b"1"[..]), ("b", b"\xff")]);
    }
}
