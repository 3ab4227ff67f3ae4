//! Draws a report as bars, in SVG: one picture of all, or a small one for each figure.

use std::path::Path;

use maud::{Markup, html};

use super::log;
use super::policies::Policy;
use super::report::{Figures, Report, Source, grouped};

const WIDTH: usize = 900;
const MARGIN: usize = 24;
/// The height of a group of bars in the picture of all, with its title.
const GROUP: usize = 126;
const TOP: usize = 76;
/// How wide a picture of one group is: it can be read on a telephone.
const NARROW: usize = 340;

/// The colours of the picture of all. A page around a small picture has its own.
const COLOURS: &str = ".paper { fill: #fff } .ink { fill: #1f2937 } .soft { fill: #6b7280 } .ours { fill: #0f766e } .other { fill: #94a3b8 }";

/// Where a bar and its name are.
struct Layout {
    /// Where bars begin, right of the left edge.
    bars: usize,
    /// The longest bar. The figure stands right of it.
    longest: usize,
    /// The height of a bar.
    thick: usize,
    /// How far a bar is below the top of its row.
    below: usize,
    /// How far the base line of a name is below it.
    name: usize,
    /// The height of a row.
    row: usize,
}

/// Names left of the bars.
const WIDE: Layout = Layout { bars: 320, longest: 420, thick: 20, below: 0, name: 15, row: 26 };

/// Names above the bars.
const STACKED: Layout = Layout { bars: 0, longest: 215, thick: 16, below: 20, name: 14, row: 44 };

/// A title, and a bar for each of several figures.
pub(super) struct Group {
    pub(super) title: &'static str,
    bars: Vec<Bar>,
}

struct Bar {
    name: &'static str,
    value: u64,
    /// What the reader's eye is to fall on.
    is_ours: bool,
}

type Figure = fn(&Figures) -> u64;

/// What each policy did: a group for each figure.
pub(super) fn policies(report: &Report) -> Vec<Group> {
    let figures: [(_, Figure); 4] = [
        ("reads", |figures| figures.reads),
        ("writes", |figures| figures.writes),
        ("bytes written", |figures| figures.bytes_written),
        ("records stored", |figures| figures.records),
    ];
    figures.into_iter().map(|(title, figure)| Group::of(report, title, figure)).collect()
}

/// What the engine saw of each policy; no group where it saw nothing, or is not known.
pub(super) fn engine(report: &Report) -> Vec<Group> {
    let seen = report.seen().figures().into_iter().enumerate();
    let figure = |place| move |figures: &Figures| figures.engine.figures().get(place).map_or(0, |(_, value)| *value);
    seen.map(|(place, (name, _))| Group::of(report, name, figure(place))).collect()
}

/// What the requests did.
pub(super) fn requests(report: &Report) -> Group {
    let bar = |name, value, is_ours| Bar { name, value, is_ours };
    Group {
        title: "requests",
        bars: vec![
            bar("all", report.requests as u64, false),
            bar("use their session", report.uses, false),
            bar("touch it", report.touches, false),
            bar("leave it different", report.changes, true),
        ],
    }
}

impl Group {
    fn of(report: &Report, title: &'static str, figure: impl Fn(&Figures) -> u64) -> Self {
        let bar = |figures: &Figures| Bar {
            name: figures.policy.name(),
            value: figure(figures),
            is_ours: figures.policy == Policy::ChangedFields,
        };
        Self { title, bars: report.figures.iter().map(bar).collect() }
    }

    /// The group as a picture of its own, whose colours the page around it decides. `id` is its own on the page.
    pub(super) fn picture(&self, id: usize) -> Markup {
        let height = self.bars.len() * STACKED.row;
        let (title, told) = (format!("title{id}"), format!("told{id}"));
        html! {
            svg viewBox={ "0 0 " (NARROW) " " (height) } font-size="14" role="img" aria-labelledby={ (title) " " (told) } {
                title id=(title) { (self.title) }
                desc id=(told) { (self.told()) }
                (self.rows(&STACKED, 0, 0))
            }
        }
    }

    /// The figures as a sentence, for those who do not see the bars.
    fn told(&self) -> String {
        let told: Vec<_> = self.bars.iter().map(|bar| format!("{}: {}", bar.name, grouped(bar.value))).collect();
        told.join("; ")
    }

    fn rows(&self, layout: &Layout, left: usize, top: usize) -> Markup {
        let largest = self.bars.iter().map(|bar| bar.value).max().unwrap_or_default().max(1);
        html! {
            @for (place, bar) in self.bars.iter().enumerate() {
                @let (x, y) = (left + layout.bars, top + place * layout.row);
                @let (bar_y, width) = (y + layout.below, length(bar.value, largest, layout.longest));
                text.ink x=(left) y=(y + layout.name) { (bar.name) }
                rect class=(if bar.is_ours { "ours" } else { "other" }) x=(x) y=(bar_y) width=(width) height=(layout.thick) rx="2" {}
                text.ink x=(x + width + 8) y=(bar_y + layout.thick - 4) { (grouped(bar.value)) }
            }
        }
    }
}

/// The report as one picture: a group of bars for each figure, a bar for each policy.
#[must_use]
pub fn draw(report: &Report) -> String {
    let groups = policies(report);
    let height = TOP + groups.len() * GROUP;
    let title = format!("{} requests of {} clients", grouped(report.requests as u64), grouped(report.clients as u64));
    let picture = html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox={ "0 0 " (WIDTH) " " (height) } width=(WIDTH) height=(height)
            font-family="sans-serif" font-size="14" role="img" aria-labelledby="title" {
            title id="title" { "What each policy did in " (title) }
            style { (COLOURS) }
            rect.paper width=(WIDTH) height=(height) {}
            text.ink x=(MARGIN) y="34" font-size="18" font-weight="bold" { (title) }
            text.soft x=(MARGIN) y="56" { (printable(&subtitle(report))) }
            @for (place, group) in groups.iter().enumerate() {
                @let top = TOP + place * GROUP;
                text.ink x=(MARGIN) y=(top + 20) font-weight="bold" { (group.title) }
                (group.rows(&WIDE, MARGIN, top + 32))
            }
        }
    };
    picture.into_string() + "\n"
}

/// A bar's length. What is there can be seen.
fn length(value: u64, largest: u64, longest: usize) -> usize {
    let exact = u128::from(value) * longest as u128 / u128::from(largest);
    usize::try_from(exact).unwrap_or(longest).max(usize::from(value > 0))
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

/// Text without the characters that markup cannot hold, and without those that change the direction of what follows.
pub(super) fn printable(text: &str) -> String {
    let is_unfit = |character: char| {
        character.is_control()
            || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}')
    };
    text.chars().map(|character| if is_unfit(character) { '\u{fffd}' } else { character }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_in_proportion_and_nothing_overflows() {
        assert_eq!(length(0, 10, 420), 0);
        assert_eq!(length(5, 10, 420), 210);
        assert_eq!(length(1, u64::MAX, 420), 1);
        assert_eq!(length(u64::MAX, u64::MAX, 420), 420);
    }

    #[test]
    fn what_markup_cannot_hold_is_replaced() {
        assert_eq!(printable("a<b>\n\0é\u{202e}\u{ffff}"), "a<b>\u{fffd}\u{fffd}é\u{fffd}\u{fffd}");
    }
}
