//! grammY, which runs in node, from npm.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;
use serde_json::json;

use super::{Act, Calls};
use crate::bots::Held;
use crate::say;

const SCRIPT: &str = include_str!("grammy.mjs");
/// The version whose figures the report is about.
const PACKAGE: &str = "grammy@1";

/// What it did with some acts.
#[derive(Deserialize)]
pub struct Replay {
    pub calls: Vec<Calls>,
    pub held: Held,
}

/// grammY as npm installed it.
pub struct Grammy {
    folder: PathBuf,
    version: String,
}

impl Grammy {
    /// Installs it into the folder, unless it is there.
    pub fn install(folder: &Path) -> Option<Self> {
        let folder = folder.join("grammy");
        let installed = folder.join("node_modules/grammy/package.json");
        if !installed.is_file() {
            say!("installs grammY");
            std::fs::create_dir_all(&folder).ok()?;
            let arguments = ["install", "--no-audit", "--no-fund", "--silent", "--prefix", "."];
            let npm =
                Command::new("npm").args(arguments).arg(PACKAGE).current_dir(&folder).stdin(Stdio::null()).status();
            if !npm.is_ok_and(|status| status.success()) {
                say!("LEFT OUT: grammY; npm is not installed, or cannot reach its registry");
                return None;
            }
        }
        std::fs::write(folder.join("grammy.mjs"), SCRIPT).ok()?;
        let package: serde_json::Value = serde_json::from_slice(&std::fs::read(installed).ok()?).ok()?;
        Some(Self { version: package["version"].as_str()?.to_owned(), folder })
    }

    pub fn name(&self, lazy: bool) -> String {
        format!("grammY {}, {}", self.version, if lazy { "lazy" } else { "strict" })
    }

    /// The calls of these acts: of each, or together.
    pub fn replay(&self, lazy: bool, requests: &[(usize, Act)], each: bool) -> Option<Replay> {
        let (clients, acts): (Vec<usize>, Vec<Act>) = requests.iter().copied().unzip();
        let input = json!({ "clients": clients, "acts": acts, "each": each }).to_string();
        let mut node = Command::new("node")
            .args(["grammy.mjs", if lazy { "lazy" } else { "strict" }])
            .current_dir(&self.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .ok()?;
        node.stdin.take()?.write_all(input.as_bytes()).ok()?;
        let output = node.wait_with_output().ok()?;
        let replay = serde_json::from_slice(&output.stdout).ok();
        if replay.is_none() {
            say!("LEFT OUT: grammY; node did not replay the requests");
        }
        replay
    }
}
