//! The figures of a replay, for people and for machines.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use super::engine::Seen;
use super::generate::{DISTRIBUTION, Distribution};
use super::log::{self, BadLine};
use super::model::Model;
use super::policies::{Cost, Job, Policy};
use super::rule::RULE;
use super::stores::Place;
use super::verify::{Difference, Findings};

/// What the columns of the table mean.
pub(super) const LEGEND: &str = "\
Reads and writes are calls of the store, by all policies through the same trait, in one round trip each.
Bytes written are the names and the encoded values of the fields in those calls; a whole record is one field.";

/// A column of the table: its name, and the figure in it.
type Column = (&'static str, fn(&Figures) -> String);

/// The table, right of the policies' names.
pub(super) const COLUMNS: [Column; 5] = [
    ("reads", |figures| grouped(figures.reads)),
    ("writes", |figures| grouped(figures.writes)),
    ("records", |figures| grouped(figures.records)),
    ("bytes written", |figures| grouped(figures.bytes_written)),
    ("seconds", |figures| format!("{:.2}", figures.elapsed.as_secs_f64())),
];

/// Where the traffic came from.
#[derive(Debug, Clone)]
pub enum Source {
    /// It was read from these files.
    Logs(Vec<PathBuf>),
    /// It was generated.
    Generated(Distribution),
}

/// What a replay found.
#[derive(Debug)]
pub struct Report {
    /// Where the traffic came from.
    pub source: Source,
    /// How many requests were replayed.
    pub requests: usize,
    /// How many clients they came from.
    pub clients: usize,
    /// How many requests the client with the most of them made.
    pub busiest: usize,
    /// How many requests were earlier than the one before them.
    pub back_in_time: usize,
    /// How many lines could not be read.
    pub bad_lines: usize,
    /// The first of them.
    pub first_bad_lines: Vec<BadLine>,
    /// How many requests used their session.
    pub uses: u64,
    /// How many of them touched it.
    pub touches: u64,
    /// How many of them left it different.
    pub changes: u64,
    /// Where the sessions were kept.
    pub store: String,
    /// How many requests were under way at a time.
    pub concurrency: usize,
    /// What each policy did.
    pub figures: [Figures; 3],
    /// How many fields were compared with the model in the end.
    pub compared: u64,
    /// How many of them differ.
    pub differing: u64,
    /// The first of those.
    pub differences: Vec<Difference>,
}

/// What one policy did.
#[derive(Debug, Clone, Copy)]
pub struct Figures {
    /// The policy.
    pub policy: Policy,
    /// Loads.
    pub reads: u64,
    /// Commits sent to the store.
    pub writes: u64,
    /// Records in the store in the end.
    pub records: u64,
    /// Names and encoded values of the fields in the commits.
    pub bytes_written: u64,
    /// From the first request to the last answer.
    pub elapsed: Duration,
    /// What the engine saw of it.
    pub engine: Seen,
}

impl Report {
    pub(super) fn new(
        source: Source,
        place: &Place,
        job: &Job,
        model: &Model,
        costs: [Cost; 3],
        findings: Findings,
    ) -> Self {
        let figures = std::array::from_fn(|place| Figures {
            policy: Policy::ALL[place],
            reads: costs[place].counts.reads,
            writes: costs[place].counts.writes,
            records: findings.records[place],
            bytes_written: costs[place].counts.bytes_written,
            elapsed: costs[place].elapsed,
            engine: costs[place].engine,
        });
        let traffic = &job.traffic;
        Self {
            source,
            requests: traffic.requests.len(),
            clients: traffic.clients.len(),
            busiest: traffic.busiest(),
            back_in_time: traffic.back_in_time,
            bad_lines: traffic.bad_lines.count,
            first_bad_lines: traffic.bad_lines.first.clone(),
            uses: model.uses,
            touches: model.touches,
            changes: model.changes,
            store: place.to_string(),
            concurrency: job.concurrency,
            figures,
            compared: findings.compared,
            differing: findings.differing,
            differences: findings.differences,
        }
    }

    /// What this project's policy did.
    #[must_use]
    pub fn ours(&self) -> &Figures {
        let [_, _, ours] = &self.figures;
        ours
    }

    /// Whether the runtime wrote as often as requests left a session different.
    #[must_use]
    pub fn writes_are_exact(&self) -> bool {
        self.ours().writes == self.changes
    }

    /// Whether the store holds what the model says, and no write was one too many.
    #[must_use]
    pub fn is_verified(&self) -> bool {
        self.differing == 0 && self.writes_are_exact()
    }

    /// The status with which a program ends that replayed.
    #[must_use]
    pub fn exit_status(&self) -> u8 {
        u8::from(!self.is_verified())
    }

    /// The report as JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let source = match &self.source {
            Source::Logs(paths) => {
                json!({ "logs": paths.iter().map(|path| path.to_string_lossy()).collect::<Vec<_>>() })
            }
            Source::Generated(Distribution { seed, .. }) => {
                json!({ "generated": { "seed": seed, "distribution": DISTRIBUTION } })
            }
        };
        let bad_lines = self.first_bad_lines.iter();
        let bad_lines = bad_lines.map(|BadLine { path, number, fault }| {
            json!({ "file": path.to_string_lossy(), "line": number, "reason": fault.to_string() })
        });
        json!({
            "source": source,
            "requests": self.requests,
            "clients": self.clients,
            "busiest_client": self.busiest,
            "back_in_time": self.back_in_time,
            "bad_lines": { "count": self.bad_lines, "first": bad_lines.collect::<Vec<_>>() },
            "rule": RULE,
            "uses": self.uses,
            "touches": self.touches,
            "changes": self.changes,
            "store": self.store,
            "concurrency": self.concurrency,
            "policies": self.figures.map(Figures::to_json),
            "compared_fields": self.compared,
            "differing_fields": self.differing,
            "differences": self.differences.iter().map(Difference::to_json).collect::<Vec<_>>(),
            "writes_are_exact": self.writes_are_exact(),
            "verified": self.is_verified(),
        })
    }
}

