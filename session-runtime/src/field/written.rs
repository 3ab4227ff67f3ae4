//! Which encodings this process made itself.
//!
//! A baseline that this process encoded was written by the rules of this build: of its codec, of the types' `Serialize`,
//! of everything. Then other bytes can only be another value or another order, and the sum of the bytes tells those
//! apart without decoding. A baseline that another process wrote can be the same value in other bytes (an older build
//! had no such field yet, or wrote a date differently), and no mark in the store could say whether it is: a build has
//! no name. So that one is decoded, as ever.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use super::hash;

/// How many encodings are remembered. A new one takes the place of an older one.
const SLOTS: usize = 1024;

/// Shorter encodings are decoded as quickly as they are looked up.
const WORTHWHILE: usize = 256;

/// The encodings, each as a hash of field and bytes.
pub(crate) struct Written {
    slots: Box<[AtomicU64]>,
}

impl Written {
    pub(crate) fn new() -> Self {
        Self { slots: (0..SLOTS).map(|_| AtomicU64::new(0)).collect() }
    }

    /// Remembers an encoding of the field with this index.
    pub(crate) fn note(&self, index: usize, encoded: &[u8]) {
        if let Some((slot, hash)) = self.slot(index, encoded) {
            slot.store(hash, Ordering::Relaxed);
        }
    }

    /// Whether this process made this encoding of the field; `false` when it does not remember.
    pub(crate) fn has(&self, index: usize, encoded: &[u8]) -> bool {
        self.slot(index, encoded).is_some_and(|(slot, hash)| slot.load(Ordering::Relaxed) == hash)
    }

    fn slot(&self, index: usize, encoded: &[u8]) -> Option<(&AtomicU64, u64)> {
        if encoded.len() < WORTHWHILE {
            return None;
        }
        // Never zero, which is a slot that is free.
        let hash = hash::bytes(hash::key() ^ index as u64, encoded) | 1;
        let slot = self.slots.get((hash >> 32) as usize % SLOTS)?;
        Some((slot, hash))
    }
}

impl fmt::Debug for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Written").finish_non_exhaustive()
    }
}
