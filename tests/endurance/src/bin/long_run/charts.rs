//! The run as pictures: what answers took, and what memory the processes had, with the faults along the time.

use std::error::Error;
use std::path::Path;

use plotters::coord::Shift;
use plotters::coord::ranged1d::{AsRangedCoord, Ranged, ValueFormatter};
use plotters::prelude::*;

use crate::faults::Was;
use crate::ledger::Latencies;
use crate::memory::Memory;
use crate::schedule::{Target, What};

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Done = Result<(), Box<dyn Error>>;

const FONT: &str = "sans-serif";
const INK: RGBColor = RGBColor(31, 41, 55);
const GRID: RGBColor = RGBColor(229, 231, 235);

/// As many points a line has at most.
const POINTS: usize = 450;

/// A name, a colour and points of a line; `None` where it is interrupted.
type Line = (String, RGBColor, Vec<Vec<(f64, f64)>>);

/// The time of the run and its faults, along which everything is drawn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Along<'a> {
    pub(crate) seconds: f64,
    pub(crate) faults: &'a [Was],
}

/// Draws how long answers took: the median, the 99th percentile, and the longest.
pub(crate) fn latencies(file: &Path, title: &str, latencies: &Latencies, along: Along<'_>) -> Done {
    let last = latencies.last_key_value().map_or(0, |(second, _)| *second);
    let step = usize::try_from(last)?.div_ceil(POINTS).max(1);
    let mut lines: [Line; 3] = [
        ("longest".to_owned(), RGBColor(148, 163, 184), vec![Vec::new()]),
        ("99 %".to_owned(), RGBColor(234, 138, 46), vec![Vec::new()]),
        ("50 %".to_owned(), RGBColor(15, 118, 110), vec![Vec::new()]),
    ];
    for from in (0..=last).step_by(step) {
        let to = from + u32::try_from(step)?;
        let mut all: Vec<f32> = latencies.range(from..to).flat_map(|(_, some)| some).copied().collect();
        all.sort_unstable_by(f32::total_cmp);
        for ((_, _, parts), share) in lines.iter_mut().zip([1000, 990, 500]) {
            match (quantile(&all, share), parts.last_mut()) {
                (Some(value), Some(part)) => part.push((f64::from(from + to) / 2.0, f64::from(value))),
                _ => parts.push(Vec::new()),
            }
        }
    }
    let area = SVGBackend::new(file, (960, 420)).into_drawing_area();
    draw(&area, title, "ms", (0.1..100_000.0).log_scale(), 50_000.0, &lines, along)
}

/// The value that so many thousandths of sorted values are at most.
pub(crate) fn quantile(sorted: &[f32], thousandths: usize) -> Option<f32> {
    let place = (sorted.len() * thousandths).div_ceil(1000);
    sorted.get(place.max(1) - 1).copied()
}

/// Draws what memory the processes had. A line begins anew with a process.
pub(crate) fn memory(file: &Path, memory: &Memory, along: Along<'_>) -> Done {
    let color = |target: &Target| match target {
        Target::Redis => RGBColor(217, 70, 139),
        Target::Postgres => RGBColor(99, 102, 241),
        Target::FirstShop => RGBColor(234, 138, 46),
        Target::SecondShop => RGBColor(15, 118, 110),
        Target::Bot => RGBColor(59, 130, 196),
    };
    let lines: Vec<Line> = memory
        .iter()
        .map(|(target, lives)| {
            let step = lives.iter().map(|life| life.samples.len()).sum::<usize>().div_ceil(POINTS).max(1);
            let parts = lives.iter().map(|life| life.samples.iter().step_by(step).copied().collect()).collect();
            (target.to_string(), color(target), parts)
        })
        .collect();
    let most = lines.iter().flat_map(|line| line.2.iter().flatten()).map(|point| point.1).fold(1.0, f64::max);
    let area = SVGBackend::new(file, (960, 420)).into_drawing_area();
    draw(&area, "Resident memory of each process", "MB", 0.0..most * 1.35, most * 1.3, &lines, along)
}

/// Lines above the time, with the faults behind them.
fn draw<Y>(area: &Area<'_>, title: &str, unit: &str, values: Y, top: f64, lines: &[Line], along: Along<'_>) -> Done
where
    Y: AsRangedCoord<Value = f64>,
    Y::CoordDescType: Ranged<ValueType = f64> + ValueFormatter<f64>,
{
    area.fill(&WHITE)?;
    let area = area.titled(title, (FONT, 20).into_font().color(&INK))?;
    let (unit_of_time, each) = if along.seconds > 300.0 { ("minutes", 60.0) } else { ("seconds", 1.0) };
    let mut chart = ChartBuilder::on(&area)
        .margin(14)
        .x_label_area_size(40)
        .y_label_area_size(64)
        .build_cartesian_2d(0.0..along.seconds / each, values)?;
    chart
        .configure_mesh()
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .label_style((FONT, 13).into_font().color(&INK))
        .x_desc(unit_of_time)
        .y_desc(unit)
        .draw()?;
    for was in along.faults {
        // A fault of an instant is seen too.
        let ended = was.ended.max(was.began + along.seconds / 480.0);
        let places = [(was.began / each, 0.000_1), (ended / each, top)];
        chart.draw_series([Rectangle::new(places, RGBColor(239, 68, 68).mix(0.18).filled())])?;
        let name = format!("{}, {}", was.fault.target, verb(was.fault.what));
        let style = (FONT, 10).into_font().color(&INK).transform(FontTransform::Rotate90);
        chart.draw_series([Text::new(name, (was.began / each, top), style)])?;
    }
    for (name, color, parts) in lines {
        let stroke = color.stroke_width(1);
        for part in parts {
            let points = part.iter().map(|(second, value)| (second / each, *value));
            chart.draw_series(LineSeries::new(points, stroke))?;
        }
        let wide = color.stroke_width(3);
        let nothing = LineSeries::new(std::iter::empty(), wide);
        chart
            .draw_series(nothing)?
            .label(name.clone())
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 14, y)], wide));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::MiddleRight)
        .background_style(WHITE.mix(0.85))
        .label_font((FONT, 13).into_font().color(&INK))
        .draw()?;
    Ok(area.present()?)
}

fn verb(what: What) -> &'static str {
    match what {
        What::Killed => "killed",
        What::Restarted => "restarted",
        What::Stopped => "stopped",
    }
}
