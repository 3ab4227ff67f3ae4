//! Reading logs: each line that is a request, in the order of the files and their lines.
//!
//! What a file is, is told from its content and not from its name: [`input`] looks at its first bytes, [`parse`] at how
//! each line begins.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, BufRead, Read};
use std::path::{Path, PathBuf};

use line::{Client, Line};

mod clf;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod input;
mod json;
mod line;
mod time;
mod tsv;
mod zstd;

pub(super) use input::name;
pub use line::Fault;

/// What is understood, in words.
pub const FORMATS: &str = "\
the TSV format `t client verb label status`; the Common and the Combined Log Format, also with the virtual host first; \
JSON lines like those of Caddy and nginx; in UTF-8, plain or compressed by gzip, xz or zstd";

/// The longest line that is read, in bytes. What is longer is no request.
const LONGEST_LINE: u64 = 64 * 1024;

/// How many lines that could not be read are reported with their numbers.
pub const REPORTED_LINES: usize = 5;

/// A request of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Unix time in seconds.
    pub at: i64,
    /// Whose it is: an index of [`Traffic::clients`].
    pub client: usize,
    /// The method of a web request; `say` or `act` for a chat message.
    pub verb: String,
    /// The target of a web request; the length of a chat message in bytes.
    pub label: String,
    /// The status of the answer, if it has one.
    pub status: Option<u16>,
}

/// Requests in the order in which they are replayed.
#[derive(Debug, Default)]
pub struct Traffic {
    /// The requests.
    pub requests: Vec<Request>,
    /// The names of the clients.
    pub clients: Vec<String>,
    /// How many requests are earlier than the one before them. They are replayed where they stand.
    pub back_in_time: usize,
    /// The lines that are no requests.
    pub bad_lines: BadLines,
    known: HashMap<String, usize>,
}

/// Lines that could not be read as requests.
#[derive(Debug, Default)]
pub struct BadLines {
    /// How many there are.
    pub count: usize,
    /// The first of them.
    pub first: Vec<BadLine>,
}

/// A line that could not be read as a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLine {
    /// The log that it is in, as the user named it.
    pub path: PathBuf,
    /// Its number from 1.
    pub number: usize,
    /// Why it is no request.
    pub fault: Fault,
}

/// A log cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// It is missing, or cannot be read to its end.
    #[error("cannot read the log {}", name(path))]
    Input {
        /// The log, as the user named it.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// It is compressed, and its end is missing.
    #[error("the log {} is cut short", name(path))]
    CutShort {
        /// The log, as the user named it.
        path: PathBuf,
    },
    /// It has lines, and none of them is a request.
    #[error("nothing in the log {} can be read, its line {} because {}; understood are {FORMATS}", name(&first.path), first.number, first.fault)]
    NothingUnderstood {
        /// The first of its lines.
        first: BadLine,
    },
}

impl Traffic {
    /// Reads logs in any of the [`FORMATS`], which are told from their content. The path `-` is standard input.
    ///
    /// # Errors
    /// When a log is missing or cannot be read to its end, or has lines of which none is a request.
    pub fn read(paths: &[PathBuf]) -> Result<Self, LogError> {
        let mut traffic = Self::default();
        for (file, path) in paths.iter().enumerate() {
            let before = traffic.requests.len();
            let read = input::open(path).and_then(|mut reader| traffic.read_lines(&mut *reader, file, path));
            let bad = read.map_err(|source| match source.kind() {
                io::ErrorKind::UnexpectedEof => LogError::CutShort { path: path.clone() },
                _ => LogError::Input { path: path.clone(), source },
            })?;
            if let (true, Some(first)) = (traffic.requests.len() == before, bad.first.first()) {
                return Err(LogError::NothingUnderstood { first: first.clone() });
            }
            traffic.bad_lines.append(bad);
        }
        Ok(traffic)
    }

    /// Adds the requests of a log, and returns its other lines.
    fn read_lines(&mut self, reader: &mut dyn BufRead, file: usize, path: &Path) -> io::Result<BadLines> {
        let (mut bad, mut line) = (BadLines::default(), Vec::new());
        for number in 1.. {
            line.clear();
            let complete = read_line(reader, &mut line)?;
            if line.is_empty() {
                break;
            }
            let line = String::from_utf8_lossy(&line);
            // The byte order mark of UTF-8, of which a log that was put together has several.
            let line = line.strip_prefix('\u{feff}').unwrap_or(&line).trim_end_matches(['\r', '\n']);
            if line.trim().is_empty() || line.starts_with('#') || line == tsv::HEADER {
                continue;
            }
            let parsed = if complete { parse(line) } else { Err(Fault::TooLong) };
            match parsed {
                Ok(request) => self.push_line(file, request),
                Err(fault) => bad.push(|| BadLine { path: path.to_owned(), number, fault }),
            }
        }
        Ok(bad)
    }

    fn push_line(&mut self, file: usize, line: Line<'_>) {
        let client = match line.client {
            Client::Numbered(number) => format!("{}:{number}", file + 1),
            Client::Host(host) => host.into_owned(),
        };
        self.push(line.at, client, line.verb.into_owned(), line.label.into_owned(), line.status);
    }

    /// Adds a request.
    pub fn push(&mut self, at: i64, client: String, verb: String, label: String, status: Option<u16>) {
        if self.requests.last().is_some_and(|last| at < last.at) {
            self.back_in_time += 1;
        }
        let client = *self.known.entry(client).or_insert_with_key(|client| {
            self.clients.push(client.clone());
            self.clients.len() - 1
        });
        self.requests.push(Request { at, client, verb, label, status });
    }

    /// How many requests the client with the most of them made.
    #[must_use]
    pub fn busiest(&self) -> usize {
        let mut requests = vec![0; self.clients.len()];
        for request in &self.requests {
            if let Some(count) = requests.get_mut(request.client) {
                *count += 1;
            }
        }
        requests.into_iter().max().unwrap_or_default()
    }
}

impl BadLines {
    fn push(&mut self, line: impl FnOnce() -> BadLine) {
        self.count += 1;
        if self.first.len() < REPORTED_LINES {
            self.first.push(line());
        }
    }

    fn append(&mut self, other: Self) {
        self.count += other.count;
        self.first.extend(other.first);
        self.first.truncate(REPORTED_LINES);
    }
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", name(&self.path), self.number, self.fault)
    }
}

/// A line of any format: each begins in its own way.
fn parse(line: &str) -> Result<Line<'_>, Fault> {
    let parsed = if json::is(line) {
        json::parse(line)
    } else if tsv::is(line) {
        tsv::parse(line)
    } else {
        clf::parse(line)
    };
    parsed.and_then(Line::checked)
}

/// Reads a line, or only the start of one that is too long. Returns whether it is complete.
fn read_line(reader: &mut dyn BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    let mut rest = Read::take(&mut *reader, LONGEST_LINE);
    rest.read_until(b'\n', line)?;
    if rest.limit() > 0 || line.ends_with(b"\n") {
        return Ok(true);
    }
    reader.skip_until(b'\n')?;
    Ok(false)
}

#[cfg(test)]
mod tests;
