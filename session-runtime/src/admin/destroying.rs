use tracing::Instrument;

use super::tool::{Admin, key_span};
use crate::error::Error;
use crate::expiry::Lifetime;
use crate::store::{Action, Base, Commit, Ended, Housekeeping, Key, Reply, StoreError, StoreErrorKind};

/// How often a session is looked for again that was replaced while it was about to be destroyed.
const TRIES: u32 = 64;

impl<S: Housekeeping> Admin<S> {
    /// Destroys a session; handles that were loaded before can no longer store anything. Returns whether a session was
    /// stored.
    ///
    /// # Errors
    /// [`Error::InvalidKey`]; [`Error::Renewed`] when the session moved to another key just now; [`Error::Store`], as [`Busy`](StoreErrorKind::Busy) if the session is created anew as
    /// fast as it is destroyed. It can be tried again.
    pub async fn destroy(&self, name: &str, id: &str) -> Result<bool, Error> {
        let key = Key::new(name.into(), id)?;
        for _ in 0..TRIES {
            let Some(record) = self.look(&key).await? else { return Ok(false) };
            let (base, lifetime) = (Base::from(&record.head), Lifetime::unruled(self.retention));
            let commit = Commit::new(base, Action::Destroy, lifetime, self.clock);
            match self.store.commit(&key, &commit).instrument(key_span("destroy", &key)).await? {
                Reply::Applied(applied) => return Ok(applied.was_stored),
                Reply::Ended(Ended::Renewed) => return Err(Error::Renewed),
                // It ended since, or another took its place.
                _ => {}
            }
        }
        let message = "the session was created anew each time it was about to be destroyed; try again";
        Err(StoreError::new(StoreErrorKind::Busy, message).into())
    }
}
