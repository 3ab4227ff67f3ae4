//! What became of each change, in a file, so that a run that was interrupted goes on where it stopped.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;

use crate::engine::Verdict;

/// A line for each verdict; the last one of a change counts.
pub(crate) struct Memory {
    known: BTreeMap<String, Verdict>,
    file: File,
}

impl Memory {
    /// What is known of this engine's changes.
    ///
    /// # Panics
    /// When the file cannot be written.
    pub(crate) fn of(engine: &str) -> Self {
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
        let folder = target.join("script-mutants");
        let path = folder.join(engine);
        let lines = fs::read_to_string(&path).unwrap_or_default();
        let entry = |line: &str| line.split_once('\t').map(|(said, name)| (name.to_owned(), Verdict::from(said)));
        fs::create_dir_all(&folder).expect("a folder for what is known");
        let file = OpenOptions::new().create(true).append(true).open(&path).expect("a file for what is known");
        Self { known: lines.lines().filter_map(entry).collect(), file }
    }

    pub(crate) fn of_change(&self, name: &str) -> Option<&Verdict> {
        self.known.get(name)
    }

    /// Forgets what survived: there may be a test by now that notices it.
    pub(crate) fn forget_survivor(&mut self, name: &str) {
        if matches!(self.known.get(name), Some(Verdict::Survived(_))) {
            self.known.remove(name);
        }
    }

    pub(crate) fn put(&mut self, name: &str, verdict: Verdict) {
        let _ = writeln!(self.file, "{verdict}\t{name}");
        self.known.insert(name.to_owned(), verdict);
    }
}
