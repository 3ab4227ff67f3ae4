//! The places of a pool: which connections there are, how many use each, and who waits for one.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::connection::Connection;

/// How many may wait for answers on one connection.
const MOST_USERS: usize = 32;

/// Networks forget connections on which nothing is said, most of them after minutes. One that rested this long is asked
/// for a sign of life before it is used.
const RESTED: Duration = Duration::from_secs(30);

/// Whether others may use the same connection at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sharing {
    /// With other reads.
    Read,
    /// With whatever is short, where there are not connections enough.
    Write,
    Alone,
}

pub(super) struct Places {
    state: Mutex<State>,
    /// How many connections there are at most.
    most: usize,
    /// Tells one of those who wait that somebody left.
    left: Notify,
}

#[derive(Default)]
struct State {
    /// Of those that rest, the one that rested least is the last, and used first.
    open: Vec<Open>,
    /// How many are being opened.
    vacant: usize,
    /// How many wait for whichever connection. Whoever comes now comes after them.
    waiting: usize,
}

struct Open {
    connection: Arc<Connection>,
    users: usize,
    /// How many of the users do more than read.
    writers: usize,
    /// Whether somebody wants or has it alone.
    is_reserved: bool,
}

impl Open {
    fn may_be_joined(&self) -> bool {
        !self.is_reserved && self.users < MOST_USERS && self.connection.is_usable()
    }

    /// Whether it was opened later than that, if it is given.
    fn is_later(&self, than: Option<Instant>) -> bool {
        than.is_none_or(|than| self.connection.opened() > than)
    }

    /// Whether reads go here before another connection is used. Together they cost both sides less, and none waits
    /// longer: where the server's processes always have work, each of them runs only when those of the other connections
    /// have had their time. A read of much data is worth a process of its own; and a write may wait for the disk, and the
    /// server lets those of several connections wait for it together.
    fn takes_reads(&self) -> bool {
        self.users > 0 && self.writers == 0 && self.may_be_joined() && !self.connection.answers_at_length()
    }
}

/// A place for an operation.
pub(super) enum Place<'a> {
    Used(Used<'a>),
    Vacant(Vacant<'a>),
}

/// A connection in use.
pub(super) struct Used<'a> {
    places: &'a Places,
    pub(super) connection: Arc<Connection>,
    sharing: Sharing,
    is_alone: bool,
    /// Whether it may have died while it rested, so that it is to be asked first. Till then it is used alone.
    pub(super) has_rested: bool,
}

/// The right to open a connection.
pub(super) struct Vacant<'a>(&'a Places);

/// One who waits.
struct Waiting<'a> {
    places: &'a Places,
    /// Whether others come after this one. Nobody has to who can do without a new connection, where one is waited for.
    is_before_others: bool,
}

impl fmt::Debug for Places {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        let users: Vec<usize> = state.open.iter().map(|open| open.users).collect();
        f.debug_struct("Places")
            .field("users", &users)
            .field("vacant", &state.vacant)
            .field("waiting", &state.waiting)
            .finish_non_exhaustive()
    }
}

impl Places {
    pub(super) fn new(most: usize) -> Self {
        Self { state: Mutex::default(), most: most.max(1), left: Notify::new() }
    }

