//! A session does not follow serde's attributes on its fields, so one that would change what is stored is a mistake.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use session_runtime::{Session, Tracked};

#[derive(Session, Serialize, Deserialize)]
struct Visitor {
    #[serde(skip)] //~ ERROR a secret
    token: String,
    #[serde(skip_serializing)] //~ ERROR a secret
    password: String,
    #[serde(rename = "n", alias = "number")] //~ ERROR two
    visits: u32,
    #[serde(rename(serialize = "a", deserialize = "b"))] //~ ERROR both in one
    both: u32,
    #[serde(default = "light", skip_serializing_if = "String::is_empty")] //~ ERROR two
    theme: String,
    #[serde(default)] //~ ERROR `Default`
    columns: u32,
    #[serde(with = "seconds")] //~ ERROR a module
    online: u64,
    #[serde(deserialize_with = "seconds::deserialize")] //~ ERROR half of a module
    idle: u64,
    #[serde(flatten)] //~ ERROR nested
    others: HashMap<String, String>,
    #[serde(skip)]
    #[session(skip)]
    request: Option<u64>,
    #[serde(rename = "kept")]
    #[session(serde = "ignored")]
    stored: u32,
    #[serde(bound = "")]
    plain: u32,
}

fn light() -> String {
    "light".to_owned()
}

mod seconds {
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(seconds: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(*seconds)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        u64::deserialize(deserializer)
    }
}

fn count(visitor: &mut Tracked<Visitor>) {
    *visitor.edit().visits() += 1;
}

fn main() {}
