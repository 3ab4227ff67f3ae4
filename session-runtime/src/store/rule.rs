//! The one commit rule: when a change applies to what is stored.
//!
//! A commit based on a record applies to that record at that revision, and to nothing else: not to a destroyed one,
//! not to the next incarnation of its key, not to absence. A commit based on absence applies to absence, until the
//! session that was never stored has expired. It is told to rebase on a record whose creator saw the same absence and
//! stored it in time, and is refused by any other. So a destruction that found nothing destroys nothing later, however
//! late a copy of it arrives.
//!
//! The memory and the SQLite store call these functions; the scripts of the Redis and the PostgreSQL store say the
//! same in their languages, and the conformance suite holds all four to it.

pub use super::commits::Commits;
use super::{Action, Applied, Base, Commit, Ended, Head, Incarnation, Past, Record, Reply, StoredField, Write};
use crate::expiry::{Lifetime, Timestamp};

/// What a store keeps about a key besides the fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The part that sessions see.
    pub head: Head,
    /// What has become of the record.
    pub state: State,
    /// The ended life of the key that the record's creator saw.
    pub origin: Option<Incarnation>,
    /// The last commits of the key: those of this life, and before them those of the lives that it followed.
    pub commits: Commits,
    /// How long the header is kept once the session has ended, in milliseconds: the longest time that any commit of
    /// this life asked for.
    pub retention: i64,
    /// When the store may purge the key; `None` for a session that does not expire.
    pub retained_until: Option<Timestamp>,
}

/// What has become of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is a stored session.
    Stored,
    /// All its fields went back to their initial values. It can be stored again.
    Emptied,
    /// It was removed on purpose.
    Destroyed,
    /// It was moved to another key.
    Renewed,
}

impl Commits {
    /// Whether so many others followed the base of `commit` that a record with this `head` cannot tell whether it was
    /// applied. A store that sent a commit again, since its first answer was missing, must answer with an error then,
    /// and not with a conflict, which says that nothing was applied. What ends the life of its key was not applied if
    /// that goes on.
    #[must_use]
    pub const fn have_forgotten(commit: &Commit, head: &Head) -> bool {
        matches!(commit.action, Action::Write(_))
            && head.revision.saturating_sub(commit.base.revision()) > Self::KEPT as u64
    }
}

impl Header {
    /// Whether a session can be based on this header `now`.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        matches!(self.state, State::Stored | State::Emptied) && !self.is_expired(now)
    }

    /// The life of the key that it tells of, once that has ended.
    #[must_use]
    pub const fn past(&self) -> Past {
        Past { incarnation: self.head.incarnation, ended: ended(self), commits: self.commits }
    }

    /// The record that has this header and these fields.
    #[must_use]
    pub const fn record(&self, fields: Vec<StoredField>) -> Record {
        Record { head: self.head, commits: self.commits, fields }
    }

    /// Whether its time is over `now`.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.head.expires_at.is_some_and(|expires_at| expires_at <= now)
    }

    /// Whether the store may purge it `now`.
    #[must_use]
    pub fn is_purgeable(&self, now: Timestamp) -> bool {
        self.retained_until.is_some_and(|until| until <= now)
    }

    /// The header after a load at `now`, if the load is to move its expiry.
    #[must_use]
    pub fn touched(&self, lifetime: &Lifetime, now: Timestamp) -> Option<Self> {
        let lifetime = lifetime.sliding(self.head.sliding);
        let expires_at = lifetime.expires_at(self.head.created_at, self.head.fixed_end, now);
        lifetime.touch_due(self.head.expires_at, expires_at).then(|| {
            let head = Head { expires_at, ..self.head };
            Self { head, retained_until: retained_until(self.state, expires_at, self.retention, now), ..*self }
        })
    }
}

/// What is to be done about a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Change the fields, then store [`next`].
    Apply,
    /// Nothing; answer this.
    Answer(Applied),
    /// Nothing; answer with the current record, which has this header.
    Conflict(Header),
    /// Nothing; answer how the base ended.
    Ended(Ended),
}

