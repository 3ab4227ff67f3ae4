//! Records that cannot be decoded: set aside, where they are in nobody's way and kept for whoever repairs them.
//!
//! A record is set aside by a renewal to the same key in a namespace of its own. The store makes it in one step, only
//! if the record is still the one that could not be decoded, and never onto another record.

use super::Inner;
use crate::codec::Codec;
use crate::error::Error;
use crate::expiry::Lifetime;
use crate::session::Session;
use crate::store::{Action, Base, Commit, CommitId, Found, Head, Incarnation, Key, Load, Reply, Store, StoreError};

/// What a load does with a record of this program's version that it cannot decode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OnUndecodable {
    /// It fails with [`Error::Decode`], and the record stays as it is.
    #[default]
    Refuse,
    /// It moves the record aside, and the session starts anew.
    ///
    /// What is set aside keeps its expiry and its key, in the namespace `name#aside`, where only tools that work on
    /// the store find it. Destroying the session removes it, and renewing the session takes it along. It is never
    /// written over: while one is kept, the next undecodable record of its key is refused. In a Redis Cluster it
    /// needs keys that share a slot, as a renewal does.
    SetAside,
}

impl<T: Session + Send + 'static, S: Store, C: Codec> Inner<T, S, C> {
    /// Sets a record aside. Returns whether the key is worth another look: not if a record is kept aside already.
    pub(super) async fn set_aside(&self, key: &Key, head: &Head) -> Result<bool, Error> {
        let moved = match self.shift(key, head, key.aside()).await? {
            Reply::Applied(_) => true,
            Reply::Occupied => return Ok(false),
            // Somebody else changed it or set it aside just now.
            Reply::Conflict(_) | Reply::Ended(_) => false,
        };
        tracing::warn!(session = key.name(), key = %super::KeyHash::of(key), moved, "set an undecodable record aside");
        Ok(true)
    }

    /// Takes what is kept aside along when a session moves to another key.
    pub(super) async fn carry_aside(&self, from: &Key, to: &Key) -> Result<(), StoreError> {
        let from = from.aside();
        if let Some(head) = self.kept(&from).await? {
            self.shift(&from, &head, to.aside()).await?;
        }
        Ok(())
    }

    /// Removes what is kept aside.
    pub(super) async fn remove_aside(&self, key: &Key) -> Result<(), StoreError> {
        let aside = key.aside();
        if let Some(head) = self.kept(&aside).await? {
            self.store.commit(&aside, &self.move_of(&head, Action::Destroy)).await?;
        }
        Ok(())
    }

    async fn kept(&self, aside: &Key) -> Result<Option<Head>, StoreError> {
        let loaded = self.store.load(aside, Load { lifetime: self.lifetime.unruled(), clock: self.clock }).await?;
        match loaded.found {
            Found::Record(record) if record.head.stored => Ok(Some(record.head)),
            Found::Record(_) | Found::Absent { .. } => Ok(None),
        }
    }

    async fn shift(&self, from: &Key, head: &Head, to: Key) -> Result<Reply, StoreError> {
        self.store.commit(from, &self.move_of(head, Action::Renew { to })).await
    }

    /// A change of this very record, which leaves its fields, its version, and its expiry as they are.
    fn move_of(&self, head: &Head, action: Action) -> Commit {
        Commit {
            id: CommitId::random(),
            base: Base::from(head),
            action,
            changes: Vec::new(),
            replace: false,
            creates: Incarnation::random(),
            version: head.version,
            registration: head.registration,
            keep_empty: true,
            lifetime: self.lifetime.unruled(),
            until: Some(head.expires_at),
            valid_until: None,
            clock: self.clock,
        }
    }
}

impl Lifetime {
    /// Without a rule: only a date that was set ends a session.
    fn unruled(self) -> Self {
        Self { inactivity: None, creation: None, ..self }
    }
}
