//! Processes and the processor time that they used, as Linux tells.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
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

/// While it lives, a server has one processor for itself and this program another one, as if each had a machine.
pub struct Apart {
    processes: Vec<String>,
    all: String,
}

impl Apart {
    /// Moves the processes of a server, and this one with what it will start. Nothing without two processors, or
    /// without `taskset`.
    pub fn put(server: Vec<String>) -> Option<Self> {
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let all = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?.trim().to_owned();
        let [ours, theirs] = first_two(&all)?;
        let apart = Self { processes: server, all };
        let are_moved = apart.processes.iter().all(|process| may_run_on(process, &theirs));
        (may_run_on(&std::process::id().to_string(), &ours) && are_moved).then_some(apart)
    }
}

impl Drop for Apart {
    fn drop(&mut self) {
        may_run_on(&std::process::id().to_string(), &self.all);
        for process in &self.processes {
            may_run_on(process, &self.all);
        }
    }
}

/// The first two of a list such as `0-3,8`.
fn first_two(list: &str) -> Option<[String; 2]> {
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some(first.parse::<u32>().ok()?..=last.parse::<u32>().ok()?)
    };
    let mut all = list.split(',').filter_map(range).flatten();
    Some([all.next()?.to_string(), all.next()?.to_string()])
}

/// Lets all threads of a process run on these processors. Whether that could be done.
fn may_run_on(process: &str, processors: &str) -> bool {
    let mut taskset = Command::new("taskset");
    taskset.args(["--all-tasks", "--cpu-list", "--pid", processors, process]);
    taskset.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_two_processors_of_a_list_are_found() {
        let two = |list| first_two(list).map(|two| two.join(" "));
        assert_eq!(two("0-1").as_deref(), Some("0 1"));
        assert_eq!(two("3,5-7").as_deref(), Some("3 5"));
        assert_eq!(two("2"), None);
    }
}
