use std::collections::BTreeMap;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::vec;

use futures_core::Stream;
use tracing::Instrument;

use super::question::Question;
use super::tool::Admin;
use crate::error::Error;
use crate::sessions::span;
use crate::store::{Cursor, Housekeeping, Key, Keys};

/// How many keys are asked for first. Some stores look at all keys for each part of a listing, so the next part is
/// twice as long each time.
const LISTED_FIRST: usize = 4096;

/// How many keys are asked for at the most.
const LISTED_AT_ONCE: usize = 65_536;

/// How many sessions of a name there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameStats {
    /// The session's name.
    pub name: Arc<str>,
    /// The versions that are registered, the oldest first.
    pub versions: Vec<u32>,
    /// How many sessions of this name are stored and have not expired.
    pub sessions: u64,
}

impl<S: Housekeeping> Admin<S> {
    /// The keys of the sessions of this name that are stored and have not expired, in an order of the store's own.
    ///
    /// Sessions that are stored from the first key until after the last are listed exactly once.
    pub fn keys(&self, name: &str) -> KeyStream<S> {
        KeyStream::new(self.clone(), name.into())
    }

    /// How many sessions of this name are stored and have not expired.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn count(&self, name: &str) -> Result<u64, Error> {
        self.prepare().await?;
        Ok(self.store.count(name, self.clock).instrument(span("count", name)).await?)
    }

    /// How many sessions there are of each registered name.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn stats(&self) -> Result<Vec<NameStats>, Error> {
        let mut names: BTreeMap<Arc<str>, Vec<u32>> = BTreeMap::new();
        let registrations = self.registrations().await?;
        let damaged = registrations.damaged.into_iter().map(|damaged| (damaged.name, damaged.version));
        let found = registrations.found.into_iter().map(|found| (found.name, found.version));
        for (name, version) in found.chain(damaged) {
            names.entry(name).or_default().push(version);
        }
        let mut stats = Vec::with_capacity(names.len());
        for (name, mut versions) in names {
            versions.sort_unstable();
            let sessions = self.count(&name).await?;
            stats.push(NameStats { name, versions, sessions });
        }
        Ok(stats)
    }

    async fn page(&self, name: &str, after: Option<Cursor>, limit: usize) -> Result<Keys, Error> {
        self.prepare().await?;
        Ok(self.store.keys(name, after, limit, self.clock).instrument(span("keys", name)).await?)
    }
}

/// The keys of stored sessions, as a stream; it asks the store for some thousands at a time, and for up to 65,536 as it
/// goes on. It ends after an error.
pub struct KeyStream<S> {
    admin: Admin<S>,
    name: Arc<str>,
    found: vec::IntoIter<Key>,
    /// Where the listing goes on: at the start, after a cursor, or no more.
    rest: Option<Option<Cursor>>,
    /// How many keys are asked for next.
    limit: usize,
    question: Question<Keys>,
}

/// Nothing in it is pinned but what is boxed.
impl<S> Unpin for KeyStream<S> {}

impl<S: Housekeeping> KeyStream<S> {
    pub(super) fn new(admin: Admin<S>, name: Arc<str>) -> Self {
        let (found, limit) = (Vec::new().into_iter(), LISTED_FIRST);
        Self { admin, name, found, rest: Some(None), limit, question: Question::none() }
    }

    /// The next key, for programs that bring no stream library.
    pub async fn next(&mut self) -> Option<Result<Key, Error>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }
}

impl<S: Housekeeping> Stream for KeyStream<S> {
    type Item = Result<Key, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self { admin, name, found, rest, limit, question } = self.get_mut();
        loop {
            if let Some(key) = found.next() {
                return Poll::Ready(Some(Ok(key)));
            }
            let Some(after) = rest else { return Poll::Ready(None) };
            let answer = ready!(question.poll(context, || {
                let (admin, name, after, limit) = (admin.clone(), name.clone(), after.clone(), *limit);
                async move { admin.page(&name, after, limit).await }
            }));
            *limit = LISTED_AT_ONCE.min(*limit * 2);
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
