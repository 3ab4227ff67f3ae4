//! A snapshot as text: JSON with a line for each field, so that a change of a field is a changed line.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;

use serde::ser::Serialize;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::ser::Formatter;

use super::snapshot::{Snapshot, SnapshotField};

/// The form of the text.
const FORM: u32 = 1;

/// A text that is no snapshot.
#[derive(Debug, thiserror::Error)]
#[error("this is no snapshot of a session type")]
pub struct NoSnapshot(#[source] Box<dyn std::error::Error + Send + Sync>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    session_snapshot: u32,
    #[serde(rename = "about")]
    _about: String,
    name: String,
    version: u32,
    reads: Vec<u32>,
    codec: String,
    #[serde(rename = "type")]
    session_type: String,
    #[serde(default)]
    adopts: bool,
    fields: Vec<FieldText>,
    given_up: BTreeSet<String>,
}

#[derive(serde::Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldText {
    name: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty", rename = "alias")]
    aliases: Vec<String>,
    #[serde(rename = "type")]
    shape: Value,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    initial: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    registered: Option<Value>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    registered_as_pinned: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    attributes: Vec<String>,
}

/// What is there, be it `null`.
fn some<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl From<&SnapshotField> for FieldText {
    fn from(field: &SnapshotField) -> Self {
        let SnapshotField { name, aliases, shape, initial, registered, attributes } = field.clone();
        let registered_as_pinned = registered == Some(None);
        Self { name, aliases, shape, initial, registered: registered.flatten(), registered_as_pinned, attributes }
    }
}

impl From<FieldText> for SnapshotField {
    fn from(text: FieldText) -> Self {
        let FieldText { name, aliases, shape, initial, registered, registered_as_pinned, attributes } = text;
        let registered = registered.map(Some).or(registered_as_pinned.then_some(None));
        Self { name, aliases, shape, initial, registered, attributes }
    }
}

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{{")?;
        writeln!(f, "  \"session_snapshot\": {FORM},")?;
        writeln!(
            f,
            "  \"about\": \"A session type as it is deployed, written by session_runtime::check. Commit it.\","
        )?;
        writeln!(f, "  \"name\": {},", line(&self.name)?)?;
        writeln!(f, "  \"version\": {},", self.version)?;
        writeln!(f, "  \"reads\": {},", line(&self.reads)?)?;
        writeln!(f, "  \"codec\": {},", line(&self.codec)?)?;
        writeln!(f, "  \"type\": {},", line(&self.session_type)?)?;
        if self.adopts {
            writeln!(f, "  \"adopts\": true,")?;
        }
        writeln!(f, "  \"fields\": [")?;
        for (index, field) in self.fields.iter().enumerate() {
            let comma = if index + 1 < self.fields.len() { "," } else { "" };
            writeln!(f, "    {}{comma}", line(&FieldText::from(field))?)?;
        }
        writeln!(f, "  ],")?;
        writeln!(f, "  \"given_up\": {}", line(&self.given_up)?)?;
        writeln!(f, "}}")
    }
}

impl FromStr for Snapshot {
    type Err = NoSnapshot;

    fn from_str(text: &str) -> Result<Self, NoSnapshot> {
        let read = serde_json::from_str(text).map_err(|error| NoSnapshot(error.into()))?;
        let Text { session_snapshot, name, version, reads, codec, session_type, adopts, fields, given_up, .. } = read;
        if session_snapshot != FORM {
            let reason =
                format!("it has form {session_snapshot}, and this version of session_runtime knows form {FORM}");
            return Err(NoSnapshot(reason.into()));
        }
        let fields = fields.into_iter().map(SnapshotField::from).collect();
        Ok(Self { name, version, reads, codec, session_type, adopts, fields, given_up })
    }
}

/// A value as JSON in one line, with a space where the eye wants one.
fn line(value: &impl Serialize) -> Result<String, fmt::Error> {
    let mut line = Vec::new();
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut line, Spaced)).map_err(|_| fmt::Error)?;
    String::from_utf8(line).map_err(|_| fmt::Error)
}

struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: Write + ?Sized>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        out.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_key<W: Write + ?Sized>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        out.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_value<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }
}
