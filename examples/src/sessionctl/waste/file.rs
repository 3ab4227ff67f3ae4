//! Reads what `MONITOR` told somebody else: from a file, or from standard input.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::ProgressBar;

use super::watch::{Watch, take_line};
use super::{Options, WasteError, Watched};

/// Reads to the end, or until somebody stops it.
pub(super) fn watch(
    path: &Path,
    options: &Options,
    bar: &ProgressBar,
    stop: &AtomicBool,
) -> Result<Watched, WasteError> {
    let cannot_read = |source| WasteError::File { file: path.to_owned(), source };
    let mut reader: Box<dyn BufRead> = if path == Path::new("-") {
        Box::new(BufReader::new(io::stdin()))
    } else {
        Box::new(BufReader::new(File::open(path).map_err(cannot_read)?))
    };
    let mut watch = Watch::new(&options.prefix, None, options.keys);
    let mut line = Vec::new();
    while !stop.load(Ordering::Relaxed) && read_line(&mut reader, &mut line).map_err(cannot_read)? {
        watch.line(&line);
        bar.set_position(watch.writes());
    }
    let micros = Some(watch.micros());
    Ok(Watched { figures: watch.figures(), unreadable: watch.unreadable(), micros, ended_early: None, has_reads: true })
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
