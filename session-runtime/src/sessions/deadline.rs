//! One deadline bounds an operation, whatever it waits for.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::{Sleep, sleep};
use tracing::Span;

use crate::error::Error;
use crate::store::{StoreError, StoreErrorKind};

/// Runs an operation in a span, and ends it after `deadline`.
///
/// What it was about to do stays as it is when a caller drops it: a change that was sent is settled by the next commit.
/// An operation that does not wait starts no timer. Outside of a Tokio runtime there is none, and no deadline.
#[inline]
pub(super) async fn within<R>(
    deadline: Duration,
    span: &Span,
    mut operation: Pin<&mut impl Future<Output = Result<R, Error>>>,
) -> Result<R, Error> {
    let mut timer = pin!(None::<Sleep>);
    poll_fn(|context| {
        let _inside = span.enter();
        if let Poll::Ready(done) = operation.as_mut().poll(context) {
            return Poll::Ready(done);
        }
        if timer.is_none() && Handle::try_current().is_ok() {
            timer.set(Some(sleep(deadline)));
        }
        match timer.as_mut().as_pin_mut() {
            Some(timer) => timer.poll(context).map(|()| Err(timed_out().into())),
            None => Poll::Pending,
        }
    })
    .await
}

/// Waits before something is tried again. Returns whether it could: not outside of a Tokio runtime.
pub(super) async fn pause(time: Duration) -> bool {
    if Handle::try_current().is_err() {
        return false;
    }
    sleep(time).await;
    true
}

#[cold]
fn timed_out() -> StoreError {
    StoreError::new(
        StoreErrorKind::TimedOut,
        "the session store did not finish an operation within the deadline; try again, or raise the limit with `deadline`",
    )
}
