//! Which faults come when: a seed decides.

use std::fmt::{self, Display};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

/// What a fault hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Target {
    Redis,
    Postgres,
    FirstShop,
    SecondShop,
    Bot,
}

/// What happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// Killed, and started again after a while.
    Killed,
    /// Killed, and started again at once.
    Restarted,
    /// Stopped, and told to go on after a while.
    Stopped,
}

/// A fault of the schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault {
    /// When, from the beginning of the run.
    pub(crate) at: Duration,
    pub(crate) target: Target,
    pub(crate) what: What,
    /// For how long.
    pub(crate) lasts: Duration,
}

/// The second shop is never killed, so that one process has the memory of all of the run.
const FAULTS: [(Target, What); 10] = [
    (Target::Redis, What::Killed),
    (Target::Redis, What::Restarted),
    (Target::Redis, What::Stopped),
    (Target::Postgres, What::Killed),
    (Target::Postgres, What::Restarted),
    (Target::Postgres, What::Stopped),
    (Target::FirstShop, What::Killed),
    (Target::SecondShop, What::Stopped),
    (Target::Bot, What::Killed),
    (Target::Bot, What::Stopped),
];

/// How much time a round of all faults is given, if there is so much.
const ROUND: Duration = Duration::from_secs(24 * 60);

/// A schedule of rounds, each with every fault once, in any order. It ends when nine tenths of the time are over.
pub(crate) fn schedule(seed: u64, time: Duration) -> Vec<Fault> {
    let mut random = StdRng::seed_from_u64(seed);
    let rounds = (time.as_secs() / ROUND.as_secs()).max(1);
    let slots = u32::try_from(rounds).unwrap_or(u32::MAX).saturating_mul(10);
    let slot = time.mul_f64(0.85) / slots;
    let begins = time.mul_f64(0.05);
    let mut order: Vec<(Target, What)> = Vec::new();
    for _ in 0..rounds {
        let mut round = FAULTS;
        round.shuffle(&mut random);
        order.extend(round);
    }
    let fault = |(number, (target, what)): (u32, (Target, What))| {
        let at = begins + slot * number + slot.mul_f64(random.random_range(0.0..0.3));
        let share = random.random_range(0.02..0.3);
        let lasts = if what == What::Restarted { Duration::ZERO } else { slot.min(LONGEST_SLOT).mul_f64(share) };
        Fault { at, target, what, lasts }
    };
    (0..).zip(order).map(fault).collect()
}

/// Of a longer slot than this a fault takes no longer.
const LONGEST_SLOT: Duration = Duration::from_secs(50);

impl Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Redis => "Redis",
            Self::Postgres => "PostgreSQL",
            Self::FirstShop => "shop 1",
            Self::SecondShop => "shop 2",
            Self::Bot => "bot",
        })
    }
}

impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { target, lasts, .. } = self;
        match self.what {
            What::Killed => write!(f, "{target} killed for {:.1} s", lasts.as_secs_f64()),
            What::Restarted => write!(f, "{target} killed and started at once"),
            What::Stopped => write!(f, "{target} stopped for {:.1} s", lasts.as_secs_f64()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_decides_and_each_fault_comes_once_a_round() {
        for (time, rounds) in [(20, 1), (3600, 2), (7200, 5)] {
            let time = Duration::from_secs(time);
            let faults = schedule(7, time);
            assert_eq!(faults, schedule(7, time));
            assert_ne!(faults, schedule(8, time));
            for kind in FAULTS {
                assert_eq!(faults.iter().filter(|fault| (fault.target, fault.what) == kind).count(), rounds);
            }
            for pair in faults.windows(2) {
                assert!(pair[0].at + pair[0].lasts < pair[1].at, "{pair:?}");
            }
            assert!(faults.iter().all(|fault| fault.at + fault.lasts < time.mul_f64(0.9)));
        }
    }
}
