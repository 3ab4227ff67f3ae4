//! How much memory do sessions take, and how often is some allocated?

use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::say;

/// What the program `allocations` counted; of pairs, the first is this project and the second tower-sessions.
#[derive(Serialize, Deserialize, Debug, Clone)]
pub struct Allocations {
    /// Allocations of a commit when no field is marked.
    pub unmarked_commit: u64,
    /// Allocations to find a vector of 32 unchanged.
    pub vector: u64,
    /// Bytes per session in the memory store.
    pub session: [f64; 2],
    /// Bytes per loaded session that is held.
    pub handle: [f64; 2],
}

pub fn ask() -> Option<Allocations> {
    say!("memory and allocations");
    let program = std::env::current_exe().ok()?.with_file_name("allocations");
    let output = Command::new(&program).output().ok().filter(|output| output.status.success());
    let counted = output.and_then(|output| serde_json::from_slice(&output.stdout).ok());
    if counted.is_none() {
        say!("LEFT OUT: allocations; {} did not run", program.display());
    }
    counted
}
