use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OnceCell;

use super::clock::StoreClock;
use super::legacy::Legacy;
use super::queue::Queues;
use super::settings::{Limits, OnUndecodable, Settings};
use super::{Inner, Sessions};
use crate::codec::{Codec, Json};
use crate::expiry::{ClockOffset, Expiry, Lifetime};
use crate::schema::{Agreement, Make, WriteMigrated};
use crate::session::Session;
use crate::stats::Counters;
use crate::store::{Erased, IndexKey, Store};

/// Settings of [`Sessions`], made by [`Sessions::builder`].
///
/// ```
/// # use std::time::Duration;
/// # use session_runtime::{Expiry, MemoryStore, Session, Sessions};
/// # #[derive(Session)]
/// # struct Visitor { visits: u32 }
/// let sessions = Sessions::<Visitor>::builder(MemoryStore::new())
///     .expiry(Expiry::AfterInactivity(Duration::from_secs(30 * 60)))
///     .deadline(Duration::from_secs(2))
///     .build();
/// # drop(sessions);
/// ```
#[must_use = "settings do nothing until `build` is called"]
pub struct SessionsBuilder<T, C = Json> {
    store: Arc<dyn Erased>,
    codec: C,
    make: Make<T>,
    name: Arc<str>,
    settings: Settings,
    legacy: Option<Legacy<T>>,
}

impl<T: Session> Sessions<T> {
    /// The sessions of type `T` in `store`: in JSON, without expiry, with the default limits.
    ///
    /// ```
    /// # use session_runtime::{MemoryStore, Session, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { visits: u32 }
    /// let sessions = Sessions::<Visitor>::new(MemoryStore::new());
    /// # drop(sessions);
    /// ```
    pub fn new(store: impl Store) -> Self {
        Self::builder(store).build()
    }

    /// The sessions of type `T` in `store`, with settings: see [`SessionsBuilder`].
    pub fn builder(store: impl Store) -> SessionsBuilder<T> {
        SessionsBuilder {
            store: <dyn Erased>::new(store),
            codec: Json,
            make: Arc::new(T::initial),
            name: T::CONTAINER.name.into(),
            settings: Settings::default(),
            legacy: None,
        }
    }
}

impl<T: Session, C: Codec> SessionsBuilder<T, C> {
    /// How fields are encoded. The default is [`Json`].
    pub fn codec<D: Codec>(self, codec: D) -> SessionsBuilder<T, D> {
        let Self { store, make, name, settings, legacy, .. } = self;
        SessionsBuilder { store, codec, make, name, settings, legacy }
    }

    /// The initial value of a session, instead of the one that its type declares.
    pub fn initial(self, initial: impl Fn() -> T + Send + Sync + 'static) -> Self {
        Self { make: Arc::new(initial), ..self }
    }

    /// What these sessions are called in the store, instead of the name that their type declares.
    ///
    /// ```
    /// # use session_runtime::{MemoryStore, Session, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { visits: u32 }
    /// let store = MemoryStore::new();
    /// let shop = Sessions::<Visitor>::builder(store.clone()).name("shop.visitor").build();
    /// let blog = Sessions::<Visitor>::builder(store).name("blog.visitor").build();
    /// assert_eq!(shop.name(), "shop.visitor");
    /// # drop(blog);
    /// ```
    ///
    /// [`prepare`](Sessions::prepare), or the first load, checks it: see [`Error::InvalidName`](crate::Error).
    pub fn name(self, name: impl Into<Arc<str>>) -> Self {
        Self { name: name.into(), ..self }
    }

    fn set(mut self, set: impl FnOnce(&mut Settings)) -> Self {
        set(&mut self.settings);
        self
    }

    /// When a session ends by itself. The default is never.
    pub fn expiry(self, expiry: Expiry) -> Self {
        self.set(|settings| settings.expiry = expiry)
    }

    /// Which share of the time to live must have passed before a load touches a session, which moves its sliding
    /// expiry: from 0, on every load, to 1. The default is a tenth, so that most read-only requests write nothing.
    /// It goes for the lifetime that [`Handle::expire_after`](crate::Handle::expire_after) gives a session too, which
    /// is touched after a tenth of it where the rule does not slide.
    pub fn touch_share(self, share: f64) -> Self {
        self.set(|settings| settings.touch_share = share.clamp(0.0, 1.0))
    }

    /// How long the header of an ended session is kept, so that those who still hold it learn that it ended. It is
    /// also how long an expired session stays before it is removed. The default is an hour, and so is the least.
    ///
    /// Where instances are set differently, the longest of those that changed a session counts.
    pub fn retention(self, retention: Duration) -> Self {
        self.set(|settings| settings.retention = retention)
    }

    /// What to do when this program's initial values are not those that all instances agreed on. The default is to
    /// refuse.
    pub fn agreement(self, agreement: Agreement) -> Self {
        self.set(|settings| settings.agreement = agreement)
    }

