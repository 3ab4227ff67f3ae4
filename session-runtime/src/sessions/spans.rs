//! The spans of sessions: one for each verb that somebody calls, and in it one for each call to a store that it takes.

use tracing::field::Empty;
use tracing::{Instrument, Span, debug_span};

use super::committed::Outcome;
use super::handle::Handle;
use crate::codec::Codec;
use crate::error::Error;
use crate::session::Session;
use crate::store::{Key, KeyHash};

/// Around a call to a store about the sessions of a name.
pub(crate) fn span(operation: &'static str, session: &str) -> Span {
    debug_span!("session_store", operation, session)
}

/// Around a call to a store about one key, of which it tells a hash.
pub(crate) fn key_span(operation: &'static str, key: &Key) -> Span {
    debug_span!("session_store", operation, session = key.name(), key = %KeyHash::of(key))
}

/// Runs a verb about the sessions of a name in its span, which tells whether it failed.
pub(super) async fn in_verb<R>(
    verb: &'static str,
    session: &str,
    work: impl Future<Output = Result<R, Error>>,
) -> Result<R, Error> {
    let span = debug_span!("session_verb", verb, session, outcome = Empty, error = Empty);
    let done = work.instrument(span.clone()).await;
    tell_done(&span, done.as_ref(), |_| "done");
    done
}

/// Around a verb about one key: the one at which it begins.
pub(super) fn key_verb_span(verb: &'static str, key: &Key) -> Span {
    debug_span!(
        "session_verb",
        verb,
        session = key.name(),
        key = %KeyHash::of(key),
        outcome = Empty,
        touched = Empty,
        fields = Empty,
        attempts = Empty,
        conflicts = Empty,
        error = Empty,
    )
}

/// Around a request, from its handler's beginning to the commit of its session.
#[cfg(feature = "_web")]
pub(crate) fn request_span(session: &str) -> Span {
    debug_span!("session_request", session, outcome = Empty)
}

/// The same around an update of a bot.
#[cfg(feature = "teloxide")]
pub(crate) fn update_span(session: &str, update: u32) -> Span {
    debug_span!("session_update", session, update, outcome = Empty)
}

/// Tells what became of what a span is around.
#[inline]
pub(crate) fn tell(span: &Span, outcome: &'static str) {
    if !span.is_disabled() {
        span.record("outcome", outcome);
    }
}

/// The same of a verb that can fail.
#[inline]
pub(super) fn tell_done<R>(span: &Span, done: Result<R, &Error>, outcome: impl FnOnce(R) -> &'static str) {
    if span.is_disabled() {
        return;
    }
    match done {
        Ok(done) => tell(span, outcome(done)),
        Err(error) => {
            tell(span, "failed");
            span.record("error", tracing::field::display(error));
        }
    }
}

/// Tells what a load found.
#[inline]
pub(super) fn tell_loaded<T: Session, C: Codec>(span: &Span, loaded: Result<&Handle<T, C>, &Error>) {
    tell_done(span, loaded, |handle| {
        span.record("touched", handle.was_touched());
        match handle.is_new() {
            _ if handle.is_moved_in() => "moved in",
            true => "new",
            false => "known",
        }
    });
}

impl Outcome {
    /// As spans tell it, and metrics.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Removed => "removed",
        }
    }
}