impl Decision {
    /// The answer to a commit that is not to be applied; `None` if it is. `fields` reads those of the current record.
    ///
    /// # Errors
    /// Those of `fields`.
    pub fn refusal<E>(self, fields: impl FnOnce() -> Result<Vec<StoredField>, E>) -> Result<Option<Reply>, E> {
        Ok(match self {
            Self::Apply => None,
            Self::Answer(applied) => Some(Reply::Applied(applied)),
            Self::Conflict(header) => Some(Reply::Conflict(header.record(fields()?))),
            Self::Ended(ended) => Some(Reply::Ended(ended)),
        })
    }
}

/// Decides about `commit` where the key holds `header`.
#[must_use]
pub fn decide(header: Option<&Header>, commit: &Commit, now: Timestamp) -> Decision {
    if let Some(header) = header.filter(|header| is_repeated(header, commit)) {
        return Decision::Answer(repeated(header, commit, now));
    }
    match commit.base {
        Base::Record { incarnation, revision, last_commit } => {
            let Some(header) = header else { return Decision::Ended(Ended::Unknown) };
            if header.head.incarnation != incarnation {
                Decision::Ended(Ended::Replaced)
            } else if !header.is_live(now) {
                Decision::Ended(ended(header))
            } else if commit.is_destruction()
                || (header.head.revision, header.head.last_commit) == (revision, last_commit)
            {
                Decision::Apply
            } else {
                Decision::Conflict(*header)
            }
        }
        Base::Absent { saw, valid_until } => {
            let is_over = |time| valid_until.is_some_and(|until| until <= time);
            match header {
                Some(header) if header.is_live(now) || Some(header.head.incarnation) != saw => {
                    if is_over(header.head.created_at) {
                        Decision::Ended(Ended::Expired)
                    } else if header.origin != saw {
                        Decision::Ended(Ended::Replaced)
                    } else if !header.is_live(now) {
                        Decision::Ended(ended(header))
                    } else {
                        Decision::Conflict(*header)
                    }
                }
                // Absence, or the ended life of the key that the session saw.
                _ if is_over(now) => Decision::Ended(Ended::Expired),
                _ if commit.is_destruction() => {
                    Decision::Answer(Applied { head: None, was_stored: false, is_stored: false, repeated: false })
                }
                _ => Decision::Apply,
            }
        }
    }
}

/// Whether a commit was applied before, as far as the header tells.
///
/// What ended a former life is answered as it was. A change of one is not: what it stored is gone.
fn is_repeated(header: &Header, commit: &Commit) -> bool {
    header.commits.contains(commit.id)
        && (!matches!(commit.action, Action::Write(_)) || is_of_this_life(header, commit))
}

/// Whether a commit that was applied belongs to the life that this header tells of.
fn is_of_this_life(header: &Header, commit: &Commit) -> bool {
    let life = match (commit.base, commit.write()) {
        (Base::Record { incarnation, .. }, _) => Some(incarnation),
        (Base::Absent { .. }, write) => write.map(|write| write.creates),
    };
    life == Some(header.head.incarnation)
}

/// Whether a session may be moved to a key that holds `header`.
#[must_use]
pub fn is_occupied(header: Option<&Header>, now: Timestamp) -> bool {
    header.is_some_and(|header| header.state == State::Stored && !header.is_expired(now))
}

/// The header of the commit's key after it was applied to `header`, and `is_empty` tells whether fields are left.
///
/// A destroyed or renewed record keeps its header, without fields. `None` where there is nothing to destroy, which is
/// never to be applied.
#[must_use]
pub fn next(header: Option<&Header>, commit: &Commit, is_empty: bool, now: Timestamp) -> Option<Header> {
    match &commit.action {
        Action::Write(write) => Some(successor(header, commit, write, left_by(write, is_empty), now)),
        Action::Renew { write, .. } => Some(successor(header, commit, write, State::Renewed, now)),
        Action::Destroy => header.filter(|header| header.is_live(now)).map(|previous| {
            let retention = previous.retention.max(commit.lifetime.retention);
            Header {
                head: Head { stored: false, ..previous.head },
                state: State::Destroyed,
                commits: previous.commits.with(commit.id),
                retained_until: retained_until(State::Destroyed, None, retention, now),
                ..*previous
            }
        }),
    }
}

