//! What a patch takes along besides the dirty fields.

use super::{Patch, Tracked};
use crate::codec::Codec;
use crate::error::Error;
use crate::session::Session;
use crate::store::{Change, FieldValue, IndexEntry};

impl<T: Session, C: Codec> Tracked<T, C> {
    /// Adds, after all fields, what removes the changed ones' values under older names.
    pub(crate) fn remove_stale(&self, patch: &mut Patch<T>) {
        for (index, name) in &self.baseline.stale {
            if patch.fields.has(*index) {
                patch.changes.push(Change { name: name.clone(), value: None });
            }
        }
    }

    /// Adds pinned fields that are not stored yet: they go with the session's first commit, whatever their value.
    pub(crate) fn pin(&self, patch: &mut Patch<T>) -> Result<(), Error> {
        for &index in self.schema.pinned() {
            if self.baseline.stored(index).is_none() && !patch.fields.has(index) {
                let value = self.schema.encode(&self.value, index)?;
                self.schema.read_back(&self.value, index, &value)?;
                let name = self.schema.leaves[index].name.clone();
                patch.push(index, Change { name, value: Some(value) });
            }
        }
        Ok(())
    }

    /// Adds every stored field that `patch` does not change, so that it can replace what is stored.
    pub(crate) fn complete(&self, patch: &mut Patch<T>) {
        for (index, leaf) in self.schema.leaves.iter().enumerate() {
            if let Some(value) = self.baseline.stored(index).filter(|_| !patch.fields.has(index)) {
                patch.push(index, Change { name: leaf.name.clone(), value: Some(value.clone()) });
            }
        }
    }

    /// Adds every indexed field that is stored, so that the store learns its term.
    pub(crate) fn restate_indexed(&self, patch: &mut Patch<T>) {
        for &index in self.schema.indexed() {
            if let Some(value) = self.baseline.stored(index).filter(|_| !patch.fields.has(index)) {
                patch.push(index, Change { name: self.schema.leaves[index].name.clone(), value: Some(value.clone()) });
            }
        }
    }

    /// The terms of the indexed fields that `patch` sets, and, if the session moves, of those that it leaves as they are.
    pub(crate) fn index_entries(&self, patch: &Patch<T>, moves: bool) -> Vec<IndexEntry> {
        let entry = |&index: &usize| {
            let stored = || self.baseline.stored(index).filter(|_| moves);
            let value = match patch.change(index) {
                Some(change) => change.value.as_ref()?,
                None => stored()?,
            };
            Some(self.schema.index_entry(index, value))
        };
        self.schema.indexed().iter().filter_map(entry).collect()
    }

    /// How many bytes the session's values have in a store once `patch` is applied.
    pub(crate) fn size_with(&self, patch: &Patch<T>) -> usize {
        let len = |value: Option<&FieldValue>| value.map_or(0, |value| value.len());
        let before: usize = self.baseline.all().map(len).sum();
        let (removed, added) =
            patch.fields.indices().zip(&patch.changes).fold((0, 0), |(removed, added), (index, change)| {
                (removed + len(self.baseline.stored(index)), added + len(change.value.as_ref()))
            });
        before - removed + added
    }
}
