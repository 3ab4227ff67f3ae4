//! Ending sessions by what a store tells of them, without their type.

use std::pin::pin;
use std::time::Duration;

use tokio::time::Instant;
use tracing::{Instrument, Span};

use super::deadline::{pause, within};
use super::spans::{key_span, span};
use crate::error::Error;
use crate::expiry::{ClockOffset, Lifetime};
use crate::stats::{Counters, Operation};
use crate::store::{
    Action, Applied, Base, Commit, Ended, Erased, Find, Found, FoundPage, Head, Key, Load, Reply, StoreError,
    StoreErrorKind,
};

/// How often a session is looked for again that was replaced while it was about to be destroyed.
const TRIES: u32 = 64;

/// How far the clocks of an engine's machines may be apart, in milliseconds.
const TOLERANCE: i64 = 1000;

/// How long what was not answered waits before it is sent again.
const PAUSE: Duration = Duration::from_millis(5);

/// Destroys sessions of a store, whatever others make of them meanwhile.
#[derive(Clone, Copy)]
pub(crate) struct Ending<'a> {
    pub(crate) store: &'a dyn Erased,
    /// It says how long their headers are kept.
    pub(crate) lifetime: Lifetime,
    pub(crate) clock: ClockOffset,
    /// Bounds each step.
    pub(crate) deadline: Duration,
    /// Where it is measured what the calls take, if anywhere.
    pub(crate) counters: Option<&'a Counters>,
}

impl Ending<'_> {
    /// Destroys what is stored under a key. `None` if nothing is there.
    pub(crate) async fn destroy(self, key: &Key) -> Result<Option<Applied>, Error> {
        for _ in 0..TRIES {
            let load = self.store.load(key, Load::look(self.clock)).instrument(key_span("load", key));
            let loaded = self.timed(Operation::Load, load).await?;
            let Found::Record(record) = loaded.found else { return Ok(None) };
            match self.send(key, &self.destruction(&record.head)).await? {
                Reply::Applied(applied) => return Ok(Some(applied)),
                Reply::Ended(Ended::Renewed) => return Err(Error::Renewed),
                // It ended since, or another took its place.
                _ => {}
            }
        }
        let message = "the session was created anew each time it was about to be destroyed; try again";
        Err(StoreError::new(StoreErrorKind::Busy, message).into())
    }

    /// Destroys all that are found, and looks again and again, until none is left of the sessions that were there when
    /// it looked first. Tells `progress` how many have ended, after each, and returns it at the end.
    ///
    /// Each look is one at everything, so whoever is renewed between two keys is seen at one of them. What it sees is
    /// ended by a commit that names it, so nothing that takes its place is.
    pub(crate) async fn destroy_found(self, find: &Find, mut progress: impl FnMut(u64)) -> Result<u64, Error> {
        let (mut before, mut in_vain, mut ended) = (None, None::<Instant>, 0);
        loop {
            let page = within(self.deadline, &Span::none(), pin!(self.look(find))).await?;
            let before = *before.get_or_insert(page.now.plus(TOLERANCE));
            let there = page.sessions.into_iter().filter(|(_, head)| head.created_at <= before);
            let (mut met, earlier) = (false, ended);
            for (key, head) in there {
                met = true;
                if within(self.deadline, &Span::none(), pin!(self.destroy_life(&key, &head))).await? {
                    ended += 1;
                    progress(ended);
                }
            }
            if !met {
                return Ok(ended);
            }
            if ended > earlier {
                in_vain = None;
            } else if in_vain.get_or_insert_with(Instant::now).elapsed() >= self.deadline {
                return Err(Error::Contended);
            }
        }
    }

    /// Asks until the store answers. The deadline of the caller bounds it.
    async fn look(self, find: &Find) -> Result<FoundPage, Error> {
        loop {
            let look = self.store.find(find).instrument(span("find", &find.name));
            match self.timed(Operation::Find, look).await {
                Err(error) if error.kind().is_transient() && pause(PAUSE).await => {}
                answer => return Ok(answer?),
            }
        }
    }

    /// Destroys this very life of a key, at whatever revision. Returns whether it did.
    async fn destroy_life(self, key: &Key, head: &Head) -> Result<bool, Error> {
        let destruction = self.destruction(head);
        loop {
            match self.send(key, &destruction).await {
                Ok(reply) => return Ok(matches!(reply, Reply::Applied(applied) if applied.was_stored)),
                // It has an id, so it is applied once.
                Err(error) if error.kind().is_transient() && pause(PAUSE).await => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn destruction(self, head: &Head) -> Commit {
        Commit::new(Base::from(head), Action::Destroy, self.lifetime, self.clock)
    }

    async fn send(self, key: &Key, destruction: &Commit) -> Result<Reply, StoreError> {
        let send = self.store.commit(key, destruction).instrument(key_span("destroy", key));
        self.timed(Operation::Destroy, send).await
    }

    async fn timed<R>(self, operation: Operation, call: impl Future<Output = R>) -> R {
        let _timing = self.counters.map(|counters| counters.time(operation));
        call.await
    }
}
