//! Lends sessions of one type, by the token that a client sent.

use std::sync::Arc;

use tokio::time::timeout;

use super::cookie::SessionCookie;
use super::error::WebError;
use super::lease::Lease;
use super::token::Token;
use super::transport::Transport;
use crate::codec::Codec;
use crate::session::Session;
use crate::sessions::{Sessions, Turn};
use crate::store::Key;

/// The sessions of one type, and how their tokens travel.
pub(crate) struct Lender<T: Session, C: Codec> {
    sessions: Sessions<T, C>,
    pub(crate) transport: Arc<Transport>,
    /// Whether the requests of a session take turns. Commits have turns of their own, taken while this one is held.
    in_turn: bool,
}

impl<T: Session, C: Codec> Lender<T, C> {
    pub(crate) fn new(sessions: Sessions<T, C>) -> Self {
        let transport = Transport::Cookie(SessionCookie::new().called(sessions.name()));
        Self { sessions, transport: Arc::new(transport), in_turn: false }
    }

    pub(crate) fn with_cookie(self, cookie: &SessionCookie) -> Self {
        let transport = Transport::Cookie(cookie.called(self.sessions.name()));
        Self { transport: Arc::new(transport), ..self }
    }

    pub(crate) fn with_bearer(self) -> Self {
        Self { transport: Arc::new(Transport::Bearer), ..self }
    }

    pub(crate) fn in_turn(self) -> Self {
        Self { in_turn: true, ..self }
    }

    pub(super) async fn lend(&self, token: Option<Token>) -> Result<Lease<T, C>, WebError> {
        let turn = match &token {
            Some(token) if self.in_turn => Some(self.turn(token).await?),
            _ => None,
        };
        Ok(Lease::of(&self.sessions, token, turn).await?)
    }

    async fn turn(&self, token: &Token) -> Result<Turn, WebError> {
        let inner = &self.sessions.inner;
        let key = Key::new(inner.name.clone(), token.key()).map_err(crate::error::Error::from)?;
        let turn = timeout(inner.settings.deadline, inner.requests.enter(key.keyed_hash())).await;
        turn.map_err(|_| WebError::OthersTakeTooLong)
    }
}

impl<T: Session, C: Codec> Clone for Lender<T, C> {
    fn clone(&self) -> Self {
        Self { sessions: self.sessions.clone(), transport: self.transport.clone(), in_turn: self.in_turn }
    }
}
