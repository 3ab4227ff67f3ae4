//! How a session travels: load, lend, commit.
//!
//! One file per verb: `load`, `start`, `commit`, `renew`, `destroy`, `update`, `work`, `find`. `Handle` is what a handler holds, `Known` what it
//! knows of the stored session, `Pending` a change on its way.

use std::fmt;
use std::sync::Arc;

use tokio::sync::OnceCell;

use crate::codec::{Codec, Json};
use crate::schema::Make;
use crate::session::Session;
use crate::stats::{Counters, Stats};
use crate::store::Erased;

mod absence;
mod agreed;
mod builder;
mod clock;
mod commit;
mod committed;
mod deadline;
mod destroy;
mod ending;
mod expires;
mod find;
mod handle;
mod known;
mod legacy;
mod load;
mod moving;
mod pending;
mod prepare;
mod progress;
mod queue;
mod record;
mod renew;
mod send;
mod settings;
mod spans;
mod start;
mod undecodable;
mod update;
mod work;

pub use absence::Absence;
use agreed::Agreed;
pub use builder::SessionsBuilder;
use clock::StoreClock;
pub use committed::{Committed, Outcome};
pub(crate) use ending::Ending;
pub use find::{FoundSession, FoundSessions};
pub use handle::Handle;
pub use legacy::{Legacy, Old};
use queue::Queues;
#[cfg(feature = "_web")]
pub(crate) use queue::Turn;
pub(crate) use settings::Settings;
pub use settings::{Limits, OnUndecodable};
#[cfg(feature = "_web")]
pub(crate) use spans::request_span;
#[cfg(any(feature = "_web", feature = "teloxide"))]
pub(crate) use spans::tell;
#[cfg(feature = "teloxide")]
pub(crate) use spans::update_span;
pub(crate) use spans::{key_span, span};
pub use work::Once;

/// The sessions of type `T` in a store.
///
/// Clones are cheap and share everything. One per session type is enough for a program.
pub struct Sessions<T: Session, C = Json> {
    pub(crate) inner: Arc<Inner<T, C>>,
}

pub(crate) struct Inner<T: Session, C> {
    /// The session's name, which is the namespace of its keys.
    pub(crate) name: Arc<str>,
    pub(crate) store: Arc<dyn Erased>,
    codec: C,
    /// Makes initial values.
    make: Make<T>,
    pub(crate) settings: Settings,
    /// Sessions of another library's that go on here.
    legacy: Option<Legacy<T>>,
    /// What all instances agreed on; empty until the first load or `prepare`.
    agreed: OnceCell<Arc<Agreed<T, C>>>,
    /// The store's clock, for sessions that are started without a read.
    clock: StoreClock,
    /// The key of sessions that are started before it is known whether they will be stored. Nothing is stored under it.
    #[cfg(feature = "_web")]
    unnamed: crate::store::Key,
    /// The turns of this process's commits.
    queues: Arc<Queues>,
    /// Those of its requests, for web servers that were told so: whichever layer, or thread, a request came to.
    #[cfg(feature = "_web")]
    pub(crate) requests: std::sync::LazyLock<Arc<Queues>>,
    pub(crate) counters: Arc<Counters>,
}

impl<T: Session, C: Codec> Sessions<T, C> {
    /// The name of the session type, which is the namespace of its keys.
    ///
    /// ```
    /// # use session_runtime::{MemoryStore, Session, Sessions};
    /// #[derive(Session)]
    /// #[session(name = "visitor")]
    /// struct Visitor {
    ///     visits: u32,
    /// }
    ///
    /// assert_eq!(Sessions::<Visitor>::new(MemoryStore::new()).name(), "visitor");
    /// ```
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// What these sessions have cost and saved so far: in this process, by all clones of this value.
    ///
    /// ```
    /// # use session_runtime::{MemoryStore, Session, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { visits: u32 }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), session_runtime::Error> {
    /// let sessions = Sessions::<Visitor>::new(MemoryStore::new());
    /// sessions.load("42").await?.commit().await?;
    /// assert_eq!((sessions.stats().loads, sessions.stats().avoided_unmarked), (1, 1));
    /// # Ok(()) }
    /// ```
    pub fn stats(&self) -> Stats {
        self.inner.counters.stats()
    }
}

impl<T: Session, C> Clone for Sessions<T, C> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone() }
    }
}

impl<T: Session, C> fmt::Debug for Sessions<T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").field("name", &self.inner.name).finish_non_exhaustive()
    }
}
