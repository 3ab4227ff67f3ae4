use session_runtime::expiry::ClockOffset;
use session_runtime::store::{
    Action, Commit, Cursor, Find, FoundPage, Housekeeping, Key, Keys, Load, Loaded, Registration, Reply, Store,
    StoreError,
};

/// A store in which two builds of one session type meet.
///
/// Builds of a type have one name and one path, which a process has only once. In a test each is called by a name of
/// its own, and this store calls both by the one they share, and notes no path.
#[derive(Debug, Clone)]
pub struct Shared<S> {
    inner: S,
    name: &'static str,
}

impl<S> Shared<S> {
    /// Keeps the sessions of all builds under `name`.
    pub fn new(inner: S, name: &'static str) -> Self {
        Self { inner, name }
    }

    fn key(&self, key: &Key) -> Key {
        // What is set aside stays in a namespace of its own.
        let name = match key.name().split_once('#') {
            Some((_, suffix)) => format!("{}#{suffix}", self.name),
            None => self.name.to_owned(),
        };
        Key::new(name.into(), key.id()).expect("a key")
    }
}

impl<S: Store> Store for Shared<S> {
    async fn load(&self, key: &Key, load: Load) -> Result<Loaded, StoreError> {
        self.inner.load(&self.key(key), load).await
    }

    async fn commit(&self, key: &Key, commit: &Commit) -> Result<Reply, StoreError> {
        let mut commit = commit.clone();
        if let Action::Renew { to, .. } = &mut commit.action {
            *to = self.key(to);
        }
        self.inner.commit(&self.key(key), &commit).await
    }

    async fn find(&self, find: &Find) -> Result<FoundPage, StoreError> {
        let mut find = find.clone();
        find.name = self.name.into();
        self.inner.find(&find).await
    }

    async fn registration(&self, _: &str, version: u32) -> Result<Option<Registration>, StoreError> {
        self.inner.registration(self.name, version).await
    }

    async fn register(&self, proposal: &Registration) -> Result<Registration, StoreError> {
        let mut proposal = Registration { name: self.name.into(), ..proposal.clone() };
        proposal.fields.retain(|field| &*field.name != "#type");
        self.inner.register(&proposal).await
    }

    session_runtime::delegate_store!(inner: prepare);
}

impl<S: Housekeeping> Housekeeping for Shared<S> {
    async fn withdraw(&self, _: &str, version: u32) -> Result<bool, StoreError> {
        self.inner.withdraw(self.name, version).await
    }

    async fn keys(&self, _: &str, after: Option<Cursor>, limit: usize, clock: ClockOffset) -> Result<Keys, StoreError> {
        self.inner.keys(self.name, after, limit, clock).await
    }

    async fn count(&self, _: &str, clock: ClockOffset) -> Result<u64, StoreError> {
        self.inner.count(self.name, clock).await
    }

    session_runtime::delegate_store!(inner: registrations purge);
}
