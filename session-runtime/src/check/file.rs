//! The file of a snapshot: when it is written, and when it stays.

use std::fmt::Write;
use std::io::ErrorKind;
use std::path::Path;
use std::{env, fs, io};

use super::difference::Difference;
use super::judge;
use super::snapshot::Snapshot;
use crate::codec::Codec;
use crate::error::Error;
use crate::session::Session;
use crate::sessions::Sessions;

/// The variable that accepts a change, and what it has to be.
const VARIABLE: &str = "SESSION_CHECK";
const ACCEPT: &str = "accept";

/// What may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// A file that is missing, and one whose type changed harmlessly.
    Renew,
    /// Whatever changed.
    Accept,
    /// Nothing.
    Keep,
}

impl Mode {
    pub(super) fn of_environment() -> Result<Self, String> {
        let text = |name| env::var_os(name).map(|value| value.to_string_lossy().into_owned()).unwrap_or_default();
        Self::of(&text(VARIABLE), &text("CI"))
    }

    fn of(asked: &str, ci: &str) -> Result<Self, String> {
        match (asked, ci) {
            (ACCEPT, _) => Ok(Self::Accept),
            ("", "" | "0" | "false") => Ok(Self::Renew),
            ("", _) => Ok(Self::Keep),
            _ => Err(format!(
                "`{VARIABLE}` is `{asked}`, which is not known; write `{VARIABLE}={ACCEPT}`, or leave it out"
            )),
        }
    }
}

/// Compares a session type with its file, and writes the file if it may. An error is what the test says.
pub(super) fn check<T: Session, C: Codec>(sessions: &Sessions<T, C>, path: &Path, mode: Mode) -> Result<(), String> {
    let (name, file) = (sessions.name(), path.display());
    let refused = |error: &Error| format!("the session type `{name}` cannot be served: {}", chain(error));
    let own = Snapshot::of(sessions).map_err(|error| refused(&error))?;
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound && mode != Mode::Keep => return write(path, &own),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(format!("{file} is missing: run this test where `CI` is not set, and commit the file"));
        }
        Err(error) => return Err(format!("{file} cannot be read: {error}")),
    };
    let deployed: Snapshot = text.parse().map_err(|error| {
        format!("{file}: {}; it was left as it is, so give another path or put the file back", chain(&error))
    })?;
    let found = judge::compare(&deployed, sessions).map_err(|error| refused(&error))?;
    if !found.is_empty() && mode != Mode::Accept {
        return Err(sentences(name, path, &found));
    }
    let own = own.follow(&deployed);
    if own == deployed {
        return Ok(());
    }
    if mode == Mode::Keep {
        return Err(format!(
            "the session type `{name}` changed harmlessly, and {file} does not have the change, with which the next one is \
             to be compared: run this test where `CI` is not set, and commit the file"
        ));
    }
    write(path, &own)
}

fn sentences(name: &str, path: &Path, found: &[Difference]) -> String {
    let file = path.display();
    let mut text = format!("the session type `{name}` is not what {file} says is deployed:\n");
    for difference in found {
        // Writing to a string cannot fail.
        _ = write!(text, "\n- {difference}");
    }
    text + &format!("\n\nto accept all of it, run this test with `{VARIABLE}={ACCEPT}`, and commit the file")
}

/// Writes the file as a whole or not at all: a test can be killed.
fn write(path: &Path, own: &Snapshot) -> Result<(), String> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}", std::process::id()));
    let written: io::Result<()> = fs::write(&beside, own.to_string()).and_then(|()| fs::rename(&beside, path));
    written.map_err(|error| {
        _ = fs::remove_file(&beside);
        format!("{} cannot be written: {error}", path.display())
    })
}

/// An error and its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
