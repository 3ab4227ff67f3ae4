use std::fmt;
use std::future::{Future, IntoFuture, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_core::Stream;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio::time::{MissedTickBehavior, interval};
use tracing::Instrument;

use super::question::Question;
use super::tool::Admin;
use crate::error::Error;
use crate::sessions::span;
use crate::stats::Count;
use crate::store::{Housekeeping, Purged, StoreError, StoreErrorKind};

/// How many records are removed at a time.
const PURGED_AT_ONCE: usize = 1000;

impl<S: Housekeeping> Admin<S> {
    /// Removes records and headers whose retention is over, of all names. Awaited it returns how many; as a stream it
    /// tells of each batch, so that progress can be shown.
    pub fn purge(&self) -> Purging<S> {
        Purging::new(self.clone())
    }

    /// Purges now and then once every `period`, in the background, until the returned guard is dropped. An error is
    /// logged, and the next turn tries again.
    ///
    /// # Errors
    /// [`Error::Store`] as [`Configuration`](StoreErrorKind::Configuration) outside of a Tokio runtime. The runtime
    /// must have its timer enabled.
    pub fn purge_every(&self, period: Duration) -> Result<Purger, Error> {
        Purger::start(self.clone(), period)
    }

    async fn purge_batch(&self) -> Result<Purged, Error> {
        self.prepare().await?;
        let purged = self.store.purge(PURGED_AT_ONCE, self.clock).instrument(span("purge", "")).await?;
        if let Some(counters) = &self.counters {
            counters.add(Count::PurgeBatches, 1);
            counters.add(Count::Purged, purged.removed);
        }
        Ok(purged)
    }
}

/// A purge under way: a stream of its batches, or, awaited, the number of records and headers it removed.
///
/// Nothing is removed before it is polled, and nothing more once it is dropped. It ends after an error.
#[must_use = "nothing is removed until this is awaited"]
pub struct Purging<S> {
    admin: Admin<S>,
    more: bool,
    question: Question<Purged>,
}

/// Nothing in it is pinned but what is boxed.
impl<S> Unpin for Purging<S> {}

impl<S: Housekeeping> Purging<S> {
    pub(super) fn new(admin: Admin<S>) -> Self {
        Self { admin, more: true, question: Question::none() }
    }

    /// Removes the next batch, for programs that bring no stream library.
    pub async fn next(&mut self) -> Option<Result<Purged, Error>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }
}

impl<S: Housekeeping> Stream for Purging<S> {
    type Item = Result<Purged, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self { admin, more, question } = self.get_mut();
        if !*more {
            return Poll::Ready(None);
        }
        let answer = ready!(question.poll(context, || {
            let admin = admin.clone();
            async move { admin.purge_batch().await }
        }));
        *more = answer.as_ref().is_ok_and(|purged| purged.more);
        Poll::Ready(Some(answer))
    }
}

impl<S: Housekeeping> IntoFuture for Purging<S> {
    type Output = Result<u64, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(mut self) -> Self::IntoFuture {
        Box::pin(async move {
            let mut removed = 0;
            while let Some(batch) = self.next().await {
                removed += batch?.removed;
            }
            Ok(removed)
        })
    }
}

impl<S> fmt::Debug for Purging<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Purging").field("more", &self.more).finish_non_exhaustive()
    }
}

/// Purges a store from time to time, in the background. Dropping it stops that.
#[derive(Debug)]
#[must_use = "the purging stops when this is dropped"]
pub struct Purger(AbortHandle);

impl Purger {
    pub(super) fn start<S: Housekeeping>(admin: Admin<S>, period: Duration) -> Result<Self, Error> {
        let Ok(runtime) = Handle::try_current() else {
            let message = "purging in the background needs a Tokio runtime; start it from inside one";
            return Err(StoreError::new(StoreErrorKind::Configuration, message).into());
        };
        let task = async move {
            let mut turns = interval(period.max(Duration::from_millis(1)));
            turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                turns.tick().await;
                match admin.purge().await {
                    Ok(removed) => tracing::debug!(removed, "purged"),
                    Err(error) => tracing::warn!(
                        error = &error as &(dyn std::error::Error + 'static),
                        "sessions that ended could not be removed; the next turn tries again"
                    ),
                }
            }
        };
        Ok(Self(runtime.spawn(task).abort_handle()))
    }
}

impl Drop for Purger {
    fn drop(&mut self) {
        self.0.abort();
    }
}
