use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::expiry::Timestamp;

/// How long a process counts on from what a store's clock showed before it looks again.
const TRUSTED: Duration = Duration::from_secs(3600);

/// A store's clock, as a process knows it that has looked at it once.
///
/// It is behind by what the answer took at that time, so what must be over in time is over a little sooner.
#[derive(Debug, Default)]
pub(super) struct StoreClock(Mutex<Option<(Instant, Timestamp)>>);

impl StoreClock {
    /// What the clock shows; `None` if it is to be looked at.
    pub(super) fn now(&self) -> Option<Timestamp> {
        self.at(Instant::now())
    }

    fn at(&self, now: Instant) -> Option<Timestamp> {
        let (looked_at, showed) = (*self.lock())?;
        let since = now.saturating_duration_since(looked_at);
        let millis = i64::try_from(since.as_millis()).ok().filter(|_| since < TRUSTED)?;
        Some(showed.plus(millis))
    }

    /// Takes over what the clock showed just now.
    pub(super) fn showed(&self, now: Timestamp) {
        *self.lock() = Some((Instant::now(), now));
    }

    /// Looks at it again the next time: it may have been set since.
    pub(super) fn forget(&self) {
        *self.lock() = None;
    }

    fn lock(&self) -> MutexGuard<'_, Option<(Instant, Timestamp)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_goes_on_from_what_it_showed_until_it_is_to_be_looked_at_again() {
        let clock = StoreClock::default();
        assert_eq!(clock.now(), None);
        clock.showed(Timestamp::from_millis(-5));
        let (looked_at, _) = (*clock.lock()).expect("it was looked at");
        assert_eq!(clock.at(looked_at + TRUSTED / 2), Some(Timestamp::from_millis(1_799_995)));
        assert_eq!(clock.at(looked_at + TRUSTED), None);
        clock.forget();
        assert_eq!(clock.now(), None);
    }
}
