use super::absence::Absence;
use crate::expiry::{LEAST_RETENTION, Lifetime, Timestamp};
use crate::store::rule::Commits;
use crate::store::{Action, Applied, Base, Commit, Ended, ExpiryChange, Head, Past};

/// What a handle knows of the stored session. Each answer of a store replaces it as a whole.
#[derive(Debug, Clone, Copy)]
pub(super) enum Known {
    /// No record is there.
    Absent {
        /// The ended life of which a header is there.
        saw: Option<Past>,
        /// When the session that is not stored began.
        created_at: Timestamp,
        /// When it ends by the rule.
        expires_at: Option<Timestamp>,
        /// Until when a header would be left to tell of a session that others created and ended since.
        traced_until: Timestamp,
        origin: Origin,
    },
    /// All fields went back to their initial values; the record left its header.
    Emptied { head: Head },
    /// The session is stored.
    Stored {
        head: Head,
        /// Whether an older version of the type stored it: the next commit then replaces all of it.
        migrated: bool,
    },
    /// This handle ended the session.
    Ended(Ended),
}

/// Where a session comes from of which no record is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// A look at the store found none.
    Looked,
    /// Nobody looked: the session is to be the first of its key.
    Started,
    /// An old session was taken over: the next commit stores all of it.
    MovedIn,
}

impl Known {
    pub(super) fn absent(saw: Option<Past>, lifetime: &Lifetime, now: Timestamp) -> Self {
        Self::without_record(Origin::Looked, saw, lifetime, now)
    }

    /// A session of a key that nobody looked at, since it was just made.
    pub(super) fn started(lifetime: &Lifetime, now: Timestamp) -> Self {
        Self::without_record(Origin::Started, None, lifetime, now)
    }

    /// A session of another library's, of which nothing is stored here.
    pub(super) fn moved_in(lifetime: &Lifetime, now: Timestamp) -> Self {
        Self::without_record(Origin::MovedIn, None, lifetime, now)
    }

    fn without_record(origin: Origin, saw: Option<Past>, lifetime: &Lifetime, now: Timestamp) -> Self {
        let expires_at = lifetime.expires_at(now, None, now);
        Self::Absent { saw, created_at: now, expires_at, traced_until: now.plus(LEAST_RETENTION), origin }
    }

    /// Whether the next commit stores all of an old session.
    pub(super) fn is_moved_in(&self) -> bool {
        matches!(self, Self::Absent { origin: Origin::MovedIn, .. })
    }

    pub(super) fn is_started(&self) -> bool {
        matches!(self, Self::Absent { origin: Origin::Started, .. })
    }

    /// What makes a session that is stored anew end as a handler wanted it to.
    pub(super) fn own_expiry(&self) -> ExpiryChange {
        match self.head() {
            Some(Head { fixed_end: Some(date), .. }) => ExpiryChange::At(*date),
            Some(Head { sliding: Some(lifetime), .. }) => ExpiryChange::After(*lifetime),
            _ => ExpiryChange::Keep,
        }
    }

    /// Why no session is stored, as far as that is known; `None` if one is.
    pub(super) fn absence(&self) -> Option<Absence> {
        Some(match self {
            Self::Stored { .. } => return None,
            Self::Emptied { .. } => Absence::Emptied,
            Self::Absent { saw, .. } => saw.map_or(Absence::Never, |past| Absence::from(past.ended)),
            Self::Ended(ended) => Absence::from(*ended),
        })
    }

    pub(super) fn record(head: Head, migrated: bool) -> Self {
        if head.stored { Self::Stored { head, migrated } } else { Self::Emptied { head } }
    }

    /// What is known after a commit was applied.
    pub(super) fn after(self, commit: &Commit, applied: &Applied) -> Self {
        match applied.head.or_else(|| self.renewed(commit)) {
            Some(head) => Self::record(Head { stored: applied.is_stored, ..head }, false),
            None => Self::Ended(Ended::Destroyed),
        }
    }

    /// The header that a renewal of this session left at the new key, where the store does not know it any more.
    fn renewed(&self, commit: &Commit) -> Option<Head> {
        let Action::Renew { write, .. } = &commit.action else { return None };
        let fixed_end = write.expiry.apply(self.head().and_then(|head| head.fixed_end));
        Some(Head {
            incarnation: write.creates,
            revision: 1,
            last_commit: commit.id,
            version: write.version,
            registration: write.registration,
            created_at: self.created_at()?,
            fixed_end,
            sliding: write.expiry.apply_to_sliding(self.head().and_then(|head| head.sliding)),
            expires_at: fixed_end.or(self.expires_at()),
            stored: true,
        })
    }

    /// What is known once the key of an emptied session, which was loaded at `since`, turned out to be without a trace
    /// at `now`: nothing ended since, or there would be one. `None` if that is too long ago to be known.
    pub(super) fn after_purge(self, since: Timestamp, now: Timestamp) -> Option<Self> {
        match self {
            Self::Emptied { head } if now < since.plus(LEAST_RETENTION) => Some(Self::Absent {
                saw: Some(Past { incarnation: head.incarnation, ended: Ended::Unknown, commits: Commits::default() }),
                created_at: head.created_at,
                expires_at: head.expires_at,
                traced_until: now.plus(LEAST_RETENTION),
                origin: Origin::Looked,
            }),
            _ => None,
        }
    }

    pub(super) fn is_emptied(&self) -> bool {
        matches!(self, Self::Emptied { .. })
    }

    fn head(&self) -> Option<&Head> {
        match self {
            Self::Emptied { head } | Self::Stored { head, .. } => Some(head),
            Self::Absent { .. } | Self::Ended(_) => None,
        }
    }

    /// What a commit is based on. `valid_until` is when a session that is not stored ends.
    pub(super) fn base(&self, valid_until: Option<Timestamp>) -> Result<Base, Ended> {
        match self {
            Self::Absent { saw, traced_until, .. } => {
                let valid_until = valid_until.map_or(*traced_until, |until| until.min(*traced_until));
                Ok(Base::Absent { saw: saw.map(|past| past.incarnation), valid_until: Some(valid_until) })
            }
            Self::Emptied { head } | Self::Stored { head, .. } => Ok(Base::from(head)),
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

    /// The sliding lifetime of its own, in milliseconds, that a handler gave the session.
    #[cfg(feature = "_web")]
    pub(super) fn sliding(&self) -> Option<i64> {
        self.head().and_then(|head| head.sliding)
    }

    pub(super) fn expires_at(&self) -> Option<Timestamp> {
        match self {
            Self::Absent { expires_at, .. } => *expires_at,
            _ => self.head().and_then(|head| head.expires_at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{CommitId, Incarnation, RegistrationId};

    #[test]
    fn a_header_that_is_gone_says_that_nothing_ended_only_for_as_long_as_one_is_kept() {
        let since = Timestamp::from_millis(5);
        let emptied = Known::Emptied {
            head: Head {
                incarnation: Incarnation(1),
                revision: 2,
                last_commit: CommitId(3),
                version: 0,
                registration: RegistrationId(4),
                created_at: since,
                fixed_end: None,
                sliding: None,
                expires_at: None,
                stored: false,
            },
        };
        assert!(emptied.after_purge(since, since.plus(LEAST_RETENTION - 1)).is_some());
        assert!(emptied.after_purge(since, since.plus(LEAST_RETENTION)).is_none());
    }
}