    /// What to do with a record that cannot be decoded. The default is to refuse it.
    pub fn on_undecodable(self, on_undecodable: OnUndecodable) -> Self {
        self.set(|settings| settings.on_undecodable = on_undecodable)
    }

    /// When a session that an older version of its type stored is stored in the new form. The default is with its
    /// next change.
    pub fn write_migrated(self, write_migrated: WriteMigrated) -> Self {
        self.set(|settings| settings.write_migrated = write_migrated)
    }

    /// How large a session may be.
    pub fn limits(self, limits: Limits) -> Self {
        self.set(|settings| settings.limits = limits)
    }

    /// Whether a commit decodes what it is about to send and compares it with the value, so that nothing is stored that
    /// does not come back: see [`Error::Encode`](crate::Error::Encode). The default is yes. It takes a few times as long
    /// as encoding the changed fields.
    pub fn read_back(self, read_back: bool) -> Self {
        self.set(|settings| settings.read_back = read_back)
    }

    /// The key with which the values of fields that are both `sensitive` and indexed are hidden in the store: 32 random
    /// bytes, kept as other secrets are, and the same for all instances. Under another key the sessions that were
    /// stored before are not found, until [`Sessions::build_index`] has run.
    ///
    /// ```
    /// # use session_runtime::{MemoryStore, Session, Sessions};
    /// #[derive(Session)]
    /// struct Visitor {
    ///     #[session(index, sensitive)]
    ///     email: String,
    /// }
    ///
    /// # let secret = [7; 32];
    /// let sessions = Sessions::<Visitor>::builder(MemoryStore::new()).index_key(secret).build();
    /// # drop(sessions);
    /// ```
    pub fn index_key(self, key: [u8; 32]) -> Self {
        self.set(|settings| settings.index_key = Some(IndexKey(key)))
    }

    /// How long an operation takes at most, whatever it waits for: its turn, a connection, the engine, other
    /// processes that keep changing the session. The default is ten seconds.
    ///
    /// The Tokio runtime must have its timer enabled, as `#[tokio::main]` does; outside of a runtime there is no
    /// deadline.
    pub fn deadline(self, deadline: Duration) -> Self {
        self.set(|settings| settings.deadline = deadline)
    }

    /// Takes over sessions that another library stored under the same keys, each at its first load: see [`Legacy`].
    ///
    /// Sessions of a web server have keys of their own: give it to the layer instead, together with the cookie by which
    /// the old sessions are known.
    pub fn legacy(self, legacy: Legacy<T>) -> Self {
        Self { legacy: Some(legacy), ..self }
    }

    /// Moves the store's clock, for tests.
    pub fn clock_offset(self, clock: ClockOffset) -> Self {
        self.set(|settings| settings.clock = clock)
    }

    /// The sessions. Nothing is checked yet: see [`Sessions::prepare`].
    pub fn build(self) -> Sessions<T, C> {
        let (queues, counters) = (Queues::new(), Counters::new(&self.name));
        self.build_beside(queues, counters)
    }

    /// Sessions that take turns with others in this process, and are counted with them.
    fn build_beside(self, queues: Arc<Queues>, counters: Arc<Counters>) -> Sessions<T, C> {
        let Self { store, codec, make, name, mut settings, legacy } = self;
        settings.lifetime = Lifetime::new(settings.expiry, settings.touch_share, settings.retention);
        if let Some(legacy) = &legacy {
            settings.keep_headers_until(legacy.end());
        }
        let (agreed, clock) = (OnceCell::new(), StoreClock::default());
        #[cfg(feature = "_web")]
        let requests = std::sync::LazyLock::new(Queues::new as fn() -> Arc<Queues>);
        #[cfg(feature = "_web")]
        let unnamed = crate::store::Key::unnamed(name.clone());
        Sessions {
            inner: Arc::new(Inner {
                name,
                store,
                codec,
                make,
                settings,
                legacy,
                agreed,
                clock,
                #[cfg(feature = "_web")]
                unnamed,
                queues,
                #[cfg(feature = "_web")]
                requests,
                counters,
            }),
        }
    }
}

#[cfg(feature = "_web")]
impl<T: Session, C: Codec> Sessions<T, C> {
    /// The same sessions, and those of another library beside them.
    pub(crate) fn with_legacy(&self, legacy: Legacy<T>) -> Self {
        let Inner { name, store, codec, make, settings, queues, counters, .. } = &*self.inner;
        let (name, store, codec, make) = (name.clone(), store.clone(), codec.clone(), make.clone());
        let builder = SessionsBuilder { store, codec, make, name, settings: settings.clone(), legacy: Some(legacy) };
        builder.build_beside(queues.clone(), counters.clone())
    }
}

impl<T, C> std::fmt::Debug for SessionsBuilder<T, C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionsBuilder").field("settings", &self.settings).finish_non_exhaustive()
    }
}
