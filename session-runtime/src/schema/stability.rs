//! Initial values that turn out to change later, such as one that reads a clock.

use super::Schema;
use crate::codec::Codec;
use crate::error::Error;
use crate::expiry::Timestamp;
use crate::session::Session;

impl<T: Session, C: Codec> Schema<T, C> {
    /// Looks now and then whether a new session still has the initial values that were agreed on; once one has not,
    /// no new session is lent any more.
    ///
    /// # Errors
    /// [`Error::UnstableInitial`].
    pub(crate) fn watch(&self, new: &T, now: Timestamp) -> Result<(), Error> {
        if self.watch.unstable.get().is_none() && self.watch.is_due(now) {
            for (index, leaf) in self.leaves.iter().enumerate() {
                let is_made = !leaf.def.pin && !self.adopted.contains(&index);
                if is_made && !self.same(new, index, &leaf.initial, &self.encode(new, index)?)? {
                    _ = self.watch.unstable.set(index);
                }
            }
        }
        match self.watch.unstable.get().and_then(|index| self.leaves.get(*index)) {
            Some(leaf) => Err(Error::UnstableInitial { field: leaf.name.clone() }),
            None => Ok(()),
        }
    }
}
