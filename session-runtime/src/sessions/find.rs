//! Finding sessions by the value of an indexed field, and ending what is found.

use std::collections::HashSet;
use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::SystemTime;

use futures_core::Stream;
use tracing::{Instrument, Span};

use super::Sessions;
use super::commit::Verb;
use super::committed::Outcome;
use super::deadline::within;
use super::spans::{in_verb, span};
use crate::codec::Codec;
use crate::error::Error;
use crate::expiry::{Lifetime, Timestamp};
use crate::field;
use crate::session::Session;
use crate::stats::Operation;
use crate::store::{Cursor, FieldValue, Find, Found, FoundPage, Head, Housekeeping, Key, KeyHash};

/// How many sessions a page of a search has.
const FOUND_AT_ONCE: usize = 1000;

/// A value that is looked for: the index of its field, and its encoding.
type Wanted = (usize, FieldValue);

/// What a search tells of a session without loading it.
#[derive(Clone, PartialEq, Eq)]
pub struct FoundSession {
    key: Key,
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
    last_used: Option<Timestamp>,
}

impl FoundSession {
    fn new(key: Key, head: &Head, lifetime: &Lifetime) -> Self {
        let Head { created_at, expires_at, fixed_end, .. } = *head;
        let lifetime = lifetime.sliding(head.sliding);
        let bounds = [fixed_end, lifetime.creation.map(|after| created_at.plus(after))];
        // What ends at another time than by inactivity does not tell.
        let last_used = match (expires_at, lifetime.inactivity) {
            (Some(end), Some(idle)) if !bounds.contains(&Some(end)) => Some(end.plus(-idle)),
            _ => None,
        };
        Self { key, created_at, expires_at, last_used: last_used.filter(|at| *at >= created_at) }
    }

    /// The key of the session.
    pub fn key(&self) -> &str {
        self.key.id()
    }

    /// When the session was created, by the store's clock.
    pub fn created_at(&self) -> SystemTime {
        self.created_at.into()
    }

    /// When it expires, if it is not used again; `None` if it does not.
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.expires_at.map(SystemTime::from)
    }

    /// When it was last used, if it expires by inactivity as these sessions do: up to the share of that time after
    /// which a load [moves the end](super::SessionsBuilder::touch_share). `None` if that is not known.
    pub fn last_used(&self) -> Option<SystemTime> {
        self.last_used.map(SystemTime::from)
    }
}

/// Leaves the key out, which can be secret.
impl fmt::Debug for FoundSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FoundSession").field("key", &self.key).finish_non_exhaustive()
    }
}

