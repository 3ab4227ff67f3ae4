//! How a life of a key ended.

use super::commits::Commits;
use super::id::Incarnation;

/// How the base of a commit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was destroyed.
    Destroyed,
    /// Its key has had another life since, which does not tell how this one ended.
    Replaced,
    /// It was moved to another key.
    Renewed,
    /// It has expired.
    Expired,
    /// There is no trace of it.
    Unknown,
}

/// A life of a key that has ended, as long as its header is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Past {
    /// Which life.
    pub incarnation: Incarnation,
    /// How it ended.
    pub ended: Ended,
    /// The last commits of the key, that which ended the life among them.
    pub commits: Commits,
}
