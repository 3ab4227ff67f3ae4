use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// The result of a future that is ready at once, as all are on a store in memory.
///
/// # Panics
/// When it is not.
#[track_caller]
pub fn now<F: Future>(future: F) -> F::Output {
    match begin(std::pin::pin!(future)) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the future waits for something"),
    }
}

/// Polls a future once; whoever drops it afterwards has cancelled it where it waits.
pub fn begin<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}