impl Figures {
    fn to_json(self) -> Value {
        json!({
            "policy": self.policy.name(),
            "reads": self.reads,
            "writes": self.writes,
            "records": self.records,
            "bytes_written": self.bytes_written,
            "seconds": self.elapsed.as_secs_f64(),
            "engine": self.engine.to_json(),
        })
    }
}

impl Difference {
    fn to_json(&self) -> Value {
        json!({
            "policy": self.policy.name(),
            "client": self.client,
            "field": self.field,
            "stored": self.stored,
            "expected": self.expected,
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.show_traffic(f)?;
        writeln!(f, "\nrule\n{}", indented(RULE))?;
        writeln!(f, "{}", self.effects_told())?;
        let (store, clients) = (&self.store, self.concurrency);
        writeln!(f, "\nstore    {store}; {clients} clients at a time, the requests of each in their order\n")?;
        self.show_table(f)?;
        writeln!(f, "\n{LEGEND}\n")?;
        self.show_engine(f)?;
        self.show_verdict(f)
    }
}

impl Report {
    fn show_traffic(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::Logs(paths) => {
                for path in paths {
                    writeln!(f, "log      {}", log::name(path))?;
                }
            }
            Source::Generated(Distribution { seed, .. }) => {
                writeln!(f, "traffic  generated, seed {seed}\n{}", indented(DISTRIBUTION))?;
            }
        }
        writeln!(f, "{}", self.requests_told())?;
        if self.bad_lines > 0 {
            writeln!(f, "{}", self.bad_lines_told())?;
            for line in &self.first_bad_lines {
                writeln!(f, "    {line}")?;
            }
        }
        Ok(())
    }

    fn show_table(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // How wide a column is, by its name.
        let wide = |name: &str| name.len().max(9) + 1;
        write!(f, "{:<42}", "policy")?;
        for (name, _) in COLUMNS {
            write!(f, " {name:>width$}", width = wide(name))?;
        }
        for figures in &self.figures {
            write!(f, "\n{:<42}", figures.policy.name())?;
            for (name, figure) in COLUMNS {
                write!(f, " {:>width$}", figure(figures), width = wide(name))?;
            }
        }
        writeln!(f)
    }

    fn show_engine(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seen = self.seen();
        let Some(legend) = seen.legend() else { return Ok(()) };
        if seen.is_unknown() {
            return writeln!(f, "what the engine saw is not known: {legend}\n");
        }
        write!(f, "{:<42}", "what the engine saw")?;
        for (name, _) in seen.figures() {
            write!(f, " {name:>14}")?;
        }
        for figures in &self.figures {
            write!(f, "\n{:<42}", figures.policy.name())?;
            for (_, figure) in figures.engine.figures() {
                write!(f, " {:>14}", grouped(figure))?;
            }
        }
        writeln!(f, "\n\n{legend}\n")
    }

    fn show_verdict(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}", self.exactness(), self.verification())?;
        self.differences.iter().try_for_each(|difference| writeln!(f, "    {difference}"))
    }
}

/// The sentences of every form of the report.
impl Report {
    pub(super) fn requests_told(&self) -> String {
        let [requests, clients, busiest, back] =
            [self.requests, self.clients, self.busiest, self.back_in_time].map(|count| grouped(count as u64));
        format!("{requests} requests of {clients} clients, at most {busiest} of one; {back} times go back")
    }

    pub(super) fn effects_told(&self) -> String {
        let [uses, touches, changes] = [self.uses, self.touches, self.changes].map(grouped);
        format!("{uses} requests use their session, {touches} touch it, {changes} leave it different")
    }

    pub(super) fn bad_lines_told(&self) -> String {
        format!("{} lines are no requests, the first of them:", grouped(self.bad_lines as u64))
    }

    pub(super) fn exactness(&self) -> String {
        if self.writes_are_exact() {
            return "exact: one write for each request that left a session different, and no other".to_owned();
        }
        let (writes, changes) = (grouped(self.ours().writes), grouped(self.changes));
        format!("WRONG: {writes} writes, but {changes} requests left a session different")
    }

    pub(super) fn verification(&self) -> String {
        let (compared, differing) = (grouped(self.compared), grouped(self.differing));
        if self.differing == 0 {
            return format!("verified: read back through a new connection, all {compared} fields equal the model");
        }
        format!("WRONG: {differing} of {compared} fields differ from the model, the first of them:")
    }

    /// What the engine saw of our policy. If it was asked in vain once, it has not told everything: why, comes first.
    pub(super) fn seen(&self) -> Seen {
        let seen = self.figures.map(|figures| figures.engine);
        seen.into_iter().find(|seen| seen.is_unknown()).unwrap_or(self.ours().engine)
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { policy, client, field, stored, expected } = self;
        let show = |value: &Option<Value>| value.as_ref().map_or_else(|| "nothing".to_owned(), Value::to_string);
        let (policy, stored, expected) = (policy.name(), show(stored), show(expected));
        write!(f, "{policy}: client {client}: {field} is {stored} and should be {expected}")
    }
}

fn indented(text: &str) -> String {
    text.lines().fold(String::new(), |text, line| text + "    " + line + "\n")
}

/// A number with its thousands set apart.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn thousands_are_set_apart() {
        let numbers = [0, 999, 1000, 12_345, 1_234_567].map(grouped);
        assert_eq!(numbers, ["0", "999", "1,000", "12,345", "1,234,567"]);
    }
}
