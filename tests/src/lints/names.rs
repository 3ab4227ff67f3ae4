//! Fields with names of methods that lints know.

use session_runtime::Session;

/// Each name means something to a lint.
#[derive(Debug, Clone, Copy, Session)]
pub struct Names {
    /// A field.
    pub iter: u8,
    /// A field.
    pub iter_mut: u8,
    /// A field.
    pub into_iter: u8,
    /// A field.
    pub next: u8,
    /// A field.
    pub clone: u8,
    /// A field.
    pub clone_from: u8,
    /// A field.
    pub into: u8,
    /// A field.
    pub into_inner: u8,
    /// A field.
    pub from: u8,
    /// A field.
    pub from_str: u8,
    /// A field.
    pub from_here: u8,
    /// A field.
    pub to_do: u8,
    /// A field.
    pub as_of: u8,
    /// A field.
    pub is_open: bool,
    /// A field.
    pub get_on: u8,
    /// A field.
    pub eq: u8,
    /// A field.
    pub cmp: u8,
    /// A field.
    pub hash: u8,
    /// A field.
    pub fmt: u8,
    /// A field.
    pub to_string: u8,
    /// A field.
    pub default: u8,
    /// A field.
    pub new: u8,
    /// A field.
    pub len: u8,
    /// A field.
    pub add: u8,
    /// A field.
    pub not: u8,
    /// A field.
    pub neg: u8,
    /// A field.
    pub index: u8,
    /// A field.
    pub deref: u8,
    /// A field.
    pub drop: u8,
    /// A field.
    pub borrow: u8,
    /// A field.
    pub as_ref: u8,
    /// A field.
    pub edit: u8,
    /// A field.
    pub all: u8,
    /// A field.
    pub name: u8,
}
