use std::sync::Arc;

use crate::expiry::{ClockOffset, Lifetime};
use crate::store::{
    Action, AnyStore, Applied, Base, Change, Commit, Ended, ExpiryChange, Found, Head, Housekeeping, Incarnation, Key,
    Load, Loaded, Record, Registration, RegistrationId, Reply, Store, StoredField, Write,
};

pub(super) const SECOND: i64 = 1_000;
pub(super) const MINUTE: i64 = 60 * SECOND;
pub(super) const HOUR: i64 = 60 * MINUTE;
pub(super) const DAY: i64 = 24 * 60 * MINUTE;

/// How long headers are kept: so long that no other case, whatever its clock, can clear them away.
const RETENTION: i64 = 40 * DAY;

/// What the commits of a case name, unless they say otherwise.
pub(super) const REGISTRATION: RegistrationId = RegistrationId(7);

/// Where a case begins: in the past, so that moving its clock forward does not end what other programs store.
const BEGINNING: i64 = -20 * DAY;

/// What a case works with: a store, a session name that no other case uses, and a clock.
#[derive(Debug, Clone)]
pub(super) struct Fixture {
    /// The store.
    pub(super) store: AnyStore,
    /// The session name.
    pub(super) name: Arc<str>,
    /// How long its sessions live.
    pub(super) lifetime: Lifetime,
    /// Where its clock is.
    pub(super) clock: ClockOffset,
}

impl Fixture {
    /// A fixture of its own in this store.
    pub(super) async fn new(store: AnyStore) -> Self {
        store.prepare().await.expect("a store can be prepared");
        let fixture = Self {
            store,
            name: format!("case-{:016x}", rand::random::<u64>()).into(),
            lifetime: Lifetime { inactivity: None, creation: None, touch_after: 1, retention: RETENTION },
            clock: ClockOffset(BEGINNING),
        };
        fixture.agree(1, REGISTRATION).await;
        fixture
    }

    /// Lets the store have this registration, and no other of this version.
    pub(super) async fn agree(&self, version: u32, id: RegistrationId) {
        self.disagree(version).await;
        let registration =
            Registration { id, name: self.name.clone(), version, codec: "json".into(), fields: Vec::new() };
        self.store.register(&registration).await.expect("initial values can be registered");
    }

    /// Lets the store have no registration of this version. Returns whether it had one.
    pub(super) async fn disagree(&self, version: u32) -> bool {
        self.store.withdraw(&self.name, version).await.expect("a registration can be withdrawn")
    }

    /// The same sessions under another name.
    pub(super) fn named(&self, name: impl Into<Arc<str>>) -> Self {
        Self { name: name.into(), ..self.clone() }
    }

    /// The same sessions, later (or, before zero, earlier).
    pub(super) fn after(&self, millis: i64) -> Self {
        Self { clock: ClockOffset(self.clock.0 + millis), ..self.clone() }
    }

    /// The same sessions, ending after this much inactivity; loads renew after a tenth of it.
    pub(super) fn idle_for(&self, inactivity: i64) -> Self {
        let lifetime = Lifetime { inactivity: Some(inactivity), touch_after: inactivity / 10, ..self.lifetime };
        Self { lifetime, ..self.clone() }
    }

    /// The same sessions, ending this long after their creation.
    pub(super) fn old_at(&self, creation: i64) -> Self {
        Self { lifetime: Lifetime { creation: Some(creation), ..self.lifetime }, ..self.clone() }
    }

    pub(super) fn key(&self, id: &str) -> Key {
        Key::new(self.name.clone(), id).expect("this is a key")
    }

    pub(super) async fn load(&self, key: &Key) -> Loaded {
        let load = Load::touch(self.lifetime, self.clock);
        self.store.load(key, load).await.expect("a session can be loaded")
    }

    /// The record of a key that must have one.
    pub(super) async fn record(&self, key: &Key) -> Record {
        match self.load(key).await.found {
            Found::Record(record) => record,
            Found::Absent { saw } => panic!("a record was expected, but absence was found, after {saw:?}"),
        }
    }

    /// What is seen of a key that must not have a record.
    pub(super) async fn absence(&self, key: &Key) -> Option<Incarnation> {
        match self.load(key).await.found {
            Found::Absent { saw } => saw.map(|past| past.incarnation),
            Found::Record(record) => panic!("absence was expected, but this was found: {record:?}"),
        }
    }

    pub(super) async fn commit(&self, key: &Key, commit: &Commit) -> Reply {
        self.store.commit(key, commit).await.expect("a change can be committed")
    }

    /// Stores a session with these fields where nothing was.
    pub(super) async fn create(&self, key: &Key, fields: &[(&str, &str)]) -> Head {
        let commit = fields.iter().fold(self.creation(None), |commit, (name, value)| commit.set(name, *value));
        head(applied(self.commit(key, &commit).await))
    }

