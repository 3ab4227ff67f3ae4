use std::fmt;
use std::sync::Arc;

/// What names a session in its store: the session's name, which is its namespace, and the user's own key.
///
/// Keys can be secret or can be guessed, so `Debug` shows only the namespace.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    name: Arc<str>,
    id: Arc<str>,
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
            id => Ok(Self { name, id: id.into() }),
        }
    }

    /// The session's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The user's key.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
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
