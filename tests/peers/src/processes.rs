//! Processes and the processor time that they used, as Linux tells.

use std::fs;
use std::path::Path;
use std::time::Duration;

/// Of a process that runs: from the scheduler's figures of all threads, in nanoseconds; from `stat`, in hundredths, on a
/// system without them.
pub fn cpu_of(process: &str) -> Duration {
    let folder = Path::new("/proc").join(process);
    let threads = fs::read_dir(folder.join("task")).into_iter().flatten().flatten();
    let nanoseconds: u64 = threads
        .filter_map(|thread| fs::read_to_string(thread.path().join("schedstat")).ok())
        .filter_map(|line| line.split_whitespace().next()?.parse::<u64>().ok())
        .sum();
    if nanoseconds > 0 { Duration::from_nanos(nanoseconds) } else { Stat::of(process).times(11) }
}

/// Of all processes that this one started and that have ended.
pub fn cpu_of_ended_children() -> Duration {
    Stat::of("self").times(13)
}

/// The processes that one started and that run.
pub fn children(parent: &str) -> Vec<String> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter_map(|process| process.file_name().into_string().ok())
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
        .filter(|name| Stat::of(name).value(1) == Some(parent))
        .collect()
}

/// The line of figures of a process.
struct Stat(String);

impl Stat {
    fn of(process: &str) -> Self {
        Self(fs::read_to_string(Path::new("/proc").join(process).join("stat")).unwrap_or_default())
    }

    /// The value at this place behind the program's name, which can hold spaces.
    fn value(&self, place: usize) -> Option<&str> {
        self.0.rsplit_once(')')?.1.split_whitespace().nth(place)
    }

    /// Time as a user and time in the kernel, which stand one after the other, in hundredths of a second.
    fn times(&self, first: usize) -> Duration {
        let ticks = |place| self.value(place)?.parse::<u64>().ok();
        Duration::from_millis(10 * (ticks(first).unwrap_or(0) + ticks(first + 1).unwrap_or(0)))
    }
}
