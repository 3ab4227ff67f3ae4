use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::{Arc, LazyLock};

/// What names a session in its store: the session's name, which is its namespace, and the user's own key.
///
/// Keys can be secret or can be guessed, so `Debug` shows only the namespace.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    name: Arc<str>,
    id: Arc<str>,
    hash: u64,
}

impl Key {
    /// The longest key, in bytes.
    pub const MAX_LEN: usize = 512;

    /// The key `id` of the session type called `name`.
    ///
    /// # Errors
    /// When the key is empty or longer than [`Key::MAX_LEN`] bytes. Every other string is a key.
    pub fn new(name: Arc<str>, id: impl AsRef<str>) -> Result<Self, InvalidKey> {
        match id.as_ref() {
            "" => Err(InvalidKey::Empty),
            id if id.len() > Self::MAX_LEN => Err(InvalidKey::TooLong { len: id.len() }),
            id => Ok(Self { hash: hash(&name, id), name, id: id.into() }),
        }
    }

    /// The key of a session that has none yet.
    #[cfg(feature = "_web")]
    pub(crate) fn unnamed(name: Arc<str>) -> Self {
        let id = "unnamed";
        Self { hash: hash(&name, id), name, id: id.into() }
    }

    /// The same key of another session type.
    pub(crate) fn called(&self, name: Arc<str>) -> Self {
        Self { hash: hash(&name, &self.id), name, id: self.id.clone() }
    }

    /// The same key in the namespace of records that were set aside. No session's name contains `#`.
    pub(crate) fn aside(&self) -> Self {
        self.called(format!("{}#aside", self.name).into())
    }

    /// The name under which the session's type is registered: also for a record that was set aside.
    #[must_use]
    pub fn registered_name(&self) -> &str {
        self.name.split_once('#').map_or(&*self.name, |(name, _)| name)
    }

    /// The session's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The session's name, shared.
    pub(crate) fn shared_name(&self) -> Arc<str> {
        self.name.clone()
    }

    /// The user's key.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

/// A hash that is keyed anew in each process: clients can neither choose keys that collide, nor can somebody who reads
/// a log find out by trying which chat a hash stands for.
fn hash(name: &str, id: &str) -> u64 {
    static KEYED: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    KEYED.hash_one((name, id))
}

impl Key {
    /// Names the key in logs and in maps of this process; see [`KeyHasher`].
    pub(crate) fn keyed_hash(&self) -> u64 {
        self.hash
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

/// The hasher of maps from [`Key`], whose hash is computed once and kept.
#[derive(Debug, Default)]
pub(crate) struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// Which of some maps with [`KeyHasher`] holds a key. Each looks at the lowest and the highest bits of the same hash, so
/// this looks at those between.
pub(crate) const fn shard_of(hash: u64, shards: usize) -> usize {
    (hash >> 32) as usize % shards
}

/// A key in a log: the hash, which tells a key apart from others of this process and cannot be traced back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeyHash(u64);

impl KeyHash {
    pub(crate) fn of(key: &Key) -> Self {
        Self(key.hash)
    }
}

impl fmt::Display for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({}, ..)", self.name)
    }
}

/// A string that cannot be a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidKey {
    /// It is empty.
    #[error("a session key must not be empty; use what identifies the chat or visitor")]
    Empty,
    /// It is too long.
    #[error("a session key has at most {max} bytes, this one has {len}; use a hash of it", max = Key::MAX_LEN)]
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
}
