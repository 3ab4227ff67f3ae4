//! A quick hash for comparing within one process; never stored.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

/// What every hash of this process starts with, so that nobody outside can make two values that look equal.
pub(super) fn key() -> u64 {
    static KEY: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one("field"));
    *KEY
}

const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;

/// Takes a word into a hash. What comes first and what second matters.
#[inline]
pub(super) fn fold(hash: u64, word: u64) -> u64 {
    // Both halves of the product, so that each bit of either factor reaches each bit of the result.
    let product = u128::from(hash.rotate_left(26) ^ word) * u128::from(MULTIPLIER);
    #[expect(clippy::cast_possible_truncation, reason = "the lower half is wanted")]
    let (low, high) = (product as u64, (product >> 64) as u64);
    low ^ high
}

/// Makes a hash fit to be one of a sum.
#[inline]
pub(super) fn spread(hash: u64) -> u64 {
    fold(hash, MULTIPLIER)
}

/// Takes bytes into a hash.
#[inline]
pub(super) fn bytes(hash: u64, bytes: &[u8]) -> u64 {
    let hash = fold(hash, bytes.len() as u64);
    match (bytes.first_chunk(), bytes.last_chunk()) {
        _ if bytes.len() > 16 => long(hash, bytes),
        // Whatever the length, two words cover it.
        (Some(first), Some(last)) => fold(fold(hash, u64::from_le_bytes(*first)), u64::from_le_bytes(*last)),
        _ => fold(hash, bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte))),
    }
}

fn long(hash: u64, bytes: &[u8]) -> u64 {
    // Four hashes at a time, because each waits for its product.
    let mut lanes = [hash; 4];
    let mut blocks = bytes.chunks_exact(32);
    for block in &mut blocks {
        for (lane, word) in lanes.iter_mut().zip(words(block)) {
            *lane = fold(*lane, word);
        }
    }
    let hash = if bytes.len() < 32 { hash } else { lanes.into_iter().fold(hash, fold) };
    let hash = words(blocks.remainder()).fold(hash, fold);
    // The last word covers what is too short for one, whatever it repeats.
    bytes.last_chunk().map_or(hash, |last| fold(hash, u64::from_le_bytes(*last)))
}

fn words(bytes: &[u8]) -> impl Iterator<Item = u64> {
    bytes.chunks_exact(8).filter_map(|word| word.try_into().ok().map(u64::from_le_bytes))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_hash_begins_with_what_nobody_outside_knows() {
        assert!(key() > 1);
        assert_eq!(key(), key());
    }

    #[test]
    fn each_bit_of_either_word_reaches_the_whole_hash() {
        let (hash, word) = (0x0123_4567_89ab_cdef, 0x3141_5926_5358_9793);
        for bit in (0..64).map(|place| 1 << place) {
            for other in [fold(hash ^ bit, word), fold(hash, word ^ bit)] {
                let changed = (fold(hash, word) ^ other).count_ones();
                assert!((8..=56).contains(&changed), "bit {bit:#x} changes {changed} bits");
            }
        }
        assert_ne!(fold(hash, word), fold(word, hash));
    }

    #[test]
    fn half_of_the_bits_are_set() {
        let ones: u32 = (0..1_000).map(|word| fold(MULTIPLIER, word).count_ones()).sum();
        assert!((31_000..=33_000).contains(&ones), "{ones} of 64000");
    }

    #[test]
    fn each_byte_counts_where_it_is_whatever_the_length() {
        let mut seen = BTreeSet::new();
        for length in 0..=100 {
            let mut text = vec![b'x'; length];
            assert!(seen.insert(bytes(7, &text)), "{length} bytes");
            for place in 0..length {
                text[place] = b'y';
                assert!(seen.insert(bytes(7, &text)), "byte {place} of {length}");
                text[place] = b'x';
            }
            assert_ne!(bytes(7, &text), bytes(8, &text), "what came before counts too");
        }
    }
}
