//! Where the session of an update is while nobody has it.

use std::sync::{Mutex, PoisonError};

use super::error::ChatError;
use super::lease::Lease;
use crate::codec::Codec;
use crate::session::Session;
use crate::sessions::Sessions;
use crate::store::WorkId;

/// One update's session of one type.
pub(super) struct Slot<T: Session, C: Codec> {
    sessions: Sessions<T, C>,
    pub(super) key: String,
    /// The update.
    work: WorkId,
    state: Mutex<State<T, C>>,
}

enum State<T: Session, C: Codec> {
    /// Nobody asked for it, or got it.
    Unasked,
    /// Somebody has it.
    Lent,
    /// Somebody had it and gave it back.
    Here(Box<Lease<T, C>>),
    /// The update was done before.
    DoneBefore,
    /// The handler has returned.
    Closed,
}

/// What an update leaves behind when its handler has returned.
pub(super) enum Closed<T: Session, C: Codec> {
    /// Nothing.
    Nothing,
    /// It was done before, and somebody was told so.
    DoneBefore,
    /// It was given back.
    Lease(Box<Lease<T, C>>),
    /// It was not.
    Kept,
}

impl<T: Session, C: Codec> Slot<T, C> {
    pub(super) fn new(sessions: Sessions<T, C>, key: String, work: WorkId) -> Self {
        Self { sessions, key, work, state: Mutex::new(State::Unasked) }
    }

    fn change<R>(&self, change: impl FnOnce(&mut State<T, C>) -> R) -> R {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes the session, or the right to load it. Whoever did gives it back.
    pub(super) fn take(&self) -> Result<Option<Box<Lease<T, C>>>, ChatError> {
        self.change(|state| match std::mem::replace(state, State::Lent) {
            State::Unasked => Ok(None),
            State::Here(lease) => Ok(Some(lease)),
            State::Lent => Err(ChatError::InUse),
            State::DoneBefore => {
                *state = State::DoneBefore;
                Err(ChatError::DoneBefore)
            }
            State::Closed => {
                *state = State::Closed;
                Err(ChatError::Finished)
            }
        })
    }

    /// Loads the session, unless the update is done already.
    pub(super) async fn load(&self) -> Result<Box<Lease<T, C>>, ChatError> {
        let handle = self.sessions.load(&self.key).await?;
        if handle.has_done(self.work) {
            self.change(|state| {
                if !matches!(state, State::Closed) {
                    *state = State::DoneBefore;
                }
            });
            return Err(ChatError::DoneBefore);
        }
        Ok(Box::new(Lease::new(handle, self.work)))
    }

    /// Gives back what was taken. What comes too late for a commit is forgotten: that it was kept was an error already.
    pub(super) fn give_back(&self, lease: Option<Box<Lease<T, C>>>) {
        let late = self.change(|state| match state {
            State::Lent => {
                *state = lease.map_or(State::Unasked, State::Here);
                None
            }
            _ => lease,
        });
        if let Some(late) = late {
            late.discard();
        }
    }

    /// The handler has returned.
    pub(super) fn close(&self) -> Closed<T, C> {
        match self.change(|state| std::mem::replace(state, State::Closed)) {
            State::Unasked | State::Closed => Closed::Nothing,
            State::DoneBefore => Closed::DoneBefore,
            State::Here(lease) => Closed::Lease(lease),
            State::Lent => Closed::Kept,
        }
    }
}

/// An update that ends without an answer, because its handler panicked or was dropped, stores nothing.
impl<T: Session, C: Codec> Drop for Slot<T, C> {
    fn drop(&mut self) {
        if let Closed::Lease(lease) = self.close() {
            lease.discard();
        }
    }
}
