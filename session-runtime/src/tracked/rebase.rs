//! Two commits that overlap: what mine becomes on top of theirs.

use super::{Baseline, Fields, Tracked};
use crate::codec::Codec;
use crate::error::Error;
use crate::field::{self, Sides};
use crate::session::{MarkSet, Session};
use crate::store::FieldName;

impl<T: Session, C: Codec> Tracked<T, C> {
    /// Puts the session's changes on top of `theirs`, the stored fields as another commit left them.
    ///
    /// Per dirty field: if they left it alone, mine stays; else the field's `merge` combines base, mine and theirs;
    /// else a rejecting field refuses; else mine stays, as the later commit, and the answer names the field. Every
    /// other field becomes theirs.
    ///
    /// # Errors
    /// [`Error::Conflict`] with nothing changed. [`Error::Decode`] when their value of a field cannot be decoded, and
    /// [`Error::Encode`]; then the fields before it are rebased, and the session can be rebased again.
    pub(crate) fn rebase(&mut self, theirs: &Baseline) -> Result<Fields<T>, Error> {
        let mine = self.patch()?;
        let mut rejected: Vec<FieldName> = Vec::new();
        let mut overlapping = Fields::<T>::none();
        for index in 0..T::LEN {
            let is_mine = mine.fields.has(index);
            if (is_mine || T::CONTAINER.reject) && self.they_changed(index, theirs)? {
                let leaf = &self.schema.leaves[index];
                if T::CONTAINER.reject || leaf.def.reject {
                    rejected.push(leaf.name.clone());
                }
                overlapping.insert(index);
            }
        }
        if !rejected.is_empty() {
            return Err(Error::Conflict { fields: rejected });
        }
        let mut overwritten = Fields::none();
        for index in 0..T::LEN {
            let stored = theirs.stored(index);
            let their_bytes = stored.unwrap_or(&self.schema.leaves[index].initial);
            if overlapping.has(index) {
                if !self.merge(index, &their_bytes.clone())? {
                    overwritten.insert(index);
                }
            } else if !mine.fields.has(index) && stored != self.baseline.stored(index) {
                self.schema.decode(&mut self.value, index, their_bytes)?;
            }
            self.baseline.store(index, stored.cloned());
        }
        self.baseline.stale.clone_from(&theirs.stale);
        *self.seen_dirty.get_mut() = false;
        Ok(overwritten)
    }

    /// Whether a field differs between the baseline and `theirs`.
    fn they_changed(&self, index: usize, theirs: &Baseline) -> Result<bool, Error> {
        let stored = theirs.stored(index);
        if stored == self.baseline.stored(index) {
            return Ok(false);
        }
        let stored = stored.unwrap_or(&self.schema.leaves[index].initial);
        Ok(!self.schema.same(&self.value, index, self.baseline(index), stored)?)
    }

    /// Merges a field; `false` if it has no merge function.
    fn merge(&mut self, index: usize, theirs: &[u8]) -> Result<bool, Error> {
        if !field::merges(&mut self.value, index) {
            return Ok(false);
        }
        let mine = self.schema.encode(&self.value, index)?;
        let base = self.baseline(index).clone();
        let sides = Sides { base: &base, mine: &mine, theirs };
        field::merge(&self.schema.codec, &mut self.value, index, sides)
            .map_err(|source| self.schema.decode_error(index, source))?;
        self.marks.set(index, true);
        Ok(true)
    }
}
