//! Two operations at once.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

/// Waits for both, which are under way at the same time. They are polled in their order, so that what they send on one
/// connection travels in it, and together.
pub(super) async fn both<A, B>(one: impl Future<Output = A>, other: impl Future<Output = B>) -> (A, B) {
    let (mut one, mut other) = (pin!(one), pin!(other));
    let (mut first, mut second) = (None, None);
    poll_fn(|context| {
        if first.is_none()
            && let Poll::Ready(done) = one.as_mut().poll(context)
        {
            first = Some(done);
        }
        if second.is_none()
            && let Poll::Ready(done) = other.as_mut().poll(context)
        {
            second = Some(done);
        }
        match (first.take(), second.take()) {
            (Some(first), Some(second)) => Poll::Ready((first, second)),
            (one, other) => {
                (first, second) = (one, other);
                Poll::Pending
            }
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use tokio::sync::oneshot;

    use super::*;

    #[test]
    fn both_are_answered_whichever_ends_first() {
        for other_ends_first in [false, true] {
            let (one, first) = oneshot::channel();
            let (other, second) = oneshot::channel();
            let mut waiting = pin!(both(first, second));
            let mut poll = || waiting.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            let mut senders = [one, other];
            if other_ends_first {
                senders.reverse();
            }
            for (number, sender) in senders.into_iter().enumerate() {
                assert!(poll().is_pending());
                sender.send(number).expect("somebody waits");
            }
            let ended = if other_ends_first { (Ok(1), Ok(0)) } else { (Ok(0), Ok(1)) };
            assert_eq!(poll(), Poll::Ready(ended));
        }
    }
}
