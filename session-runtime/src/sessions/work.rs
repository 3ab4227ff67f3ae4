//! Work that is done once, however often it is delivered: its commit has an id that tells which work it does.

use super::Sessions;
use super::commit::Verb;
use super::committed::Committed;
use super::handle::Handle;
use super::progress::Progress;
use crate::codec::Codec;
use crate::error::Error;
use crate::session::Session;
use crate::stats::Count;
use crate::store::{Key, WorkId};

/// What came of a piece of work that is to be done once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[must_use = "it tells whether the work was done now or before"]
pub enum Once<R> {
    /// It is done now.
    Done(R),
    /// It was done before: nothing was stored now.
    DoneBefore,
}

impl<R> Once<R> {
    /// What was done now; `None` if it was done before.
    ///
    /// ```
    /// use session_runtime::Once;
    ///
    /// assert_eq!(Once::Done(7).done(), Some(7));
    /// assert_eq!(Once::<u8>::DoneBefore.done(), None);
    /// ```
    pub fn done(self) -> Option<R> {
        match self {
            Self::Done(result) => Some(result),
            Self::DoneBefore => None,
        }
    }
}

impl<T: Session, C: Codec> Handle<T, C> {
    /// Commits what a piece of work changed, unless it is done already: a second delivery of the same work, in whatever
    /// process, stores nothing. `work` is what names it: the id of an update, an `Idempotency-Key`, the id of a message.
    ///
    /// ```
    /// # use session_runtime::{MemoryStore, Once, Session, Sessions};
    /// # #[derive(Session)]
    /// # struct Account { coins: u32 }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), session_runtime::Error> {
    /// # let sessions = Sessions::<Account>::new(MemoryStore::new());
    /// for delivery in 1..=2 {
    ///     let mut account = sessions.load("42").await?;
    ///     if account.has_done("payment-7") {
    ///         assert_eq!(delivery, 2);
    ///         continue; // before anything is sent to anybody
    ///     }
    ///     *account.edit().coins() += 100;
    ///     assert!(matches!(account.commit_as("payment-7").await?, Once::Done(_)));
    /// }
    /// assert_eq!(sessions.load("42").await?.coins, 100);
    /// # Ok(()) }
    /// ```
    ///
    /// What is promised: of all deliveries of a piece of work, one at most is stored. When two run at the same time, the
    /// later one learns from its commit that the work is done ([`Once::DoneBefore`]); then the handle holds the session
    /// as it is stored, and what it changed is forgotten. This holds as far as the store remembers: for the last eight
    /// commits of a key, of whatever work, as long as a session is stored there and for an hour after it ended, or what
    /// [`retention`](crate::SessionsBuilder::retention) says. A delivery that comes later is done again.
    ///
    /// What is not: effects outside of the store. A process that dies between them and the commit has had them, and the
    /// next delivery has them again; one that dies after the commit has them not, if they were to come then. Work that
    /// changes nothing is not written, so it is not remembered either: it runs again with each delivery. A piece of work
    /// is one commit of one session: what is changed after it is committed is stored by [`commit`](Handle::commit).
    ///
    /// A commit whose answer is lost can be made again with the same handle, as ever: it is the same delivery.
    ///
    /// # Errors
    /// Those of [`commit`](Handle::commit).
    pub async fn commit_as(&mut self, work: impl Into<WorkId>) -> Result<Once<Committed<T>>, Error> {
        let work = work.into();
        if self.is_unmarked() && !self.has_done(work) {
            self.count(Count::Unmarked, 1);
            return Ok(Once::Done(Committed::unchanged()));
        }
        let mut progress = Progress::of(work);
        self.run_within(&Verb::Work(work), &mut progress).await?;
        Ok(if progress.found_done() { Once::DoneBefore } else { Once::Done(progress.committed) })
    }

    /// Whether this piece of work is done: one of the last eight commits of the key, as the load found them, was made
    /// [for it](Handle::commit_as), or one of this handle. Ask before you do what cannot be taken back.
    ///
    /// ```
    /// # use session_runtime::{MemoryStore, Session, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { visits: u32 }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), session_runtime::Error> {
    /// # let sessions = Sessions::<Visitor>::new(MemoryStore::new());
    /// sessions.update_as("42", 7_u64, |visitor| *visitor.edit().visits() += 1).await?.done();
    /// assert!(sessions.load("42").await?.has_done(7_u64));
    /// assert!(!sessions.load("42").await?.has_done(8_u64));
    /// # Ok(()) }
    /// ```
    pub fn has_done(&self, work: impl Into<WorkId>) -> bool {
        self.commits.have_done(work.into())
    }
}

/// Why a change was not made.
enum Stop<E> {
    DoneBefore,
    By(E),
}

impl<E: From<Error>> From<Error> for Stop<E> {
    fn from(error: Error) -> Self {
        Self::By(error.into())
    }
}

impl<T: Session, C: Codec> Sessions<T, C> {
    /// Like [`Sessions::update`], unless this piece of work is done already: then `change` does not run, or what it did
    /// is dropped. What is promised of that, [`Handle::commit_as`] tells.
    ///
    /// ```
    /// # use session_runtime::{MemoryStore, Once, Session, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { visits: u32 }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), session_runtime::Error> {
    /// # let sessions = Sessions::<Visitor>::new(MemoryStore::new());
    /// for expected in [Once::Done(1), Once::DoneBefore] {
    ///     let visits = sessions.update_as("42", "message-7", |visitor| {
    ///         *visitor.edit().visits() += 1;
    ///         visitor.visits
    ///     });
    ///     assert_eq!(visits.await?, expected);
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`Sessions::update`].
    pub async fn update_as<R>(
        &self,
        key: &str,
        work: impl Into<WorkId>,
        mut change: impl FnMut(&mut Handle<T, C>) -> R,
    ) -> Result<Once<R>, Error> {
        self.try_update_as(key, work, |session| Ok(change(session))).await
    }

    /// Like [`Sessions::update_as`], but an error of `change` is returned and nothing is stored: the work is not done.
    ///
    /// # Errors
    /// What `change` returns, and those of [`Sessions::update`].
    pub async fn try_update_as<R, E: From<Error>>(
        &self,
        key: &str,
        work: impl Into<WorkId>,
        mut change: impl FnMut(&mut Handle<T, C>) -> Result<R, E>,
    ) -> Result<Once<R>, E> {
        let key = Key::new(self.inner.name.clone(), key).map_err(Error::from)?;
        let work = work.into();
        let change = |session: &mut Handle<T, C>| {
            if session.has_done(work) {
                return Err(Stop::DoneBefore);
            }
            change(session).map_err(Stop::By)
        };
        match self.update_within(key, &Verb::Work(work), change).await {
            Ok(result) => Ok(Once::Done(result)),
            Err(Stop::DoneBefore) => Ok(Once::DoneBefore),
            Err(Stop::By(error)) => Err(error),
        }
    }
}
