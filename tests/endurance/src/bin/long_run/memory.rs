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

/// A program's memory is judged in the longest life that any of its processes had, and only if that was so many seconds.
/// Each crowd that waited for the end of a fault may raise it once, and a short life cannot tell that from growth.
const LONG: f64 = 1800.0;

/// It grew when its last fifth is so much above the second, and each of the fifths between so much above the one before.
/// What leaks goes on, and what a crowd raised stays as it is.
const MORE: f64 = 1.1;
const MORE_EACH: f64 = 1.01;

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

/// How a program's memory went in its longest life: how long that was, and the medians of its fifths, without the first,
/// in which it is still filling what it keeps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trend {
    pub(crate) seconds: f64,
    pub(crate) fifths: [f64; 4],
}

impl Trend {
    pub(crate) fn of<'a>(lives: impl IntoIterator<Item = &'a Life>) -> Option<Self> {
        let length = |life: &Life| Some(life.samples.last()?.0 - life.samples.first()?.0);
        let life =
            lives.into_iter().max_by(|a, b| length(a).partial_cmp(&length(b)).unwrap_or(std::cmp::Ordering::Equal))?;
        let all = life.samples.len();
        let mut fifths = [0.0; 4];
        for (number, median) in (1..).zip(&mut fifths) {
            let mut part: Vec<f64> =
                life.samples[all * number / 5..all * (number + 1) / 5].iter().map(|sample| sample.1).collect();
            part.sort_unstable_by(f64::total_cmp);
            *median = *part.get(part.len() / 2)?;
        }
        Some(Self { seconds: length(life)?, fifths })
    }

    /// Whether it was flat; unknown of a short life.
    pub(crate) fn is_flat(self) -> Option<bool> {
        let [second, .., last] = self.fifths;
        let goes_on = self.fifths.windows(2).all(|pair| pair[1] > pair[0] * MORE_EACH);
        (self.seconds >= LONG).then_some(!goes_on || last <= second * MORE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_is_flat_unless_it_grew_from_each_fifth_to_the_next() {
        let life = |megabytes: fn(f64) -> f64, seconds: u32| {
            let samples = (0..seconds).map(|second| (f64::from(second), megabytes(f64::from(second)))).collect();
            Trend::of(&[Life { process: String::new(), samples }]).and_then(Trend::is_flat)
        };
        assert_eq!(life(|_| 20.0, 2000), Some(true));
        assert_eq!(life(|second| 20.0 + second / 100.0, 2000), Some(false));
        // Twice as much after a crowd, and nothing more from then on.
        assert_eq!(life(|second| if second < 900.0 { 20.0 } else { 40.0 }, 2000), Some(true));
        // A stair, such as of what is left behind by each of many faults.
        assert_eq!(life(|second| 20.0 + (second / 100.0).floor(), 2000), Some(false));
        assert_eq!(life(|second| 20.0 + second / 1000.0, 2000), Some(true));
        assert_eq!(life(|second| 20.0 + second / 100.0, 100), None);
    }
}
