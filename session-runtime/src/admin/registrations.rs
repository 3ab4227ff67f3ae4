use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tracing::Instrument;

use super::tool::Admin;
use crate::error::Error;
use crate::sessions::span;
use crate::store::{Housekeeping, Registrations, SEPARATOR};

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

    /// The namespaces of which the store has registrations, by their names, and the session names of each.
    ///
    /// ```
    /// # use session_runtime::{Admin, MemoryStore, Session, Sessions};
    /// # use session_runtime::store::Namespaced;
    /// # #[derive(Session)]
    /// # struct Visitor { visits: u32 }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = MemoryStore::new();
    /// Sessions::<Visitor>::new(Namespaced::new(store.clone(), "shop")?).prepare().await?;
    /// let namespaces = Admin::new(store).namespaces().await?;
    /// assert_eq!(&*namespaces["shop"].first().expect("a session type").clone(), "Visitor");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn namespaces(&self) -> Result<BTreeMap<Arc<str>, BTreeSet<Arc<str>>>, Error> {
        let Registrations { found, damaged } = self.registrations().await?;
        let names = found.iter().map(|one| &one.name).chain(damaged.iter().map(|one| &one.name));
        let mut namespaces: BTreeMap<Arc<str>, BTreeSet<Arc<str>>> = BTreeMap::new();
        for (namespace, name) in names.filter_map(|name| name.split_once(SEPARATOR)) {
            namespaces.entry(namespace.into()).or_default().insert(name.into());
        }
        Ok(namespaces)
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
