//! What happened in the run, and what was wrong.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Shared by all who take part.
#[derive(Debug)]
pub(crate) struct Ledger {
    began: Instant,
    /// Odd while a fault lasts, and another number after it.
    faults: AtomicU64,
    is_over: AtomicBool,
    seen: Mutex<Seen>,
}

/// What was seen.
#[derive(Debug, Default, Clone)]
pub(crate) struct Seen {
    pub(crate) counts: BTreeMap<&'static str, u64>,
    /// Milliseconds, by the second in which the answer came: of the shops, and of the bot.
    pub(crate) shop: Latencies,
    pub(crate) bot: Latencies,
    /// What was not as it must be.
    pub(crate) wrong: Vec<String>,
}

/// Milliseconds by second.
pub(crate) type Latencies = BTreeMap<u32, Vec<f32>>;

impl Ledger {
    pub(crate) fn new() -> Self {
        let (faults, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
        Self { began: Instant::now(), faults, is_over, seen: Mutex::default() }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Which second of the run it is.
    fn second(&self) -> u32 {
        u32::try_from(self.elapsed().as_secs()).unwrap_or(u32::MAX)
    }

    fn open(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was seen so far.
    pub(crate) fn seen(&self) -> Seen {
        self.open().clone()
    }

    /// What the last second and the counts were, to say how it goes.
    pub(crate) fn progress(&self) -> (Vec<f32>, BTreeMap<&'static str, u64>, usize) {
        let seen = self.open();
        let from = self.second().saturating_sub(5);
        let last = seen.shop.range(from..).flat_map(|(_, latencies)| latencies.iter().copied()).collect();
        (last, seen.counts.clone(), seen.wrong.len())
    }

    pub(crate) fn count(&self, what: &'static str) {
        *self.open().counts.entry(what).or_default() += 1;
    }

    pub(crate) fn shop_answered(&self, after: Duration) {
        let second = self.second();
        self.open().shop.entry(second).or_default().push(after.as_secs_f32() * 1e3);
    }

    pub(crate) fn bot_answered(&self, after: Duration) {
        let second = self.second();
        self.open().bot.entry(second).or_default().push(after.as_secs_f32() * 1e3);
    }

    /// Something is not as it must be.
    pub(crate) fn wrong(&self, what: String) {
        eprintln!("WRONG at {:.1} s: {what}", self.elapsed().as_secs_f64());
        self.open().wrong.push(what);
    }

    /// A fault begins or has ended.
    pub(crate) fn fault(&self) {
        self.faults.fetch_add(1, Ordering::SeqCst);
    }

    /// A number that changes when a fault begins or ends; `None` while one lasts.
    pub(crate) fn quiet(&self) -> Option<u64> {
        Some(self.faults.load(Ordering::SeqCst)).filter(|faults| faults % 2 == 0)
    }

    /// Visitors and chats go on no longer.
    pub(crate) fn end(&self) {
        self.is_over.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::SeqCst)
    }
}
