//! Compares each write with the one before, and counts what it changed.

use std::collections::HashMap;
use std::hash::Hash;
use std::mem;

use super::digest::{Change, Digest, Format};
use super::figures::{Basis, Doubt, Figures, Kind};
use super::tree::hash_of;

/// For how long a client that read a value is thought to go on with what it read, in microseconds.
const REQUEST: u64 = 30_000_000;
/// The most reads of a key that are remembered.
const MOST_READS: usize = 8;

/// A key, as a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key(u64);

impl Key {
    /// The key that is named by this.
    #[must_use]
    pub fn of(name: &impl Hash) -> Self {
        Self(hash_of(name))
    }
}

/// What happened to a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Its value was read.
    Read(Key),
    /// It got a value.
    Write {
        /// The key.
        key: Key,
        /// The value.
        digest: Digest,
        /// How long the value is.
        bytes: usize,
        /// Whether the write was made only if there was a value, or only if there was none.
        expected: Option<bool>,
    },
    /// Some of its fields got values.
    Fields {
        /// The key.
        key: Key,
        /// The fields.
        digest: Digest,
        /// How long their names and values are.
        bytes: usize,
    },
    /// It got another end.
    Touch(Key),
    /// It was removed.
    Remove(Key),
    /// It was written in a way that cannot be compared.
    Unclear {
        /// The key.
        key: Key,
        /// How long what was sent is, as far as it is known.
        bytes: usize,
    },
    /// Anything can have happened to any key.
    Forget,
}

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
    Is(Digest),
}

#[derive(Debug, Clone, Copy)]
struct Read {
    client: u64,
    version: u32,
    at: u64,
}

/// Who did something, and when, in microseconds.
#[derive(Debug, Clone, Copy)]
pub struct By {
    /// The hash of the client's address; 0 if nobody knows.
    pub client: u64,
    /// When.
    pub at: u64,
}

/// Everything that is known of the keys, and what was counted.
#[derive(Debug)]
pub struct Tally {
    known: HashMap<Key, Known>,
    /// The most keys that are remembered.
    most: usize,
    /// How many keys began with which content.
    beginnings: HashMap<u64, u64>,
    figures: Figures,
    seen: u64,
}