impl<T: Session, C: Codec> Sessions<T, C> {
    /// The sessions that have this value in an indexed field, as a stream; it asks the store for a thousand at a time.
    ///
    /// A session at the initial value of the field is not found, because that is not stored. Destroyed, renewed and
    /// expired sessions are not found: a renewed one is found at its new key.
    ///
    /// ```
    /// # use session_runtime::{MemoryStore, Session, Sessions};
    /// #[derive(Session)]
    /// struct Visitor {
    ///     #[session(index)]
    ///     user: Option<u64>,
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), session_runtime::Error> {
    /// let sessions = Sessions::<Visitor>::new(MemoryStore::new());
    /// sessions.update("42", |visitor| *visitor.edit().user() = Some(7)).await?;
    /// let mut found = sessions.find(VisitorIndex::User(&Some(7)));
    /// while let Some(session) = found.next().await {
    ///     assert_eq!(session?.key(), "42");
    /// }
    /// # Ok(()) }
    /// ```
    pub fn find(&self, value: T::Index<'_>) -> FoundSessions<T, C> {
        FoundSessions {
            sessions: self.clone(),
            wanted: Some(self.wanted(value)),
            found: Vec::new().into_iter(),
            seen: HashSet::new(),
            search: None,
            asking: None,
        }
    }

    /// How many sessions have this value in an indexed field.
    ///
    /// ```
    /// # use session_runtime::{MemoryStore, Session, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { #[session(index)] user: Option<u64> }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), session_runtime::Error> {
    /// # let sessions = Sessions::<Visitor>::new(MemoryStore::new());
    /// sessions.update("42", |visitor| *visitor.edit().user() = Some(7)).await?;
    /// assert_eq!(sessions.count_found(VisitorIndex::User(&Some(7))).await?, 1);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Encode`] when the value cannot be encoded, [`Error::Store`], and those of [`Sessions::prepare`].
    pub fn count_found(&self, value: T::Index<'_>) -> impl Future<Output = Result<u64, Error>> + Send + use<T, C> {
        let mut found = self.find(value);
        async move {
            let mut count = 0;
            while let Some(session) = found.next().await {
                session?;
                count += 1;
            }
            Ok(count)
        }
    }

    /// The sessions with this value and what is in them, for a page that shows a user where they are logged in. It is
    /// no activity of the sessions: none of them lives longer for it.
    ///
    /// ```
    /// # use session_runtime::{MemoryStore, Session, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { #[session(index)] user: Option<u64>, agent: String }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), session_runtime::Error> {
    /// # let sessions = Sessions::<Visitor>::new(MemoryStore::new());
    /// sessions
    ///     .update("42", |visitor| {
    ///         *visitor.edit().user() = Some(7);
    ///         *visitor.edit().agent() = "a phone".to_owned();
    ///     })
    ///     .await?;
    /// for (device, visitor) in sessions.list_found(VisitorIndex::User(&Some(7))).await? {
    ///     println!("{} since {:?}, last used {:?}", visitor.agent, device.created_at(), device.last_used());
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`Sessions::count_found`], and those of [`Sessions::load`] for what cannot be read by this program.
    pub fn list_found(
        &self,
        value: T::Index<'_>,
    ) -> impl Future<Output = Result<Vec<(FoundSession, T)>, Error>> + Send + use<T, C> {
        let (sessions, wanted, mut found) = (self.clone(), self.wanted(value), self.find(value));
        async move {
            let list = async {
                let (index, value) = wanted?;
                let mut listed = Vec::new();
                while let Some(session) = found.next().await {
                    let session = session?;
                    let look = pin!(sessions.look_at(&session.key, index, &value));
                    listed.extend(within(sessions.inner.settings.deadline, &Span::none(), look).await?);
                }
                Ok(listed)
            };
            in_verb("list_found", &sessions.inner.name, list).await
        }
    }

    /// Destroys all sessions that have this value in an indexed field: "log out everywhere". Returns how many it ended.
    ///
    /// When it returns, no session lives that was stored with this value before the call, whatever handlers did
    /// meanwhile: one that was renewed is followed to its new key. Sessions that get the value during the call may end
    /// too; those that were created after it began are left alone.
    ///
    /// ```
    /// # use session_runtime::{MemoryStore, Session, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { #[session(index)] user: Option<u64> }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), session_runtime::Error> {
    /// # let sessions = Sessions::<Visitor>::new(MemoryStore::new());
    /// sessions.update("phone", |visitor| *visitor.edit().user() = Some(7)).await?;
    /// sessions.update("laptop", |visitor| *visitor.edit().user() = Some(7)).await?;
    /// assert_eq!(sessions.destroy_found(VisitorIndex::User(&Some(7))).await?, 2);
    /// assert_eq!(sessions.load("phone").await?.user, None);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`Sessions::count_found`], and [`Error::Contended`] when the sessions were renewed faster than they could
    /// be ended. Some are ended by then; it can be tried again. The deadline bounds each step, not the whole.
    pub fn destroy_found(&self, value: T::Index<'_>) -> impl Future<Output = Result<u64, Error>> + Send + use<T, C> {
        let (sessions, wanted) = (self.clone(), self.wanted(value));
        async move {
            let inner = &sessions.inner;
            let destroy = async {
                let search = pin!(sessions.search(wanted?));
                let find = within(inner.settings.deadline, &Span::none(), search).await?;
                inner.ending().destroy_found(&find, |_| {}).await
            };
            in_verb("destroy_found", &inner.name, destroy).await
        }
    }

    /// Makes sessions found that were stored before their field was marked `index`: goes through all keys of `store`,
    /// which is the one that these sessions are in, and stores the indexed fields of each anew. Returns how many there
    /// were.
    ///
    /// Until then [`find`](Sessions::find) misses those sessions. Let it run when no program is left that stores them
    /// without the index; if one stores such a field after all, that session is missed again, and never found by a
    /// wrong value. It counts as activity of each session. What cannot be read by this program is left as it is, with a
    /// warning in the log.
    ///
    /// ```
    /// # use session_runtime::{MemoryStore, Session, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { #[session(index)] user: Option<u64> }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), session_runtime::Error> {
    /// let store = MemoryStore::new();
    /// let sessions = Sessions::<Visitor>::new(store.clone());
    /// assert_eq!(sessions.build_index(&store).await?, 0); // nothing is stored
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Store`], those of [`Sessions::prepare`], and those of a commit. It can be tried again.
    pub async fn build_index<S: Housekeeping>(&self, store: &S) -> Result<u64, Error> {
        in_verb("build_index", &self.inner.name, self.index_all(store)).await
    }

    async fn index_all<S: Housekeeping>(&self, store: &S) -> Result<u64, Error> {
        let inner = &self.inner;
        within(inner.settings.deadline, &Span::none(), pin!(inner.agreed())).await?;
        let (mut after, mut built) = (None, 0);
        loop {
            let page = store
                .keys(&inner.name, after, FOUND_AT_ONCE, inner.settings.clock)
                .instrument(span("keys", &inner.name))
                .await?;
            for key in page.keys {
                built += u64::from(within(inner.settings.deadline, &Span::none(), pin!(self.index(key))).await?);
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(built),
            }
        }
    }

    /// Stores the indexed fields of a session anew. Returns whether it has any.
    async fn index(&self, key: Key) -> Result<bool, Error> {
        let shown = KeyHash::of(&key);
        let mut session = match self.load_key(key).await {
            Ok(session) if session.known.is_stored() => session,
            Ok(_) => return Ok(false),
            Err(error @ (Error::Store(_) | Error::InitialStateMismatch { .. })) => return Err(error),
            Err(error) => {
                tracing::warn!(session = &*self.inner.name, key = %shown, %error, "a session could not be indexed");
                return Ok(false);
            }
        };
        match session.run(Verb::Index).await {
            Ok(committed) => Ok(committed.outcome() != Outcome::Unchanged),
            Err(Error::Destroyed | Error::Renewed | Error::Expired) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Encodes a value, so that it need not be kept while the store is asked.
    fn wanted(&self, value: T::Index<'_>) -> Result<Wanted, Error> {
        let mut encoded = Vec::new();
        let (index, done) = field::encode_indexed::<T, C>(&self.inner.codec, value, &mut encoded);
        let name = || T::FIELDS.get(index).map_or("", |field| field.name).into();
        match done {
            Ok(()) => Ok((index, encoded.into())),
            Err(source) => Err(Error::Encode { field: name(), source }),
        }
    }

    /// What the store is to be asked for.
    async fn search(&self, (index, value): Wanted) -> Result<Find, Error> {
        let schema = &self.inner.agreed().await?.schema;
        let entry = schema.index_entry(index, &value);
        Ok(Find::all(self.inner.name.clone(), entry.field, value, entry.term, self.inner.settings.clock))
    }

    async fn ask(&self, find: &Find) -> Result<FoundPage, Error> {
        let _timing = self.inner.counters.time(Operation::Find);
        Ok(self.inner.store.find(find).instrument(span("find", &find.name)).await?)
    }

    /// Loads what was found without touching it, if it still has the value.
    async fn look_at(&self, key: &Key, index: usize, value: &FieldValue) -> Result<Option<(FoundSession, T)>, Error> {
        let inner = &self.inner;
        let Found::Record(record) = inner.look(key).await?.found else { return Ok(None) };
        let head = record.head;
        let decoded = inner.decode(inner.agreed().await?, record).await?;
        let has_it = decoded.baseline.stored(index) == Some(value);
        Ok(has_it.then(|| (FoundSession::new(key.clone(), &head, &inner.settings.lifetime), decoded.value)))
    }
}

/// The sessions with a value, as a stream: see [`Sessions::find`]. It ends after an error.
pub struct FoundSessions<T: Session, C> {
    sessions: Sessions<T, C>,
    /// What is looked for, until the store is asked first.
    wanted: Option<Result<Wanted, Error>>,
    found: std::vec::IntoIter<(Key, Head)>,
    /// What was given out: a store may find a session twice.
    seen: HashSet<Arc<str>>,
    /// What the store is to be asked for next.
    search: Option<Find>,
    asking: Option<Asking>,
}

type Asking = Pin<Box<dyn Future<Output = Result<(Find, FoundPage), Error>> + Send>>;

/// Nothing in it is pinned but what is boxed.
impl<T: Session, C> Unpin for FoundSessions<T, C> {}

impl<T: Session, C: Codec> FoundSessions<T, C> {
    /// The next session, for programs that bring no stream library.
    pub async fn next(&mut self) -> Option<Result<FoundSession, Error>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// What to ask next; nothing at the end.
    fn ask(&mut self) -> Option<Asking> {
        let (sessions, wanted, search) = (self.sessions.clone(), self.wanted.take(), self.search.take());
        if wanted.is_none() && search.is_none() {
            return None;
        }
        Some(Box::pin(async move {
            let page = async {
                let find = match (wanted, search) {
                    (Some(wanted), _) => Find { limit: Some(FOUND_AT_ONCE), ..sessions.search(wanted?).await? },
                    (None, Some(search)) => search,
                    (None, None) => return Err(Error::Contended),
                };
                let page = sessions.ask(&find).await?;
                Ok((find, page))
            };
            let deadline = sessions.inner.settings.deadline;
            in_verb("find", &sessions.inner.name, within(deadline, &Span::none(), pin!(page))).await
        }))
    }

    fn take(&mut self, find: Find, page: FoundPage) {
        self.found = page.sessions.into_iter();
        self.search = page.next.map(|next: Cursor| Find { after: Some(next), ..find });
    }
}

impl<T: Session, C: Codec> Stream for FoundSessions<T, C> {
    type Item = Result<FoundSession, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            for (key, head) in this.found.by_ref() {
                if this.seen.insert(key.id().into()) {
                    let lifetime = &this.sessions.inner.settings.lifetime;
                    return Poll::Ready(Some(Ok(FoundSession::new(key, &head, lifetime))));
                }
            }
            if this.asking.is_none() {
                this.asking = this.ask();
            }
            let Some(asking) = &mut this.asking else { return Poll::Ready(None) };
            let answer = ready!(asking.as_mut().poll(context));
            this.asking = None;
            match answer {
                Ok((find, page)) => this.take(find, page),
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
        }
    }
}

impl<T: Session, C> fmt::Debug for FoundSessions<T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FoundSessions").field("sessions", &self.sessions).finish_non_exhaustive()
    }
}
