//! What was counted.

use std::collections::BTreeMap;

use super::digest::Format;

/// What a write did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It changed nothing.
    Nothing,
    /// It changed only what the library adds by itself, such as when the session ends.
    Added,
    /// It changed one part.
    OnePart,
    /// It changed more than one part.
    MoreParts,
    /// It changed something of a value whose parts cannot be told.
    Something,
    /// It is the first that was seen of its key, so that there is nothing to compare it with.
    First,
}

impl Kind {
    /// All of them, in the order of a report.
    pub const ALL: [Self; 6] =
        [Self::Nothing, Self::Added, Self::OnePart, Self::MoreParts, Self::Something, Self::First];

    /// What it says in a report.
    #[must_use]
    pub fn says(self) -> &'static str {
        match self {
            Self::First => "first seen of its key",
            Self::Nothing => "changed nothing",
            Self::Added => "only the expiry",
            Self::OnePart => "changed one part",
            Self::MoreParts => "changed more parts",
            Self::Something => "changed, parts unknown",
        }
    }

    /// Its name for machines.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Nothing => "nothing",
            Self::Added => "only_expiry",
            Self::OnePart => "one_part",
            Self::MoreParts => "more_parts",
            Self::Something => "something",
        }
    }
}

/// Why a write could not be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// There was no room to remember its key.
    Room,
    /// Its value was too long, or the command changes a value in a way that is not followed.
    Value,
    /// It had a condition, and nobody can tell whether it was refused.
    Condition,
}

impl Doubt {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Room, Self::Value, Self::Condition];

    /// What it says in a report.
    #[must_use]
    pub fn says(self) -> &'static str {
        match self {
            Self::Room => "no room for more keys",
            Self::Value => "too long, or not a whole value",
            Self::Condition => "with a condition, perhaps refused",
        }
    }

    /// Its name for machines.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Room => "no_room",
            Self::Value => "value",
            Self::Condition => "condition",
        }
    }
}

/// What a write was made of, as far as connections tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// Nobody read the value lately.
    None,
    /// Who writes had read it. If it is over, another client changed it since, or another request of the same pool.
    Own {
        /// Whether it is.
        is_over: bool,
    },
    /// Who writes had read it, and changed it since: two requests on one connection, or so it seems.
    Shared,
    /// It was read on another connection.
    Elsewhere {
        /// Whether it was changed since.
        is_over: bool,
    },
}

/// Some writes, and how long they are together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// How many.
    pub writes: u64,
    /// The length of what they write, in bytes.
    pub bytes: u64,
}

impl Count {
    fn add(&mut self, bytes: usize) {
        self.writes += 1;
        self.bytes += bytes as u64;
    }

    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { writes: self.writes + other.writes, bytes: self.bytes + other.bytes }
    }
}

/// What was seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// The writes of each format, by what they did.
    pub writes: BTreeMap<Format, [Count; Kind::ALL.len()]>,
    /// The writes that could not be compared, by why.
    pub doubts: [Count; Doubt::ALL.len()],
    /// How many keys were written.
    pub keys: u64,
    /// How many reads there were.
    pub reads: u64,
    /// How many commands only moved an end.
    pub touches: u64,
    /// How many removals there were.
    pub removals: u64,
    /// Writes of a client that had read the value before another client changed it.
    pub overlapped: u64,
    /// Writes that seem to be the same, of requests that connections do not tell apart.
    pub seem_overlapped: u64,
    /// Writes of a client that had read the value.
    pub followed: u64,
    /// Writes of a client that had not, when another had.
    pub detached: u64,
    /// First writes whose content was the first of other keys too.
    pub begun_alike: u64,
    /// How many keys began with the most frequent content.
    pub most_alike: u64,
    /// Commands that came faster than they could be looked at.
    pub lost: u64,
}

impl Figures {
    pub(super) fn write(&mut self, format: Format, kind: Kind, bytes: usize) {
        self.writes.entry(format).or_default()[kind as usize].add(bytes);
    }

    pub(super) fn doubt(&mut self, doubt: Doubt, bytes: usize) {
        self.doubts[doubt as usize].add(bytes);
    }

    pub(super) fn follow(&mut self, basis: Basis) {
        match basis {
            Basis::None => {}
            Basis::Own { is_over } => {
                self.followed += 1;
                let count = if self.is_spread() { &mut self.seem_overlapped } else { &mut self.overlapped };
                *count += u64::from(is_over);
            }
            Basis::Shared => {
                self.followed += 1;
                self.seem_overlapped += 1;
            }
            Basis::Elsewhere { is_over } => {
                self.detached += 1;
                self.seem_overlapped += u64::from(is_over);
            }
        }
    }

    /// Whether a request's commands travel on more than one connection, so that they do not tell who overlaps.
    #[must_use]
    pub fn is_spread(&self) -> bool {
        self.detached > self.followed / 10
    }

    /// The writes of all formats that did this.
    #[must_use]
    pub fn of(&self, kind: Kind) -> Count {
        self.writes.values().map(|counts| counts[kind as usize]).fold(Count::default(), Count::and)
    }

    /// The writes that could not be compared.
    #[must_use]
    pub fn unknown(&self) -> Count {
        self.doubts.into_iter().fold(Count::default(), Count::and)
    }

    /// All writes.
    #[must_use]
    pub fn all(&self) -> Count {
        Kind::ALL.into_iter().map(|kind| self.of(kind)).fold(self.unknown(), Count::and)
    }
}
