use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use crate::error::Error;

/// A question to a store, while its answer is awaited.
pub(super) struct Question<A>(Option<Asking<A>>);

type Asking<A> = Pin<Box<dyn Future<Output = Result<A, Error>> + Send>>;

impl<A> Question<A> {
    pub(super) const fn none() -> Self {
        Self(None)
    }

    /// Waits for the answer to `ask`, which is asked if nothing is being asked.
    pub(super) fn poll<F>(&mut self, context: &mut Context<'_>, ask: impl FnOnce() -> F) -> Poll<Result<A, Error>>
    where
        F: Future<Output = Result<A, Error>> + Send + 'static,
    {
        let asking = self.0.get_or_insert_with(|| Box::pin(ask()));
        let answer = ready!(asking.as_mut().poll(context));
        self.0 = None;
        Poll::Ready(answer)
    }
}
