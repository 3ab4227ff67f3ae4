//! Compares each write with the one before, and counts what it changed.

use std::collections::HashMap;
use std::mem;

use super::digest::{Change, Digest, Format};
use super::event::{By, Fields, Key, What};
use super::figures::{Basis, Doubt, Figures, Kind};

/// For how long a client that read a value is thought to go on with what it read, in microseconds.
const REQUEST: u64 = 30_000_000;
/// The most reads of a key that are remembered.
const MOST_READS: usize = 8;
/// The most keys whose writes are put together at a time.
const MOST_TOGETHER: usize = 1024;

/// What is remembered of a key.
#[derive(Debug, Default)]
struct Known {
    value: Value,
    /// Counts the writes that changed it.
    version: u32,
    /// Who changed it last.
    writer: u64,
    /// Reads whose reader can still write what it made of them, the latest last.
    reads: Vec<Read>,
    written: bool,
}

#[derive(Debug, Default)]
enum Value {
    #[default]
    Unknown,
    Absent,
    /// These fields, and maybe others.
    Has(Digest),
    Is(Digest),
}

#[derive(Debug, Clone, Copy)]
struct Read {
    client: u64,
    version: u32,
    at: u64,
}

/// Everything that is known of the keys, and what was counted.
#[derive(Debug)]
pub struct Tally {
    known: HashMap<Key, Known>,
    /// The most keys that are remembered.
    most: usize,
    /// How many keys began with which content.
    beginnings: HashMap<u64, u64>,
    /// Within a script or a transaction: what it did to fields so far.
    together: Option<HashMap<Key, (By, Fields)>>,
    figures: Figures,
    seen: u64,
}

impl Tally {
    /// Remembers this many keys, and no more.
    #[must_use]
    pub fn new(most: usize) -> Self {
        let (known, beginnings) = (HashMap::new(), HashMap::new());
        Self { known, most, beginnings, together: None, figures: Figures::default(), seen: 0 }
    }

    /// What was counted so far. A script or a transaction ends with it.
    #[must_use]
    pub fn figures(&mut self) -> Figures {
        self.end_together();
        let mut figures = self.figures.clone();
        let repeated = self.beginnings.values().filter(|keys| **keys > 1);
        figures.begun_alike = repeated.clone().sum();
        figures.most_alike = repeated.max().copied().unwrap_or_default();
        figures
    }

    /// How many writes were seen so far.
    #[must_use]
    pub fn writes(&self) -> u64 {
        self.seen
    }

    /// Lines were lost: nothing is known of any value any more.
    pub fn lost(&mut self, lines: u64) {
        self.end_together();
        self.figures.lost += lines;
        self.forget();
    }

    /// A script or a transaction begins: what it does to the fields of a key is one write.
    pub fn begin_together(&mut self) {
        self.end_together();
        self.together = Some(HashMap::new());
    }

    /// It ended.
    pub fn end_together(&mut self) {
        for (by, fields) in self.together.take().into_iter().flat_map(HashMap::into_values) {
            self.set_fields(by, fields);
        }
    }

    /// Takes note of what happened.
    pub fn note(&mut self, by: By, what: What) {
        match what {
            What::Read(key) => self.read(by, key),
            What::Touch(_) => self.figures.touches += 1,
            What::Remove(key) => self.remove(by, key),
            What::Replace(key) => self.replace(by, key),
            What::Forget => self.forget(),
            What::Write { key, digest, bytes, expected } => self.write(by, key, digest, bytes, expected),
            What::Fields(fields) => self.put_together(by, fields),
            What::Unclear { key, bytes } => {
                self.doubt(Doubt::Value, bytes);
                self.replace(by, key);
            }
        }
    }

    /// Takes note of a value that is there already: it is no write.
    pub fn know(&mut self, what: What) {
        match what {
            What::Write { key, digest, .. } => {
                if let Some(known) = self.entry(key) {
                    known.value = Value::Is(digest);
                }
            }
            // A long hash comes in portions.
            What::Fields(Fields { key, digest, .. }) => {
                if let Some(known) = self.entry(key) {
                    match &mut known.value {
                        Value::Is(before) => before.join(&digest),
                        value => *value = Value::Is(digest),
                    }
                }
            }
            _ => {}
        }
    }

    fn put_together(&mut self, by: By, fields: Fields) {
        let Some(together) = &mut self.together else { return self.set_fields(by, fields) };
        if let Some((_, before)) = together.get_mut(&fields.key) {
            before.join(&fields);
        } else if together.len() < MOST_TOGETHER {
            together.insert(fields.key, (by, fields));
        } else {
            self.set_fields(by, fields);
        }
    }

    fn read(&mut self, by: By, key: Key) {
        self.figures.reads += 1;
        let Some(known) = self.entry(key) else { return };
        if known.reads.len() == MOST_READS {
            known.reads.remove(0);
        }
        known.reads.push(Read { client: by.client, version: known.version, at: by.at });
    }

