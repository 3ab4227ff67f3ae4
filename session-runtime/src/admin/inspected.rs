use std::fmt::{self, Write};
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::date::Date;
use crate::codec::to_json;
use crate::store::{FieldName, FieldValue, Head, Key, Record, RegisteredField, Registration};

/// A stored session, as far as it can be shown without its type.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Inspected {
    /// Its key.
    pub key: Key,
    /// What its header tells.
    pub head: Head,
    /// How its values are encoded; `None` if its registration was withdrawn.
    pub codec: Option<Arc<str>>,
    /// Its fields: those of the registration, then those that only the record has.
    pub fields: Vec<InspectedField>,
}

/// A field of an inspected session.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct InspectedField {
    /// Its stored name.
    pub name: FieldName,
    /// Whether it is stored; else the value is the registered initial one.
    pub stored: bool,
    /// Its value.
    pub value: InspectedValue,
}

/// What can be shown of a value.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum InspectedValue {
    /// Nothing, because the field is marked `sensitive`, or it is not known whether it is.
    Redacted,
    /// The value.
    Json(Value),
    /// The encoded value, which cannot be shown as JSON.
    Bytes(Bytes),
    /// Nothing, because the field is pinned and not stored: each program makes a value of its own.
    Unset,
}

/// Leaves the value out: it can be secret to those who read logs.
impl fmt::Debug for InspectedValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Redacted => "Redacted",
            Self::Json(_) => "Json(..)",
            Self::Bytes(_) => "Bytes(..)",
            Self::Unset => "Unset",
        })
    }
}

impl Inspected {
    pub(super) fn new(key: Key, record: Record, registration: Option<Registration>) -> Self {
        let Record { head, fields: mut stored, .. } = record;
        stored.sort_by(|one, other| one.name.cmp(&other.name));
        let (codec, registered) = registration
            .map(|found| (found.codec.clone(), found.session_fields().cloned().collect::<Vec<_>>()))
            .unzip();
        let mut fields: Vec<_> = registered
            .unwrap_or_default()
            .into_iter()
            .map(|RegisteredField { name, initial, sensitive }| {
                let place = stored.iter().position(|field| field.name == name);
                let found = place.map(|place| stored.remove(place).value);
                let is_stored = found.is_some();
                let value = match found.or(initial) {
                    None => InspectedValue::Unset,
                    Some(_) if sensitive => InspectedValue::Redacted,
                    Some(value) => InspectedValue::decode(codec.as_deref(), value),
                };
                InspectedField { name, stored: is_stored, value }
            })
            .collect();
        let unknown = |name| InspectedField { name, stored: true, value: InspectedValue::Redacted };
        fields.extend(stored.into_iter().map(|field| unknown(field.name)));
        Self { key, head, codec, fields }
    }

    /// Redacts fields that the session's type marks as sensitive, even if its registration does not.
    pub(crate) fn redact(mut self, is_sensitive: impl Fn(&str) -> bool) -> Self {
        for field in self.fields.iter_mut().filter(|field| is_sensitive(&field.name)) {
            field.value = InspectedValue::Redacted;
        }
        self
    }

    /// The session as JSON: what its header tells, and under `fields` for each field whether it is `stored`, and its
    /// `value`, or `redacted`, or the `hex` of what is no JSON.
    pub fn to_json(&self) -> Value {
        let fields: Map<_, _> = self.fields.iter().map(|field| (field.name.to_string(), field.to_json())).collect();
        json!({
            "name": self.key.name(),
            "key": self.key.id(),
            "created": Date(self.head.created_at).to_string(),
            "expires": self.head.expires_at.map(|at| Date(at).to_string()),
            "own_lifetime_ms": self.head.sliding,
            "revision": self.head.revision,
            "version": self.head.version,
            "codec": self.codec.as_deref(),
            "fields": fields,
        })
    }
}

impl InspectedField {
    fn to_json(&self) -> Value {
        let stored = self.stored;
        match &self.value {
            InspectedValue::Redacted => json!({ "stored": stored, "redacted": true }),
            InspectedValue::Json(value) => json!({ "stored": stored, "value": value }),
            InspectedValue::Bytes(bytes) => json!({ "stored": stored, "hex": hex(bytes) }),
            InspectedValue::Unset => json!({ "stored": stored }),
        }
    }
}

impl InspectedValue {
    /// An encoded value. What is not what its codec writes is shown as it is.
    fn decode(codec: Option<&str>, encoded: FieldValue) -> Self {
        let decoded = codec.and_then(|codec| to_json(codec, &encoded));
        decoded.map_or(Self::Bytes(encoded.into()), Self::Json)
    }
}

impl RegisteredField {
    /// What can be shown of the initial value, which `codec` encoded.
    #[must_use]
    pub fn inspect(&self, codec: &str) -> InspectedValue {
        match &self.initial {
            None => InspectedValue::Unset,
            Some(_) if self.sensitive => InspectedValue::Redacted,
            Some(initial) => InspectedValue::decode(Some(codec), initial.clone()),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut hex, byte| {
        // Writing to a string cannot fail.
        _ = write!(hex, "{byte:02x}");
        hex
    })
}
