//! Draws figures as bars, in SVG: one picture of several groups, or a small one for each.

use maud::{Markup, html};

use crate::replay::report::grouped;

const WIDTH: usize = 900;
const MARGIN: usize = 24;
/// Where the bars of a group begin below its title in the picture of all, and what is left free below them.
const ABOVE: usize = 32;
const BELOW: usize = 16;
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
pub(crate) struct Group {
    pub(crate) title: String,
    pub(crate) bars: Vec<Bar>,
}

pub(crate) struct Bar {
    pub(crate) name: &'static str,
    pub(crate) value: u64,
    /// What the reader's eye is to fall on.
    pub(crate) is_ours: bool,
}

impl Group {
    /// The height in the picture of all, with its title.
    fn height(&self) -> usize {
        ABOVE + self.bars.len() * WIDE.row + BELOW
    }

    /// The group as a picture of its own, whose colours the page around it decides. `id` is its own on the page.
    pub(crate) fn picture(&self, id: usize) -> Markup {
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

/// All groups as one picture, below a title.
pub(crate) fn draw(label: &str, title: &str, subtitle: &str, groups: &[Group]) -> String {
    let tops = groups.iter().scan(TOP, |next, group| Some(std::mem::replace(next, *next + group.height())));
    let height = TOP + groups.iter().map(Group::height).sum::<usize>();
    let picture = html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox={ "0 0 " (WIDTH) " " (height) } width=(WIDTH) height=(height)
            font-family="sans-serif" font-size="14" role="img" aria-labelledby="title" {
            title id="title" { (label) }
            style { (COLOURS) }
            rect.paper width=(WIDTH) height=(height) {}
            text.ink x=(MARGIN) y="34" font-size="18" font-weight="bold" { (title) }
            text.soft x=(MARGIN) y="56" { (printable(subtitle)) }
            @for (group, top) in groups.iter().zip(tops) {
                text.ink x=(MARGIN) y=(top + 20) font-weight="bold" { (group.title) }
                (group.rows(&WIDE, MARGIN, top + ABOVE))
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

/// Text without the characters that markup cannot hold, and without those that change the direction of what follows.
pub(crate) fn printable(text: &str) -> String {
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
