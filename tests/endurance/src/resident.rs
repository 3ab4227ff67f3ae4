//! The memory of processes, as Linux tells.

use std::fs;

/// Megabytes that a process has of its own and, of one that shares none, those of files too. Nothing if it is gone.
#[must_use]
pub fn now(process: &str, shares: bool) -> f64 {
    status(process, if shares { "RssAnon:" } else { "VmRSS:" })
}

/// The most megabytes that this process had since it was asked the last time.
#[must_use]
pub fn most() -> f64 {
    let most = status("self", "VmHWM:");
    // "5" begins the count anew.
    let _ = fs::write("/proc/self/clear_refs", "5");
    most
}

fn status(process: &str, name: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kilobytes.unwrap_or_default() / 1024.0
}
