use std::time::Duration;

use serde_json::Value;

use super::tool::Admin;
use crate::error::Error;
use crate::expiry::Lifetime;
use crate::sessions::Ending;
use crate::store::{Housekeeping, Key};

/// How long a step of ending what was found may take.
const DEADLINE: Duration = Duration::from_secs(30);

impl<S: Housekeeping> Admin<S> {
    /// Destroys a session; handles that were loaded before can no longer store anything. Returns whether a session was
    /// stored.
    ///
    /// # Errors
    /// [`Error::InvalidKey`]; [`Error::Renewed`] when the session moved to another key just now; [`Error::Store`], as
    /// [`Busy`](crate::StoreErrorKind::Busy) if the session is created anew as fast as it is destroyed. It can be tried
    /// again.
    pub async fn destroy(&self, name: &str, id: &str) -> Result<bool, Error> {
        let key = Key::new(name.into(), id)?;
        self.prepare().await?;
        Ok(self.ending().destroy(&key).await?.is_some_and(|applied| applied.was_stored))
    }

    /// Destroys all sessions of this name that have `value` in an indexed field. Returns how many it ended; `progress`
    /// is told after each how many have ended so far.
    ///
    /// When it returns, no session lives that was stored with this value before the call, whatever programs did
    /// meanwhile: one that was renewed is followed to its new key. Those that were created after it began are left alone.
    ///
    /// ```
    /// # use session_runtime::{Admin, MemoryStore, Session, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { #[session(index)] user: Option<u64> }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), session_runtime::Error> {
    /// # let store = MemoryStore::new();
    /// # let sessions = Sessions::<Visitor>::new(store.clone());
    /// sessions.update("phone", |visitor| *visitor.edit().user() = Some(7)).await?;
    /// sessions.update("laptop", |visitor| *visitor.edit().user() = Some(7)).await?;
    /// let progress = |ended| println!("{ended} so far");
    /// assert_eq!(Admin::new(store).destroy_found("Visitor", "user", &7.into(), progress).await?, 2);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`Admin::find`], and [`Error::Contended`] when the sessions were renewed faster than they could be ended.
    /// Some are ended by then; it can be tried again.
    pub async fn destroy_found(
        &self,
        name: &str,
        field: &str,
        value: &Value,
        progress: impl FnMut(u64),
    ) -> Result<u64, Error> {
        let find = self.search(name, field, value).await?;
        self.ending().destroy_found(&find, progress).await
    }

    fn ending(&self) -> Ending<'_> {
        let lifetime = Lifetime::unruled(self.retention);
        Ending { store: &self.store, lifetime, clock: self.clock, deadline: DEADLINE, counters: None }
    }
}
