//! Random bytes, read as whatever is wanted.

use crate::expiry::{ClockOffset, Lifetime, Timestamp};
use crate::store::{Action, Base, Change, Commit, CommitId, ExpiryChange, Incarnation, Key, RegistrationId, Write};

/// Gives out bytes; when there are no more, zeros.
pub(in crate::store) struct Material<'a>(pub(in crate::store) &'a [u8]);

impl<'a> Material<'a> {
    pub(in crate::store) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(in crate::store) fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    pub(in crate::store) fn flag(&mut self) -> bool {
        self.byte() % 2 == 1
    }

    /// So many bytes, or what is left of them.
    pub(in crate::store) fn bytes(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        taken
    }

    pub(in crate::store) fn some_bytes(&mut self) -> &'a [u8] {
        let len = usize::from(self.byte());
        self.bytes(len)
    }

    /// Small numbers and the limits come more often than others.
    pub(in crate::store) fn number(&mut self) -> i64 {
        match self.byte() {
            kind @ 0..=127 => i64::from(kind % 4),
            128..=159 => i64::MAX,
            160..=191 => i64::MIN,
            192..=223 => i64::from_be_bytes([self.byte(), 0, 0, 0, 0, 0, 0, 1]),
            _ => self.bytes(8).iter().fold(0, |number, byte| number << 8 | i64::from(*byte)),
        }
    }

    fn maybe_number(&mut self) -> Option<i64> {
        self.flag().then(|| self.number())
    }

    fn duration(&mut self) -> i64 {
        self.number().saturating_abs()
    }

    pub(in crate::store) fn lifetime(&mut self) -> Lifetime {
        let mut maybe = || self.flag().then(|| self.duration());
        let (inactivity, creation) = (maybe(), maybe());
        Lifetime { inactivity, creation, touch_after: self.duration(), retention: self.duration() }
    }

    fn incarnation(&mut self) -> Incarnation {
        Incarnation(self.number().cast_unsigned())
    }

    fn write(&mut self) -> Write {
        let changes = (0..self.byte() % 3).map(|_| {
            let name = if self.flag() { "count" } else { "list" }.into();
            Change { name, value: self.flag().then(|| self.some_bytes().to_vec().into()) }
        });
        let mut write = Write::new(1, RegistrationId(1), changes.collect());
        write.expiry = match self.byte() % 4 {
            0 => ExpiryChange::ByRule,
            1 => ExpiryChange::At(Timestamp::from_millis(self.number())),
            2 => ExpiryChange::After(self.duration()),
            _ => ExpiryChange::Keep,
        };
        (write.replace, write.keep_empty) = (self.flag(), self.flag());
        write
    }

    /// A commit that a session may send.
    pub(in crate::store) fn commit(&mut self) -> Commit {
        let base = if self.flag() {
            Base::Record {
                incarnation: self.incarnation(),
                revision: self.number().cast_unsigned(),
                last_commit: CommitId(self.number().cast_unsigned()),
            }
        } else {
            let saw = self.maybe_number().map(|id| Incarnation(id.cast_unsigned()));
            Base::Absent { saw, valid_until: self.maybe_number().map(Timestamp::from_millis) }
        };
        let action = match self.byte() % 3 {
            0 => Action::Destroy,
            1 => match Key::new("Visitor".into(), "43") {
                Ok(to) => Action::Renew { to, write: self.write() },
                Err(_) => Action::Destroy,
            },
            _ => Action::Write(self.write()),
        };
        let mut commit = Commit::new(base, action, self.lifetime(), ClockOffset(self.number()));
        commit.id = CommitId(self.number().cast_unsigned());
        commit
    }
}

/// Tries samples, and many times samples in which some bytes were changed, taken out or put in; the same in every run.
#[cfg(test)]
pub(in crate::store) fn try_damaged(rounds: usize, samples: &[&[u8]], attempt: fn(&[u8])) {
    use rand::rngs::StdRng;
    use rand::{Rng, RngExt, SeedableRng};

    for sample in samples {
        attempt(sample);
    }
    let mut random = StdRng::seed_from_u64(0x5E55_1045);
    for round in 0..rounds {
        let mut bytes = samples[round % samples.len()].to_vec();
        for _ in 0..random.random_range(1..6) {
            let at = random.random_range(0..=bytes.len());
            match random.random_range(0..4) {
                0 => bytes.truncate(at),
                1 => {
                    let mut more = [0; 8];
                    random.fill_bytes(&mut more);
                    bytes.splice(at..at, more[..random.random_range(1..=8)].iter().copied());
                }
                2 => drop(bytes.drain(at..(at + random.random_range(0..5)).min(bytes.len()))),
                _ => {
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte ^= 1 << random.random_range(0..8);
                    }
                }
            }
        }
        attempt(&bytes);
    }
}
