//! What was set aside because it could not be decoded.

use tracing::Instrument;

use super::tool::Admin;
use crate::error::Error;
use crate::sessions::key_span;
use crate::store::{Commit, Head, Housekeeping, Key, Reply, StoreError, StoreErrorKind};

impl<S: Housekeeping> Admin<S> {
    /// Puts a record that could not be decoded and was set aside back under its key, where a program that can decode
    /// it finds it. Returns whether one was kept aside.
    ///
    /// See [`OnUndecodable::SetAside`](crate::OnUndecodable::SetAside). What is set aside is listed, shown and
    /// destroyed under the name `name#aside`.
    ///
    /// # Errors
    /// [`Error::Occupied`] when a session is stored under the key by now; [`Error::RegistrationGone`] when no program could
    /// read it; [`Error::InvalidKey`]; [`Error::Store`].
    pub async fn put_back(&self, name: &str, id: &str) -> Result<bool, Error> {
        let key = Key::new(name.into(), id)?;
        let aside = key.aside();
        let Some(record) = self.look(&aside).await?.filter(|record| record.head.stored) else { return Ok(false) };
        let registered = self.store.registration(name, record.head.version).await?;
        let named = registered.filter(|registered| registered.answers_to(record.head.registration));
        let registration = named.ok_or(Error::RegistrationGone)?.id;
        let head = Head { registration, ..record.head };
        let commit = Commit::relocation(&head, key, self.retention, self.clock);
        match self.store.commit(&aside, &commit).instrument(key_span("put_back", &aside)).await? {
            Reply::Applied(_) => Ok(true),
            Reply::Occupied => Err(Error::Occupied),
            Reply::Conflict(_) | Reply::Ended(_) | Reply::Unregistered => {
                let message = "the record that is kept aside changed just now; try again";
                Err(StoreError::new(StoreErrorKind::Busy, message).not_applied().into())
            }
        }
    }
}
