//! Reads what was sent to a Redis server from a file, or from standard input: as `MONITOR` told it to somebody else, or
//! as the server appended it to its own file.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use indicatif::ProgressBar;

use super::watch::{Watch, take_line};
use super::{Options, WasteError, Watched, aof};

/// Reads to the end, or until somebody stops it.
pub(super) fn watch(
    path: &Path,
    options: &Options,
    bar: &ProgressBar,
    stop: &AtomicBool,
) -> Result<Watched, WasteError> {
    let cannot_read = |source| WasteError::File { file: path.to_owned(), source };
    if path.is_dir() {
        let manifest = aof::find_manifest(path).ok_or_else(|| WasteError::NoManifest(path.to_owned()))?;
        return aof::watch_all(&manifest, options, bar, stop);
    }
    let mut reader: Box<dyn BufRead> = if path == Path::new("-") {
        Box::new(BufReader::new(io::stdin()))
    } else {
        Box::new(BufReader::new(File::open(path).map_err(cannot_read)?))
    };
    let begin = reader.fill_buf().map_err(cannot_read)?;
    if begin.starts_with(b"file ") {
        aof::watch_all(path, options, bar, stop)
    } else if begin.starts_with(aof::SNAPSHOT) || aof::has_commands(begin) {
        aof::watch(path, reader, options, bar, stop)
    } else {
        watch_lines(reader, options, bar, stop).map_err(cannot_read)
    }
}

/// Reads lines of `MONITOR`.
fn watch_lines(
    mut reader: impl BufRead,
    options: &Options,
    bar: &ProgressBar,
    stop: &AtomicBool,
) -> io::Result<Watched> {
    let mut watch = Watch::new(&options.prefix, None, options.keys);
    let mut line = Vec::new();
    while !stop.load(Ordering::Relaxed) && read_line(&mut reader, &mut line)? {
        watch.line(&line);
        bar.set_position(watch.writes());
    }
    let (unreadable, time) = (watch.unreadable(), Some(Duration::from_micros(watch.micros())));
    Ok(Watched { unreadable, time, ..Watched::of(watch.figures()) })
}

/// Reads the next line, and of one that is too long what is looked at. Returns whether there was one.
fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    loop {
        let chunk = reader.fill_buf()?;
        if chunk.is_empty() {
            return Ok(!line.is_empty());
        }
        let (taken, is_whole) = take_line(chunk, line);
        reader.consume(taken);
        if is_whole {
            return Ok(true);
        }
    }
}
