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
