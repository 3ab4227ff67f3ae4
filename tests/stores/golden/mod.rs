//! What each store keeps today, as files in `tests/golden` that later builds must read.
//!
//! `script` stores it and lists what it must be read as, `check` reads it; `scripts/golden` records the files anew.

mod check;
mod postgres;
mod redis;
mod script;
mod sqlite;

use std::fs;
use std::path::PathBuf;

/// Says what to do when the test that holds it fails.
struct Advice;

impl Drop for Advice {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "This build does not read what an earlier one stored: if the layout changed on purpose, raise the \
                 store's layout version and keep reading the old one, or, before the first release, record anew with \
                 scripts/golden."
            );
        }
    }
}

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden").join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(file(name)).unwrap()
}

/// Writes a file; the comment begins as comments do in its language.
fn record(name: &str, comment: &str, lines: &[String]) {
    let head = format!("{comment} What a build stored, for later ones to read. Written by scripts/golden.");
    fs::create_dir_all(file("")).unwrap();
    fs::write(file(name), format!("{head}\n{}\n", lines.join("\n"))).unwrap();
}
