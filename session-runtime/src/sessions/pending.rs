//! A change on its way to the store.
//!
//! It is made in steps, each a type that only the step before it makes: a [`Draft`] has the dirty fields, a
//! [`Complete`] what must travel with them, a [`Measured`] is not too large, and a [`Pending`] has an id: from then on
//! its bytes are never made again.

use super::settings::Limits;
use crate::codec::Codec;
use crate::error::Error;
use crate::session::Session;
use crate::store::{Change, Commit, ExpiryChange, IndexEntry};
use crate::tracked::{Fields, Patch, Tracked};

/// What a commit is to change.
pub(super) struct Draft<T> {
    patch: Patch<T>,
    expiry: ExpiryChange,
}

/// A draft with all that must travel with it.
pub(super) struct Complete<T>(Draft<T>);

/// A complete draft that keeps the limits.
pub(super) struct Measured<T> {
    draft: Draft<T>,
    size: Size,
}

/// A change that is about to be sent, or was and its answer is missing.
pub(super) struct Pending<T> {
    /// The fields that `commit` changes, in the order of its changes.
    pub(super) fields: Fields<T>,
    pub(super) commit: Commit,
    pub(super) size: Size,
    /// Whether it was sent before, so that it may have been applied.
    pub(super) sent: bool,
}

/// How many bytes of encoded values a change stores, and how many of the session it leaves as they are stored.
#[derive(Clone, Copy, Default)]
pub(super) struct Size {
    pub(super) written: usize,
    pub(super) not_written: usize,
}

impl<T: Session> Draft<T> {
    pub(super) fn new(patch: Patch<T>, expiry: ExpiryChange) -> Self {
        Self { patch, expiry }
    }

    /// Adds the fields of a migrated session that stay as they are, and, to whatever stores the session, its pinned
    /// fields.
    pub(super) fn complete<C: Codec>(
        mut self,
        tracked: &Tracked<T, C>,
        replaces: bool,
        persists: bool,
    ) -> Result<Complete<T>, Error> {
        if replaces {
            tracked.complete(&mut self.patch);
        }
        if persists || !self.patch.is_empty() {
            tracked.pin(&mut self.patch)?;
        }
        Ok(Complete(self))
    }
}

impl<T: Session> Complete<T> {
    /// Makes sure that neither a field nor the session is too large.
    pub(super) fn measure<C: Codec>(self, tracked: &Tracked<T, C>, limits: Limits) -> Result<Measured<T>, Error> {
        let Self(draft) = self;
        let mut written = 0;
        for change in draft.patch.changes() {
            let size = change.value.as_ref().map_or(0, |value| value.len());
            if size > limits.field {
                return Err(Error::TooLarge { field: Some(change.name.clone()), size, limit: limits.field });
            }
            written += size;
        }
        let size = tracked.size_with(&draft.patch);
        if size > limits.record {
            return Err(Error::TooLarge { field: None, size, limit: limits.record });
        }
        Ok(Measured { draft, size: Size { written, not_written: size.saturating_sub(written) } })
    }
}

impl<T: Session> Measured<T> {
    /// Gives the change an id; `commit` makes the proposal of its changes and of what they are found by. `moves` tells
    /// whether the session gets another key.
    pub(super) fn freeze<C: Codec>(
        self,
        tracked: &Tracked<T, C>,
        moves: bool,
        commit: impl FnOnce(Vec<Change>, Vec<IndexEntry>, ExpiryChange) -> Commit,
    ) -> Pending<T> {
        let Self { draft: Draft { mut patch, expiry }, size } = self;
        let index = tracked.index_entries(&patch, moves);
        tracked.remove_stale(&mut patch);
        let Patch { fields, changes } = patch;
        Pending { fields, commit: commit(changes, index, expiry), size, sent: false }
    }
}

impl<T> Pending<T> {
    /// A destruction, which changes no fields.
    pub(super) fn destruction(commit: Commit) -> Self {
        Self { fields: Fields::none(), commit, size: Size::default(), sent: false }
    }

    /// What it does to the end of the session.
    pub(super) fn expiry(&self) -> ExpiryChange {
        self.commit.write().map_or(ExpiryChange::Keep, |write| write.expiry)
    }
}
