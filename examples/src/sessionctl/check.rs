//! Compares the session types of a build with what a store has registered.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use session_runtime::AnyStore;
use session_runtime::admin::{Admin, Checked};
use session_runtime::check::Snapshot;

use super::SessionctlError;
use super::text::{escape, escape_json};

/// Says of each file what stands against its build. Returns whether nothing does.
pub(super) async fn run(
    admin: &Admin<AnyStore>,
    files: &[PathBuf],
    out: &mut impl Write,
) -> Result<bool, SessionctlError> {
    // All are read first: nothing is said of a part of them.
    let snapshots = files.iter().map(|file| read(file)).collect::<Result<Vec<_>, _>>()?;
    let mut all = true;
    for (file, snapshot) in files.iter().zip(snapshots) {
        let (file, session) = (shown(file), format!("`{}` version {}", escape(snapshot.name()), snapshot.version()));
        match admin.check(&snapshot).await? {
            Checked::Different(differences) => {
                all = false;
                for difference in differences {
                    writeln!(out, "{file}: {}", escape_json(&difference.to_string()))?;
                }
            }
            Checked::New => writeln!(out, "{file}: nothing is registered of {session} yet")?,
            _ => writeln!(out, "{file}: {session} gets on with what is registered")?,
        }
    }
    Ok(all)
}

fn read(file: &Path) -> Result<Snapshot, SessionctlError> {
    let text = fs::read_to_string(file).map_err(|source| SessionctlError::File { file: shown(file), source })?;
    text.parse().map_err(|source| SessionctlError::NoSnapshot { file: shown(file), source })
}

fn shown(file: &Path) -> String {
    escape(&file.to_string_lossy())
}
