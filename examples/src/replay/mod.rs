//! Replays traffic through the runtime, beside two other ways to persist sessions, and shows what was saved.
//!
//! Each client is a session. [`rule`] says what a request does to it; [`visitor`] does that through the runtime,
//! [`model`] without it. [`policies`] replay the same requests, [`verify`] compares what the store holds in the end
//! with the model, [`engine`] asks the store's engine what it saw, and [`report`], [`chart`] and [`html`] show the
//! figures.

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
pub mod html;
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

/// Replays as the options say, and writes the chart and the page that they ask for.
///
/// # Errors
/// When the logs cannot be read, a store fails, or the chart or the page cannot be written. A store that holds something else than
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
    let chart = Output::open("chart", options.svg.as_deref())?;
    let page = Output::open("page", options.html.as_deref())?;
    let replay = Replay::new(traffic, options.place.clone(), options.concurrency);
    let costs = replay.play().await?;
    let report = replay.report(source, costs).await?;
    for (output, write) in [(chart, chart::draw as fn(&Report) -> String), (page, html::page)] {
        if let Some(output) = output {
            output.write(&write(&report))?;
        }
    }
    Ok(report)
}

/// A file that is to show the report.
struct Output<'a> {
    what: &'static str,
    path: &'a Path,
    file: File,
}

impl<'a> Output<'a> {
    fn open(what: &'static str, path: Option<&'a Path>) -> Result<Option<Self>, ReplayError> {
        let Some(path) = path else { return Ok(None) };
        let file = File::create(path).map_err(|error| cannot_write(what, path, error))?;
        Ok(Some(Self { what, path, file }))
    }

    fn write(mut self, text: &str) -> Result<(), ReplayError> {
        self.file.write_all(text.as_bytes()).map_err(|error| cannot_write(self.what, self.path, error))
    }
}

fn cannot_write(what: &'static str, path: &Path, source: io::Error) -> ReplayError {
    ReplayError::Output { what, path: path.to_owned(), source }
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
