//! Which encodings this process made itself.
//!
//! A baseline that this process encoded was written by the rules of this build: of its codec, of the types' `Serialize`,
//! of everything. Then other bytes can only be another value or another order, and the sum of the bytes tells those
//! apart without decoding. A baseline that another process wrote can be the same value in other bytes (an older build
//! had no such field yet, or wrote a date differently), and no mark in the store could say whether it is: a build has
//! no name. So that one is decoded, as ever.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many encodings are remembered. A new one takes the place of an older one.
const SLOTS: usize = 1024;

/// Shorter encodings are decoded as quickly as they are looked up.
const WORTHWHILE: usize = 256;

/// The encodings, each as a hash of field and bytes. The first one makes room for the others.
#[derive(Default)]
pub(crate) struct Written(OnceLock<Box<[AtomicU64]>>);

impl Written {
    /// Remembers an encoding of what this number stands for.
    pub(crate) fn note(&self, of: u64, encoded: &[u8]) {
        if encoded.len() >= WORTHWHILE {
            let slots = self.0.get_or_init(|| (0..SLOTS).map(|_| AtomicU64::new(0)).collect());
            let hash = hash(of, encoded);
            slot(slots, hash).store(hash, Ordering::Relaxed);
        }
    }

    /// Whether this process made this encoding of the field; `false` when it does not remember.
    pub(crate) fn has(&self, of: u64, encoded: &[u8]) -> bool {
        let Some(slots) = self.0.get().filter(|_| encoded.len() >= WORTHWHILE) else { return false };
        let hash = hash(of, encoded);
        slot(slots, hash).load(Ordering::Relaxed) == hash
    }
}

/// Never zero, which stands for nothing.
fn hash(of: u64, encoded: &[u8]) -> u64 {
    super::hash::bytes(super::hash::key() ^ of, encoded) | 1
}

fn slot(slots: &[AtomicU64], hash: u64) -> &AtomicU64 {
    &slots[(hash >> 32) as usize % slots.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoding_is_remembered_and_no_other_is_taken_for_it() {
        let written = Written::default();
        let text = [b'x'; WORTHWHILE];
        assert!(!written.has(1, &text));
        written.note(1, &text);
        assert!(written.has(1, &text));
        for other in (0..64).filter(|field| *field != 1) {
            assert!(!written.has(other, &text), "it was another field's");
        }
        for place in [0, 100, WORTHWHILE - 1] {
            let mut other = text;
            other[place] = b'y';
            assert!(!written.has(1, &other), "byte {place} differs");
        }
        assert!(!written.has(1, &[b'x'; WORTHWHILE + 1]));
    }

    #[test]
    fn a_short_encoding_is_not_worth_remembering() {
        let written = Written::default();
        let text = [b'x'; WORTHWHILE - 1];
        written.note(1, &text);
        assert!(!written.has(1, &text));
        assert!(written.0.get().is_none(), "nor is there any room made for it");
    }

    #[test]
    fn many_encodings_are_remembered_at_once() {
        let written = Written::default();
        let texts: Vec<_> = (0..64_u8).map(|number| [number; WORTHWHILE]).collect();
        for text in &texts {
            written.note(1, text);
        }
        let kept = texts.iter().filter(|text| written.has(1, &text[..])).count();
        assert!(kept > 40, "{kept} of 64, where there is room for {SLOTS}");
    }
}
