//! What a layer was told: how it lends sessions, when it commits, and what it answers when that fails.

use std::sync::Arc;

use tracing::Span;

use super::cookie::SessionCookie;
use super::error::WebError;
use super::legacy::LegacyCookie;
use super::lender::Lender;
use super::slot::Slot;
use crate::codec::Codec;
use crate::session::Session;
use crate::sessions::{Legacy, Sessions, request_span};

/// `R` is what an application answers when a session cannot be stored, in the words of its framework.
pub(crate) struct Policy<T: Session, C: Codec, R> {
    pub(super) lender: Arc<Lender<T, C>>,
    /// After which statuses changes are stored.
    pub(crate) commit_when: Arc<dyn Fn(u16) -> bool + Send + Sync>,
    pub(crate) on_error: Arc<dyn Fn(WebError) -> R + Send + Sync>,
}

impl<T: Session, C: Codec, R> Policy<T, C, R> {
    pub(crate) fn new(sessions: Sessions<T, C>, on_error: impl Fn(WebError) -> R + Send + Sync + 'static) -> Self {
        Self {
            lender: Arc::new(Lender::new(sessions)),
            commit_when: Arc::new(|status| status < 500),
            on_error: Arc::new(on_error),
        }
    }

    pub(crate) fn cookie(&mut self, cookie: &SessionCookie) {
        self.lend(|lender| lender.with_cookie(cookie));
    }

    pub(crate) fn bearer(&mut self) {
        self.lend(Lender::with_bearer);
    }

    pub(crate) fn in_turn(&mut self) {
        self.lend(Lender::in_turn);
    }

    pub(crate) fn legacy(&mut self, cookie: LegacyCookie, legacy: Legacy<T>) {
        self.lend(|lender| lender.with_legacy(cookie, legacy));
    }

    /// Lends otherwise.
    fn lend(&mut self, change: impl FnOnce(Lender<T, C>) -> Lender<T, C>) {
        self.lender = Arc::new(change(Lender::clone(&self.lender)));
    }

    /// A place for the session of one request.
    pub(crate) fn slot(&self) -> Arc<Slot<T, C>> {
        Slot::new(self.lender.clone())
    }

    /// The span of one request.
    pub(crate) fn span(&self) -> Span {
        request_span(self.lender.name())
    }
}

impl<T: Session, C: Codec, R> Clone for Policy<T, C, R> {
    fn clone(&self) -> Self {
        let Self { lender, commit_when, on_error } = self;
        Self { lender: lender.clone(), commit_when: commit_when.clone(), on_error: on_error.clone() }
    }
}
