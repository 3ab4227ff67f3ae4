//! Reading logs: each line that is a request, in the order of the files and their lines.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

mod clf;
mod tsv;

/// The longest line that is read, in bytes. What is longer is no request.
const LONGEST_LINE: u64 = 64 * 1024;

/// The longest name of a client, in bytes: it becomes the key of a session.
const LONGEST_CLIENT: usize = 255;

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

/// A line that is a request, and the client's name in it.
#[derive(Debug, PartialEq, Eq)]
struct Line<'a> {
    at: i64,
    client: Client<'a>,
    verb: &'a str,
    label: &'a str,
    status: Option<u16>,
}

/// How a log names a client.
#[derive(Debug, PartialEq, Eq)]
enum Client<'a> {
    /// By a number of its own: client 7 of another file is somebody else.
    Numbered(&'a str),
    /// By its address: the same in every file.
    Host(&'a str),
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
    /// The first of them: the file, and the line's number from 1.
    pub first: Vec<(PathBuf, usize)>,
}

/// A log cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the log {}", path.display())]
pub struct LogError {
    path: PathBuf,
    source: io::Error,
}

impl Traffic {
    /// Reads logs in the TSV format `t client verb label status`, the Common or the Combined Log Format; plain or
    /// gzipped, which is told from their content.
    ///
    /// # Errors
    /// When a file is missing or cannot be read to its end.
    pub fn read(paths: &[PathBuf]) -> Result<Self, LogError> {
        let mut traffic = Self::default();
        for (file, path) in paths.iter().enumerate() {
            traffic.read_file(file, path).map_err(|source| LogError { path: path.clone(), source })?;
        }
        Ok(traffic)
    }

    fn read_file(&mut self, file: usize, path: &Path) -> io::Result<()> {
        let mut reader = open(path)?;
        let mut line = Vec::new();
        for number in 1.. {
            line.clear();
            let complete = read_line(&mut reader, &mut line)?;
            if line.is_empty() {
                break;
            }
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end_matches(['\r', '\n']);
            if line.trim().is_empty() || line.starts_with('#') || line == tsv::HEADER {
                continue;
            }
            match parse(line).filter(|_| complete) {
                Some(request) => self.push_line(file, &request),
                None => self.bad_lines.push(path, number),
            }
        }
        Ok(())
    }

    fn push_line(&mut self, file: usize, line: &Line<'_>) {
        let client = match line.client {
            Client::Numbered(number) => format!("{}:{number}", file + 1),
            Client::Host(host) => host.to_owned(),
        };
        self.push(line.at, client, line.verb.to_owned(), line.label.to_owned(), line.status);
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
    fn push(&mut self, path: &Path, number: usize) {
        self.count += 1;
        if self.first.len() < REPORTED_LINES {
            self.first.push((path.to_owned(), number));
        }
    }
}

/// A line of either format: only the TSV starts with a number and a tab.
fn parse(line: &str) -> Option<Line<'_>> {
    let first = line.split('\t').next().unwrap_or(line);
    let parsed = if first.parse::<i64>().is_ok() { tsv::parse(line) } else { clf::parse(line) };
    parsed.filter(|line| {
        let (Client::Numbered(client) | Client::Host(client)) = line.client;
        !client.is_empty() && client.len() <= LONGEST_CLIENT
    })
}

fn parse_status(status: &str) -> Option<Option<u16>> {
    match status {
        "-" => Some(None),
        status => status.parse().ok().filter(|status| (100..1000).contains(status)).map(Some),
    }
}

fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
    let mut reader = BufReader::new(File::open(path)?);
    let is_gzipped = reader.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    Ok(if is_gzipped { Box::new(BufReader::new(MultiGzDecoder::new(reader))) } else { Box::new(reader) })
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
