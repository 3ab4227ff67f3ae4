//! Watches what a server is sent by any session library, and says how much of it changed anything.
//!
//! [`monitor`], `aof` and [`decoding`] read what a server tells, [`command`] knows what it means for a key, [`format`] takes the
//! value apart, [`digest`] compares it with the one before, [`tally`] counts each [`event`], and [`report`] and [`chart`] show the [`figures`].

use std::io::Write;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

mod aof;
pub mod chart;
pub mod command;
pub mod decoding;
pub mod digest;
mod error;
pub mod event;
pub mod figures;
mod file;
pub mod format;
pub mod monitor;
pub(crate) mod options;
mod postgres;
mod redis;
pub mod report;
pub mod tally;
mod tree;
pub mod watch;

pub use error::WasteError;
pub use report::Report;

use figures::Figures;

/// What to watch, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// What to watch.
    pub source: Source,
    /// For how long.
    pub time: Duration,
    /// What the keys begin with.
    pub prefix: String,
    /// The most keys that are remembered.
    pub keys: usize,
    /// Whether a busy server is watched too.
    pub yes: bool,
    /// Whether the report is for machines.
    pub json: bool,
    /// Where a picture of the report goes.
    pub chart: Option<PathBuf>,
}

/// What can be watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A Redis server, by its URL.
    Redis(String),
    /// A PostgreSQL server, by its URL.
    Postgres(String),
    /// The output of `MONITOR` in a file, an append-only file, or the folder of one; or `-` for standard input.
    File(PathBuf),
}

impl std::str::FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once("://") {
            Some(("redis" | "rediss" | "redis+unix" | "unix" | "valkey" | "valkeys", _)) => {
                Ok(Self::Redis(text.to_owned()))
            }
            Some(("postgres" | "postgresql", _)) => Ok(Self::Postgres(text.to_owned())),
            Some(("redis+cluster", _)) => {
                Err("of a cluster, each server has a part of the sessions: watch one, as redis://host:port".to_owned())
            }
            Some((scheme, _)) => Err(format!("nothing can be watched at {scheme}://")),
            None => Ok(Self::File(text.into())),
        }
    }
}

/// What came of watching something.
struct Watched {
    figures: Figures,
    unreadable: u64,
    /// How much time a file tells of, if it does.
    time: Option<Duration>,
    ended_early: Option<String>,
    has_reads: bool,
    is_base_unread: bool,
}

impl Watched {
    fn of(figures: Figures) -> Self {
        Self { figures, unreadable: 0, time: None, ended_early: None, has_reads: true, is_base_unread: false }
    }
}

/// Watches, and writes what was seen. Ctrl-C ends it earlier.
///
/// # Errors
/// When it cannot be watched, or the report cannot be written.
pub async fn run(options: &Options, out: &mut impl Write) -> Result<(), super::SessionctlError> {
    let mut interrupted = pin!(interrupted());
    let watcher = tokio::select! {
        // Asked first, so that Ctrl-C is heard of from the beginning.
        biased;
        () = &mut interrupted => return Ok(()),
        watcher = Watcher::begin(options) => watcher?,
    };
    let report = watcher.until(interrupted).await?;
    if let Some(file) = &options.chart {
        let written = std::fs::write(file, chart::draw(&report));
        written.map_err(|source| WasteError::Chart { file: file.clone(), source })?;
    }
    if options.json {
        writeln!(out, "{:#}", report.to_json())?;
    } else {
        write!(out, "{report}")?;
    }
    Ok(())
}

/// Something that is watched from now on.
pub struct Watcher {
    options: Options,
    started: Instant,
    bar: ProgressBar,
    link: Link,
}

enum Link {
    Redis(redis::Monitored),
    Postgres(Box<postgres::Decoded>),
    File(PathBuf),
}

impl std::fmt::Debug for Watcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watcher").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Watcher {
    /// Connects. From then on, nothing is missed.
    ///
    /// # Errors
    /// When it cannot be watched.
    pub async fn begin(options: &Options) -> Result<Self, WasteError> {
        let link = match &options.source {
            Source::Redis(url) => Link::Redis(redis::Monitored::begin(url, options).await?),
            Source::Postgres(url) => Link::Postgres(Box::new(postgres::Decoded::begin(url, options).await?)),
            Source::File(path) => Link::File(path.clone()),
        };
        // Drawn on a terminal only.
        let bar = ProgressBar::no_length().with_style(style());
        bar.enable_steady_tick(Duration::from_millis(200));
        Ok(Self { options: options.clone(), started: Instant::now(), bar, link })
    }

    /// Watches until then, or until the time of the options is over.
    ///
    /// # Errors
    /// When what is watched cannot be read.
    pub async fn until(self, end: impl Future<Output = ()>) -> Result<Report, WasteError> {
        let Self { options, started, bar, link } = self;
        let is_file = matches!(link, Link::File(_));
        let watched = match link {
            Link::Redis(redis) => redis.watch(&options, &bar, end).await,
            Link::Postgres(postgres) => postgres.watch(&options, &bar, end).await,
            Link::File(path) => watch_file(&path, &options, &bar, end).await,
        };
        bar.finish_and_clear();
        let Watched { figures, unreadable, time, ended_early, has_reads, is_base_unread } = watched?;
        let time = if is_file { time } else { Some(started.elapsed()) };
        Ok(Report { time, figures, unreadable, ended_early, has_reads, is_base_unread })
    }
}

async fn watch_file(
    path: &Path,
    options: &Options,
    bar: &ProgressBar,
    end: impl Future<Output = ()>,
) -> Result<Watched, WasteError> {
    let stop = Arc::new(AtomicBool::new(false));
    let mut reading = {
        let (path, options, bar, stop) = (path.to_owned(), options.clone(), bar.clone(), Arc::clone(&stop));
        tokio::task::spawn_blocking(move || file::watch(&path, &options, &bar, &stop))
    };
    let watched = tokio::select! {
        watched = &mut reading => watched,
        () = end => {
            stop.store(true, Ordering::Relaxed);
            reading.await
        }
    };
    watched.map_err(|_| WasteError::Stopped)?
}

/// Waits for Ctrl-C. Where nobody can hear of it, forever.
async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {elapsed_precise} {human_pos} writes {per_sec}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
}
