//! The report as pictures.

use std::error::Error;
use std::path::Path;

use plotters::coord::{CoordTranslate, Shift};
use plotters::prelude::*;

use super::markdown::Drawn;
use super::{Found, short, size};
use crate::compare::{Comparison, Sample};
use crate::questions::growth::Growth;
use crate::say;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Done = Result<(), Box<dyn Error>>;

const FONT: &str = "sans-serif";
const INK: RGBColor = RGBColor(31, 41, 55);
const GRID: RGBColor = RGBColor(229, 231, 235);

/// Draws all charts; what cannot be drawn is said.
pub fn draw(found: &Found, folder: &Path) -> Vec<Drawn> {
    let mut drawn = Vec::new();
    let mut chart = |file: String, title: String, paint: &dyn Fn(&Area<'_>) -> Done| {
        let path = folder.join(&file);
        let area = SVGBackend::new(&path, (960, 480)).into_drawing_area();
        let painted = || -> Done {
            area.fill(&WHITE)?;
            paint(&area.titled(&title, (FONT, 22).into_font().color(&INK))?)?;
            Ok(area.present()?)
        };
        match painted() {
            Ok(()) => drawn.push((file, title)),
            Err(error) => say!("LEFT OUT: the chart {file}: {error}"),
        }
    };

    for engine in engines(&found.requests) {
        let mut sizes: Vec<usize> = found.requests.iter().filter(|c| c.engine == engine).map(|c| c.untouched).collect();
        sizes.dedup();
        sizes.sort_unstable();
        sizes.dedup();
        for untouched in sizes {
            let of: Vec<&Comparison> =
                found.requests.iter().filter(|c| c.engine == engine && c.untouched == untouched).collect();
            let groups = groups(&of, |c| format!("{}, {}", c.verb, tasks(c.tasks)), |sample| sample.throughput);
            let file = format!("requests-{}-{}.svg", engine.to_lowercase(), size(untouched).replace(' ', "-"));
            let title = format!("Requests per second on {engine}, {} sessions (more is better)", size(untouched));
            chart(file, title, &|area| bars(area, &groups, false));
        }
    }
    for comparison in &found.crowd {
        let figures: [(&str, fn(&Sample) -> f64); 3] =
            [("50 %", |s| s.p50), ("99 %", |s| s.p99), ("99.9 %", |s| s.p999)];
        let all = figures.into_iter().flat_map(|(name, figure)| groups(&[comparison], |_| name.to_owned(), figure));
        let (engine, all) = (&comparison.engine, all.collect::<Vec<_>>());
        let title =
            format!("Percentiles in µs on {engine}, 32 tasks, {} sessions (less is better)", comparison.sessions);
        chart(format!("crowd-{}.svg", engine.to_lowercase()), title, &|area| bars(area, &all, true));
    }
    if let Some(comparison) = &found.writers {
        let groups = groups(&[comparison], |_| "32 writers".to_owned(), |sample| sample.throughput);
        let title = "Commits per second on SQLite, synchronous = FULL (more is better)".to_owned();
        chart("writers.svg".to_owned(), title, &|area| bars(area, &groups, false));
    }
    let mut names: Vec<&str> = found.traffic.iter().map(|row| &*row.traffic).collect();
    names.dedup();
    if !names.is_empty() {
        let groups: Vec<Group> = names
            .into_iter()
            .map(|name| {
                let rows = found.traffic.iter().filter(|row| row.traffic == name);
                (name.to_owned(), rows.map(|row| (row.side.clone(), row.writes as f64)).collect())
            })
            .collect();
        let title = "Writes to the store while serving traffic (less is better)".to_owned();
        chart("traffic.svg".to_owned(), title, &|area| bars(area, &groups, false));
    }
    let mut kinds: Vec<(&str, &str, &str)> = found.growth.iter().map(|g| (&*g.by, &*g.engine, &*g.verb)).collect();
    kinds.sort_unstable();
    kinds.dedup();
    for (by, engine, verb) in kinds {
        let lines: Vec<&Growth> =
            found.growth.iter().filter(|g| (&*g.by, &*g.engine, &*g.verb) == (by, engine, verb)).collect();
        let file = format!("growth-{by}-{}-{}.svg", engine.to_lowercase(), verb.replace(' ', "-"));
        let title = format!("µs per {verb} on {engine}, by {by} (less is better)");
        chart(file, title, &|area| growth(area, &lines, by));
    }
    drawn
}

fn engines(comparisons: &[Comparison]) -> Vec<&str> {
    let mut engines: Vec<&str> = comparisons.iter().map(|comparison| &*comparison.engine).collect();
    engines.dedup();
    engines
}

fn tasks(tasks: u32) -> String {
    if tasks == 1 { "1 task".to_owned() } else { format!("{tasks} tasks") }
}

/// A name, and a bar for each side.
type Group = (String, Vec<(String, f64)>);

fn groups(
    comparisons: &[&Comparison],
    name: impl Fn(&Comparison) -> String,
    figure: impl Fn(&Sample) -> f64 + Copy,
) -> Vec<Group> {
    let group = |comparison: &&Comparison| {
        let bars = comparison.sides.iter().map(|series| (series.side.clone(), series.median(figure)));
        (name(comparison), bars.collect())
    };
    comparisons.iter().map(group).collect()
}

/// A side has its colour on every chart.
fn color(side: &str) -> RGBColor {
    match side {
        "session-runtime" => RGBColor(15, 118, 110),
        "tower-sessions" | "tower-sessions 0.15" => RGBColor(234, 138, 46),
        "by hand" => RGBColor(148, 163, 184),
        "by hand, crate redis" => RGBColor(203, 213, 225),
        "actix-session 0.11" => RGBColor(99, 102, 241),
        "axum_session 0.22" => RGBColor(217, 70, 139),
        lazy if lazy.ends_with("lazy") => RGBColor(125, 180, 235),
        _ => RGBColor(59, 130, 196),
    }
}