    /// Destroys what `base` names.
    pub(super) async fn destroy(&self, key: &Key, base: &Head) -> Applied {
        applied(self.commit(key, &self.change(base).destroy()).await)
    }

    /// How many sessions are stored.
    pub(super) async fn count(&self) -> u64 {
        self.store.count(&self.name, self.clock).await.expect("sessions can be counted")
    }

    /// The ids of all stored sessions, sorted, read in pages of `limit`.
    pub(super) async fn listed(&self, limit: usize) -> Vec<String> {
        let (mut ids, mut after) = (Vec::new(), None);
        loop {
            let page = self.store.keys(&self.name, after, limit, self.clock).await.expect("keys can be listed");
            assert!(page.keys.len() <= limit, "a page of at most {limit} keys was asked for, not {}", page.keys.len());
            for key in page.keys {
                assert_eq!(key.name(), &*self.name, "a listing shows keys of one session name");
                ids.push(key.id().to_owned());
            }
            after = page.next;
            if after.is_none() {
                ids.sort();
                return ids;
            }
        }
    }

    /// A commit without changes, based on absence.
    pub(super) fn creation(&self, saw: Option<Incarnation>) -> Commit {
        self.based_on(Base::Absent { saw, valid_until: None })
    }

    /// A commit without changes, based on a record.
    pub(super) fn change(&self, head: &Head) -> Commit {
        self.based_on(Base::from(head))
    }

    pub(super) fn based_on(&self, base: Base) -> Commit {
        let write = Write::new(1, REGISTRATION, Vec::new());
        Commit::new(base, Action::Write(write), self.lifetime, self.clock)
    }
}

/// Writing a commit down, one step after the other.
pub(super) trait Draft: Sized {
    fn with(self, change: impl FnOnce(&mut Self)) -> Self;

    fn edit(self, edit: impl FnOnce(&mut Write)) -> Self;

    /// What it writes.
    fn written(&self) -> &Write;

    fn renew(self, to: &Key) -> Self;

    fn destroy(self) -> Self;

    fn set(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let value = Some(value.as_ref().into());
        self.edit(|write| write.changes.push(Change { name: name.into(), value }))
    }

    fn unset(self, name: &str) -> Self {
        self.edit(|write| write.changes.push(Change { name: name.into(), value: None }))
    }

    fn replace(self) -> Self {
        self.edit(|write| write.replace = true)
    }

    fn keep_empty(self) -> Self {
        self.edit(|write| write.keep_empty = true)
    }

    fn expiry(self, expiry: ExpiryChange) -> Self {
        self.edit(|write| write.expiry = expiry)
    }
}

impl Draft for Commit {
    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    fn edit(mut self, edit: impl FnOnce(&mut Write)) -> Self {
        match &mut self.action {
            Action::Write(write) | Action::Renew { write, .. } => edit(write),
            Action::Destroy => panic!("a destruction writes nothing"),
        }
        self
    }

    fn written(&self) -> &Write {
        self.write().expect("a commit that writes")
    }

    fn renew(self, to: &Key) -> Self {
        let action = Action::Renew { to: to.clone(), write: self.written().clone() };
        Self { action, ..self }
    }

    fn destroy(self) -> Self {
        Self { action: Action::Destroy, ..self }
    }
}

/// The answer to a commit that must be applied.
#[track_caller]
pub(super) fn applied(reply: Reply) -> Applied {
    match reply {
        Reply::Applied(applied) => applied,
        other => panic!("the commit must be applied, but the answer was {other:?}"),
    }
}

/// The record that a commit must conflict with.
#[track_caller]
pub(super) fn conflict(reply: Reply) -> Record {
    match reply {
        Reply::Conflict(record) => record,
        other => panic!("the commit must conflict, but the answer was {other:?}"),
    }
}

/// How the base of a commit must have ended.
#[track_caller]
pub(super) fn ended(reply: Reply) -> Ended {
    match reply {
        Reply::Ended(ended) => ended,
        other => panic!("the base of the commit must be ended, but the answer was {other:?}"),
    }
}

/// The header of the record that an applied commit left.
#[track_caller]
pub(super) fn head(applied: Applied) -> Head {
    applied.head.expect("the commit leaves a record")
}

/// The fields of a record, sorted, as text.
pub(super) fn fields(record: &Record) -> Vec<(String, String)> {
    let text = |field: &StoredField| (field.name.to_string(), String::from_utf8_lossy(&field.value).into_owned());
    let mut fields: Vec<_> = record.fields.iter().map(text).collect();
    fields.sort();
    fields
}

/// These fields, as [`fields`] shows them.
pub(super) fn are(fields: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut fields: Vec<_> = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    fields.sort();
    fields
}
