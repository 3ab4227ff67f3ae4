//! How deep a value may be nested, so that no stack and no parser's own limit is ever met.
//!
//! Whatever the codec, a field goes to it and comes from it inside [`Limited`], which counts levels: each part of a
//! value carries its level with it, so counting costs nothing to undo.

use std::fmt;

mod de;
mod ser;

/// How many containers may hold each other; with the innermost value these are 128 levels, as many as JSON reads.
const CONTAINERS: u8 = 127;

const TOO_DEEP: &str = "the value is nested more than 128 levels deep; store a flatter one";

/// Where in a value its serializer, or whatever else serde passes around, stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Level {
    containers: u8,
    /// Whether the level above is an `Option` or a newtype. One costs no level, so that a list of `Option<Box<Node>>`
    /// is as long as JSON allows; one directly in another does, because JSON shows neither and would not stop it.
    is_wrapped: bool,
}

impl Level {
    const TOP: Self = Self { containers: 0, is_wrapped: false };

    /// The level of what a container here holds.
    #[inline]
    fn enter(self) -> Result<Self, TooDeep> {
        if self.containers < CONTAINERS {
            Ok(Self { containers: self.containers + 1, is_wrapped: false })
        } else {
            Err(TooDeep)
        }
    }

    /// The level of what an `Option` or a newtype here holds.
    #[inline]
    fn wrap(self) -> Result<Self, TooDeep> {
        let level = if self.is_wrapped { self.enter()? } else { self };
        Ok(Self { is_wrapped: true, ..level })
    }
}

/// A value is nested too deep.
#[derive(Debug)]
struct TooDeep;

impl fmt::Display for TooDeep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(TOO_DEEP)
    }
}

/// A value, or whatever serde passes around while it is encoded or decoded, at its level.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limited<I> {
    inner: I,
    level: Level,
}

impl<I> Limited<I> {
    /// A whole value.
    pub(super) const fn top(inner: I) -> Self {
        Self { inner, level: Level::TOP }
    }
}