fn successor(header: Option<&Header>, commit: &Commit, write: &Write, state: State, now: Timestamp) -> Header {
    let previous = header.filter(|header| header.is_live(now));
    let retention = previous.map_or(0, |previous| previous.retention).max(commit.lifetime.retention);
    let created_at = previous.map_or(now, |previous| previous.head.created_at);
    let fixed_end = write.expiry.apply(previous.and_then(|previous| previous.head.fixed_end));
    let sliding = write.expiry.apply_to_sliding(previous.and_then(|previous| previous.head.sliding));
    let expires_at = commit.lifetime.sliding(sliding).expires_at(created_at, fixed_end, now);
    Header {
        head: Head {
            incarnation: previous.map_or(write.creates, |previous| previous.head.incarnation),
            revision: previous.map_or(0, |previous| previous.head.revision).saturating_add(1),
            last_commit: commit.id,
            version: write.version,
            registration: write.registration,
            created_at,
            fixed_end,
            sliding,
            expires_at,
            stored: state == State::Stored,
        },
        state,
        origin: match (previous, commit.base) {
            (Some(previous), _) => previous.origin,
            (None, Base::Absent { saw, .. }) => saw,
            (None, Base::Record { incarnation, .. }) => Some(incarnation),
        },
        // A new life goes on with the ids of the one that it follows.
        commits: header.map(|header| header.commits).unwrap_or_default().with(commit.id),
        retention,
        retained_until: retained_until(state, expires_at, retention, now),
    }
}

/// The header of the new key, which held `target`, after a renewal left `old` at the old one.
///
/// Its origin is a life of the key that nobody saw: a session that was loaded from the new key before has nothing to
/// do with the one that was renewed to it.
#[must_use]
pub fn renewed(
    old: &Header,
    target: Option<&Header>,
    commit: &Commit,
    write: &Write,
    is_empty: bool,
    now: Timestamp,
) -> Header {
    let state = left_by(write, is_empty);
    Header {
        head: Head { incarnation: write.creates, revision: 1, stored: state == State::Stored, ..old.head },
        state,
        origin: Some(write.creates),
        commits: target.map(|target| target.commits).unwrap_or_default().with(commit.id),
        retained_until: retained_until(state, old.head.expires_at, old.retention, now),
        ..*old
    }
}

/// What a write makes of a record, which is empty or not.
fn left_by(write: &Write, is_empty: bool) -> State {
    if is_empty && !write.keep_empty { State::Emptied } else { State::Stored }
}

/// How a header that is not live came to be so.
const fn ended(header: &Header) -> Ended {
    match header.state {
        State::Stored | State::Emptied => Ended::Expired,
        State::Destroyed => Ended::Destroyed,
        State::Renewed => Ended::Renewed,
    }
}

/// The answer to a commit that was applied before: the record as that commit left it, as far as it is known. Of a
/// renewal in a former life of the key it is not.
fn repeated(header: &Header, commit: &Commit, now: Timestamp) -> Applied {
    // What was destroyed was there.
    let was_stored = commit.is_destruction() || matches!(commit.base, Base::Record { .. });
    let is_stored = header.state == State::Stored && !header.is_expired(now);
    let head = Head { last_commit: commit.id, ..header.head };
    let revision = commit.base.revision().saturating_add(1);
    let (head, is_stored) = match &commit.action {
        Action::Write(_) => (Some(Head { revision, ..head }), is_stored),
        Action::Destroy => (None, false),
        Action::Renew { write, .. } => {
            let stored = was_stored || write.keep_empty || write.changes.iter().any(|change| change.value.is_some());
            let renewed = Head { incarnation: write.creates, revision: 1, stored, ..head };
            (Some(renewed).filter(|_| is_of_this_life(header, commit)), stored)
        }
    };
    Applied { head, was_stored, is_stored, repeated: true }
}

/// When a store may purge a key: a stored session some time after it expired, an ended one some time after it ended.
fn retained_until(state: State, expires_at: Option<Timestamp>, retention: i64, now: Timestamp) -> Option<Timestamp> {
    let ended_at = if state == State::Stored { expires_at? } else { now };
    Some(ended_at.plus(retention))
}
