use std::fmt;

use serde::de::Error;

/// What a type asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Node {
    Scalar(&'static str),
    Any,
    Option,
    List,
    Map,
    Tuple(usize),
    Struct(&'static [&'static str]),
    Enum(&'static [&'static str]),
    /// The content of a variant that has one.
    Content,
    /// The content of a variant that has fields.
    Fields(&'static [&'static str]),
}

/// What was asked for at the end of a path, and by which type.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    pub(super) node: Node,
    pub(super) by: &'static str,
}

/// The walk is over.
#[derive(Debug)]
pub(super) struct Stop;

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the walk is over")
    }
}

impl std::error::Error for Stop {}

impl Error for Stop {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}
