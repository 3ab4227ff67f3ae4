//! One session of one request, with the token under which its client has it.

use std::time::Duration;

use super::token::Token;
use crate::codec::Codec;
use crate::error::Error;
use crate::expiry::Timestamp;
use crate::session::Session;
use crate::sessions::{Absence, Committed, Handle, Outcome, Sessions, Turn};

/// The key of a session that is not to be stored yet. Nothing is stored under it.
const UNNAMED: &str = "unnamed";

/// A session on loan to a request.
pub(crate) struct Lease<T: Session, C: Codec> {
    sessions: Sessions<T, C>,
    pub(super) handle: Box<Handle<T, C>>,
    /// Made when the session is to be stored, because most that are new never are.
    token: Option<Token>,
    owner: Owner,
    /// Where a renewal moves the session, until it is certain that it did.
    next: Option<Token>,
    notice: Notice,
    /// The end of the session, if it outlives the browser, as the client was told.
    end: Option<Timestamp>,
    /// Whether the request brought a token, whatever became of its session.
    brought: bool,
    /// Keeps the other requests of the session waiting, where they take turns.
    turn: Option<Turn>,
}

/// Who has the token of a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// The client, or it will with this response.
    Client,
    /// Nobody: it was made for this request, and its session is not stored.
    Nobody,
    /// Nobody, and the client's token was renewed: it has a better one by now, or will have with another response. A
    /// session that is stored here would take that one's place.
    Straggler,
}

/// What the response has to tell the client.
#[derive(Clone)]
pub(crate) enum Notice {
    Nothing,
    /// Its token, and how long to keep it if it outlives the browser.
    Token(Token, Option<Duration>),
    /// Its session is gone.
    Removal,
}

impl<T: Session, C: Codec> Lease<T, C> {
    /// The session that a client has, or a new one under a fresh token: only a session that is stored, or was until all
    /// its fields went back, has a token that counts. No other is adopted.
    pub(super) async fn of(sessions: &Sessions<T, C>, token: Option<Token>, turn: Option<Turn>) -> Result<Self, Error> {
        let brought = token.is_some();
        let mut owner = Owner::Nobody;
        if let Some(token) = token {
            let handle = sessions.load_boxed(&token.key()).await?;
            match handle.absence() {
                None | Some(Absence::Emptied) => {
                    let mut lease = Self::new(sessions, handle, Some(token), Owner::Client);
                    lease.turn = turn;
                    if lease.handle.was_touched() && lease.end.is_some() {
                        lease.tell();
                    }
                    return Ok(lease);
                }
                Some(Absence::Renewed) => owner = Owner::Straggler,
                Some(_) => {}
            }
        }
        // Nobody else has a fresh token, so there is nobody to take turns with.
        let handle = sessions.start_boxed(UNNAMED).await?;
        Ok(Self { brought, ..Self::new(sessions, handle, None, owner) })
    }

    fn new(sessions: &Sessions<T, C>, handle: Box<Handle<T, C>>, token: Option<Token>, owner: Owner) -> Self {
        let (sessions, end, brought) = (sessions.clone(), handle.sliding_end(), owner != Owner::Nobody);
        Self { sessions, handle, token, owner, next: None, notice: Notice::Nothing, end, brought, turn: None }
    }

    /// Whether the client has a session: a stored one, or one that this request has begun to change.
    pub(super) fn exists(&self) -> bool {
        !self.handle.is_new() || self.handle.is_marked()
    }

    /// The token, once the client has it or will have it with this response.
    pub(super) fn token(&self) -> Option<&str> {
        self.token.as_ref().filter(|_| self.owner == Owner::Client).map(Token::text)
    }

    /// The key in the store, from the moment the client has the session.
    pub(super) fn key(&self) -> Option<&str> {
        (self.owner == Owner::Client).then(|| self.handle.key())
    }

    pub(super) async fn commit(&mut self) -> Result<Committed<T>, Error> {
        if self.owner == Owner::Straggler {
            let is_unchanged = self.handle.dirty()?.is_empty();
            return if is_unchanged { Ok(Committed::unchanged()) } else { Err(Error::Renewed) };
        }
        self.name()?;
        let done = self.handle.commit().await;
        self.follow();
        done
    }

    pub(super) async fn renew(&mut self) -> Result<Committed<T>, Error> {
        let Some(token) = self.token.as_ref().filter(|_| self.owner == Owner::Client) else {
            // The token is fresh. Whoever renews wants a new session, also in place of one that was renewed before.
            self.owner = Owner::Nobody;
            return self.commit().await;
        };
        // The same one as before, if it is not certain what became of that renewal.
        let next = self.next.get_or_insert_with(|| token.renewed()).key();
        let done = self.handle.renew(&next).await;
        self.follow();
        done
    }

    /// Ends the session. What comes after it in the same request, such as a word of farewell, belongs to a new one.
    pub(super) async fn destroy(&mut self) -> Result<Outcome, Error> {
        if self.owner == Owner::Straggler {
            return Err(Error::Renewed);
        }
        let outcome = if self.token.is_some() { self.handle.destroy().await? } else { Outcome::Unchanged };
        let handle = self.sessions.start_boxed(UNNAMED).await?;
        std::mem::replace(&mut self.handle, handle).give_up();
        (self.token, self.owner, self.next, self.end) = (None, Owner::Nobody, None, None);
        self.notice = if self.brought { Notice::Removal } else { Notice::Nothing };
        Ok(outcome)
    }

    /// Makes a token for a session that has none, and with it the key under which it is to be stored.
    fn name(&mut self) -> Result<(), Error> {
        if self.token.is_none() {
            let token = Token::fresh();
            self.handle.start_at(&token.key())?;
            self.token = Some(token);
        }
        Ok(())
    }

    /// Sees under which token the session is by now, and whether the client has to be told.
    fn follow(&mut self) {
        if let Some(next) = self.next.take_if(|next| next.key() == self.handle.key()) {
            (self.token, self.owner) = (Some(next), Owner::Nobody);
        }
        if self.owner == Owner::Nobody && !self.handle.is_new() {
            self.owner = Owner::Client;
            self.tell();
        }
        if self.owner == Owner::Client && self.end != self.handle.sliding_end() {
            self.tell();
        }
    }

    /// Tells the client its token with the response, and how long to keep it: as long as the browser runs, unless a
    /// handler gave the session a lifetime.
    fn tell(&mut self) {
        self.end = self.handle.sliding_end();
        if let Some(token) = &self.token {
            self.notice = Notice::Token(token.clone(), self.handle.sliding_lifetime());
        }
    }

    /// Whether there is nothing to commit, which costs nothing to find out.
    pub(crate) fn is_unmarked(&self) -> bool {
        match self.owner {
            Owner::Straggler => !self.handle.is_marked(),
            Owner::Client | Owner::Nobody => self.handle.skips_commit(),
        }
    }

    /// Commits, and says what the client has to be told: what happened before is told also if the commit fails.
    pub(crate) async fn finish(mut self: Box<Self>) -> (Result<(), Error>, Notice) {
        let done = self.commit().await.map(drop);
        (done, self.discard())
    }

    /// Forgets what is not committed, and says what the client has to be told of what is.
    pub(crate) fn discard(mut self: Box<Self>) -> Notice {
        self.handle.give_up();
        self.notice
    }

    /// Parts with the handle. Other requests of the session need not wait any longer.
    pub(super) fn into_handle(mut self) -> (Handle<T, C>, Notice) {
        // A key of the length that ours have is never refused.
        let _ = self.name();
        (*self.handle, self.notice)
    }
}
