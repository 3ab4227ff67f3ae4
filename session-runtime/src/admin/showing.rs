use tracing::Instrument;

use super::inspected::Inspected;
use super::tool::Admin;
use crate::error::Error;
use crate::sessions::span;
use crate::store::{Housekeeping, Key};

impl<S: Housekeeping> Admin<S> {
    /// Shows a session; `None` if none is stored under this key.
    ///
    /// Values of fields that the session's registration marks as sensitive are redacted, and so are those of which it
    /// is not known: fields that the registration does not have, and all if it was withdrawn.
    ///
    /// # Errors
    /// [`Error::InvalidKey`], [`Error::Store`].
    pub async fn inspect(&self, name: &str, id: &str) -> Result<Option<Inspected>, Error> {
        let key = Key::new(name.into(), id)?;
        let Some(record) = self.look(&key).await?.filter(|record| record.head.stored) else { return Ok(None) };
        let version = record.head.version;
        let registered = self.store.registration(name, version).instrument(span("registration", name)).await?;
        let registration = registered.filter(|registration| registration.answers_to(record.head.registration));
        let found = Inspected::new(key, record, registration);
        Ok(Some(match &self.sensitive {
            Some(sensitive) => found.redact(|field| sensitive.contains(field)),
            None => found,
        }))
    }
}
