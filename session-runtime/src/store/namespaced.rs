use std::sync::Arc;

use super::name::{InvalidName, check_name};
use super::{
    Action, Commit, Cursor, DamagedRegistration, Find, FoundPage, Housekeeping, Key, Keys, Load, Loaded, Purged,
    Registration, Registrations, Reply, Store, StoreError,
};
use crate::expiry::ClockOffset;

/// Ends the namespace in a name. No name contains it.
pub(crate) const SEPARATOR: char = '/';

/// The part of a store that belongs to one application.
///
/// Session types of one name in two namespaces of a store have nothing in common: neither keys nor what was agreed on.
/// [`connect`](super::connect) makes one where a URL ends in `?namespace=NAME`. Within the store, a session type
/// `visitor` of the namespace `shop` is called `shop/visitor`; that is how [`Admin`](crate::Admin) sees it from
/// outside of the namespace.
///
/// ```
/// # use session_runtime::{MemoryStore, Session, Sessions};
/// use session_runtime::store::Namespaced;
///
/// # #[derive(Session)]
/// # struct Visitor { visits: u32 }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = MemoryStore::new();
/// let shop = Sessions::<Visitor>::new(Namespaced::new(store.clone(), "shop")?);
/// let blog = Sessions::<Visitor>::new(Namespaced::new(store, "blog")?);
/// shop.update("42", |visitor| *visitor.edit().visits() += 1).await?;
/// assert_eq!(blog.load("42").await?.visits, 0);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Namespaced<S> {
    inner: S,
    /// The namespace and the separator.
    prefix: Arc<str>,
}

impl<S> Namespaced<S> {
    /// The part of `inner` that is called `namespace`.
    ///
    /// # Errors
    /// When that cannot be a name.
    pub fn new(inner: S, namespace: &str) -> Result<Self, InvalidName> {
        check_name(namespace)?;
        Ok(Self { inner, prefix: format!("{namespace}{SEPARATOR}").into() })
    }

    /// Its name.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.prefix.trim_end_matches(SEPARATOR)
    }

    fn inside(&self, name: &str) -> Arc<str> {
        format!("{}{name}", self.prefix).into()
    }

    fn key(&self, key: &Key) -> Key {
        key.called(self.inside(key.name()))
    }

    /// The name as it is known in this namespace, if it is one of it.
    fn outside(&self, name: &str) -> Option<Arc<str>> {
        name.strip_prefix(&*self.prefix).map(Arc::from)
    }

    fn registration(&self, registration: Registration) -> Option<Registration> {
        Some(Registration { name: self.outside(&registration.name)?, ..registration })
    }
}

impl<S: Store> Store for Namespaced<S> {
    async fn load(&self, key: &Key, load: Load) -> Result<Loaded, StoreError> {
        self.inner.load(&self.key(key), load).await
    }

    async fn commit(&self, key: &Key, commit: &Commit) -> Result<Reply, StoreError> {
        let Action::Renew { to, write } = &commit.action else {
            return self.inner.commit(&self.key(key), commit).await;
        };
        let action = Action::Renew { to: self.key(to), write: write.clone() };
        self.inner.commit(&self.key(key), &Commit { action, ..commit.clone() }).await
    }

    async fn find(&self, find: &Find) -> Result<FoundPage, StoreError> {
        let inside = Find { name: self.inside(&find.name), ..find.clone() };
        let mut page = self.inner.find(&inside).await?;
        for (key, _) in &mut page.sessions {
            *key = key.called(find.name.clone());
        }
        Ok(page)
    }

    async fn registration(&self, name: &str, version: u32) -> Result<Option<Registration>, StoreError> {
        let found = self.inner.registration(&self.inside(name), version).await?;
        Ok(found.map(|found| Registration { name: name.into(), ..found }))
    }

    async fn register(&self, proposal: &Registration) -> Result<Registration, StoreError> {
        let inside = Registration { name: self.inside(&proposal.name), ..proposal.clone() };
        let registered = self.inner.register(&inside).await?;
        Ok(Registration { name: proposal.name.clone(), ..registered })
    }

    crate::delegate_store!(inner: prepare);
}

impl<S: Housekeeping> Housekeeping for Namespaced<S> {
    async fn keys(
        &self,
        name: &str,
        after: Option<Cursor>,
        limit: usize,
        clock: ClockOffset,
    ) -> Result<Keys, StoreError> {
        let Keys { keys, next } = self.inner.keys(&self.inside(name), after, limit, clock).await?;
        let name: Arc<str> = name.into();
        Ok(Keys { keys: keys.iter().map(|key| key.called(name.clone())).collect(), next })
    }

    async fn count(&self, name: &str, clock: ClockOffset) -> Result<u64, StoreError> {
        self.inner.count(&self.inside(name), clock).await
    }

    /// Purges the whole store.
    async fn purge(&self, limit: usize, clock: ClockOffset) -> Result<Purged, StoreError> {
        self.inner.purge(limit, clock).await
    }

    async fn registrations(&self) -> Result<Registrations, StoreError> {
        let Registrations { found, damaged } = self.inner.registrations().await?;
        let damaged = damaged.into_iter().filter_map(|one| {
            let name = self.outside(&one.name)?;
            Some(DamagedRegistration { name, ..one })
        });
        Ok(Registrations {
            found: found.into_iter().filter_map(|one| self.registration(one)).collect(),
            damaged: damaged.collect(),
        })
    }

    async fn withdraw(&self, name: &str, version: u32) -> Result<bool, StoreError> {
        self.inner.withdraw(&self.inside(name), version).await
    }
}
