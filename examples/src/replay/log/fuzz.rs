//! Any bytes, taken for a log.

use std::io::Cursor;
use std::path::Path;

use super::{REPORTED_LINES, Traffic, input};

/// Reads a log, compressed or not.
///
/// # Panics
/// When its lines are miscounted.
pub fn read(bytes: &[u8]) {
    let Ok(mut reader) = input::decoded(Cursor::new(bytes.to_vec())) else { return };
    let mut traffic = Traffic::default();
    if let Ok(bad) = traffic.read_lines(&mut *reader, 0, Path::new("log")) {
        assert_eq!(bad.first.len(), bad.count.min(REPORTED_LINES), "the first lines that cannot be read");
        assert!(traffic.requests.iter().all(|request| request.client < traffic.clients.len()), "clients");
    }
}
