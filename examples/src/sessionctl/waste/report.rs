//! What was seen, for people and for machines.

use std::fmt;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::figures::{Count, Doubt, Figures, Kind};
use crate::replay::report::grouped;

/// The longest bar, in characters.
const LONGEST_BAR: u64 = 30;

/// What was seen, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// For how long, if that is known.
    pub time: Option<Duration>,
    /// What was counted.
    pub figures: Figures,
    /// How many lines could not be read.
    pub unreadable: u64,
    /// Why it ended before its time.
    pub ended_early: Option<String>,
    /// Whether reads can be seen, and so whether writes overlap.
    pub has_reads: bool,
    /// Whether the file has a base that was not read, so that nothing is known of the values in it.
    pub is_base_unread: bool,
}

impl Report {
    /// The report as JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let figures = &self.figures;
        let count = |count: Count| json!({ "writes": count.writes, "bytes": count.bytes });
        let kinds = |of: &dyn Fn(Kind) -> Count| -> Map<String, Value> {
            Kind::ALL.into_iter().map(|kind| (kind.name().to_owned(), count(of(kind)))).collect()
        };
        let formats: Map<String, Value> = figures
            .writes
            .iter()
            .map(|(format, counts)| (format.name().to_owned(), kinds(&|kind| counts[kind as usize]).into()))
            .collect();
        let doubts: Map<String, Value> = Doubt::ALL
            .into_iter()
            .map(|doubt| (doubt.name().to_owned(), count(figures.doubts[doubt as usize])))
            .collect();
        json!({
            "seconds": self.time.map(|time| time.as_secs_f64()),
            "ended_early": self.ended_early,
            "keys": figures.keys,
            "all": count(figures.all()),
            "writes": kinds(&|kind| figures.of(kind)),
            "not_compared": doubts,
            "formats": formats,
            "first_alike": figures.begun_alike,
            "most_alike": figures.most_alike,
            "reads": self.has_reads.then_some(figures.reads),
            "touches": figures.touches,
            "removals": figures.removals,
            "overlapped": self.has_reads.then_some(figures.overlapped),
            "seem_overlapped": self.has_reads.then_some(figures.seem_overlapped),
            "connections_are_spread": figures.is_spread(),
            "commands_lost": figures.lost,
            "lines_unreadable": self.unreadable,
            "base_unread": self.is_base_unread,
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.show_head(f)?;
        if self.figures.all().writes == 0 {
            return Ok(());
        }
        for (format, counts) in &self.figures.writes {
            writeln!(f, "\n{}", format.name())?;
            let all = counts.iter().copied().fold(Count::default(), Count::and);
            show_table(f, Kind::ALL.into_iter().map(|kind| (kind.says(), counts[kind as usize])), all)?;
        }
        if self.figures.unknown().writes > 0 {
            writeln!(f, "\nnot compared")?;
            let rows = Doubt::ALL.into_iter().map(|doubt| (doubt.says(), self.figures.doubts[doubt as usize]));
            show_table(f, rows, self.figures.unknown())?;
        }
        self.show_beginnings(f)?;
        self.show_overlaps(f)
    }
}

impl Report {
    fn show_head(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Figures { keys, reads, touches, removals, lost, .. } = self.figures;
        let all = self.figures.all();
        if let Some(reason) = &self.ended_early {
            writeln!(f, "ended early: {reason}")?;
        }
        if let Some(time) = self.time {
            write!(f, "{:.1} s: ", time.as_secs_f64())?;
        }
        write!(f, "{} writes of {} keys, {} bytes; ", grouped(all.writes), grouped(keys), grouped(all.bytes))?;
        if self.has_reads {
            write!(f, "{} reads, ", grouped(reads))?;
        }
        writeln!(f, "{} times only an end moved, {} removals", grouped(touches), grouped(removals))?;
        if self.is_base_unread {
            writeln!(
                f,
                "its base is a snapshot, which is not read: what stands there is first seen when it is written"
            )?;
        }
        if lost > 0 {
            writeln!(
                f,
                "{} commands came too fast to be looked at; what came after each gap is compared anew",
                grouped(lost)
            )?;
        }
        if self.unreadable > 0 {
            writeln!(f, "{} lines are none of MONITOR", grouped(self.unreadable))?;
        }
        Ok(())
    }

    fn show_beginnings(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Figures { begun_alike, most_alike, .. } = self.figures;
        if begun_alike == 0 {
            return Ok(());
        }
        writeln!(
            f,
            "\n{} first writes store what others store too, one content under {} keys: initial values, perhaps",
            grouped(begun_alike),
            grouped(most_alike)
        )
    }

    fn show_overlaps(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.has_reads {
            return writeln!(f, "\nwhether writers overlapped cannot be told: reads are not seen here");
        }
        let Figures { overlapped, seem_overlapped, .. } = self.figures;
        writeln!(
            f,
            "\n{} writes went over a change that another client made after the writer had read: possible lost updates",
            grouped(overlapped)
        )?;
        if seem_overlapped > 0 {
            writeln!(f, "{} more seem to, of requests that connections do not tell apart", grouped(seem_overlapped))?;
        }
        if self.figures.is_spread() {
            writeln!(f, "requests read on one connection and write on another here, so both figures are guesses")?;
        }
        Ok(())
    }
}

/// Rows with their share and a bar, without those that are empty.
fn show_table(
    f: &mut fmt::Formatter<'_>,
    rows: impl Iterator<Item = (&'static str, Count)>,
    all: Count,
) -> fmt::Result {
    for (says, count) in rows.filter(|(_, count)| count.writes > 0) {
        let share = |of: u64| count.writes * of / all.writes.max(1);
        let bar = "█".repeat(usize::try_from(share(LONGEST_BAR).max(1)).unwrap_or_default());
        let (writes, bytes) = (grouped(count.writes), grouped(count.bytes));
        writeln!(f, "  {says:<33} {writes:>11} {:>3} % {bytes:>14} bytes  {bar}", share(100))?;
    }
    Ok(())
}
