//! Changes that are serializable: a closure runs on the current record, or runs again.

use std::ops::ControlFlow;
use std::pin::pin;
use std::time::Duration;

use tokio::time::Instant;

use super::Sessions;
use super::commit::Verb;
use super::deadline::{pause, within};
use super::handle::Handle;
use super::progress::Progress;
use super::send::Sent;
use super::spans::{key_verb_span, tell};
use crate::codec::Codec;
use crate::error::Error;
use crate::session::Session;
use crate::stats::Count;
use crate::store::Key;
use crate::store::rule::Commits;
use crate::tracked::Tracked;

/// How long a change whose answer was lost waits before it is sent again: not at first, then this long, and twice as
/// long each time, until [`LONGEST_PAUSE`].
const PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

impl<T: Session, C: Codec> Sessions<T, C> {
    /// Loads the session of `key`, changes it, commits it, and returns what `change` returned.
    ///
    /// The change is made on the session as it is when it is stored: when another commit comes in between, `change`
    /// runs again on what that left, and what it did before is dropped. Nothing is merged, and nothing is lost: fifty
    /// tasks that each add one to a counter add fifty. So `change` can run more than once, and must do nothing but
    /// change the session; it is no async function for the same reason. Await what it needs before.
    ///
    /// A commit whose answer is lost is sent again until the deadline, and applied once.
    ///
    /// ```
    /// # use session_runtime::{MemoryStore, Session, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { visits: u32 }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), session_runtime::Error> {
    /// # let sessions = Sessions::<Visitor>::new(MemoryStore::new());
    /// let visits = sessions
    ///     .update("42", |visitor| {
    ///         *visitor.edit().visits() += 1;
    ///         visitor.visits
    ///     })
    ///     .await?;
    /// assert_eq!(visits, 1);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`Sessions::load`] and [`Handle::commit`], but for [`Error::Conflict`].
    pub async fn update<R>(&self, key: &str, mut change: impl FnMut(&mut Handle<T, C>) -> R) -> Result<R, Error> {
        self.try_update(key, |session| Ok(change(session))).await
    }

    /// Like [`Sessions::update`], but an error of `change` is returned and nothing is stored.
    ///
    /// ```
    /// # use session_runtime::{Error, MemoryStore, Session, Sessions};
    /// # #[derive(Session)]
    /// # struct Account { coins: u32 }
    /// #[derive(Debug)]
    /// enum Purchase {
    ///     TooFewCoins,
    ///     Session(Error),
    /// }
    /// # impl From<Error> for Purchase { fn from(error: Error) -> Self { Self::Session(error) } }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # let sessions = Sessions::<Account>::new(MemoryStore::new());
    /// let bought = sessions
    ///     .try_update("42", |account| {
    ///         let left = account.coins.checked_sub(5).ok_or(Purchase::TooFewCoins)?;
    ///         *account.edit().coins() = left;
    ///         Ok(())
    ///     })
    ///     .await;
    /// assert!(matches!(bought, Err(Purchase::TooFewCoins)));
    /// # }
    /// ```
    ///
    /// # Errors
    /// What `change` returns, and those of [`Sessions::load`] and [`Handle::commit`], but for [`Error::Conflict`].
    pub async fn try_update<R, E: From<Error>>(
        &self,
        key: &str,
        change: impl FnMut(&mut Handle<T, C>) -> Result<R, E>,
    ) -> Result<R, E> {
        let key = Key::new(self.inner.name.clone(), key).map_err(Error::from)?;
        self.update_within(key, &Verb::Commit, change).await
    }

    /// Updates within the deadline, in a span that tells what became of it.
    pub(super) async fn update_within<R, E: From<Error>>(
        &self,
        key: Key,
        verb: &Verb,
        change: impl FnMut(&mut Handle<T, C>) -> Result<R, E>,
    ) -> Result<R, E> {
        let span = key_verb_span("update", &key);
        let mut progress = Progress::new();
        let update = self.run_again(key, verb, change, &mut progress);
        let done = within(self.inner.settings.deadline, &span, pin!(update)).await;
        match done {
            Ok(Ok(result)) => {
                progress.tell(&span, Ok(()));
                Ok(result)
            }
            Ok(Err(refused)) => {
                tell(&span, "discarded");
                Err(refused)
            }
            Err(error) => {
                progress.tell(&span, Err(&error));
                Err(error.into())
            }
        }
    }

    /// The inner result is the closure's.
    async fn run_again<R, E>(
        &self,
        key: Key,
        verb: &Verb,
        mut change: impl FnMut(&mut Handle<T, C>) -> Result<R, E>,
        progress: &mut Progress<T>,
    ) -> Result<Result<R, E>, Error> {
        // The turn is taken before the session is loaded, so that no commit of this process comes in between.
        let _turn = self.inner.queues.enter(key.keyed_hash()).await;
        let mut session = self.load_key(key).await?;
        loop {
            let result = change(&mut session);
            if result.is_err() {
                session.discard();
                return Ok(result);
            }
            match session.commit_or_take_over(verb, progress).await {
                Ok(ControlFlow::Break(())) => return Ok(result),
                Ok(ControlFlow::Continue(())) => {}
                Err(error) => {
                    session.discard();
                    return Err(error);
                }
            }
        }
    }
}

impl<T: Session, C: Codec> Handle<T, C> {
    /// Commits, or takes over what came in between and drops what the handle changed: then it is to be changed again.
    async fn commit_or_take_over(&mut self, verb: &Verb, progress: &mut Progress<T>) -> Result<ControlFlow<()>, Error> {
        if self.is_unmarked() {
            self.count(Count::Unmarked, 1);
            return Ok(ControlFlow::Break(()));
        }
        match self.freeze(verb) {
            Ok(ControlFlow::Continue(())) => {}
            Ok(ControlFlow::Break(cause)) => {
                self.count_avoided(cause);
                return Ok(ControlFlow::Break(()));
            }
            Err(error) => return self.counted(Err(error)),
        }
        let sent = self.send_until_answered(progress).await;
        match self.counted(sent)? {
            Sent::Applied => return Ok(ControlFlow::Break(())),
            Sent::Conflict(record) => {
                let taken = self.take_over(record).await;
                self.counted(taken)?;
            }
            Sent::Purged(known) => {
                self.expiry = self.known.own_expiry();
                self.tracked = Tracked::initial(self.agreed.schema.clone())?;
                (self.known, self.commits) = (known, Commits::default());
            }
        }
        self.count(Count::Reruns, 1);
        Ok(ControlFlow::Continue(()))
    }

    /// Sends what is pending, and again while answers are lost: nobody else could, since the handle ends here. The
    /// deadline of the whole operation bounds it.
    async fn send_until_answered(&mut self, progress: &mut Progress<T>) -> Result<Sent, Error> {
        let (started, mut wait) = (Instant::now(), Duration::ZERO);
        loop {
            match self.send(progress).await {
                Err(Error::Store(error)) if self.pending.is_some() && error.kind().is_transient() => {
                    let is_late = started.elapsed() + wait >= self.deadline();
                    if is_late || !wait.is_zero() && !pause(wait).await {
                        return Err(error.into());
                    }
                    wait = (wait * 2).clamp(PAUSE, LONGEST_PAUSE);
                }
                answered => return answered,
            }
        }
    }
}
