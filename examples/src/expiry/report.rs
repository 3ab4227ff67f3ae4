//! What was found, beside each other for both shares.

use std::fmt;

use super::Findings;
use crate::replay::report::grouped;

/// What replays with a renewal by a tenth of the time, and on every request, showed.
#[derive(Debug, Clone, Copy)]
pub struct Report {
    /// How many requests there were, whether or not they use a session.
    pub requests: usize,
    /// How many clients there were.
    pub clients: usize,
    /// After how many minutes without use a session ends.
    pub minutes: u64,
    /// With a share of a tenth.
    pub by_a_tenth: Findings,
    /// With a renewal on every request.
    pub always: Findings,
}

impl Report {
    /// Whether every session lived as long as the rule promises.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        [self.by_a_tenth, self.always].iter().all(|found| (found.early, found.late, found.broken_words) == (0, 0, 0))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { requests, clients, minutes, .. } = self;
        let (requests, clients) = (grouped(*requests as u64), grouped(*clients as u64));
        writeln!(f, "{requests} requests of {clients} clients; a session ends after {minutes} minutes without use\n")?;
        writeln!(f, "{:42}{:>20}{:>20}", "touched when this has passed:", "a tenth of the time", "any time")?;
        let mut line = |name: &str, shown: fn(&Findings) -> String| {
            writeln!(f, "{name:42}{:>20}{:>20}", shown(&self.by_a_tenth), shown(&self.always))
        };
        line("loads", |found| grouped(found.loads.all))?;
        line("  that found a session, or an emptied one", |found| grouped(found.loads.known))?;
        line("  that sent a renewal", |found| grouped(found.loads.touched))?;
        line("  that had no need to, by Sessions::stats", |found| grouped(found.stats.touches_skipped))?;
        line("sessions ended when their client came back", |found| grouped(found.ended))?;
        line("  shortest time without use before an end", |found| found.shortest_end.map_or("-".to_owned(), time))?;
        line("  longest time without use survived", |found| time(found.longest_life))?;
        line("ended earlier than the rule allows", |found| grouped(found.early))?;
        line("lived longer than the rule allows", |found| grouped(found.late))?;
        line("ended at another time than was told", |found| grouped(found.broken_words))?;
        let verdict = if self.is_kept() { "Every session lived as long as promised." } else { "THE RULE IS BROKEN." };
        writeln!(f, "\n{verdict}")
    }
}

/// A time in minutes and seconds.
fn time(millis: i64) -> String {
    let seconds = millis / 1000;
    format!("{} min {:02}.{:03} s", seconds / 60, seconds % 60, millis % 1000)
}
