//! Replays traffic through the runtime, beside two other ways to persist sessions, and shows what was saved.
//!
//! Each client is a session. [`rule`] says what a request does to it; [`visitor`] does that through the runtime,
//! [`model`] without it. [`policies`] replay the same requests, [`verify`] compares what the store holds in the end
//! with the model, [`engine`] asks the store's engine what it saw, and [`report`] and [`chart`] show the figures.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use indicatif::{ProgressBar, ProgressStyle};

pub mod chart;
pub mod counting;
pub mod engine;
mod error;
pub mod generate;
pub mod log;
pub mod model;
mod options;
pub mod policies;
pub mod report;
pub mod rule;
pub mod stores;
pub mod verify;
pub mod visitor;
mod wal;

pub use error::ReplayError;
pub use options::Options;
pub use report::Report;

use generate::Distribution;
use log::Traffic;
use model::Model;
use policies::{Cost, Job, Policy};
use report::Source;
use stores::Place;

/// Replays as the options say, and draws the chart if they ask for one.
///
/// # Errors
/// When the logs cannot be read, a store fails, or the chart cannot be written. A store that holds something else than
/// it should is no error here: the report says so.
pub async fn run(options: &Options) -> Result<Report, ReplayError> {
    let (source, traffic) = if options.logs.is_empty() {
        let distribution = Distribution::default();
        (Source::Generated(distribution), distribution.traffic())
    } else {
        (Source::Logs(options.logs.clone()), Traffic::read(&options.logs)?)
    };
    if traffic.requests.is_empty() {
        return Err(ReplayError::NoRequests);
    }
    // Opened first, so that nobody waits for a replay whose chart cannot be written.
    let chart = match &options.svg {
        Some(path) => Some((path, File::create(path).map_err(cannot_draw(path))?)),
        None => None,
    };
    let replay = Replay::new(traffic, options.place.clone(), options.concurrency);
    let costs = replay.play().await?;
    let report = replay.report(source, costs).await?;
    if let Some((path, mut file)) = chart {
        file.write_all(chart::draw(&report).as_bytes()).map_err(cannot_draw(path))?;
    }
    Ok(report)
}

fn cannot_draw(path: &Path) -> impl Fn(io::Error) -> ReplayError {
    move |source| ReplayError::Chart { path: path.to_owned(), source }
}

/// A replay of some traffic into a store.
struct Replay {
    job: Arc<Job>,
    model: Model,
    place: Place,
}

impl Replay {
    fn new(traffic: Traffic, place: Place, concurrency: usize) -> Self {
        let model = Model::of(&traffic);
        Self { job: Arc::new(Job::new(traffic, concurrency)), model, place }
    }

    /// Lets each policy replay the traffic.
    async fn play(&self) -> Result<[Cost; 3], ReplayError> {
        let [first, second, third] = Policy::ALL;
        Ok([self.play_by(first).await?, self.play_by(second).await?, self.play_by(third).await?])
    }

    async fn play_by(&self, policy: Policy) -> Result<Cost, ReplayError> {
        // Drawn on a terminal only.
        let progress =
            ProgressBar::new(self.job.traffic.requests.len() as u64).with_style(style()).with_message(policy.name());
        let cost = policy.play(&self.job, &self.place, &progress).await;
        progress.finish_and_clear();
        cost
    }

    /// Looks, through a new connection, at what the replay left in the store.
    async fn report(self, source: Source, costs: [Cost; 3]) -> Result<Report, ReplayError> {
        let store = self.place.connect().await?;
        let findings = verify::verify(&store, &self.job, &self.model).await?;
        Ok(Report::new(source, &self.place, &self.job, &self.model, costs, findings))
    }
}

fn style() -> ProgressStyle {
    let template = "{msg:42} [{bar:40}] {human_pos}/{human_len} {per_sec} {eta}";
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests;