impl Tally {
    /// Remembers this many keys, and no more.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { known: HashMap::new(), most, beginnings: HashMap::new(), figures: Figures::default(), seen: 0 }
    }

    /// What was counted so far.
    #[must_use]
    pub fn figures(&self) -> Figures {
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
        self.figures.lost += lines;
        self.forget();
    }

    /// Takes note of what happened.
    pub fn note(&mut self, by: By, what: What) {
        match what {
            What::Read(key) => self.read(by, key),
            What::Touch(_) => self.figures.touches += 1,
            What::Remove(key) => self.remove(by, key),
            What::Forget => self.forget(),
            What::Write { key, digest, bytes, expected } => self.write(by, key, digest, bytes, expected),
            What::Fields { key, digest, bytes } => self.set_fields(by, key, digest, bytes),
            What::Unclear { key, bytes } => {
                self.doubt(Doubt::Value, bytes);
                if let Some(known) = self.known.get_mut(&key) {
                    known.value = Value::Unknown;
                    known.change(by);
                }
            }
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
        if let Some(known) = self.known.get_mut(&key) {
            known.value = Value::Absent;
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
            (Value::Is(_), Some(false)) | (Value::Absent, Some(true)) => {
                known.value = Value::Unknown;
                return self.doubt(Doubt::Condition, bytes);
            }
            (Value::Is(before), _) => Kind::of(before.change_to(&digest)),
            (Value::Unknown | Value::Absent, _) => Kind::First,
        };
        known.value = Value::Is(digest);
        self.count(by, key, kind, format, bytes);
        self.begin(kind, content);
    }

    fn set_fields(&mut self, by: By, key: Key, digest: Digest, bytes: usize) {
        let (format, content) = (digest.format, digest.content);
        let Some(known) = self.entry(key) else { return self.doubt(Doubt::Room, bytes) };
        let kind = match &mut known.value {
            Value::Is(before) => before.set(&digest).map_or(Kind::First, Kind::of),
            Value::Unknown | Value::Absent => {
                known.value = Value::Is(digest);
                Kind::First
            }
        };
        self.count(by, key, kind, format, bytes);
        self.begin(kind, content);
    }

    /// Counts a write to a key that is remembered, and whether it went over another's.
    fn count(&mut self, by: By, key: Key, kind: Kind, format: Format, bytes: usize) {
        self.seen += 1;
        let Some(known) = self.known.get_mut(&key) else { return };
        let basis = known.basis(by);
        if !matches!(kind, Kind::Nothing | Kind::Added) {
            known.change(by);
        }
        let is_new = !mem::replace(&mut known.written, true);
        self.figures.write(format, kind, bytes);
        self.figures.keys += u64::from(is_new);
        self.figures.follow(basis);
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

    /// What a write was made of: the last read of who writes, or else that of anybody. The read is used up.
    fn basis(&mut self, by: By) -> Basis {
        self.reads.retain(|read| by.at.saturating_sub(read.at) <= REQUEST);
        let own = self.reads.iter().rposition(|read| read.client == by.client);
        let Some(at) = own.or_else(|| self.reads.len().checked_sub(1)) else { return Basis::None };
        let read = self.reads.remove(at);
        let is_over = read.version != self.version;
        match own {
            None => Basis::Elsewhere { is_over },
            Some(_) if is_over && self.writer == by.client => Basis::Shared,
            Some(_) => Basis::Own { is_over },
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
mod tests {
    use super::super::figures::Count;
    use super::super::format::digest;
    use super::*;

    const A: u64 = 1;
    const B: u64 = 2;

    /// Carries out a script of a word per step, such as `Ar` (A reads), `Aw7` (A writes `{"n":7}`), `Ad` (deletes).
    fn tally(steps: &str) -> Figures {
        let mut tally = Tally::new(100);
        let key = Key::of(&"key");
        for (at, step) in steps.split(' ').enumerate() {
            let (who, what) = step.split_at(1);
            let by = By { client: if who == "A" { A } else { B }, at: at as u64 };
            tally.note(
                by,
                match what.split_at(1) {
                    ("r", _) => What::Read(key),
                    ("d", _) => What::Remove(key),
                    ("u", _) => What::Unclear { key, bytes: 3 },
                    (_, value) => write(key, value),
                },
            );
        }
        tally.figures()
    }

    fn write(key: Key, value: &str) -> What {
        let value = format!(r#"{{"n":{value},"theme":"light"}}"#);
        What::Write { key, digest: digest(value.as_bytes()), bytes: value.len(), expected: None }
    }

    fn overlaps(steps: &str) -> (u64, u64) {
        let figures = tally(steps);
        (figures.overlapped, figures.seem_overlapped)
    }

    #[test]
    fn each_write_is_compared_with_the_one_before() {
        let figures = tally("Ar Aw1 Ar Aw1 Ar Aw2 Ar Ad Aw2 Au Aw2");
        let writes = |kind| figures.of(kind).writes;
        assert_eq!((writes(Kind::First), writes(Kind::Nothing), writes(Kind::OnePart)), (3, 1, 1));
        assert_eq!((figures.unknown(), figures.all().writes), (Count { writes: 1, bytes: 3 }, 6));
        assert_eq!((figures.keys, figures.reads, figures.removals), (1, 4, 1));
        assert_eq!(figures.of(Kind::Nothing).bytes, r#"{"n":1,"theme":"light"}"#.len() as u64);
    }

    #[test]
    fn who_writes_over_what_another_changed_meanwhile_overlaps() {
        assert_eq!(overlaps("Ar Aw1 Br Bw2 Ar Aw3"), (0, 0), "one after the other");
        assert_eq!(overlaps("Ar Br Aw1 Bw2"), (1, 0));
        assert_eq!(overlaps("Ar Br Aw1 Bw1"), (1, 0), "both count a visit: one is lost, though nothing changed");
        assert_eq!(overlaps("Aw1 Ar Br Aw1 Bw2"), (0, 0), "what changed nothing is not lost");
        assert_eq!(overlaps("Br Ar Aw1 Br Bw2"), (0, 0), "it read once more");
        assert_eq!(overlaps("Ar Br Ad Bw2"), (1, 0), "it was destroyed meanwhile");
    }

    #[test]
    fn requests_that_share_a_connection_seem_to_overlap() {
        assert_eq!(overlaps("Ar Ar Aw1 Aw2"), (0, 1));
        assert_eq!(overlaps("Ar Ar Ar Aw1 Ar Aw2"), (0, 0), "two only read");
        assert_eq!(overlaps("Ar Ar Bw1 Bw2"), (0, 1), "read on one connection, written on another");
        assert!(tally("Ar Bw1").is_spread() && !tally("Ar Aw1").is_spread());
    }

    #[test]
    fn what_is_remembered_has_an_end_and_the_rest_is_said() {
        let mut tally = Tally::new(2);
        let by = By { client: A, at: 0 };
        for name in 0..3_u8 {
            tally.note(by, write(Key::of(&name), "1"));
            tally.note(by, write(Key::of(&name), "1"));
        }
        let figures = tally.figures();
        assert_eq!((figures.of(Kind::First).writes, figures.of(Kind::Nothing).writes), (2, 2));
        assert_eq!((figures.doubts[Doubt::Room as usize].writes, figures.keys), (2, 2));
        assert_eq!((figures.begun_alike, figures.most_alike), (2, 2));
    }

    #[test]
    fn after_a_gap_nothing_is_known() {
        let mut tally = Tally::new(2);
        let (by, key) = (By { client: A, at: 0 }, Key::of(&1));
        tally.note(by, write(key, "1"));
        tally.lost(7);
        tally.note(by, write(key, "1"));
        let figures = tally.figures();
        assert_eq!((figures.lost, figures.of(Kind::First).writes, figures.of(Kind::Nothing).writes), (7, 2, 0));
    }
}
