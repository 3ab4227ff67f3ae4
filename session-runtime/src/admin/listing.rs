use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::vec;

use futures_core::Stream;

use super::Admin;
use crate::error::Error;
use crate::store::{Cursor, Housekeeping, Key, Keys};

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

/// The keys of stored sessions, as a stream; it asks the store for some thousands at a time. It ends after an error.
pub struct KeyStream<S> {
    admin: Admin<S>,
    name: Arc<str>,
    found: vec::IntoIter<Key>,
    /// Where the listing goes on: at the start, after a cursor, or no more.
    rest: Option<Option<Cursor>>,
    question: Question<Keys>,
}

/// Nothing in it is pinned but what is boxed.
impl<S> Unpin for KeyStream<S> {}

impl<S: Housekeeping> KeyStream<S> {
    pub(super) fn new(admin: Admin<S>, name: Arc<str>) -> Self {
        Self { admin, name, found: Vec::new().into_iter(), rest: Some(None), question: Question::none() }
    }

    /// The next key, for programs that bring no stream library.
    pub async fn next(&mut self) -> Option<Result<Key, Error>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }
}

impl<S: Housekeeping> Stream for KeyStream<S> {
    type Item = Result<Key, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self { admin, name, found, rest, question } = self.get_mut();
        loop {
            if let Some(key) = found.next() {
                return Poll::Ready(Some(Ok(key)));
            }
            let Some(after) = rest else { return Poll::Ready(None) };
            let answer = ready!(question.poll(context, || {
                let (admin, name, after) = (admin.clone(), name.clone(), after.clone());
                async move { admin.page(&name, after).await }
            }));
            match answer {
                Ok(Keys { keys, next }) => {
                    *found = keys.into_iter();
                    *rest = next.map(Some);
                }
                Err(error) => {
                    *rest = None;
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
    }
}

impl<S> fmt::Debug for KeyStream<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyStream").field("name", &self.name).finish_non_exhaustive()
    }
}
