//! Sides in turn, several rounds, and what to make of the figures.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use session_peers_load::{Load, Side};

use crate::engines::Engine;

/// What one side took in one round.
#[derive(Serialize, Deserialize, Debug, Clone, Copy, Default)]
pub struct Sample {
    /// Operations per second.
    pub throughput: f64,
    /// Microseconds of processor time of the client, and of the server, per operation.
    pub client: f64,
    pub server: Option<f64>,
    /// Microseconds.
    pub p50: f64,
    pub p99: f64,
    pub p999: f64,
}

impl Sample {
    /// Microseconds of processor time of both.
    pub fn cpu(&self) -> f64 {
        self.client + self.server.unwrap_or(0.0)
    }
}

/// One side over all rounds.
#[derive(Serialize, Deserialize, Debug, Clone)]
pub struct Series {
    pub side: String,
    pub rounds: Vec<Sample>,
}

impl Series {
    pub fn median(&self, figure: impl Fn(&Sample) -> f64) -> f64 {
        Ratio::of(self.rounds.iter().map(figure)).median
    }
}

/// Sides compared under one load.
#[derive(Serialize, Deserialize, Debug, Clone)]
pub struct Comparison {
    pub engine: String,
    pub verb: String,
    /// Bytes of untouched data.
    pub untouched: usize,
    pub tasks: u32,
    pub sessions: u32,
    pub sides: Vec<Series>,
}

impl Comparison {
    pub fn side(&self, name: &str) -> Option<&Series> {
        self.sides.iter().find(|series| series.side == name)
    }

    /// Ours divided by another side's, round by round.
    pub fn ratio(&self, other: &str, figure: impl Fn(&Sample) -> f64) -> Option<Ratio> {
        let (ours, theirs) = (self.sides.first()?, self.side(other)?);
        let ratios = ours.rounds.iter().zip(&theirs.rounds).map(|(ours, theirs)| figure(ours) / figure(theirs));
        Some(Ratio::of(ratios))
    }
}

/// The median of the rounds, and the least and the most.
#[derive(Serialize, Deserialize, Debug, Clone, Copy)]
pub struct Ratio {
    pub median: f64,
    pub least: f64,
    pub most: f64,
}

impl Ratio {
    pub fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        let at = |place: usize| values.get(place).copied().unwrap_or(f64::NAN);
        Self { median: at(values.len() / 2), least: at(0), most: at(values.len().saturating_sub(1)) }
    }
}

impl std::fmt::Display for Ratio {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.2} ({:.2}–{:.2})", self.median, self.least, self.most)
    }
}

/// Lets the sides take turns: forward in one round, backward in the next, so that none always comes first.
pub fn compare(
    engine: &Engine,
    sides: &mut [Box<dyn Side>],
    load: &Load,
    untouched: usize,
    rounds: usize,
) -> Comparison {
    let mut series: Vec<Series> =
        sides.iter().map(|side| Series { side: side.name().to_owned(), rounds: Vec::new() }).collect();
    // Whatever a side does once, such as loading a script, it does here.
    let warm = Load { duration: Duration::from_millis(20), ..load.clone() };
    for side in sides.iter_mut() {
        side.run(&warm);
    }
    for round in 0..rounds {
        let mut order: Vec<usize> = (0..sides.len()).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for place in order {
            let before = engine.cpu();
            let figures = sides[place].run(load);
            let server = engine.cpu().zip(before).map(|(after, before)| after.saturating_sub(before));
            let each = |nanoseconds: f64| nanoseconds / 1000.0 / figures.operations.max(1) as f64;
            let quantile = |share| figures.latencies.quantile(share) / 1000.0;
            series[place].rounds.push(Sample {
                throughput: figures.throughput(),
                client: figures.client_each() / 1000.0,
                server: server.map(|server| each(server.as_nanos() as f64)),
                p50: quantile(0.5),
                p99: quantile(0.99),
                p999: quantile(0.999),
            });
        }
    }
    Comparison {
        engine: engine.name().to_owned(),
        verb: load.verb.name().to_owned(),
        untouched,
        tasks: load.tasks,
        sessions: load.keys.end - load.keys.start,
        sides: series,
    }
}
