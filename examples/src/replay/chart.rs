//! Draws a report as bars, in SVG.

use std::fmt::Write;
use std::path::Path;

use super::log;
use super::policies::Policy;
use super::report::{Figures, Report, Source, grouped};

const WIDTH: usize = 900;
const MARGIN: usize = 24;
/// How much room the policies' names have, left of the bars.
const NAMES: usize = 320;
/// The longest bar. The figure stands right of it.
const LONGEST: usize = 420;
const BAR: usize = 20;
const STEP: usize = 26;
/// The height of a group of bars, with its title.
const GROUP: usize = 126;
const TOP: usize = 76;

/// A title, and the figure that its bars show.
type Group = (&'static str, fn(&Figures) -> u64);

const GROUPS: [Group; 4] = [
    ("reads", |figures| figures.reads),
    ("writes", |figures| figures.writes),
    ("bytes written", |figures| figures.bytes_written),
    ("records stored", |figures| figures.records),
];

/// The report as a chart: a group of bars for each figure, a bar for each policy.
#[must_use]
pub fn draw(report: &Report) -> String {
    let mut svg = String::new();
    // Writing to a string does not fail.
    let _ = write(&mut svg, report);
    svg
}

fn write(svg: &mut String, report: &Report) -> std::fmt::Result {
    let height = TOP + GROUPS.len() * GROUP;
    writeln!(
        svg,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" font-family="sans-serif" font-size="14">"#
    )?;
    writeln!(svg, r##"<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>"##)?;
    writeln!(
        svg,
        r##"<text x="{MARGIN}" y="34" font-size="18" font-weight="bold" fill="#1f2937">{} requests of {} clients</text>"##,
        grouped(report.requests as u64),
        grouped(report.clients as u64)
    )?;
    writeln!(svg, r##"<text x="{MARGIN}" y="56" fill="#6b7280">{}</text>"##, escaped(&subtitle(report)))?;
    for (place, (title, figure)) in GROUPS.into_iter().enumerate() {
        write_group(svg, report, TOP + place * GROUP, title, figure)?;
    }
    writeln!(svg, "</svg>")
}

fn write_group(
    svg: &mut String,
    report: &Report,
    top: usize,
    title: &str,
    figure: fn(&Figures) -> u64,
) -> std::fmt::Result {
    let largest = report.figures.iter().map(figure).max().unwrap_or_default().max(1);
    let baseline = top + 20;
    writeln!(svg, r##"<text x="{MARGIN}" y="{baseline}" font-weight="bold" fill="#1f2937">{title}</text>"##)?;
    for (place, figures) in report.figures.iter().enumerate() {
        let (value, y) = (figure(figures), top + 32 + place * STEP);
        let (x, text_y) = (MARGIN + NAMES, y + 15);
        let width = length(value, largest);
        let (name, number, number_x) = (figures.policy.name(), grouped(value), x + width + 8);
        let color = if figures.policy == Policy::ChangedFields { "#0f766e" } else { "#94a3b8" };
        writeln!(svg, r##"<text x="{MARGIN}" y="{text_y}" fill="#374151">{name}</text>"##)?;
        writeln!(svg, r#"<rect x="{x}" y="{y}" width="{width}" height="{BAR}" rx="2" fill="{color}"/>"#)?;
        writeln!(svg, r##"<text x="{number_x}" y="{text_y}" fill="#374151">{number}</text>"##)?;
    }
    Ok(())
}

/// A bar's length. What is there can be seen.
fn length(value: u64, largest: u64) -> usize {
    let exact = u128::from(value) * LONGEST as u128 / u128::from(largest);
    usize::try_from(exact).unwrap_or(LONGEST).max(usize::from(value > 0))
}

fn subtitle(report: &Report) -> String {
    let source = match &report.source {
        Source::Generated(distribution) => format!("generated traffic, seed {}", distribution.seed),
        Source::Logs(paths) => {
            let names = paths.iter().map(|path| log::name(path.file_name().map_or(path, Path::new)));
            names.collect::<Vec<_>>().join(", ")
        }
    };
    format!("{source}, {} store", report.store)
}

/// Text in which nothing is markup, nor a character that XML forbids.
fn escaped(text: &str) -> String {
    text.chars().fold(String::new(), |mut escaped, character| {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            character if character.is_control() => escaped.push('\u{fffd}'),
            character => escaped.push(character),
        }
        escaped
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_in_proportion_and_nothing_overflows() {
        assert_eq!(length(0, 10), 0);
        assert_eq!(length(5, 10), LONGEST / 2);
        assert_eq!(length(1, u64::MAX), 1);
        assert_eq!(length(u64::MAX, u64::MAX), LONGEST);
    }

    #[test]
    fn names_of_files_are_text() {
        assert_eq!(escaped("a<b>&c\n"), "a&lt;b&gt;&amp;c\u{fffd}");
    }
}
