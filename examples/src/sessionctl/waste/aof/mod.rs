//! Reads what a Redis server appended to its file, or to the files of a folder, when it was sent writes.

mod commands;
mod manifest;
mod snapshot;

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use indicatif::ProgressBar;

use super::event::{By, What};
use super::tally::Tally;
use super::{Options, WasteError, Watched, command};
use commands::{Broken, Commands, Entry};

pub(super) use manifest::find as find_manifest;
pub(super) use snapshot::BEGIN as SNAPSHOT;

/// Whether a file that begins so has commands as they are sent to the server, maybe with the time before them.
pub(super) fn has_commands(begin: &[u8]) -> bool {
    matches!(begin, [b'*', b'0'..=b'9', ..] | [b'#', b'T', b'S', b':', ..])
}

/// Reads the files that a manifest names.
pub(super) fn watch_all(
    manifest: &Path,
    options: &Options,
    bar: &ProgressBar,
    stop: &AtomicBool,
) -> Result<Watched, WasteError> {
    let cannot_read = |file: &Path| {
        let file = file.to_owned();
        move |source| WasteError::File { file, source }
    };
    let text = fs::read_to_string(manifest).map_err(cannot_read(manifest))?;
    let parts = manifest::parse(&text).ok_or_else(|| WasteError::Manifest(manifest.to_owned()))?;
    let folder = manifest.parent().unwrap_or(Path::new("."));
    let mut replay = Replay::new(options);
    for part in parts {
        let file = folder.join(&part.file);
        let mut reader = BufReader::new(File::open(&file).map_err(cannot_read(&file))?);
        if part.is_base && reader.fill_buf().map_err(cannot_read(&file))?.starts_with(SNAPSHOT) {
            replay.is_base_unread = true;
            continue;
        }
        replay.is_base = part.is_base;
        replay.read(&file, reader, bar, stop).map_err(cannot_read(&file))?;
        if replay.ended_early.is_some() {
            break;
        }
    }
    Ok(replay.end())
}

/// Reads one file of commands, maybe behind a snapshot.
pub(super) fn watch(
    path: &Path,
    mut reader: impl BufRead,
    options: &Options,
    bar: &ProgressBar,
    stop: &AtomicBool,
) -> Result<Watched, WasteError> {
    let cannot_read = |source| WasteError::File { file: path.to_owned(), source };
    let mut replay = Replay::new(options);
    if reader.fill_buf().map_err(cannot_read)?.starts_with(SNAPSHOT) {
        replay.is_base_unread = true;
        if !snapshot::skip(&mut reader).map_err(cannot_read)? {
            replay.ended_early = Some(format!(
                "{} begins with a snapshot without an end, or without a checksum (rdbchecksum no) that shows where it ends",
                path.display()
            ));
            return Ok(replay.end());
        }
    }
    replay.read(path, reader, bar, stop).map_err(cannot_read)?;
    Ok(replay.end())
}

/// What the commands do, one after the other.
struct Replay {
    tally: Tally,
    prefix: Vec<u8>,
    /// The database that was selected last.
    database: u64,
    /// Whether what is read now is not what was written, but what was there before.
    is_base: bool,
    is_base_unread: bool,
    /// The first time that stood among the commands, and the last, in seconds.
    span: Option<(u64, u64)>,
    ended_early: Option<String>,
}

impl Replay {
    fn new(options: &Options) -> Self {
        Self {
            tally: Tally::new(options.keys),
            prefix: options.prefix.as_bytes().to_vec(),
            database: 0,
            is_base: false,
            is_base_unread: false,
            span: None,
            ended_early: None,
        }
    }

    /// Reads to the end, or until somebody stops it.
    fn read(&mut self, file: &Path, reader: impl BufRead, bar: &ProgressBar, stop: &AtomicBool) -> io::Result<()> {
        self.database = 0;
        let mut commands = Commands::new(reader);
        while !stop.load(Ordering::Relaxed) {
            match commands.next() {
                Ok(Some(entry)) => self.note(&entry),
                Ok(None) => break,
                Err(Broken::Unreadable(error)) => return Err(error),
                Err(broken) => {
                    self.ended_early = Some(broken.of(file, commands.last()));
                    break;
                }
            }
            bar.set_position(self.tally.writes());
        }
        self.tally.end_together();
        Ok(())
    }

    fn note(&mut self, entry: &Entry) {
        let (words, cut) = match entry {
            Entry::Time(at) => {
                self.span = Some((self.span.map_or(*at, |(first, _)| first), *at));
                return;
            }
            Entry::Command { words, cut } => (words, *cut),
        };
        let name = words.first().map(|word| word.to_ascii_lowercase()).unwrap_or_default();
        match (&name[..], &words[1.min(words.len())..]) {
            (b"select", [number, ..]) => {
                let number = std::str::from_utf8(number).ok().and_then(|number| number.parse().ok());
                self.database = number.unwrap_or_default();
            }
            // A script is told as a transaction of what it did.
            (b"multi", _) => self.tally.begin_together(),
            (b"exec", _) => self.tally.end_together(),
            _ => {
                for what in command::meaning(self.database, words, cut, &self.prefix) {
                    self.note_one(what);
                }
            }
        }
    }

    fn note_one(&mut self, what: What) {
        match what {
            what if self.is_base => self.tally.know(what),
            // What was refused is not appended.
            What::Write { key, digest, bytes, .. } => {
                self.tally.note(BY, What::Write { key, digest, bytes, expected: None });
            }
            what => self.tally.note(BY, what),
        }
    }

    fn end(mut self) -> Watched {
        Watched {
            time: self.span.map(|(first, last)| Duration::from_secs(last.saturating_sub(first))),
            ended_early: self.ended_early,
            has_reads: false,
            is_base_unread: self.is_base_unread,
            ..Watched::of(self.tally.figures())
        }
    }
}

/// Nobody knows who sent a command. Times matter only to those who read before.
const BY: By = By { client: 0, at: 0 };

/// A file that a manifest names.
struct Part {
    file: PathBuf,
    /// Whether it holds what was there when the file before was closed.
    is_base: bool,
}
