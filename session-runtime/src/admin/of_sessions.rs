//! The administration of the sessions of one type.

use super::tool::Admin;
use crate::codec::Codec;
use crate::schema::Sensitive;
use crate::session::Session;
use crate::sessions::Sessions;
use crate::store::Housekeeping;

impl<T: Session, C: Codec> Sessions<T, C> {
    /// The administration of the store that these sessions are in, with their retention and clock. What it purges is
    /// counted by [`Sessions::stats`], and what this program marks as `sensitive` is redacted, whatever is registered.
    ///
    /// ```
    /// # use session_runtime::{MemoryStore, Session, Sessions};
    /// # #[derive(Session)]
    /// # #[session(name = "visitor")]
    /// # struct Visitor { visits: u32 }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), session_runtime::Error> {
    /// let store = MemoryStore::new();
    /// let sessions = Sessions::<Visitor>::new(store.clone());
    /// sessions.update("42", |visitor| *visitor.edit().visits() += 1).await?;
    /// assert_eq!(sessions.admin(store).count("visitor").await?, 1);
    /// # Ok(()) }
    /// ```
    pub fn admin<S: Housekeeping>(&self, store: S) -> Admin<S> {
        let inner = &self.inner;
        Admin::new(store)
            .retention(inner.settings.retention)
            .clock_offset(inner.settings.clock)
            .of_sessions(Sensitive::of::<T>(), inner.counters.clone())
    }
}
