//! The limits: what somebody would write by hand who knows the engine and needs no library.
//!
//! Each keeps the guard that makes a change safe, a revision that must still be the one that was read.

pub mod fred;
pub mod memory;
pub mod postgres;
pub mod redis;
pub mod sqlite;

use session_peers_load::{Visitor, filled};

/// The fields of a session by name, each encoded.
fn fields(notes: usize) -> Vec<(&'static str, String)> {
    let Visitor { visits, theme, locale, cart, last_page, user, flash: _, step, score, notes } = filled(notes);
    let encode = |value: serde_json::Value| value.to_string();
    let mut fields = vec![
        ("visits", encode(visits.into())),
        ("theme", encode(theme.into())),
        ("locale", encode(locale.into())),
        ("cart", serde_json::to_string(&cart).expect("encodes")),
        ("last_page", encode(last_page.into())),
        ("user", encode(user.into())),
        ("step", encode(step.into())),
        ("score", encode(score.into())),
    ];
    if !notes.is_empty() {
        fields.push(("notes", encode(notes.into())));
    }
    fields
}

/// Decodes all fields, as a library must that lends a struct.
fn decode<'a>(fields: impl Iterator<Item = (&'a str, &'a [u8])>) -> Visitor {
    let mut visitor = Visitor::default();
    for (name, value) in fields {
        match name {
            "visits" => visitor.visits = from(value),
            "theme" => visitor.theme = from(value),
            "locale" => visitor.locale = from(value),
            "cart" => visitor.cart = from(value),
            "last_page" => visitor.last_page = from(value),
            "user" => visitor.user = from(value),
            "flash" => visitor.flash = from(value),
            "step" => visitor.step = from(value),
            "score" => visitor.score = from(value),
            "notes" => visitor.notes = from(value),
            _ => {}
        }
    }
    visitor
}

fn from<T: serde::de::DeserializeOwned>(value: &[u8]) -> T {
    serde_json::from_slice(value).expect("decodes")
}

/// The header that the guard compares: an incarnation and a revision.
fn header(revision: u64) -> Vec<u8> {
    let mut header = b"incarnation-16-b".to_vec();
    header.extend_from_slice(&revision.to_be_bytes());
    header
}

fn revision(header: &[u8]) -> u64 {
    header.last_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

/// Sets one field if the header is still the one that was read.
const GUARDED: &str = "\
if redis.call('HGET', KEYS[1], '.') ~= ARGV[1] then return 0 end \
redis.call('HSET', KEYS[1], '.', ARGV[2], 'visits', ARGV[3]) return 1";
