//! How much memory each process has.

use std::collections::BTreeMap;

use session_endurance::resident;

use crate::place::Place;
use crate::schedule::Target;

/// Megabytes by second, in the lives of the processes of each target, one after the other.
pub(crate) type Memory = BTreeMap<Target, Vec<Life>>;

/// What one process had, from its start to its end.
#[derive(Debug)]
pub(crate) struct Life {
    process: String,
    pub(crate) samples: Vec<(f64, f64)>,
}

/// A program's memory is judged in a life of so many seconds at least. The first crowd that waited for the end of a fault
/// raises it once, and a short life cannot tell that from growth.
const LONG: f64 = 1800.0;

/// How much the last fifth of a life may be above the second.
const MORE: f64 = 1.1;

/// Adds what the processes have now.
pub(crate) fn sample(memory: &mut Memory, place: &Place, second: f64) {
    for (target, processes) in place.processes() {
        let Some(first) = processes.first() else { continue };
        let megabytes: f64 = processes.iter().map(|process| resident::now(process, target == Target::Postgres)).sum();
        if megabytes == 0.0 {
            continue;
        }
        let lives = memory.entry(target).or_default();
        if lives.last().is_none_or(|life| life.process != *first) {
            lives.push(Life { process: first.clone(), samples: Vec::new() });
        }
        if let Some(life) = lives.last_mut() {
            life.samples.push((second, megabytes));
        }
    }
}

/// How a program's memory went in its longest life: how long that was, and the medians of its second and last fifth.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trend {
    pub(crate) seconds: f64,
    pub(crate) second_fifth: f64,
    pub(crate) last_fifth: f64,
}

impl Trend {
    pub(crate) fn of(lives: &[Life]) -> Option<Self> {
        let length = |life: &Life| Some(life.samples.last()?.0 - life.samples.first()?.0);
        let life =
            lives.iter().max_by(|a, b| length(a).partial_cmp(&length(b)).unwrap_or(std::cmp::Ordering::Equal))?;
        let fifth = |number: usize| {
            let all = life.samples.len();
            let mut part: Vec<f64> =
                life.samples[all * number / 5..all * (number + 1) / 5].iter().map(|s| s.1).collect();
            part.sort_unstable_by(f64::total_cmp);
            part.get(part.len() / 2).copied()
        };
        Some(Self { seconds: length(life)?, second_fifth: fifth(1)?, last_fifth: fifth(4)? })
    }

    /// Whether it was flat; unknown of a short life.
    pub(crate) fn is_flat(self) -> Option<bool> {
        (self.seconds >= LONG).then_some(self.last_fifth <= self.second_fifth * MORE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_is_flat_when_its_last_fifth_is_hardly_above_its_second() {
        let life = |megabytes: fn(f64) -> f64, seconds: u32| {
            let samples = (0..seconds).map(|second| (f64::from(second), megabytes(f64::from(second)))).collect();
            Trend::of(&[Life { process: String::new(), samples }]).and_then(Trend::is_flat)
        };
        assert_eq!(life(|_| 20.0, 2000), Some(true));
        assert_eq!(life(|second| 20.0 + second / 100.0, 2000), Some(false));
        assert_eq!(life(|second| 20.0 + second / 100.0, 100), None);
    }
}
