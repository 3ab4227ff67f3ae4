//! Making sessions found that were stored without an index.

use tracing::Instrument;

use super::finding::check_field;
use super::tool::Admin;
use crate::error::Error;
use crate::expiry::Lifetime;
use crate::sessions::key_span;
use crate::store::{
    Action, Base, Change, Commit, Head, Housekeeping, IndexEntry, Key, Record, Reply, StoreError, StoreErrorKind, Term,
    Write,
};

/// How often a session is looked at again that others change while it is about to be indexed.
const TRIES: u32 = 64;

impl<S: Housekeeping> Admin<S> {
    /// Makes the sessions of this name found by `field` that were stored before their type marked it `index`: goes
    /// through all keys and stores the field of each as it is. Returns how many have it; `progress` is told after each
    /// how many so far.
    ///
    /// It is no activity: none of the sessions lives longer for it. Let it run when no program is left that stores them
    /// without the index. What a field holds is not looked at, so sessions of any version are indexed by the value that
    /// is stored. [`Sessions::build_index`](crate::Sessions::build_index) does the same for the sessions of one type,
    /// whatever their fields were called before, and for sensitive fields.
    ///
    /// ```
    /// # use session_runtime::{Admin, MemoryStore, Session, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { #[session(index)] user: Option<u64> }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), session_runtime::Error> {
    /// # let store = MemoryStore::new();
    /// # let sessions = Sessions::<Visitor>::new(store.clone());
    /// sessions.update("42", |visitor| *visitor.edit().user() = Some(7)).await?;
    /// assert_eq!(Admin::new(store).build_index("Visitor", "user", |done| println!("{done} so far")).await?, 1);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Store`]: as for [`Admin::find`], and [`Busy`](StoreErrorKind::Busy) when a session is changed as fast as
    /// it is looked at. It can be tried again.
    pub async fn build_index(&self, name: &str, field: &str, mut progress: impl FnMut(u64)) -> Result<u64, Error> {
        check_field(&self.newest(name).await?, field)?;
        let (mut keys, mut built) = (self.keys(name), 0);
        while let Some(key) = keys.next().await {
            if self.index(&key?, field).await? {
                built += 1;
                progress(built);
            }
        }
        Ok(built)
    }

    /// Stores a field of a session as it is, with its term. Returns whether the session has it.
    async fn index(&self, key: &Key, field: &str) -> Result<bool, Error> {
        for _ in 0..TRIES {
            let Some(Record { head, fields, .. }) = self.look(key).await? else { return Ok(false) };
            let Some(stored) = fields.into_iter().find(|stored| &*stored.name == field) else { return Ok(false) };
            let entry = IndexEntry { field: stored.name.clone(), term: Term::of(&stored.value) };
            let change = Change { name: stored.name, value: Some(stored.value) };
            let write = Write { index: vec![entry], ..Write::new(head.version, head.registration, vec![change]) };
            let commit = Commit::new(Base::from(&head), Action::Write(write), self.as_it_ends(&head), self.clock);
            match self.store.commit(key, &commit).instrument(key_span("commit", key)).await? {
                Reply::Applied(_) => return Ok(true),
                // It ended since, or nobody can read it.
                Reply::Ended(_) | Reply::Unregistered => return Ok(false),
                // Others changed it since.
                _ => {}
            }
        }
        let message = "a session was changed each time it was about to be indexed; try again";
        Err(StoreError::new(StoreErrorKind::Busy, message).into())
    }

    /// A lifetime under which a session ends when it does already.
    fn as_it_ends(&self, head: &Head) -> Lifetime {
        let creation = head.expires_at.map(|end| end.as_millis().saturating_sub(head.created_at.as_millis()));
        Lifetime { creation, ..Lifetime::unruled(self.retention) }
    }
}
