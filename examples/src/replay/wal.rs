//! Measures what is written to the write-ahead log of an SQLite database while others use it.
//!
//! SQLite begins the log anew once all of it is in the database file and nobody reads it, and the file keeps its size;
//! so the file's size says nothing. A reader that stays prevents a second new beginning. From time to time it goes and
//! comes again, while a write transaction keeps everybody else from writing: then nothing passes uncounted, and the
//! log stays small.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;

/// How long the reader stays.
const STAY: Duration = Duration::from_millis(200);

/// How long to wait for locks that others hold.
const PATIENCE: Duration = Duration::from_secs(30);

/// Each page in the log has a header of this many bytes.
const FRAME_HEADER: u64 = 24;

/// Why a log cannot be measured.
#[derive(Debug, thiserror::Error)]
pub(super) enum WalError {
    #[error("SQLite cannot be asked")]
    Sqlite(#[from] rusqlite::Error),
    #[error("the log cannot be read")]
    File(#[from] io::Error),
    #[error("another connection did not end its checkpoint")]
    Busy,
}

/// The log of a database file.
#[derive(Debug)]
pub(super) struct Wal {
    path: PathBuf,
    writer: Connection,
    reader: Connection,
    frame_bytes: u64,
    /// The numbers in the log's header that change when it begins anew.
    beginning: Vec<u8>,
    /// How many frames it held when the reader came.
    frames: u64,
    written: u64,
}

impl Wal {
    /// Begins to measure. The path is one that SQLite understands, of a database that has a write-ahead log.
    pub(super) fn open(path: &str) -> Result<Self, WalError> {
        let (writer, reader) = (Connection::open(path)?, Connection::open(path)?);
        writer.busy_timeout(PATIENCE)?;
        let page: u32 = writer.pragma_query_value(None, "page_size", |row| row.get(0))?;
        let path = format!("{}-wal", writer.path().unwrap_or(path)).into();
        let (beginning, frames) = (Vec::new(), 0);
        let mut wal =
            Self { path, writer, reader, frame_bytes: u64::from(page) + FRAME_HEADER, beginning, frames, written: 0 };
        wal.turn()?;
        wal.written = 0;
        Ok(wal)
    }

    /// Measures until there is no more sender; then, how many bytes were written.
    pub(super) fn measure(mut self, end: &Receiver<()>) -> Result<u64, WalError> {
        while end.recv_timeout(STAY) == Err(RecvTimeoutError::Timeout) {
            self.turn()?;
        }
        self.turn()?;
        Ok(self.written * self.frame_bytes)
    }

    /// Counts what was written since the last turn, and lets the log begin anew after this one.
    fn turn(&mut self) -> Result<(), WalError> {
        self.writer.execute_batch("BEGIN IMMEDIATE")?;
        if !self.reader.is_autocommit() {
            self.reader.execute_batch("COMMIT")?;
        }
        let frames = self.checkpoint()?;
        let mut beginning = Vec::new();
        File::open(&self.path)?.take(24).read_to_end(&mut beginning)?;
        let counted = if beginning == self.beginning { self.frames } else { 0 };
        self.written += frames.saturating_sub(counted);
        (self.beginning, self.frames) = (beginning, frames);
        self.reader.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema")?;
        self.writer.execute_batch("COMMIT")?;
        Ok(())
    }

    /// Moves what can be moved from the log into the database file, and says how many frames the log holds.
    #[expect(clippy::disallowed_methods, reason = "SQLite tells nobody when a checkpoint has ended")]
    fn checkpoint(&self) -> Result<u64, WalError> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let frames: i64 = self.reader.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(1))?;
            // Less than none: another connection is at it.
            if let Ok(frames) = u64::try_from(frames) {
                return Ok(frames);
            }
            if Instant::now() > deadline {
                return Err(WalError::Busy);
            }
            thread::sleep(Duration::from_millis(1));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    /// What one transaction appends, if it changes this many pages.
    fn frames(pages: u64) -> u64 {
        pages * (4096 + FRAME_HEADER)
    }

    #[test]
    fn each_page_written_is_counted_however_often_the_log_begins_anew() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("some.db");
        let other = Connection::open(&file).expect("a database");
        // Many beginnings in little time.
        other
            .execute_batch("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 3; PRAGMA synchronous = OFF")
            .expect("a log");
        other.execute_batch("CREATE TABLE numbers (number INTEGER); INSERT INTO numbers VALUES (0)").expect("room");

        let mut wal = Wal::open(file.to_str().expect("UTF-8")).expect("a log");
        assert_eq!(wal.written, 0, "what was there before does not count");
        for round in 1..=50 {
            for _ in 0..7 {
                other.execute("UPDATE numbers SET number = number + 1", []).expect("a write");
            }
            wal.turn().expect("a turn");
            assert_eq!(wal.written, round * 7);
        }
        assert!(std::fs::metadata(&wal.path).expect("a log").len() < frames(50), "it began anew");

        let (more, end) = channel();
        let measured = thread::spawn(move || wal.measure(&end));
        for _ in 0..1000 {
            other.busy_timeout(PATIENCE).expect("a setting");
            other.execute("UPDATE numbers SET number = number + 1", []).expect("a write");
        }
        drop(more);
        assert_eq!(measured.join().expect("no panic").expect("a measure"), frames(1350));
    }
}
