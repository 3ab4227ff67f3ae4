//! When initial values are looked at again.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::expiry::Timestamp;

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
    pub(super) unstable: OnceLock<usize>,
}

impl Watch {
    pub(super) const fn new() -> Self {
        Self { due: AtomicI64::new(i64::MIN), pause: AtomicI64::new(SOON), unstable: OnceLock::new() }
    }

    pub(super) fn is_due(&self, now: Timestamp) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initial_values_are_looked_at_soon_and_then_more_and_more_seldom() {
        let watch = Watch::new();
        let mut due = (0..20_000).map(|second| second * 500).filter(|now| watch.is_due(Timestamp::from_millis(*now)));
        assert_eq!(due.by_ref().take(5).collect::<Vec<_>>(), [0, 1_000, 3_000, 7_000, 15_000]);
        let last: Vec<_> = due.collect();
        assert!(last.windows(2).all(|pair| pair[1] - pair[0] <= SELDOM), "{last:?}");
        assert_eq!(last[last.len() - 1] - last[last.len() - 2], SELDOM);
    }
}
