//! The names of Redis keys.
//!
//! A session's key is `{prefix}{session name}:{tag}{key}`, where the tag, in braces, is there only if
//! [`Slots`](super::Slots) ask for one. In what users choose, `%`, `:`, `{` and `}` are written as `%25` and so on, so
//! it can neither end its namespace nor choose a slot. No session is called `#…`, so that is where registrations are.

use std::fmt::Write;
use std::sync::Arc;

use super::Slots;
use crate::store::Key;

const ESCAPED: [char; 4] = ['%', ':', '{', '}'];

#[derive(Debug, Clone)]
pub(super) struct Names {
    pub(super) prefix: String,
    pub(super) slots: Slots,
}

impl Names {
    /// Where a session is kept.
    pub(super) fn session(&self, key: &Key) -> String {
        let mut out = self.of_name(key.name());
        let tag = match self.slots {
            Slots::PerKey => None,
            // What was set aside stays in the slot of its session.
            Slots::PerName => key.name().split('#').next(),
            Slots::By(tag) => Some(tag(key.id())),
        };
        // Redis ignores an empty tag.
        if let Some(tag) = tag.filter(|tag| !tag.is_empty()) {
            out.push('{');
            escape(&mut out, tag);
            out.push('}');
        }
        escape(&mut out, key.id());
        out
    }

    /// What the keys of all sessions of this name begin with.
    pub(super) fn of_name(&self, name: &str) -> String {
        let mut out = String::with_capacity(self.prefix.len() + name.len() + 48);
        out.push_str(&self.prefix);
        out.push_str(name);
        out.push(':');
        out
    }

    /// The session that is kept under `raw`, if its name is this one.
    pub(super) fn parse(&self, raw: &[u8], name: &Arc<str>) -> Option<Key> {
        let rest = std::str::from_utf8(raw).ok()?.strip_prefix(&self.of_name(name))?;
        let id = match rest.strip_prefix('{') {
            Some(tagged) => tagged.split_once('}')?.1,
            None => rest,
        };
        let key = Key::new(name.clone(), unescape(id)?).ok()?;
        (self.session(&key).as_bytes() == raw).then_some(key)
    }

    /// Where the initial values of a session name and version are registered. All are in one slot of a cluster.
    pub(super) fn registration(&self, name: &str, version: u32) -> String {
        format!("{}{{#registrations}}:{name}:{version}", self.prefix)
    }

    /// The set of all registrations.
    pub(super) fn registrations(&self) -> String {
        format!("{}{{#registrations}}", self.prefix)
    }

    /// The set of the sessions of a name with a value in a field.
    pub(super) fn index(&self, name: &str, field: &str, term: &str) -> String {
        let mut out = self.of_index();
        out.push_str(name);
        for part in [field, term] {
            out.push(':');
            escape(&mut out, part);
        }
        out
    }

    /// What the names of all such sets begin with.
    pub(super) fn of_index(&self) -> String {
        format!("{}#index:", self.prefix)
    }

    /// The field that such a set is about.
    pub(super) fn indexed(&self, set: &str) -> Option<String> {
        unescape(set.strip_prefix(&self.of_index())?.split(':').nth(1)?)
    }

    /// Two keys for trying out what the user may do.
    pub(super) fn trial(&self) -> [String; 2] {
        [1, 2].map(|n| format!("{}{{#trial}}:{n}", self.prefix))
    }
}

/// A pattern that matches what begins with `prefix`.
pub(super) fn pattern(prefix: &str) -> String {
    let mut out = String::with_capacity(prefix.len() + 1);
    for character in prefix.chars() {
        if matches!(character, '*' | '?' | '[' | ']' | '\\' | '^') {
            out.push('\\');
        }
        out.push(character);
    }
    out.push('*');
    out
}

fn escape(out: &mut String, text: &str) {
    for character in text.chars() {
        if ESCAPED.contains(&character) {
            // Writing to a string does not fail.
            let _ = write!(out, "%{:02X}", u32::from(character));
        } else {
            out.push(character);
        }
    }
}

fn unescape(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut parts = text.split('%');
    out.push_str(parts.next()?);
    for part in parts {
        let (code, rest) = part.split_at_checked(2)?;
        out.push(char::from(u8::from_str_radix(code, 16).ok()?));
        out.push_str(rest);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(slots: Slots) -> Names {
        Names { prefix: "session:".into(), slots }
    }

    fn key(id: &str) -> Key {
        Key::new("Visitor".into(), id).unwrap()
    }

    #[test]
    fn a_key_is_read_back_as_it_was_written() {
        for slots in [Slots::PerKey, Slots::PerName, Slots::By(|id| id.split_once('|').map_or("", |parts| parts.0))] {
            let names = names(slots);
            for id in ["42", "a:b", "{x}", "%7B", "\0 ü", "}{", "u|1", "u:{|}"] {
                let raw = names.session(&key(id));
                assert_eq!(names.parse(raw.as_bytes(), &"Visitor".into()), Some(key(id)), "{raw}");
            }
        }
    }

    #[test]
    fn users_choose_neither_slot_nor_namespace() {
        assert_eq!(names(Slots::PerKey).session(&key("{a}:b")), "session:Visitor:%7Ba%7D%3Ab");
        assert_eq!(names(Slots::PerName).session(&key("{a}")), "session:Visitor:{Visitor}%7Ba%7D");
        assert_eq!(names(Slots::PerName).session(&key("a").aside()), "session:Visitor#aside:{Visitor}a");
        let by_user = names(Slots::By(|id| id.split('|').next().unwrap_or(id)));
        assert_eq!(by_user.session(&key("u}1|x")), "session:Visitor:{u%7D1}u%7D1|x");
    }

    #[test]
    fn a_set_of_an_index_tells_its_field() {
        let names = names(Slots::PerKey);
        let set = names.index("Visitor", "u:{s}er", "{\"a\":1}");
        assert_eq!(set, "session:#index:Visitor:u%3A%7Bs%7Der:%7B\"a\"%3A1%7D");
        assert_eq!(names.indexed(&set).as_deref(), Some("u:{s}er"));
        assert_eq!(names.indexed("session:Visitor:u:1"), None);
    }

    #[test]
    fn keys_of_others_are_not_ours() {
        let names = names(Slots::PerKey);
        for raw in ["session:Visitor:", "session:Visitors:1", "session:Visitor:a:b", "session:Visitor:{x}1", "x"] {
            assert_eq!(names.parse(raw.as_bytes(), &"Visitor".into()), None, "{raw}");
        }
    }
}
