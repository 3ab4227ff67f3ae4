//! A session does not follow serde's attributes on its struct.

use serde::{Deserialize, Serialize};
use session_runtime::Session;

#[derive(Session, Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)] //~ ERROR three
struct Visitor {
    visit_count: u32,
}

#[derive(Session, Serialize, Deserialize)]
#[serde(try_from = "u32", rename = "Other")] //~ ERROR one
struct Converted {
    visits: u32,
}

impl TryFrom<u32> for Converted {
    type Error = String;

    fn try_from(visits: u32) -> Result<Self, String> {
        Ok(Self { visits })
    }
}

#[derive(Session, Serialize, Deserialize)]
#[session(serde = "ignored")]
#[serde(transparent)]
struct Told {
    visits: u32,
}

fn main() {}
