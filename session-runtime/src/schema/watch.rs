//! Initial values that turn out to change later, such as one that reads a clock.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};

use super::Schema;
use crate::codec::Codec;
use crate::error::Error;
use crate::expiry::Timestamp;
use crate::session::Session;

/// How soon initial values are looked at again at first, in milliseconds: those that a clock in seconds made have
/// changed by then.
const SOON: i64 = 1_000;

/// How seldom in the end.
const SELDOM: i64 = 3_600_000;

/// When the initial values are to be looked at again, and whether one of them changed.
#[derive(Debug)]
pub(super) struct Watch {
    due: AtomicI64,
    pause: AtomicI64,
    unstable: OnceLock<usize>,
}

impl Watch {
    pub(super) const fn new() -> Self {
        Self { due: AtomicI64::new(i64::MIN), pause: AtomicI64::new(SOON), unstable: OnceLock::new() }
    }

    fn is_due(&self, now: Timestamp) -> bool {
        let now = now.as_millis();
        if now < self.due.load(Ordering::Relaxed) {
            return false;
        }
        let pause = self.pause.load(Ordering::Relaxed);
        self.due.store(now.saturating_add(pause), Ordering::Relaxed);
        self.pause.store((pause * 2).min(SELDOM), Ordering::Relaxed);
        true
    }
}

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
