//! One session of one request, with the token under which its client has it.

use std::time::Duration;

use super::token::Token;
use crate::codec::Codec;
use crate::error::Error;
use crate::expiry::Timestamp;
use crate::session::Session;
use crate::sessions::{Absence, Committed, Handle, Outcome, Sessions, Turn};

/// A session on loan to a request.
pub(crate) struct Lease<T: Session, C: Codec> {
    /// Where another session begins when this one is destroyed, if not where this one is.
    sessions: Option<Sessions<T, C>>,
    pub(super) handle: Box<Handle<T, C>>,
    /// Made when the session is to be stored, because most that are new never are.
    token: Option<Token>,
    owner: Owner,
    /// Where a renewal moves the session, until it is certain that it did.
    next: Option<Token>,
    /// What the client is to be told of its token.
    told: Told,
    /// Whether the request brought the cookie of another library.
    brought_old: bool,
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
    /// Nobody yet: the client knows the session by the cookie of another library. It moves to a fresh token with the
    /// commit that stores it, and its old key is dead from then on.
    Predecessor,
    /// Nobody, and the client's token was renewed: it has a better one by now, or will have with another response. A
    /// session that is stored here would take that one's place.
    Straggler,
}

/// What the response has to tell the client.
#[derive(Clone, Default)]
pub(crate) struct Notice {
    pub(super) token: Told,
    /// That the cookie of another library is of no use any more.
    pub(super) removes_old: bool,
}

/// What it tells of its token.
#[derive(Clone, Default)]
pub(super) enum Told {
    #[default]
    Nothing,
    /// Its token, and how long to keep it if it outlives the browser.
    Token(Token, Option<Duration>),
    /// Its session is gone.
    Removal,
}

impl<T: Session, C: Codec> Lease<T, C> {
    /// The session that a client has, or a new one under a fresh token: only a session that is stored, or was until all
    /// its fields went back, has a token that counts. No other is adopted.
    pub(super) async fn of(
        sessions: &Sessions<T, C>,
        token: Option<&Token>,
        turn: Option<Turn>,
    ) -> Result<Self, Error> {
        let brought = token.is_some();
        let mut owner = Owner::Nobody;
        if let Some(token) = token {
            let handle = sessions.load_boxed(&token.key()).await?;
            match handle.absence() {
                None | Some(Absence::Emptied) => {
                    let mut lease = Self::new(handle, Some(token.clone()), Owner::Client);
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
        let handle = sessions.start_unnamed().await?;
        Ok(Self { brought, ..Self::new(handle, None, owner) })
    }

    /// The session that a client has by the cookie of another library. What the old store holds goes on here, unless it
    /// did before.
    pub(super) async fn of_old(sessions: &Sessions<T, C>, old: &Sessions<T, C>, key: &str) -> Result<Self, Error> {
        let handle = old.load_boxed(key).await?;
        let absence = handle.absence();
        let lease = if handle.is_moved_in() || absence.is_none() {
            Self { sessions: Some(sessions.clone()), ..Self::new(handle, None, Owner::Predecessor) }
        } else {
            let owner = if absence == Some(Absence::Renewed) { Owner::Straggler } else { Owner::Nobody };
            Self::new(sessions.start_unnamed().await?, None, owner)
        };
        Ok(Self { brought: false, brought_old: true, ..lease })
    }

    fn new(handle: Box<Handle<T, C>>, token: Option<Token>, owner: Owner) -> Self {
        let (sessions, end, brought) = (None, handle.sliding_end(), owner != Owner::Nobody);
        let (next, told, brought_old, turn) = (None, Told::Nothing, false, None);
        Self { sessions, handle, token, owner, next, told, brought_old, end, brought, turn }
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
        if self.owner == Owner::Predecessor {
            return Box::pin(self.move_in()).await;
        }
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
            if self.owner == Owner::Straggler {
                self.owner = Owner::Nobody;
            }
            return self.commit().await;
        };
        // The same one as before, if it is not certain what became of that renewal.
        let next = self.next.get_or_insert_with(|| token.renewed()).key();
        let done = self.handle.renew(&next).await;
        self.follow();
        done
    }

    /// Stores an old session under a fresh token, and leaves a trace at its old key, in one step: of two requests that
    /// do it at the same time one is the first.
    async fn move_in(&mut self) -> Result<Committed<T>, Error> {
        let is_unchanged = self.handle.dirty()?.is_empty();
        let next = self.next.get_or_insert_with(|| Token::following(self.handle.key())).key();
        let done = self.handle.renew(&next).await;
        self.follow();
        if matches!(done, Err(Error::Renewed | Error::Destroyed | Error::Expired)) {
            self.owner = Owner::Straggler;
            if is_unchanged {
                return Ok(Committed::unchanged());
            }
        }
        done
    }

    /// Ends the session. What comes after it in the same request, such as a word of farewell, belongs to a new one.
    pub(super) async fn destroy(&mut self) -> Result<Outcome, Error> {
        if self.owner == Owner::Straggler {
            return Err(Error::Renewed);
        }
        let is_known = self.token.is_some() || self.owner == Owner::Predecessor;
        let outcome = if is_known { self.handle.destroy().await? } else { Outcome::Unchanged };
        let handle = self.sessions.as_ref().unwrap_or_else(|| self.handle.sessions()).start_unnamed().await?;
        std::mem::replace(&mut self.handle, handle).give_up();
        (self.token, self.owner, self.next, self.end) = (None, Owner::Nobody, None, None);
        self.told = if self.brought { Told::Removal } else { Told::Nothing };
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
            self.told = Told::Token(token.clone(), self.handle.sliding_lifetime());
        }
    }

    /// Whether there is nothing to commit, which costs nothing to find out.
    pub(crate) fn is_unmarked(&self) -> bool {
        match self.owner {
            Owner::Straggler => !self.handle.is_marked(),
            Owner::Predecessor => false,
            Owner::Client | Owner::Nobody => self.handle.skips_commit(),
        }
    }

    /// Commits, and says what the client has to be told: what happened before is told also if the commit fails.
    pub(crate) async fn finish(mut self: Box<Self>) -> (Result<Outcome, Error>, Notice) {
        let done = self.commit().await.map(|committed| committed.outcome());
        (done, self.discard())
    }

    /// Forgets what is not committed, and says what the client has to be told of what is.
    pub(crate) fn discard(mut self: Box<Self>) -> Notice {
        self.handle.give_up();
        self.notice()
    }

    /// What the client has to be told. The cookie of another library is kept until its session is stored.
    fn notice(&self) -> Notice {
        Notice { token: self.told.clone(), removes_old: self.brought_old && self.owner != Owner::Predecessor }
    }

    /// Parts with the handle. Other requests of the session need not wait any longer.
    pub(super) fn into_handle(mut self) -> (Handle<T, C>, Notice) {
        if self.owner != Owner::Predecessor {
            // A key of the length that ours have is never refused.
            let _ = self.name();
        }
        let notice = self.notice();
        (*self.handle, notice)
    }
}
