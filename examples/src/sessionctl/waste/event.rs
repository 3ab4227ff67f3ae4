//! What happens to a key.

use std::hash::Hash;

use super::digest::Digest;
use super::tree::hash_of;

/// A key, as a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key(u64);

impl Key {
    /// The key that is named by this.
    #[must_use]
    pub fn of(name: &impl Hash) -> Self {
        Self(hash_of(name))
    }
}

/// What happened to a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Its value was read.
    Read(Key),
    /// It got a value.
    Write {
        /// The key.
        key: Key,
        /// The value.
        digest: Digest,
        /// How long the value is.
        bytes: usize,
        /// Whether the write was made only if there was a value, or only if there was none.
        expected: Option<bool>,
    },
    /// Some of its fields got values, or were removed.
    Fields(Fields),
    /// It got another end.
    Touch(Key),
    /// It was removed.
    Remove(Key),
    /// It was written in a way that cannot be compared.
    Unclear {
        /// The key.
        key: Key,
        /// How long what was sent is, as far as it is known.
        bytes: usize,
    },
    /// Something else is there now, and nobody knows what.
    Replace(Key),
    /// Anything can have happened to any key.
    Forget,
}

/// What a write does to some fields of a hash, or of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fields {
    /// The key.
    pub key: Key,
    /// The fields; those that are removed have the content [`GONE`](super::digest::GONE).
    pub digest: Digest,
    /// How long their names and values are.
    pub bytes: usize,
    /// Whether it tells that there was nothing before.
    pub is_new: bool,
}

impl Fields {
    /// Makes one write of two.
    pub(super) fn join(&mut self, later: &Self) {
        self.digest.join(&later.digest);
        self.bytes += later.bytes;
        self.is_new |= later.is_new;
    }
}

/// Who did something, and when, in microseconds.
#[derive(Debug, Clone, Copy)]
pub struct By {
    /// The hash of the client's address; 0 if nobody knows.
    pub client: u64,
    /// When.
    pub at: u64,
}
