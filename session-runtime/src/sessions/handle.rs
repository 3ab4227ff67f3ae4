use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use super::Sessions;
use super::absence::Absence;
use super::agreed::Agreed;
use super::known::Known;
use super::pending::Pending;
use crate::codec::{Codec, Json};
use crate::error::Error;
use crate::expiry::Timestamp;
use crate::schema::WriteMigrated;
use crate::session::{MarkSet, Session};
use crate::stats::Count;
use crate::store::rule::Commits;
use crate::store::{Base, Ended, ExpiryChange, Key, KeyHash};
use crate::tracked::{Fields, Tracked};

/// A loaded session.
///
/// It reads like the session itself. It is changed through [`edit`](Handle::edit), and what was changed is stored by
/// [`commit`](Handle::commit). A handle that is dropped with uncommitted changes logs a warning.
///
/// ```
/// # use session_runtime::{MemoryStore, Session, Sessions};
/// # #[derive(Session)]
/// # struct Visitor { visits: u32, theme: String }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), session_runtime::Error> {
/// # let sessions = Sessions::<Visitor>::new(MemoryStore::new());
/// let mut visitor = sessions.load("42").await?;
/// assert_eq!(visitor.theme, "");
/// *visitor.edit().visits() += 1;
/// visitor.commit().await?;
/// # Ok(()) }
/// ```
pub struct Handle<T: Session, C: Codec = Json> {
    /// The session's value, its marks and its baseline.
    pub(super) tracked: Tracked<T, C>,
    pub(super) sessions: Sessions<T, C>,
    /// What was agreed on when the session was loaded.
    pub(super) agreed: Arc<Agreed<T, C>>,
    pub(super) key: Key,
    /// What is known of the stored session.
    pub(super) known: Known,
    /// The last commits of its key, as far as it is known which they are.
    pub(super) commits: Commits,
    /// When it was loaded, by the store's clock.
    pub(super) loaded_at: Timestamp,
    /// Whether the load moved its expiry.
    pub(super) touched: bool,
    /// What a handler wants the session's end to be and has not committed.
    pub(super) expiry: ExpiryChange,
    /// A change that was sent and whose answer is missing.
    pub(super) pending: Option<Pending<T>>,
    /// The fields of others that the changes replace, as far as no commit has told of them yet.
    pub(super) overwritten: Fields<T>,
}

impl<T: Session, C: Codec> Handle<T, C> {
    #[inline]
    pub(super) fn new(
        sessions: Sessions<T, C>,
        agreed: Arc<Agreed<T, C>>,
        key: Key,
        tracked: Tracked<T, C>,
        known: Known,
        loaded_at: Timestamp,
    ) -> Self {
        let (expiry, pending, overwritten) = (ExpiryChange::Keep, None, Fields::none());
        let (commits, touched) = (Commits::default(), false);
        Self { tracked, sessions, agreed, key, known, commits, loaded_at, touched, expiry, pending, overwritten }
    }

    /// Those that it is one of.
    #[cfg(feature = "_web")]
    pub(crate) fn sessions(&self) -> &Sessions<T, C> {
        &self.sessions
    }

    /// The key under which the session is stored.
    ///
    /// ```
    /// # use session_runtime::{MemoryStore, Session, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { visits: u32 }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), session_runtime::Error> {
    /// # let sessions = Sessions::<Visitor>::new(MemoryStore::new());
    /// assert_eq!(sessions.load("42").await?.key(), "42");
    /// # Ok(()) }
    /// ```
    pub fn key(&self) -> &str {
        self.key.id()
    }