    /// A place for an operation, if there is one now and nobody waits.
    pub(super) fn try_take(&self, sharing: Sharing) -> Option<Place<'_>> {
        let state = self.state();
        if state.waiting > 0 { None } else { self.find(state, sharing, None) }
    }

    /// A place for an operation, if there is one now; on a connection that was opened later than that, if it is given.
    fn find(
        &self,
        mut state: MutexGuard<'_, State>,
        sharing: Sharing,
        later_than: Option<Instant>,
    ) -> Option<Place<'_>> {
        let is_late = |open: &Open| open.is_later(later_than);
        if sharing == Sharing::Read {
            let open = state.open.iter_mut().filter(|open| open.takes_reads() && is_late(open));
            if let Some(open) = open.max_by_key(|open| open.users) {
                return Some(Place::Used(self.join(open, sharing)));
            }
        }
        while let Some(at) = state.open.iter().rposition(|open| open.users == 0 && is_late(open)) {
            let open = state.open.get_mut(at)?;
            if !open.connection.is_open() {
                state.open.remove(at);
                continue;
            }
            let has_rested = open.connection.heard().elapsed() >= RESTED;
            open.is_reserved = has_rested || sharing == Sharing::Alone;
            let mut used = self.join(open, sharing);
            used.has_rested = has_rested;
            return Some(Place::Used(used));
        }
        if state.open.len() + state.vacant >= self.most {
            if let Some(resting) = state.open.iter().position(|open| open.users == 0) {
                state.open.remove(resting);
            } else {
                let open = state.open.iter_mut().filter(|open| sharing != Sharing::Alone && open.may_be_joined());
                let open = open.filter(|open| is_late(open)).min_by_key(|open| open.users)?;
                return Some(Place::Used(self.join(open, sharing)));
            }
        }
        state.vacant += 1;
        Some(Place::Vacant(Vacant(self)))
    }

    /// Waits for a place, behind those who wait already.
    pub(super) async fn take(&self, sharing: Sharing, later_than: Option<Instant>) -> Place<'_> {
        let (mut waiting, is_first) = self.wait(later_than);
        if !is_first {
            self.left.notified().await;
        }
        loop {
            if let Some(place) = self.find(self.state(), sharing, later_than) {
                return place;
            }
            let Some(reserved) = self.reserve(sharing, later_than) else {
                self.left.notified().await;
                continue;
            };
            drop(waiting);
            if let Some(place) = reserved.left_alone(later_than).await {
                return place;
            }
            (waiting, _) = self.wait(later_than);
        }
    }

    /// Whoever wants to wait, and whether nobody is before it.
    fn wait(&self, later_than: Option<Instant>) -> (Waiting<'_>, bool) {
        let mut state = self.state();
        let is_before_others = later_than.is_none();
        state.waiting += usize::from(is_before_others);
        (Waiting { places: self, is_before_others }, !is_before_others || state.waiting == 1)
    }

    /// Keeps others from a connection that is wanted alone. One that is too old is in the way of a new one, if none is
    /// there and none is being opened.
    fn reserve(&self, sharing: Sharing, later_than: Option<Instant>) -> Option<Used<'_>> {
        if sharing != Sharing::Alone {
            return None;
        }
        let mut state = self.state();
        let is_any_late = state.vacant > 0 || state.open.iter().any(|open| open.is_later(later_than));
        let open = state.open.iter_mut().filter(|open| open.may_be_joined());
        let open = open.filter(|open| !is_any_late || open.is_later(later_than)).min_by_key(|open| open.users)?;
        open.is_reserved = true;
        Some(self.join(open, sharing))
    }

    fn join(&self, open: &mut Open, sharing: Sharing) -> Used<'_> {
        open.users += 1;
        open.writers += usize::from(sharing != Sharing::Read);
        let (connection, is_alone) = (open.connection.clone(), open.is_reserved);
        Used { places: self, connection, sharing, is_alone, has_rested: false }
    }

    /// Closes the connections that rest and were opened before: when one of them is dead, the older ones are as a rule
    /// dead too.
    pub(super) fn condemn(&self, before: Instant) {
        let mut state = self.state();
        let (condemned, open) = std::mem::take(&mut state.open)
            .into_iter()
            .partition(|open: &Open| open.users == 0 && open.connection.opened() < before);
        state.open = open;
        drop(state);
        drop::<Vec<Open>>(condemned);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn find(&mut self, connection: &Arc<Connection>) -> Option<usize> {
        self.open.iter().rposition(|open| Arc::ptr_eq(&open.connection, connection))
    }
}

impl<'a> Used<'a> {
    /// Whether nobody else may use it.
    pub(super) fn is_alone(&self) -> bool {
        self.is_alone
    }

    /// Lets others use it too.
    pub(super) fn share(&mut self) {
        self.has_rested = false;
        if std::mem::take(&mut self.is_alone) {
            let mut state = self.places.state();
            if let Some(open) = state.find(&self.connection).and_then(|at| state.open.get_mut(at)) {
                open.is_reserved = false;
            }
            drop(state);
            self.places.left.notify_one();
        }
    }

    /// Nobody is to use it any more. It is closed when the last user leaves it.
    pub(super) fn retire(&self) {
        let mut state = self.places.state();
        let retired = state.find(&self.connection).map(|at| state.open.remove(at));
        drop(state);
        if let Some(Open { connection, is_reserved, .. }) = retired
            && is_reserved
        {
            connection.alone.notify_one();
        }
    }

    /// Waits until all others left. If the connection is too old then, its place is free for another one. Nothing if it
    /// was retired meanwhile.
    async fn left_alone(self, later_than: Option<Instant>) -> Option<Place<'a>> {
        loop {
            {
                let mut state = self.places.state();
                let at = state.find(&self.connection)?;
                let open = state.open.get(at)?;
                if open.users <= 1 {
                    if open.is_later(later_than) {
                        break;
                    }
                    state.open.remove(at);
                    state.vacant += 1;
                    return Some(Place::Vacant(Vacant(self.places)));
                }
            }
            self.connection.alone.notified().await;
        }
        Some(Place::Used(self))
    }
}

impl Drop for Used<'_> {
    fn drop(&mut self) {
        let mut state = self.places.state();
        let mut is_of_use = true;
        if let Some(at) = state.find(&self.connection)
            && let Some(open) = state.open.get_mut(at)
        {
            open.users -= 1;
            open.writers -= usize::from(self.sharing != Sharing::Read);
            open.is_reserved &= !self.is_alone;
            is_of_use = !open.is_reserved;
            match open.users {
                0 => {
                    let open = state.open.remove(at);
                    state.open.push(open);
                }
                1 if open.is_reserved => open.connection.alone.notify_one(),
                _ => {}
            }
        }
        drop(state);
        if is_of_use {
            self.places.left.notify_one();
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.places.state().waiting -= usize::from(self.is_before_others);
        // Perhaps there is a place for the next one.
        self.places.left.notify_one();
    }
}

impl<'a> Vacant<'a> {
    /// Puts a connection there.
    pub(super) fn fill(self, connection: Connection, sharing: Sharing) -> Used<'a> {
        let (places, connection) = (self.0, Arc::new(connection));
        let mut open = Open { connection, users: 0, writers: 0, is_reserved: sharing == Sharing::Alone };
        let used = places.join(&mut open, sharing);
        places.state().open.push(open);
        used
    }
}

impl Drop for Vacant<'_> {
    fn drop(&mut self) {
        self.0.state().vacant -= 1;
        self.0.left.notify_one();
    }
}
