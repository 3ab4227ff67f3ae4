//! Lends sessions of one type, by the token that a client sent.

use std::borrow::Cow;
use std::sync::Arc;

use tokio::time::timeout;

use super::cookie::SessionCookie;
use super::error::WebError;
use super::header::Header;
use super::lease::{Lease, Notice};
use super::legacy::{LegacyCookie, Predecessor};
use super::token::Token;
use super::transport::Transport;
use crate::codec::Codec;
use crate::session::Session;
use crate::sessions::{Legacy, Sessions, Turn};
use crate::store::Key;

/// What a request claims to have.
pub(super) enum Claim {
    Nothing,
    /// A session that is stored here.
    Token(Token),
    /// One that another library stored, whose key this is here.
    Old(String),
}

/// The sessions of one type, and how their tokens travel.
pub(crate) struct Lender<T: Session, C: Codec> {
    sessions: Sessions<T, C>,
    pub(crate) transport: Arc<Transport>,
    /// Where the sessions of another library's clients come from.
    predecessor: Option<Arc<Predecessor<T, C>>>,
    /// Whether the requests of a session take turns. Commits have turns of their own, taken while this one is held.
    in_turn: bool,
}

impl<T: Session, C: Codec> Lender<T, C> {
    pub(crate) fn new(sessions: Sessions<T, C>) -> Self {
        let transport = Transport::Cookie(SessionCookie::new().called(sessions.name()));
        Self { sessions, transport: Arc::new(transport), predecessor: None, in_turn: false }
    }

    /// The name of the sessions.
    pub(crate) fn name(&self) -> &str {
        self.sessions.name()
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

    pub(crate) fn with_legacy(self, cookie: LegacyCookie, legacy: Legacy<T>) -> Self {
        let predecessor = Predecessor::new(&self.sessions, cookie, legacy);
        Self { predecessor: Some(Arc::new(predecessor)), ..self }
    }

    /// What a request claims to have, by these lines of its headers. Whoever has a token has no old session any more.
    pub(super) fn claim<'a, I>(&self, lines: impl Fn(Header) -> I) -> Claim
    where
        I: Iterator<Item = &'a [u8]>,
    {
        let header = self.transport.header();
        if let Some(token) = self.transport.find(lines(header)) {
            return Claim::Token(token);
        }
        let old = self.predecessor.as_ref().and_then(|predecessor| predecessor.key_in(lines(Header::Cookie)));
        old.map_or(Claim::Nothing, Claim::Old)
    }

    pub(super) async fn lend(&self, claim: &Claim) -> Result<Lease<T, C>, WebError> {
        let token = match (claim, &self.predecessor) {
            (Claim::Old(key), Some(predecessor)) => {
                return Ok(Box::pin(Lease::of_old(&self.sessions, &predecessor.sessions, key)).await?);
            }
            (Claim::Token(token), _) => Some(token),
            _ => None,
        };
        let turn = match token {
            Some(token) if self.in_turn => Some(Box::pin(self.turn(token)).await?),
            _ => None,
        };
        Ok(Lease::of(&self.sessions, token, turn).await?)
    }

    /// The headers of a response that tell a client this.
    pub(super) fn tell(&self, notice: &Notice) -> Vec<(Header, Cow<'static, str>)> {
        let removed = self.predecessor.as_ref().filter(|_| notice.removes_old);
        self.transport.tell(&notice.token, removed.map(|predecessor| predecessor.removal()))
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
        let Self { sessions, transport, predecessor, in_turn } = self;
        Self {
            sessions: sessions.clone(),
            transport: transport.clone(),
            predecessor: predecessor.clone(),
            in_turn: *in_turn,
        }
    }
}
