//! The versions before this one: which of them `from` reaches, and whether a store has sessions of others.

use super::Schema;
use crate::codec::Codec;
use crate::error::Error;
use crate::session::{Previous, Session};
use crate::store::Erased;

/// How many versions below this one are looked for. Each is a question to the store, asked once by the first program
/// that brings a new version.
const LOOKED_FOR: u32 = 32;

impl<T: Session, C: Codec> Schema<T, C> {
    /// Makes sure that this version can read what the versions before it stored.
    ///
    /// # Errors
    /// [`Error::NoMigration`] when an older version is registered that no `from` leads to.
    pub(crate) async fn reaches_older(&self, store: &dyn Erased, name: &str) -> Result<(), Error> {
        let supported = T::CONTAINER.version;
        let reached = reached::<T>();
        for stored in (supported.saturating_sub(LOOKED_FOR)..supported).rev().filter(|older| !reached.contains(older)) {
            if store.registration(name, stored).await?.is_some() {
                return Err(Error::NoMigration { stored, supported });
            }
        }
        Ok(())
    }
}

/// The versions that `from` leads to, newest first.
fn reached<T: Session>() -> Vec<u32> {
    let mut versions = Vec::new();
    T::previous(Chain { own: T::CONTAINER.version, versions: &mut versions });
    versions
}

struct Chain<'a> {
    own: u32,
    versions: &'a mut Vec<u32>,
}

impl<T: Session> Previous<T> for Chain<'_> {
    type Output = ();

    fn from<Old: Session>(self)
    where
        T: From<Old>,
    {
        let version = Old::CONTAINER.version;
        // The derive sees to it that versions fall on the way back; a chain in a circle must end all the same.
        if version < self.own {
            self.versions.push(version);
            Old::previous(Chain { own: version, versions: self.versions });
        }
    }

    fn none(self) {}
}
