use tracing::Instrument;

use super::tool::{Admin, span};
use crate::error::Error;
use crate::store::{Housekeeping, Registrations};

impl<S: Housekeeping> Admin<S> {
    /// All registrations: the session names and versions that programs have served, and their initial values. One that
    /// is damaged is named.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn registrations(&self) -> Result<Registrations, Error> {
        self.prepare().await?;
        Ok(self.store.registrations().instrument(span("registrations", "")).await?)
    }

    /// Removes a registration, so that the next program that starts registers its own initial values. Returns whether
    /// there was one.
    ///
    /// Records that refer to it can no longer be read by programs that start from then on: do this only when there are
    /// none, and when no program runs that has agreed on it. Such a program registers it again with its next commit.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn withdraw(&self, name: &str, version: u32) -> Result<bool, Error> {
        self.prepare().await?;
        Ok(self.store.withdraw(name, version).instrument(span("withdraw", name)).await?)
    }
}
