//! Where the session of a request is while nobody has it.

use std::sync::{Arc, Mutex, PoisonError};

use super::error::WebError;
use super::lease::{Lease, Notice};
use super::lender::Lender;
use crate::codec::Codec;
use crate::session::Session;

/// One request's session of one type.
pub(crate) struct Slot<T: Session, C: Codec> {
    pub(super) lender: Arc<Lender<T, C>>,
    state: Mutex<State<T, C>>,
}

enum State<T: Session, C: Codec> {
    /// Nobody asked for it.
    Unasked,
    /// Somebody asked, and got none, or gave up before it was there.
    Empty,
    /// Somebody has it.
    Lent,
    /// Somebody had it and gave it back.
    Here(Box<Lease<T, C>>),
    /// Somebody keeps it; this is what the client has to be told.
    Taken(Notice),
    /// The response is on its way.
    Closed,
}

/// What a request leaves behind when its handler has returned.
pub(crate) enum Closed<T: Session, C: Codec> {
    /// Nobody asked for the session, so the response does not depend on it.
    Unasked,
    /// Somebody did. There is nothing to commit, and this to tell the client.
    Nothing(Notice),
    /// It was given back.
    Lease(Box<Lease<T, C>>),
    /// It was not.
    Kept,
}

impl<T: Session, C: Codec> Slot<T, C> {
    pub(crate) fn new(lender: Arc<Lender<T, C>>) -> Arc<Self> {
        Arc::new(Self { lender, state: Mutex::new(State::Unasked) })
    }

    fn change<R>(&self, change: impl FnOnce(&mut State<T, C>) -> R) -> R {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes the session, or the right to load it. Whoever did gives it back.
    pub(super) fn take(&self) -> Result<Option<Box<Lease<T, C>>>, WebError> {
        self.change(|state| match std::mem::replace(state, State::Lent) {
            State::Unasked | State::Empty => Ok(None),
            State::Here(lease) => Ok(Some(lease)),
            State::Lent => Err(WebError::InUse),
            State::Taken(notice) => {
                *state = State::Taken(notice);
                Err(WebError::Taken)
            }
            State::Closed => {
                *state = State::Closed;
                Err(WebError::Finished)
            }
        })
    }

    /// Gives back what was taken. Returns it if nobody waits for it any more.
    pub(super) fn give_back(&self, lease: Option<Box<Lease<T, C>>>) -> Option<Box<Lease<T, C>>> {
        self.change(|state| match state {
            State::Lent => {
                *state = lease.map_or(State::Empty, State::Here);
                None
            }
            _ => lease,
        })
    }

    /// Says that what was taken does not come back.
    pub(super) fn keep(&self, notice: Notice) {
        self.change(|state| {
            if !matches!(state, State::Closed) {
                *state = State::Taken(notice);
            }
        });
    }

    /// The handler has returned.
    pub(crate) fn close(&self) -> Closed<T, C> {
        self.change(State::close)
    }
}

impl<T: Session, C: Codec> State<T, C> {
    fn close(&mut self) -> Closed<T, C> {
        match std::mem::replace(self, Self::Closed) {
            Self::Unasked => Closed::Unasked,
            Self::Empty | Self::Closed => Closed::Nothing(Notice::default()),
            Self::Taken(notice) => Closed::Nothing(notice),
            Self::Here(lease) => Closed::Lease(lease),
            Self::Lent => Closed::Kept,
        }
    }
}

impl<T: Session, C: Codec> Closed<T, C> {
    /// There is no response: what is not committed is forgotten, and nobody can be told anything.
    pub(crate) fn forget(self) {
        if let Self::Lease(lease) = self {
            lease.discard();
        }
    }
}

/// A request that ends without a response, because its connection broke or its handler panicked, stores nothing.
impl<T: Session, C: Codec> Drop for Slot<T, C> {
    fn drop(&mut self) {
        // Nobody else has it any more, so there is nothing to lock.
        self.state.get_mut().unwrap_or_else(PoisonError::into_inner).close().forget();
    }
}
