//! How far a call is that changes a session.

use tokio::time::Instant;
use tracing::Span;

use super::committed::Committed;
use super::spans::tell_done;
use crate::error::Error;
use crate::store::rule::Commits;
use crate::store::{CommitId, WorkId};

/// What a call did so far: it can settle an earlier change and then make one of its own.
pub(super) struct Progress<T> {
    /// When the first other commit got in the way.
    pub(super) contended: Option<Instant>,
    pub(super) was_stored: Option<bool>,
    /// The work that is to be done once, and how far it is.
    work: Option<(WorkId, Doing)>,
    /// How often a change was sent.
    pub(super) attempts: u32,
    /// How often another commit got in the way.
    pub(super) conflicts: u32,
    pub(super) committed: Committed<T>,
}

/// How far a piece of work is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    /// It is not done, as far as is known.
    NotYet,
    /// This call has done it.
    Here,
    /// Another delivery of it has.
    Elsewhere,
}

impl<T> Progress<T> {
    pub(super) const fn new() -> Self {
        Self {
            contended: None,
            was_stored: None,
            work: None,
            attempts: 0,
            conflicts: 0,
            committed: Committed::unchanged(),
        }
    }

    /// Of a call that is to do a piece of work, if it is not done yet.
    pub(super) fn of(work: WorkId) -> Self {
        Self { work: Some((work, Doing::NotYet)), ..Self::new() }
    }

    /// Takes note of a commit of this call.
    pub(super) fn did(&mut self, commit: CommitId) {
        if let Some((work, doing)) = &mut self.work
            && commit.is_of(*work)
        {
            *doing = Doing::Here;
        }
    }

    /// Whether another delivery of the work is among these commits.
    pub(super) fn finds_done(&mut self, commits: &Commits) -> bool {
        let Some((work, doing)) = &mut self.work else { return false };
        if *doing == Doing::NotYet && commits.have_done(*work) {
            *doing = Doing::Elsewhere;
        }
        *doing == Doing::Elsewhere
    }

    /// Whether it turned out that another delivery has done the work.
    pub(super) fn found_done(&self) -> bool {
        matches!(self.work, Some((_, Doing::Elsewhere)))
    }

    /// Tells in the span of the call what became of it.
    #[inline]
    pub(super) fn tell(&self, span: &Span, done: Result<(), &Error>) {
        if span.is_disabled() {
            return;
        }
        let Self { attempts, conflicts, committed, .. } = self;
        span.record("fields", committed.fields().len()).record("attempts", attempts).record("conflicts", conflicts);
        tell_done(span, done, |()| if self.found_done() { "done before" } else { committed.outcome().word() });
    }
}
