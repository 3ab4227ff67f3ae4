//! Draws a report as bars, in SVG: one picture of all, or a small one for each figure.

use std::path::Path;

use super::log;
use super::policies::Policy;
use super::report::{Figures, Report, Source, grouped};
use crate::bars::{self, Bar, Group};

type Figure = fn(&Figures) -> u64;

/// What each policy did: a group for each figure.
pub(super) fn policies(report: &Report) -> Vec<Group> {
    let figures: [(_, Figure); 4] = [
        ("reads", |figures| figures.reads),
        ("writes", |figures| figures.writes),
        ("bytes written", |figures| figures.bytes_written),
        ("records stored", |figures| figures.records),
    ];
    figures.into_iter().map(|(title, figure)| group(report, title, figure)).collect()
}

/// What the engine saw of each policy; no group where it saw nothing, or is not known.
pub(super) fn engine(report: &Report) -> Vec<Group> {
    let seen = report.seen().figures().into_iter().enumerate();
    let figure = |place| move |figures: &Figures| figures.engine.figures().get(place).map_or(0, |(_, value)| *value);
    seen.map(|(place, (name, _))| group(report, name, figure(place))).collect()
}

/// What the requests did.
pub(super) fn requests(report: &Report) -> Group {
    let bar = |name, value, is_ours| Bar { name, value, is_ours };
    Group {
        title: "requests".to_owned(),
        bars: vec![
            bar("all", report.requests as u64, false),
            bar("use their session", report.uses, false),
            bar("touch it", report.touches, false),
            bar("leave it different", report.changes, true),
        ],
    }
}

fn group(report: &Report, title: &str, figure: impl Fn(&Figures) -> u64) -> Group {
    let bar = |figures: &Figures| Bar {
        name: figures.policy.name(),
        value: figure(figures),
        is_ours: figures.policy == Policy::ChangedFields,
    };
    Group { title: title.to_owned(), bars: report.figures.iter().map(bar).collect() }
}

/// The report as one picture: a group of bars for each figure, a bar for each policy.
#[must_use]
pub fn draw(report: &Report) -> String {
    let title = format!("{} requests of {} clients", grouped(report.requests as u64), grouped(report.clients as u64));
    bars::draw(&format!("What each policy did in {title}"), &title, &subtitle(report), &policies(report))
}

/// Where the traffic came from and went to.
pub(super) fn subtitle(report: &Report) -> String {
    let source = match &report.source {
        Source::Generated(distribution) => format!("generated traffic, seed {}", distribution.seed),
        Source::Logs(paths) => {
            let names = paths.iter().map(|path| log::name(path.file_name().map_or(path, Path::new)));
            names.collect::<Vec<_>>().join(", ")
        }
    };
    format!("{source}, {} store", report.store)
}
