//! Draws a report as bars, in SVG.

use super::figures::{Count, Kind};
use super::report::Report;
use crate::bars::{self, Bar, Group};
use crate::replay::report::grouped;

/// The report as a picture: for each format what its writes did, and how long they were.
#[must_use]
pub fn draw(report: &Report) -> String {
    let all = report.figures.all();
    let title = format!("{} writes of {} keys", grouped(all.writes), grouped(report.figures.keys));
    let groups = report.figures.writes.iter().flat_map(|(format, counts)| {
        [
            group(format!("{}: writes", format.name()), counts, |count| count.writes),
            group(format!("{}: bytes", format.name()), counts, |count| count.bytes),
        ]
    });
    bars::draw(&format!("What {title} did"), &title, &subtitle(report), &groups.collect::<Vec<_>>())
}

/// A bar for each thing that a write did. What changed nothing of the session stands out.
fn group(title: String, counts: &[Count], figure: fn(Count) -> u64) -> Group {
    let seen = Kind::ALL.into_iter().filter(|kind| counts[*kind as usize].writes > 0);
    let bar = |kind: Kind| Bar {
        name: kind.says(),
        value: figure(counts[kind as usize]),
        is_ours: matches!(kind, Kind::Nothing | Kind::Added),
    };
    Group { title, bars: seen.map(bar).collect() }
}

fn subtitle(report: &Report) -> String {
    let time = report.time.map(|time| format!("in {:.1} s", time.as_secs_f64()));
    let figures = &report.figures;
    let overlaps = report.has_reads.then(|| {
        format!("{} went over what the writer had not seen", grouped(figures.overlapped + figures.seem_overlapped))
    });
    let unknown = figures.unknown().writes;
    let left_out = (unknown > 0).then(|| format!("{} not compared", grouped(unknown)));
    [time, overlaps, left_out].into_iter().flatten().collect::<Vec<_>>().join("; ")
}
