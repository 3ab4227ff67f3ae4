//! The level above: sessions in the store, as a program uses them.

use std::time::Duration;

use super::scene::{Scene, fields};
use crate::codec::Json;
use crate::store::{BoxStore, Call, LogStore};
use crate::{Handle, Session, Sessions, SessionsBuilder, merge};

/// The store of a scene, and a log of the calls to it.
pub(super) type Shelf = LogStore<BoxStore>;

/// How long headers are kept, as those of other cases are.
const RETENTION: Duration = Duration::from_secs(40 * 24 * 3600);

const NAME: &str = "conformance-visitor";

/// The session of most cases. All of them share its registration, so each has keys of its own.
#[derive(Session, Debug)]
#[session(crate = crate, name = "conformance-visitor")]
pub(super) struct Visitor {
    pub(super) visits: u32,
    #[session(initial = "light".to_owned())]
    pub(super) theme: String,
    pub(super) cart: Vec<String>,
    #[session(merge = merge::add)]
    pub(super) likes: u64,
    #[session(skip)]
    pub(super) request_id: Option<String>,
}

pub(super) type Visit = Handle<Visitor, Shelf>;

impl Scene {
    /// The sessions of a type. Those of each call share nothing but the store, like those of two processes.
    pub(super) fn sessions<T: Session + Send + 'static>(&self) -> SessionsBuilder<T, Shelf, Json> {
        let store = LogStore::new(self.store.clone());
        Sessions::builder(store).retention(RETENTION).clock_offset(self.clock)
    }

    pub(super) fn visitors(&self) -> Sessions<Visitor, Shelf> {
        self.sessions().build()
    }

    /// A key that no other case uses.
    pub(super) fn id(&self, id: &str) -> String {
        format!("{} {id}", self.name)
    }

    /// The visitors' own scene, to look at what is stored for them.
    pub(super) fn behind(&self) -> Self {
        self.named(NAME)
    }

    /// The stored fields of a visitor.
    pub(super) async fn stored(&self, id: &str) -> Vec<(String, String)> {
        let behind = self.behind();
        fields(&behind.record(&behind.key(id)).await)
    }

    /// Asserts that nothing is stored for a visitor.
    pub(super) async fn is_not_stored(&self, id: &str) {
        let behind = self.behind();
        behind.absence(&behind.key(id)).await;
    }
}

pub(super) async fn load<T: Session + Send + 'static>(sessions: &Sessions<T, Shelf>, id: &str) -> Handle<T, Shelf> {
    sessions.load(id).await.expect("a session can be loaded")
}

/// Stores a visitor with two visits and tea in the cart, and clears the log.
pub(super) async fn with_a_visitor(scene: &Scene, id: &str) -> Sessions<Visitor, Shelf> {
    let sessions = scene.visitors();
    let change = |visitor: &mut Visit| {
        *visitor.edit().visits() = 2;
        visitor.edit().cart().push("tea".to_owned());
    };
    sessions.update(id, change).await.expect("a session can be stored");
    assert_eq!(sessions.store().take().len(), 2, "one load and one commit");
    sessions
}

/// A load that does not move the expiry, in a log.
pub(super) fn loading(id: &str) -> Call {
    Call::Load { key: id.to_owned(), touched: false }
}

/// A commit in a log.
pub(super) fn committing(id: &str, set: &[(&str, &str)], unset: &[&str]) -> Call {
    Call::Commit {
        key: id.to_owned(),
        set: set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        unset: unset.iter().map(|name| (*name).to_owned()).collect(),
    }
}