/// Groups of bars side by side, each with its figure above.
fn bars(area: &Area<'_>, groups: &[Group], logarithmic: bool) -> Done {
    let values = || groups.iter().flat_map(|(_, bars)| bars.iter().map(|(_, value)| *value)).filter(|v| v.is_finite());
    let most = values().fold(f64::MIN_POSITIVE, f64::max);
    let least = values().filter(|value| *value > 0.0).fold(most, f64::min);
    // Heights from 0 to 1, so that one axis serves both scales; the legend stands above.
    let floor = if logarithmic { (least / 2.0).ln() } else { 0.0 };
    let height = |value: f64| {
        if logarithmic { (value.max(least).ln() - floor) / (most.ln() - floor) } else { value / most }
    };
    let widest = groups.iter().map(|(_, bars)| bars.len()).max().unwrap_or(1) as f64;
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .x_label_area_size(30)
        .build_cartesian_2d(0.0..groups.len() as f64, 0.0..1.5)?;
    chart.configure_mesh().disable_mesh().disable_axes().draw()?;

    let mut sides: Vec<&str> = Vec::new();
    for side in groups.iter().flat_map(|(_, bars)| bars.iter().map(|(side, _)| &**side)) {
        if !sides.contains(&side) {
            sides.push(side);
        }
    }
    let label_size = if groups.len() as f64 * widest > 24.0 { 10 } else { 12 };
    for side in sides {
        let rectangles = groups.iter().enumerate().flat_map(|(place, (_, bars))| {
            bars.iter().enumerate().filter(|(_, (of, value))| of == side && value.is_finite()).map(
                move |(number, (_, value))| {
                    let width = 0.86 / widest;
                    let left = place as f64 + 0.07 + number as f64 * width;
                    (left, left + width * 0.92, *value)
                },
            )
        });
        let rectangles: Vec<_> = rectangles.collect();
        let fill = color(side).filled();
        chart
            .draw_series(
                rectangles
                    .iter()
                    .map(|(left, right, value)| Rectangle::new([(*left, 0.0), (*right, height(*value))], fill)),
            )?
            .label(side)
            .legend(move |(x, y)| Rectangle::new([(x, y - 5), (x + 12, y + 5)], fill));
        let style = (FONT, label_size).into_font().color(&INK).pos(plotters::style::text_anchor::Pos::new(
            plotters::style::text_anchor::HPos::Center,
            plotters::style::text_anchor::VPos::Bottom,
        ));
        chart.draw_series(rectangles.iter().map(|(left, right, value)| {
            Text::new(short(*value), (f64::midpoint(*left, *right), height(*value) + 0.01), style.clone())
        }))?;
    }
    let below = (FONT, 13).into_font().color(&INK).pos(plotters::style::text_anchor::Pos::new(
        plotters::style::text_anchor::HPos::Center,
        plotters::style::text_anchor::VPos::Top,
    ));
    let plane = chart.plotting_area().strip_coord_spec();
    let (width, bottom) = (plane.dim_in_pixel().0 as i32, plane.dim_in_pixel().1 as i32);
    for (place, (name, _)) in groups.iter().enumerate() {
        let x = (width * (2 * place as i32 + 1)) / (2 * groups.len() as i32);
        plane.draw(&Text::new(name.clone(), (x, bottom + 6), below.clone()))?;
    }
    legend(&mut chart, SeriesLabelPosition::UpperMiddle)
}

/// Lines on logarithmic axes.
fn growth(area: &Area<'_>, lines: &[&Growth], by: &str) -> Done {
    let points = || lines.iter().flat_map(|line| line.points.iter());
    let range = |figure: fn(&(f64, f64)) -> f64| {
        let least = points().map(figure).filter(|value| *value > 0.0).fold(f64::INFINITY, f64::min);
        let most = points().map(figure).fold(0.0, f64::max);
        (least, most.max(least))
    };
    let ((first, last), (least, most)) = (range(|point| point.0), range(|point| point.1));
    if !least.is_finite() {
        return Err("nothing was measured".into());
    }
    let mut chart = ChartBuilder::on(area)
        .margin(16)
        .x_label_area_size(44)
        .y_label_area_size(64)
        .build_cartesian_2d((first..last * 1.05).log_scale(), (least / 2.0..most * 4.0).log_scale())?;
    chart
        .configure_mesh()
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .label_style((FONT, 13).into_font().color(&INK))
        .x_desc(by)
        .y_desc("µs")
        .x_label_formatter(&|x| short(*x))
        .y_label_formatter(&|y| short(*y))
        .draw()?;
    for line in lines {
        let stroke = color(&line.side).stroke_width(3);
        chart
            .draw_series(LineSeries::new(line.points.iter().copied(), stroke))?
            .label(line.side.clone())
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 14, y)], stroke));
        let dot = color(&line.side).filled();
        chart.draw_series(line.points.iter().map(|point| Circle::new(*point, 4, dot)))?;
    }
    legend(&mut chart, SeriesLabelPosition::UpperLeft)
}

fn legend<'a, X: CoordTranslate>(chart: &mut ChartContext<'a, SVGBackend<'a>, X>, place: SeriesLabelPosition) -> Done {
    chart
        .configure_series_labels()
        .position(place)
        .background_style(WHITE.mix(0.85))
        .label_font((FONT, 14).into_font().color(&INK))
        .draw()?;
    Ok(())
}