    fn remove(&mut self, by: By, key: Key) {
        self.figures.removals += 1;
        // What it did to the fields before was the same removal.
        if let Some(together) = &mut self.together {
            together.remove(&key);
        }
        if let Some(known) = self.known.get_mut(&key) {
            known.value = Value::Absent;
            known.change(by);
        }
    }

    fn replace(&mut self, by: By, key: Key) {
        if let Some(known) = self.known.get_mut(&key) {
            known.value = Value::Unknown;
            known.change(by);
        }
    }

    fn forget(&mut self) {
        for known in self.known.values_mut() {
            known.value = Value::Unknown;
            known.reads.clear();
        }
    }

    fn write(&mut self, by: By, key: Key, digest: Digest, bytes: usize, expected: Option<bool>) {
        let (format, content) = (digest.format, digest.content);
        let Some(known) = self.entry(key) else { return self.doubt(Doubt::Room, bytes) };
        let kind = match (&known.value, expected) {
            // Refused, or the value ended in between.
            (Value::Is(_) | Value::Has(_), Some(false)) | (Value::Absent, Some(true)) => {
                known.value = Value::Unknown;
                return self.doubt(Doubt::Condition, bytes);
            }
            (Value::Is(before), _) => Kind::of(before.change_to(&digest)),
            (Value::Unknown | Value::Absent | Value::Has(_), _) => Kind::First,
        };
        known.value = Value::Is(digest);
        self.count(by, key, kind, format, bytes);
        self.begin(kind, content);
    }

    fn set_fields(&mut self, by: By, fields: Fields) {
        let Fields { key, digest, bytes, is_new } = fields;
        let (format, content) = (digest.format, digest.content);
        let Some(known) = self.entry(key) else { return self.doubt(Doubt::Room, bytes) };
        let kind = match &mut known.value {
            // What is left of a session that ended.
            Value::Absent if !is_new && !digest.sets_parts() => return,
            Value::Is(before) if !is_new => before.set(&digest, true).map_or(Kind::Something, Kind::of),
            Value::Has(before) if !is_new => before.set(&digest, false).map_or(Kind::First, Kind::of),
            value => {
                let is_whole = is_new || matches!(value, Value::Absent);
                let digest = digest.set_alone();
                *value = if is_whole { Value::Is(digest) } else { Value::Has(digest) };
                Kind::First
            }
        };
        self.count(by, key, kind, format, bytes);
        self.begin(kind, content);
    }

    /// Counts a write to a key that is remembered, and whether it went over another's.
    fn count(&mut self, by: By, key: Key, kind: Kind, format: Format, bytes: usize) {
        self.seen += 1;
        let is_spread = self.figures.is_spread();
        let Some(known) = self.known.get_mut(&key) else { return };
        let basis = known.basis(by, is_spread);
        if !matches!(kind, Kind::Nothing | Kind::Added) {
            known.change(by);
        }
        let is_new = !mem::replace(&mut known.written, true);
        self.figures.write(format, kind, bytes);
        self.figures.keys += u64::from(is_new);
        // What sets some fields goes over no others.
        if format != Format::Fields {
            self.figures.follow(basis);
        }
    }

    /// Notes with what a key began.
    fn begin(&mut self, kind: Kind, content: u64) {
        if kind == Kind::First && (self.beginnings.len() < self.most || self.beginnings.contains_key(&content)) {
            *self.beginnings.entry(content).or_default() += 1;
        }
    }

    fn doubt(&mut self, doubt: Doubt, bytes: usize) {
        self.seen += 1;
        self.figures.doubt(doubt, bytes);
    }

    /// What is known of a key, if there is room for it.
    fn entry(&mut self, key: Key) -> Option<&mut Known> {
        if self.known.len() >= self.most && !self.known.contains_key(&key) {
            return None;
        }
        Some(self.known.entry(key).or_default())
    }
}

impl Known {
    fn change(&mut self, by: By) {
        self.version = self.version.wrapping_add(1);
        self.writer = by.client;
    }

    /// What a write was made of: the last read of who writes, or else that of anybody. Where requests are spread over
    /// connections, the last read of anybody: one on the same connection can be of a request that only read. The read is
    /// used up.
    fn basis(&mut self, by: By, is_spread: bool) -> Basis {
        self.reads.retain(|read| by.at.saturating_sub(read.at) <= REQUEST);
        let own = self.reads.iter().rposition(|read| read.client == by.client).filter(|_| !is_spread);
        let Some(at) = own.or_else(|| self.reads.len().checked_sub(1)) else { return Basis::None };
        let read = self.reads.remove(at);
        let is_over = read.version != self.version;
        if read.client != by.client {
            Basis::Elsewhere { is_over }
        } else if is_over && self.writer == by.client {
            Basis::Shared
        } else {
            Basis::Own { is_over }
        }
    }
}

impl Kind {
    fn of(change: Change) -> Self {
        match change {
            Change::Nothing => Self::Nothing,
            Change::Added => Self::Added,
            Change::Parts(1) => Self::OnePart,
            Change::Parts(_) => Self::MoreParts,
            Change::Something => Self::Something,
        }
    }
}

#[cfg(test)]
mod tests;
