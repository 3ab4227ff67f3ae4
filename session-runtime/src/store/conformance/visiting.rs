//! The level above: sessions in the store, as a program uses them.

use std::ops::Deref;
use std::time::Duration;

use super::fixture::{Fixture, fields};
use crate::codec::{Codec, Json};
use crate::store::{AnyStore, Call, LogStore};
use crate::{Handle, Session, Sessions, SessionsBuilder, merge};

/// Sessions in the store of a fixture, and a log of the calls to it.
pub(super) struct Logged<T: Session, C = Json> {
    sessions: Sessions<T, C>,
    log: LogStore<AnyStore>,
}

impl<T: Session, C> Logged<T, C> {
    /// Takes the calls since the last time.
    pub(super) fn calls(&self) -> Vec<Call> {
        self.log.take()
    }
}

impl<T: Session, C> Deref for Logged<T, C> {
    type Target = Sessions<T, C>;

    fn deref(&self) -> &Sessions<T, C> {
        &self.sessions
    }
}

impl<T: Session, C> Clone for Logged<T, C> {
    fn clone(&self) -> Self {
        Self { sessions: self.sessions.clone(), log: self.log.clone() }
    }
}

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

impl Fixture {
    /// The sessions of a type. Those of each call share nothing but the store, like those of two processes.
    pub(super) fn sessions<T: Session>(&self) -> Logged<T> {
        self.sessions_with(|builder| builder)
    }

    /// The same, with settings.
    pub(super) fn sessions_with<T: Session, C: Codec>(
        &self,
        set: impl FnOnce(SessionsBuilder<T>) -> SessionsBuilder<T, C>,
    ) -> Logged<T, C> {
        let log = LogStore::new(self.store.clone());
        let builder = Sessions::builder(log.clone()).retention(RETENTION).clock_offset(self.clock);
        Logged { sessions: set(builder).build(), log }
    }

    pub(super) fn visitors(&self) -> Logged<Visitor> {
        self.sessions()
    }

    /// A key that no other case uses.
    pub(super) fn id(&self, id: &str) -> String {
        format!("{} {id}", self.name)
    }

    /// The visitors' own fixture, to look at what is stored for them.
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

pub(super) async fn load<T: Session>(sessions: &Sessions<T>, id: &str) -> Handle<T> {
    sessions.load(id).await.expect("a session can be loaded")
}

/// Stores a visitor with two visits and tea in the cart, and clears the log.
pub(super) async fn with_a_visitor(fixture: &Fixture, id: &str) -> Logged<Visitor> {
    let sessions = fixture.visitors();
    let change = |visitor: &mut Handle<Visitor>| {
        *visitor.edit().visits() = 2;
        visitor.edit().cart().push("tea".to_owned());
    };
    sessions.update(id, change).await.expect("a session can be stored");
    assert_eq!(sessions.calls().len(), 2, "one load and one commit");
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
