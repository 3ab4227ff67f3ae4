use std::time::{Duration, Instant};

use crate::expiry::{Lifetime, Timestamp};
use crate::store::{Applied, Base, Ended, Head, Incarnation};

/// What a handle knows of the stored session. Each answer of a store replaces it as a whole.
#[derive(Debug, Clone, Copy)]
pub(super) enum Known {
    /// No record is there.
    Absent {
        /// The header of an ended life that is there.
        saw: Option<Incarnation>,
        /// When the session that is not stored began.
        created_at: Timestamp,
        /// When it ends by the rule.
        expires_at: Option<Timestamp>,
    },
    /// All fields went back to their initial values; the record left its header.
    Emptied {
        head: Head,
        /// Since when this is known: once the header is purged, nothing else tells that nothing happened since.
        since: Instant,
    },
    /// The session is stored.
    Stored {
        head: Head,
        /// Whether an older version of the type stored it: the next commit then replaces all of it.
        migrated: bool,
    },
    /// This handle ended the session.
    Ended(Ended),
}

impl Known {
    pub(super) fn absent(saw: Option<Incarnation>, lifetime: &Lifetime, now: Timestamp) -> Self {
        Self::Absent { saw, created_at: now, expires_at: lifetime.expires_at(now, None, now) }
    }

    pub(super) fn record(head: Head, migrated: bool) -> Self {
        if head.stored { Self::Stored { head, migrated } } else { Self::Emptied { head, since: Instant::now() } }
    }

    /// What is known after a commit was applied.
    pub(super) fn after(applied: &Applied) -> Self {
        match applied.head {
            Some(head) => Self::record(Head { stored: applied.is_stored, ..head }, false),
            None => Self::Ended(Ended::Destroyed),
        }
    }

    /// What is known once the header of an emptied session turned out to be purged: nothing happened to the session
    /// since, or there would be a trace of that. `None` if that is not known.
    pub(super) fn after_purge(self, retention: Duration) -> Option<Self> {
        match self {
            Self::Emptied { head, since } if since.elapsed() < retention => Some(Self::Absent {
                saw: Some(head.incarnation),
                created_at: head.created_at,
                expires_at: head.expires_at,
            }),
            _ => None,
        }
    }

    fn head(&self) -> Option<&Head> {
        match self {
            Self::Emptied { head, .. } | Self::Stored { head, .. } => Some(head),
            Self::Absent { .. } | Self::Ended(_) => None,
        }
    }

    /// What a commit is based on. `valid_until` is when a session that is not stored ends.
    pub(super) fn base(&self, valid_until: Option<Timestamp>) -> Result<Base, Ended> {
        match self {
            Self::Absent { saw, .. } => Ok(Base::Absent { saw: *saw, valid_until }),
            Self::Emptied { head, .. } | Self::Stored { head, .. } => Ok(Base::from(head)),
            Self::Ended(ended) => Err(*ended),
        }
    }

    pub(super) fn is_stored(&self) -> bool {
        matches!(self, Self::Stored { .. })
    }

    pub(super) fn is_ended(&self) -> bool {
        matches!(self, Self::Ended(_))
    }

    /// Whether the next commit replaces what an older version stored.
    pub(super) fn is_migrated(&self) -> bool {
        matches!(self, Self::Stored { migrated: true, .. })
    }

    pub(super) fn created_at(&self) -> Option<Timestamp> {
        match self {
            Self::Absent { created_at, .. } => Some(*created_at),
            _ => self.head().map(|head| head.created_at),
        }
    }

    pub(super) fn expires_at(&self) -> Option<Timestamp> {
        match self {
            Self::Absent { expires_at, .. } => *expires_at,
            _ => self.head().and_then(|head| head.expires_at),
        }
    }
}
