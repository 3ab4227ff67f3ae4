//! What a store keeps of a value so that sessions can be found by it.

use std::fmt::{self, Write};
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::field_name::FieldName;

/// The longest value that is kept as it is, in bytes.
const LONGEST: usize = 64;

/// What a store keeps of an encoded value: the value itself if it is a short text, and else `#` and a hash of it.
///
/// It is at most 65 bytes long, has no control characters, and is the same for the same value only.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Term(Arc<str>);

/// A field that a commit sets, and the term by which its session can be found from then on.
#[derive(Clone, PartialEq, Eq)]
pub struct IndexEntry {
    /// The stored name of the field.
    pub field: FieldName,
    /// The term of its value.
    pub term: Term,
}

/// The key of the hashes that are kept of sensitive values.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct IndexKey(pub(crate) [u8; 32]);

impl Term {
    /// The term of an encoded value.
    #[must_use]
    pub fn of(encoded: &[u8]) -> Self {
        let short = Some(encoded).filter(|encoded| encoded.len() <= LONGEST);
        match short.and_then(|encoded| std::str::from_utf8(encoded).ok()) {
            Some(text) if !text.is_empty() && !text.starts_with('#') && !text.contains(char::is_control) => {
                Self(text.into())
            }
            _ => Self::hashed(&Sha256::digest(encoded)),
        }
    }

    /// The term of an encoded value of a sensitive field: nobody without the key can tell whether it is that of a value.
    pub(crate) fn keyed(key: &IndexKey, field: &str, encoded: &[u8]) -> Self {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&key.0) else { return Self::of(&[]) };
        // The length in front, so that no two fields share a term by chance.
        mac.update(&(field.len() as u64).to_be_bytes());
        mac.update(field.as_bytes());
        mac.update(encoded);
        Self::hashed(&mac.finalize().into_bytes())
    }

    fn hashed(hash: &[u8]) -> Self {
        let text = hash.iter().fold(String::from("#"), |mut text, byte| {
            // Writing to a string does not fail.
            let _ = write!(text, "{byte:02x}");
            text
        });
        Self(text.into())
    }

    /// The term as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Leaves the term out, which can be a value.
impl fmt::Debug for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Term(..)")
    }
}

/// Leaves the term out, which can be a value.
impl fmt::Debug for IndexEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: indexed", self.field)
    }
}

impl fmt::Debug for IndexKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IndexKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_text_is_its_own_term_and_all_else_is_hashed() {
        assert_eq!(Term::of(b"7").as_str(), "7");
        assert_eq!(Term::of("\"ü\"".as_bytes()).as_str(), "\"ü\"");
        let hashed = [&b""[..], b"#7", b"a\0", b"\xff", &[b'x'; 65]].map(Term::of);
        for (place, term) in hashed.iter().enumerate() {
            assert!(term.as_str().len() == 65 && term.as_str().starts_with('#'), "{place}");
            assert_eq!(hashed.iter().filter(|other| *other == term).count(), 1, "{place}");
        }
        assert!(Term::of(&[b'x'; 64]).as_str().starts_with('x'));
    }

    #[test]
    fn a_sensitive_value_has_another_term_with_another_key_or_in_another_field() {
        let term = |key, field, value: &str| Term::keyed(&IndexKey([key; 32]), field, value.as_bytes());
        assert_eq!(term(1, "card", "7"), term(1, "card", "7"));
        for other in [term(2, "card", "7"), term(1, "car", "d7"), term(1, "card", "8"), Term::of(b"7")] {
            assert_ne!(other, term(1, "card", "7"));
        }
        assert!(!format!("{:?} {:?}", IndexKey([7; 32]), Term::of(b"secret")).contains(['7', 's']));
    }
}
