//! What one request asked of the store, and what it would have cost to write always.

use std::collections::BTreeMap;

use session_runtime::store::{Action, Base, Change, Commit, FieldName, Found, Key, Load, Loaded, Record, Reply};

/// What a request did with the store, noted while it does it.
///
/// The session of the request is the one that was loaded as its visitor's, or that it created. A store is also asked for
/// others, by a page of devices, and they are counted apart.
#[derive(Debug, Clone, Default)]
pub struct Tape {
    /// The session of the request, under its latest key.
    own: Option<Key>,
    /// What its load found.
    pub loaded: Loading,
    /// The fields that were found different from what was loaded, whether or not the store took them.
    pub dirty: Vec<FieldName>,
    /// How often the store wrote the session: commits that it took, and loads that moved the expiry.
    pub writes: u64,
    /// The fields in those writes.
    pub written: Vec<FieldName>,
    /// The bytes of these fields: their names and encoded values.
    pub bytes: u64,
    /// What became of the session, if more than a write.
    pub fate: Fate,
    /// How often other sessions were looked at or searched for, or the store's clock was.
    pub looks: u64,
    /// How many other sessions were ended.
    pub ended: u64,
    /// What is stored of the session: the bytes of each field.
    stored: BTreeMap<FieldName, u64>,
}

/// What a load found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Loading {
    /// The store was not asked.
    #[default]
    NotAsked,
    /// No session: the visitor's has ended, or never was.
    Nothing,
    /// A session with this many fields and bytes.
    Session {
        /// The stored fields.
        fields: usize,
        /// Their names and values.
        bytes: u64,
    },
}

/// What became of a session, other than that it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fate {
    /// Nothing.
    #[default]
    None,
    /// It was created.
    Created,
    /// It has another token.
    Renewed,
    /// Its visitor ended it.
    Destroyed,
    /// It had ended when the change came, which was refused.
    Refused,
    /// Its end was moved, because it was used.
    Prolonged,
}

impl Tape {
    /// Notes a load, and what was found.
    pub(super) fn load(&mut self, key: &Key, load: &Load, loaded: Option<&Loaded>) {
        // A look at somebody else's session is no activity of it.
        if load.lifetime.is_none() {
            self.looks += 1;
            return;
        }
        self.own = Some(key.clone());
        match loaded.map(|loaded| &loaded.found) {
            Some(Found::Record(record)) if record.head.stored => {
                self.see(record);
                self.loaded = Loading::Session { fields: self.stored.len(), bytes: self.whole() };
            }
            _ => self.loaded = Loading::Nothing,
        }
        if loaded.is_some_and(|loaded| loaded.touched) {
            self.writes += 1;
            self.fate = Fate::Prolonged;
        }
    }

    /// Notes a search.
    pub(super) fn find(&mut self) {
        self.looks += 1;
    }

    /// Notes a commit, and what the store answered.
    pub(super) fn commit(&mut self, key: &Key, commit: &Commit, reply: Option<&Reply>) {
        let begins = matches!(commit.base, Base::Absent { .. }) && !commit.is_destruction();
        if begins && self.own.as_ref() != Some(key) {
            self.own = Some(key.clone());
            self.stored.clear();
        }
        let is_own = self.own.as_ref() == Some(key);
        let changed = commit.changes().iter().map(|change| &change.name);
        add(&mut self.dirty, changed.clone());
        match reply {
            Some(Reply::Applied(applied)) if !is_own => self.ended += u64::from(applied.was_stored),
            Some(Reply::Applied(_)) => {
                self.writes += 1;
                self.bytes += commit.changes().iter().map(bytes_of).sum::<u64>();
                add(&mut self.written, changed);
                self.apply(commit, begins);
            }
            Some(Reply::Conflict(record)) if is_own => self.see(record),
            Some(Reply::Ended(_)) if is_own => self.fate = Fate::Refused,
            _ => {}
        }
    }

    fn apply(&mut self, commit: &Commit, begins: bool) {
        for change in commit.changes() {
            match change.value {
                Some(_) => self.stored.insert(change.name.clone(), bytes_of(change)),
                None => self.stored.remove(&change.name),
            };
        }
        match &commit.action {
            Action::Renew { to, .. } => {
                self.own = Some(to.clone());
                self.fate = Fate::Renewed;
            }
            Action::Destroy => {
                self.stored.clear();
                self.fate = Fate::Destroyed;
            }
            Action::Write(_) if begins => self.fate = Fate::Created,
            Action::Write(_) => {}
        }
    }

    fn see(&mut self, record: &Record) {
        self.stored = record.fields.iter().map(|field| (field.name.clone(), size(&field.name, &field.value))).collect();
    }

    /// The bytes of all fields that are stored now: what a write of the whole session takes.
    pub fn whole(&self) -> u64 {
        self.stored.values().sum()
    }

    /// The key of the session.
    pub fn key(&self) -> Option<&str> {
        self.own.as_ref().map(Key::id)
    }
}

fn bytes_of(change: &Change) -> u64 {
    size(&change.name, change.value.as_deref().unwrap_or_default())
}

fn size(name: &str, value: &[u8]) -> u64 {
    (name.len() + value.len()) as u64
}

fn add<'a>(names: &mut Vec<FieldName>, more: impl Iterator<Item = &'a FieldName>) {
    for name in more {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
}
