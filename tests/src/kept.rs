use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use session_runtime::codec::{Codec, Json};
use session_runtime::expiry::ClockOffset;
use session_runtime::store::{Housekeeping, Key, Store};
use session_runtime::{
    Admin, Agreement, Error, Expiry, Limits, OnUndecodable, Session, Sessions, SessionsBuilder, WriteMigrated,
};

/// Sessions, and the store that they are kept in, at which tests look.
pub struct Kept<T: Session, S, C = Json> {
    sessions: Sessions<T, C>,
    store: S,
}

impl<T: Session, S: Store> Kept<T, S> {
    /// The sessions in `store`.
    pub fn new(store: S) -> Self {
        Self::builder(store).build()
    }

    /// The sessions in `store`, with settings.
    pub fn builder(store: S) -> KeptBuilder<T, S> {
        KeptBuilder { builder: Sessions::builder(store.clone()), store }
    }
}

/// Settings of [`Kept`], which are those of [`SessionsBuilder`].
#[derive(Debug)]
pub struct KeptBuilder<T, S, C = Json> {
    builder: SessionsBuilder<T, C>,
    store: S,
}

macro_rules! settings {
    ($($setting:ident: $type:ty;)*) => {
        $(
            #[doc = concat!("[`SessionsBuilder::", stringify!($setting), "`]")]
            #[must_use]
            pub fn $setting(self, value: $type) -> Self {
                Self { builder: self.builder.$setting(value), ..self }
            }
        )*
    };
}

impl<T: Session, S, C: Codec> KeptBuilder<T, S, C> {
    settings! {
        name: impl Into<Arc<str>>;
        initial: impl Fn() -> T + Send + Sync + 'static;
        expiry: Expiry;
        touch_share: f64;
        retention: Duration;
        agreement: Agreement;
        on_undecodable: OnUndecodable;
        write_migrated: WriteMigrated;
        limits: Limits;
        deadline: Duration;
        clock_offset: ClockOffset;
        index_key: [u8; 32];
    }

    /// [`SessionsBuilder::codec`]
    pub fn codec<D: Codec>(self, codec: D) -> KeptBuilder<T, S, D> {
        KeptBuilder { builder: self.builder.codec(codec), store: self.store }
    }

    /// [`SessionsBuilder::build`]
    pub fn build(self) -> Kept<T, S, C> {
        Kept { sessions: self.builder.build(), store: self.store }
    }
}

impl<T: Session, S, C: Codec> Kept<T, S, C> {
    /// The store.
    pub fn store(&self) -> &S {
        &self.store
    }
}

impl<T: Session, S: Housekeeping, C: Codec> Kept<T, S, C> {
    /// The administration of the store.
    pub fn housekeeping(&self) -> Admin<S> {
        self.sessions.admin(self.store.clone())
    }

    /// The name of the sessions.
    #[must_use]
    pub fn name(&self) -> Arc<str> {
        self.sessions.name().into()
    }

    /// How many sessions are stored.
    pub async fn count(&self) -> Result<u64, Error> {
        self.housekeeping().count(&self.name()).await
    }

    /// The keys of the stored sessions.
    pub fn keys(&self) -> session_runtime::admin::KeyStream<S> {
        self.housekeeping().keys(&self.name())
    }

    /// All of them, sorted.
    pub async fn all_keys(&self) -> Result<Vec<Key>, Error> {
        let (mut stream, mut keys) = (self.keys(), Vec::new());
        while let Some(key) = stream.next().await {
            keys.push(key?);
        }
        keys.sort();
        Ok(keys)
    }

    /// What is stored under a key, as JSON.
    pub async fn inspect(&self, key: &str) -> Result<Option<serde_json::Value>, Error> {
        Ok(self.housekeeping().inspect(&self.name(), key).await?.map(|found| found.to_json()))
    }

    /// Removes what ended.
    pub fn purge_expired(&self) -> session_runtime::admin::Purging<S> {
        self.housekeeping().purge()
    }

    /// Removes what ended, now and then.
    pub fn purge_every(&self, period: Duration) -> Result<session_runtime::admin::Purger, Error> {
        self.housekeeping().purge_every(period)
    }
}

impl<T: Session, S, C> Deref for Kept<T, S, C> {
    type Target = Sessions<T, C>;

    fn deref(&self) -> &Sessions<T, C> {
        &self.sessions
    }
}

impl<T: Session, S: Clone, C> Clone for Kept<T, S, C> {
    fn clone(&self) -> Self {
        Self { sessions: self.sessions.clone(), store: self.store.clone() }
    }
}

impl<T: Session, S: fmt::Debug, C> fmt::Debug for Kept<T, S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").field("store", &self.store).finish_non_exhaustive()
    }
}
