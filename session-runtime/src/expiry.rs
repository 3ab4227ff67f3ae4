//! When a session ends.

use std::time::Duration;

/// When a session ends by itself.
///
/// The same rule holds whether or not the session is stored. The store's clock decides, so instances need not agree
/// on the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Expiry {
    /// It does not.
    #[default]
    Never,
    /// This long after it was last loaded or committed.
    AfterInactivity(Duration),
    /// This long after it was first stored, or loaded as new.
    AfterCreation(Duration),
    /// At the earlier of the two.
    AfterEither {
        /// This long after it was last loaded or committed.
        inactivity: Duration,
        /// This long after it was first stored, or loaded as new.
        creation: Duration,
    },
}

/// Milliseconds since the Unix epoch, by a store's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// A time this many milliseconds after the Unix epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// This machine's time, moved by `offset`.
    #[must_use]
    pub fn now(offset: ClockOffset) -> Self {
        let since_epoch = match std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH) {
            Ok(after) => to_millis(after),
            Err(before) => -to_millis(before.duration()),
        };
        Self(since_epoch.saturating_add(offset.0))
    }

    /// The time `millis` later.
    #[must_use]
    pub const fn plus(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }
}

impl From<Timestamp> for std::time::SystemTime {
    fn from(time: Timestamp) -> Self {
        let distance = Duration::from_millis(time.0.unsigned_abs());
        let moved =
            if time.0 < 0 { Self::UNIX_EPOCH.checked_sub(distance) } else { Self::UNIX_EPOCH.checked_add(distance) };
        moved.unwrap_or(Self::UNIX_EPOCH)
    }
}

impl From<std::time::SystemTime> for Timestamp {
    fn from(time: std::time::SystemTime) -> Self {
        Self(match time.duration_since(std::time::UNIX_EPOCH) {
            Ok(after) => to_millis(after),
            Err(before) => -to_millis(before.duration()),
        })
    }
}

/// Milliseconds to add to a store's clock: zero, except in tests that move time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ClockOffset(pub i64);

/// How long the header of an ended session is kept at the least, in milliseconds: an hour, whatever an instance is set
/// to.
///
/// A handler that found no session stores one only within this time, because later nothing may be left to tell of a
/// session that others created and ended meanwhile.
pub(crate) const LEAST_RETENTION: i64 = 3_600_000;

/// What a store needs to know of [`Expiry`], in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetime {
    /// How long a session lives after its last activity.
    pub inactivity: Option<i64>,
    /// How long a session lives after its creation.
    pub creation: Option<i64>,
    /// A load moves the expiry only if that moves it by at least this much.
    pub touch_after: i64,
    /// How long a store keeps the header of a session that ended, if no earlier commit of the session asked for longer.
    pub retention: i64,
}

impl Lifetime {
    /// Without a rule: only a date that was set ends a session.
    pub(crate) fn unruled(retention: i64) -> Self {
        Self { inactivity: None, creation: None, touch_after: 1, retention: retention.max(LEAST_RETENTION) }
    }

    pub(crate) fn new(expiry: Expiry, touch_share: f64, retention: Duration) -> Self {
        let (inactivity, creation) = match expiry {
            Expiry::Never => (None, None),
            Expiry::AfterInactivity(inactivity) => (Some(to_millis(inactivity)), None),
            Expiry::AfterCreation(creation) => (None, Some(to_millis(creation))),
            Expiry::AfterEither { inactivity, creation } => (Some(to_millis(inactivity)), Some(to_millis(creation))),
        };
        // The share is at most 1, so the product is at most the time to live; a millisecond is the least that moves.
        #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
        let touch_after = inactivity.map_or(1, |inactivity| ((inactivity as f64 * touch_share) as i64).max(1));
        Self { inactivity, creation, touch_after, retention: to_millis(retention).max(LEAST_RETENTION) }
    }

    /// The same for a session with a sliding lifetime of its own, in milliseconds, if it has one. A touch of it is due
    /// after the same share of it; after a tenth where the rule does not slide.
    #[must_use]
    pub fn sliding(self, own: Option<i64>) -> Self {
        let Some(own) = own else { return self };
        let touch_after = match self.inactivity {
            // Wide enough for any product.
            Some(inactivity) if inactivity > 0 => {
                let due = i128::from(own) * i128::from(self.touch_after) / i128::from(inactivity);
                i64::try_from(due).unwrap_or(i64::MAX)
            }
            _ => own / 10,
        };
        Self { inactivity: Some(own), touch_after: touch_after.max(1), ..self }
    }

    /// When a session with this creation, and this end set by a handler, ends if it was active `now`.
    ///
    /// A date that a handler set replaces the rule.
    #[must_use]
    pub fn expires_at(&self, created_at: Timestamp, fixed_end: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
        if fixed_end.is_some() {
            return fixed_end;
        }
        let idle = self.inactivity.map(|inactivity| now.plus(inactivity));
        let old = self.creation.map(|creation| created_at.plus(creation));
        match (idle, old) {
            (Some(idle), Some(old)) => Some(idle.min(old)),
            (one, other) => one.or(other),
        }
    }

    /// Whether moving an expiry from `from` to `to` is worth a write: it is when it moves far enough.
    ///
    /// A load never brings an expiry closer; the next commit does.
    #[must_use]
    pub fn touch_due(&self, from: Option<Timestamp>, to: Option<Timestamp>) -> bool {
        match (from, to) {
            (Some(from), Some(to)) => to.0.saturating_sub(from.0) >= self.touch_after,
            (Some(_), None) => true,
            (None, _) => false,
        }
    }
}

/// Milliseconds of a duration, at most what fits a stored time (a hundred million years).
pub(crate) fn to_millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX).min(i64::MAX / 4)
}
