use std::pin::pin;

use super::commit::Verb;
use super::committed::Outcome;
use super::deadline::within;
use super::handle::Handle;
use super::known::Known;
use crate::codec::Codec;
use crate::error::Error;
use crate::session::{MarkSet, Session};
use crate::store::{Ended, ExpiryChange};

impl<T: Session, C: Codec> Handle<T, C> {
    /// Removes the session. The handle, and every other that was loaded before, can no longer store anything.
    ///
    /// Returns [`Outcome::Unchanged`] when there was no stored session.
    ///
    /// ```
    /// # use session_runtime::{Error, MemoryStore, Outcome, Session, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { visits: u32 }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), session_runtime::Error> {
    /// # let sessions = Sessions::<Visitor>::new(MemoryStore::new());
    /// sessions.update("42", |visitor| *visitor.edit().visits() += 1).await?;
    /// let mut visitor = sessions.load("42").await?;
    /// assert_eq!(visitor.destroy().await?, Outcome::Removed);
    /// *visitor.edit().visits() += 1;
    /// assert!(matches!(visitor.commit().await, Err(Error::Destroyed)));
    /// # visitor.discard();
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Renewed`] when somebody else moved the session to another key, where it lives on;
    /// [`Error::OutcomeUnknown`] when it ended so long ago, or so much happened at its key since, that nobody can tell
    /// whether it does; [`Error::Store`], after which it can be tried again. If the answer to an earlier commit is
    /// missing, those of [`commit`](Handle::commit).
    pub async fn destroy(&mut self) -> Result<Outcome, Error> {
        let done = within(self.deadline(), pin!(self.run(Verb::Destroy))).await;
        let outcome = match done {
            Ok(committed) => committed.outcome(),
            // It has ended already, which is what was wanted.
            Err(Error::Destroyed | Error::Expired) => Outcome::Unchanged,
            Err(error) => return self.counted(Err(error)),
        };
        if !self.known.is_ended() {
            self.known = Known::Ended(Ended::Destroyed);
        }
        self.tracked.marks.fill(false);
        self.expiry = ExpiryChange::Keep;
        Ok(outcome)
    }
}