    /// Lends the session for change, field by field.
    ///
    /// A field counts as changed if its encoded value differs from what is stored, so nothing that is changed through
    /// the borrow is missed. What is changed without a mutable borrow is not noticed: the insides of a `Cell`, a
    /// `Mutex` or an atomic.
    ///
    /// ```
    /// # use session_runtime::{MemoryStore, Session, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { visits: u32, cart: Vec<String> }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), session_runtime::Error> {
    /// # let sessions = Sessions::<Visitor>::new(MemoryStore::new());
    /// let mut visitor = sessions.load("42").await?;
    /// *visitor.edit().visits() += 1;
    /// visitor.edit().cart().push("tea".to_owned());
    /// # visitor.discard();
    /// # Ok(()) }
    /// ```
    #[inline]
    pub fn edit(&mut self) -> T::Edit<'_> {
        self.tracked.edit()
    }

    /// Lends the whole session for change, for two fields at once or for methods that take `&mut self`.
    ///
    /// A commit then looks at every field, and still finds the ones that changed.
    ///
    /// ```
    /// # use session_runtime::{MemoryStore, Session, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { first: String, second: String }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), session_runtime::Error> {
    /// # let sessions = Sessions::<Visitor>::new(MemoryStore::new());
    /// let mut visitor = sessions.load("42").await?;
    /// let all = visitor.edit_all();
    /// std::mem::swap(&mut all.first, &mut all.second);
    /// assert!(visitor.dirty()?.is_empty()); // both were empty
    /// # Ok(()) }
    /// ```
    #[inline]
    pub fn edit_all(&mut self) -> &mut T {
        self.tracked.edit_all()
    }

    /// The fields that a commit would store or remove now.
    ///
    /// ```
    /// # use session_runtime::{MemoryStore, Session, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { visits: u32, theme: String }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), session_runtime::Error> {
    /// # let sessions = Sessions::<Visitor>::new(MemoryStore::new());
    /// let mut visitor = sessions.load("42").await?;
    /// *visitor.edit().visits() += 1;
    /// assert!(visitor.dirty()?.contains(VisitorField::Visits));
    /// # visitor.discard();
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Encode`] when a marked field cannot be encoded.
    pub fn dirty(&self) -> Result<Fields<T>, Error> {
        let mut dirty = self.tracked.dirty()?;
        if let Some(pending) = &self.pending {
            dirty.extend(&pending.fields);
        }
        Ok(dirty)
    }

    /// Forgets uncommitted changes of this handle without a warning. What is stored stays as it is.
    ///
    /// ```
    /// # use session_runtime::{MemoryStore, Session, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { visits: u32 }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), session_runtime::Error> {
    /// # let sessions = Sessions::<Visitor>::new(MemoryStore::new());
    /// let mut visitor = sessions.load("42").await?;
    /// *visitor.edit().visits() += 1;
    /// visitor.discard();
    /// assert_eq!(sessions.load("42").await?.visits, 0);
    /// # Ok(()) }
    /// ```
    pub fn discard(mut self) {
        self.give_up();
    }

    /// Forgets uncommitted changes where the handle is.
    #[inline]
    pub(crate) fn give_up(&mut self) {
        self.tracked.marks.fill(false);
        self.expiry = ExpiryChange::Keep;
        self.pending = None;
    }

    /// Whether the session was not stored when it was loaded, nor by a commit since.
    ///
    /// ```
    /// # use session_runtime::{MemoryStore, Session, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { visits: u32 }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), session_runtime::Error> {
    /// # let sessions = Sessions::<Visitor>::new(MemoryStore::new());
    /// let mut visitor = sessions.load("42").await?;
    /// assert!(visitor.is_new());
    /// *visitor.edit().visits() += 1;
    /// visitor.commit().await?;
    /// assert!(!visitor.is_new());
    /// # Ok(()) }
    /// ```
    pub fn is_new(&self) -> bool {
        !self.known.is_stored()
    }

    /// Why no session is stored under this key, as far as the store still knows; `None` if one is stored.
    ///
    /// ```
    /// # use session_runtime::{Absence, MemoryStore, Session, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { visits: u32 }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), session_runtime::Error> {
    /// # let sessions = Sessions::<Visitor>::new(MemoryStore::new());
    /// assert_eq!(sessions.load("42").await?.absence(), Some(Absence::Never));
    /// sessions.update("42", |visitor| *visitor.edit().visits() += 1).await?;
    /// assert_eq!(sessions.load("42").await?.absence(), None);
    /// sessions.destroy("42").await?;
    /// assert_eq!(sessions.load("42").await?.absence(), Some(Absence::Destroyed));
    /// # Ok(()) }
    /// ```
    pub fn absence(&self) -> Option<Absence> {
        self.known.absence()
    }

    /// Whether a commit has nothing to do, which costs nothing to find out.
    #[inline]
    pub(super) fn is_unmarked(&self) -> bool {
        !self.tracked.marks.any()
            && self.pending.is_none()
            && self.expiry == ExpiryChange::Keep
            && !self.is_due_to_migrate()
            && !self.known.is_moved_in()
            && (!T::CONTAINER.persist_always || self.known.is_stored() || self.known.is_ended())
    }

    /// Whether anything was borrowed for change, or is to be changed, and is not committed.
    #[cfg(feature = "_web")]
    pub(crate) fn is_marked(&self) -> bool {
        self.tracked.marks.any()
            || self.pending.is_some()
            || self.expiry != ExpiryChange::Keep
            || self.known.is_moved_in()
    }

    /// Gives a session that was started, and of which nothing was sent, the key under which it is to be stored.
    #[cfg(feature = "_web")]
    pub(crate) fn start_at(&mut self, key: &str) -> Result<(), Error> {
        self.key = Key::new(self.sessions.inner.name.clone(), key)?;
        Ok(())
    }

    /// Whether the load moved the session's expiry.
    pub(crate) fn was_touched(&self) -> bool {
        self.touched
    }

    /// Whether a commit has nothing to do, which then counts as one.
    #[cfg(feature = "_web")]
    pub(crate) fn skips_commit(&self) -> bool {
        let skips = self.is_unmarked();
        if skips {
            self.count(Count::Unmarked, 1);
        }
        skips
    }

    /// Whether the next commit stores the session in the form of this version, whatever changed.
    #[inline]
    pub(super) fn is_due_to_migrate(&self) -> bool {
        self.known.is_migrated() && self.sessions.inner.settings.write_migrated == WriteMigrated::WithNextCommit
    }

    /// How a session that has ended is reported.
    pub(super) fn ended(&self, ended: Ended) -> Error {
        let is_past = |at: Timestamp| at <= Timestamp::now(self.sessions.inner.settings.clock);
        match ended {
            Ended::Renewed => Error::Renewed,
            Ended::Expired => Error::Expired,
            // Nothing is left that could tell, so the date decides which word is the likelier one.
            Ended::Unknown if self.known.expires_at().is_some_and(is_past) => Error::Expired,
            Ended::Destroyed | Ended::Replaced | Ended::Unknown => Error::Destroyed,
        }
    }

    /// How it is reported that a session to be destroyed had ended before, which is what was wanted, unless it lives
    /// on under another key.
    pub(super) fn ended_before_its_destruction(&self, ended: Ended, base: Base) -> Error {
        match (ended, base) {
            (Ended::Destroyed | Ended::Renewed, _) | (Ended::Expired, Base::Record { .. }) => self.ended(ended),
            (Ended::Replaced | Ended::Unknown, _) | (Ended::Expired, Base::Absent { .. }) => Error::OutcomeUnknown,
        }
    }

    #[inline]
    pub(super) fn count(&self, count: Count, by: u64) {
        self.sessions.inner.counters.add(count, by);
    }
}

impl<T: Session, C: Codec> Deref for Handle<T, C> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.tracked
    }
}

impl<T: Session, C: Codec> Drop for Handle<T, C> {
    fn drop(&mut self) {
        // Only a session with marks is looked at: what a handler borrowed and did not change is no loss.
        let lost = self.pending.is_some()
            || self.tracked.marks.any() && self.tracked.dirty().map_or(true, |dirty| !dirty.is_empty());
        if lost && !self.known.is_ended() && !std::thread::panicking() {
            tracing::warn!(
                session = self.key.name(),
                key = %KeyHash::of(&self.key),
                "a session was dropped with uncommitted changes; call `commit`, or `discard` if that is meant"
            );
        }
    }
}

/// Shows no value: a field can be secret. For the session as its type shows it, dereference the handle.
impl<T: Session, C: Codec> fmt::Debug for Handle<T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("key", &self.key).finish_non_exhaustive()
    }
}
