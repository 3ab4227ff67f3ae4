use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};
use std::convert::Infallible;
use std::hash::BuildHasherDefault;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::rule::{self, Header};
use super::{
    Action, Applied, Change, Commit, Cursor, Ended, FieldName, Find, Found, FoundPage, Housekeeping, IndexEntry, Key,
    KeyHasher, Keys, Load, Loaded, Purged, Record, Registration, RegistrationId, Registrations, Reply, Store,
    StoreError, StoredField, Term, Write, shard_of,
};
use crate::expiry::{ClockOffset, Timestamp};

/// How many locks the sessions are spread over.
const SHARDS: usize = 64;

/// How many ended sessions a commit purges at most, so that no commit pays for many.
const PURGED_PER_COMMIT: usize = 2;

/// Keeps sessions in this process's memory: for tests, and for programs whose sessions may end with them.
///
/// It keeps encoded bytes, so nothing that a handler does to a loaded session changes what is stored. Sessions that
/// expired are removed by later commits and by [`Housekeeping::purge`].
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    shards: Box<[Mutex<Shard>]>,
    registrations: Mutex<BTreeMap<(Arc<str>, u32), Registration>>,
}

impl Default for Inner {
    fn default() -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::default()).collect(), registrations: Mutex::default() }
    }
}

#[derive(Debug, Default)]
struct Shard {
    entries: HashMap<Key, Entry, BuildHasherDefault<KeyHasher>>,
    /// The registrations there are, so that a commit need not ask for them under another lock.
    registered: Vec<(Arc<str>, u32, RegistrationId)>,
    /// When to look whether a key can be purged; its time may have moved on by then.
    due: BinaryHeap<Reverse<(Timestamp, Key)>>,
    /// The keys of each term of each indexed field of each session name.
    index: BTreeMap<Place, BTreeSet<Key>>,
}

/// Session name, field and term.
type Place = (Arc<str>, FieldName, Term);

#[derive(Debug)]
struct Entry {
    header: Header,
    /// Sorted by name.
    fields: Vec<StoredField>,
    /// Where it stands in [`Shard::index`].
    terms: Vec<IndexEntry>,
    /// The earliest time at which the key stands in [`Shard::due`].
    due: Option<Timestamp>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Drops a key with its header, as an engine does that evicts keys when its memory is full.
    #[cfg(feature = "conformance")]
    #[doc(hidden)]
    pub fn evict(&self, key: &Key) {
        self.shard(key).remove(key);
    }

    fn shard(&self, key: &Key) -> MutexGuard<'_, Shard> {
        lock(&self.inner.shards[shard_of(key.keyed_hash(), SHARDS)])
    }

    fn tell_shards(&self, registrations: &BTreeMap<(Arc<str>, u32), Registration>) {
        for shard in &self.inner.shards {
            let ids =
                registrations.iter().map(|((name, version), registration)| (name.clone(), *version, registration.id));
            lock(shard).registered = ids.collect();
        }
    }

    fn renew(&self, key: &Key, to: &Key, write: &Write, commit: &Commit) -> Reply {
        let (old, new) = (shard_of(key.keyed_hash(), SHARDS), shard_of(to.keyed_hash(), SHARDS));
        // Two renewals never wait for each other: shards are locked in their order.
        let mut shards: BTreeMap<usize, MutexGuard<'_, Shard>> = BTreeMap::new();
        for index in [old.min(new), old.max(new)] {
            shards.entry(index).or_insert_with(|| lock(&self.inner.shards[index]));
        }
        let now = Timestamp::now(commit.clock);

        let at = |index| shards.get(index).map(|shard: &MutexGuard<'_, Shard>| &shard.entries);
        if let Some(reply) = at(&old).and_then(|entries| refusal(entries.get(key), commit, now)) {
            return reply;
        }
        if !shards.get(&old).is_some_and(|shard| shard.has_registered(key, commit)) {
            return Reply::Unregistered;
        }
        let target = at(&new).and_then(|entries| entries.get(to)).map(|entry| entry.header);
        if rule::is_occupied(target.as_ref(), now) {
            return Reply::Occupied;
        }

        let Some(left) = shards.get_mut(&old).and_then(|shard| shard.apply(key, commit, now)) else {
            return Reply::Ended(Ended::Unknown);
        };
        let header = rule::renewed(&left.header, target.as_ref(), commit, write, left.fields.is_empty(), now);
        if let Some(shard) = shards.get_mut(&new) {
            shard.put(to, &header, left.fields);
            shard.index(to, left.terms);
        }
        let head = header.head;
        Reply::Applied(Applied {
            head: Some(head),
            was_stored: left.was_stored,
            is_stored: head.stored,
            repeated: false,
        })
    }
}

/// What a commit left of an entry.
struct Left {
    header: Header,
    was_stored: bool,
    /// The fields that a renewal takes along, and what they are found by.
    fields: Vec<StoredField>,
    terms: Vec<IndexEntry>,
}

impl Shard {
    /// Whether the registration that a commit names is there.
    fn has_registered(&self, key: &Key, commit: &Commit) -> bool {
        commit.registration(key).is_none_or(|(name, version, id)| {
            self.registered.iter().any(|known| (known.2, known.1) == (id, version) && &*known.0 == name)
        })
    }

    /// Applies a commit that was decided to apply.
    fn apply(&mut self, key: &Key, commit: &Commit, now: Timestamp) -> Option<Left> {
        let mut entry = self.entries.get_mut(key);
        let previous = entry.as_ref().map(|entry| entry.header);
        let live = previous.is_some_and(|header| header.is_live(now));
        // What is left of an ended session is no part of the next one.
        let mut fields = entry.as_mut().map(|entry| std::mem::take(&mut entry.fields)).unwrap_or_default();
        if !live || commit.write().is_none_or(|write| write.replace) {
            fields.clear();
        }
        for change in commit.changes() {
            change_field(&mut fields, change);
        }
        let header = rule::next(previous.as_ref(), commit, fields.is_empty(), now)?;
        let mut terms = entry.as_mut().map(|entry| std::mem::take(&mut entry.terms)).unwrap_or_default();
        let before = terms.clone();
        change_terms(&mut terms, &fields, commit);
        let moves = matches!(commit.action, Action::Renew { .. });
        let (kept, left) = if moves { (Vec::new(), fields) } else { (fields, Vec::new()) };
        match entry {
            // The common case finds the key only once.
            Some(entry) if entry.covers(&header) => {
                entry.header = header;
                entry.fields = kept;
            }
            _ => self.put(key, &header, kept),
        }
        self.unindex(key, &before);
        let terms = if moves {
            terms
        } else {
            self.index(key, terms);
            Vec::new()
        };
        let was_stored = live && previous.is_some_and(|header| header.head.stored);
        Some(Left { header, was_stored, fields: left, terms })
    }

    /// Lets a key be found by these terms.
    fn index(&mut self, key: &Key, terms: Vec<IndexEntry>) {
        if terms.is_empty() {
            return;
        }
        for entry in &terms {
            self.index.entry(place(key, entry)).or_default().insert(key.clone());
        }
        if let Some(entry) = self.entries.get_mut(key) {
            entry.terms = terms;
        }
    }

    fn unindex(&mut self, key: &Key, terms: &[IndexEntry]) {
        for entry in terms {
            let place = place(key, entry);
            if let Some(keys) = self.index.get_mut(&place) {
                keys.remove(key);
                if keys.is_empty() {
                    self.index.remove(&place);
                }
            }
        }
    }

    /// Drops a key with its header.
    fn remove(&mut self, key: &Key) {
        if let Some(entry) = self.entries.remove(key) {
            self.unindex(key, &entry.terms);
        }
    }

    fn put(&mut self, key: &Key, header: &Header, fields: Vec<StoredField>) {
        let due = header.retained_until;
        if let Some(due) = due {
            self.due.push(Reverse((due, key.clone())));
        }
        let entry = Entry { header: *header, fields, terms: Vec::new(), due };
        if let Some(replaced) = self.entries.insert(key.clone(), entry) {
            self.unindex(key, &replaced.terms);
        }
    }

    /// Purges at most `limit` keys whose time is over.
    fn purge(&mut self, limit: usize, now: Timestamp) -> usize {
        let mut removed = 0;
        while removed < limit {
            let Some(Reverse((due, _))) = self.due.peek() else { break };
            if *due > now {
                break;
            }
            let Some(Reverse((due, key))) = self.due.pop() else { break };
            let Some(entry) = self.entries.get_mut(&key).filter(|entry| entry.due == Some(due)) else { continue };
            if entry.header.is_purgeable(now) {
                self.remove(&key);
                removed += 1;
            } else {
                entry.due = entry.header.retained_until;
                if let Some(due) = entry.due {
                    self.due.push(Reverse((due, key)));
                }
            }
        }
        removed
    }
}

impl Entry {
    /// Whether the key will be looked at early enough to purge it when `header` says so.
    fn covers(&self, header: &Header) -> bool {
        match (self.due, header.retained_until) {
            (_, None) => true,
            (Some(due), Some(until)) => due <= until,
            (None, Some(_)) => false,
        }
    }

    fn record(&self) -> Record {
        self.header.record(self.fields.clone())
    }
}

fn change_field(fields: &mut Vec<StoredField>, change: &Change) {
    let place = fields.binary_search_by(|field| field.name.cmp(&change.name));
    match (place, &change.value) {
        (Ok(place), Some(value)) => fields[place].value = value.clone(),
        (Err(place), Some(value)) => {
            fields.insert(place, StoredField { name: change.name.clone(), value: value.clone() });
        }
        (Ok(place), None) => drop(fields.remove(place)),
        (Err(_), None) => {}
    }
}

fn place(key: &Key, entry: &IndexEntry) -> Place {
    (key.shared_name(), entry.field.clone(), entry.term.clone())
}

/// What a session is found by after a commit that left these fields: a field that was set without a term is not.
fn change_terms(terms: &mut Vec<IndexEntry>, fields: &[StoredField], commit: &Commit) {
    if terms.is_empty() && commit.index().is_empty() {
        return;
    }
    terms.retain(|entry| fields.binary_search_by(|field| field.name.cmp(&entry.field)).is_ok());
    terms.retain(|entry| commit.changes().iter().all(|change| change.name != entry.field));
    terms.retain(|entry| commit.index().iter().all(|named| named.field != entry.field));
    terms.extend_from_slice(commit.index());
}

/// The answer to a commit that is not to be applied.
fn refusal(entry: Option<&Entry>, commit: &Commit, now: Timestamp) -> Option<Reply> {
    let fields = || Ok(entry.map(|entry| entry.fields.clone()).unwrap_or_default());
    rule::decide(entry.map(|entry| &entry.header), commit, now)
        .refusal(fields)
        .unwrap_or_else(|never: Infallible| match never {})
}

/// Locks; a panic of another thread in between left nothing half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Store for MemoryStore {
    async fn prepare(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn load(&self, key: &Key, load: Load) -> Result<Loaded, StoreError> {
        let mut shard = self.shard(key);
        let now = Timestamp::now(load.clock);
        let Some(entry) = shard.entries.get_mut(key) else {
            return Ok(Loaded { now, touched: false, found: Found::Absent { saw: None } });
        };
        if !entry.header.is_live(now) {
            let saw = Some(entry.header.past());
            return Ok(Loaded { now, touched: false, found: Found::Absent { saw } });
        }
        let touched = load.lifetime.and_then(|lifetime| entry.header.touched(&lifetime, now));
        if let Some(header) = touched {
            entry.header = header;
        }
        Ok(Loaded { now, touched: touched.is_some(), found: Found::Record(entry.record()) })
    }

    async fn commit(&self, key: &Key, commit: &Commit) -> Result<Reply, StoreError> {
        if let Action::Renew { to, write } = &commit.action {
            return Ok(self.renew(key, to, write, commit));
        }
        let mut shard = self.shard(key);
        let now = Timestamp::now(commit.clock);
        if let Some(reply) = refusal(shard.entries.get(key), commit, now) {
            return Ok(reply);
        }
        if !shard.has_registered(key, commit) {
            return Ok(Reply::Unregistered);
        }
        let Some(Left { header, was_stored, .. }) = shard.apply(key, commit, now) else {
            return Ok(Reply::Ended(Ended::Unknown));
        };
        shard.purge(PURGED_PER_COMMIT, now);
        let head = (!commit.is_destruction()).then_some(header.head);
        Ok(Reply::Applied(Applied { head, was_stored, is_stored: header.head.stored, repeated: false }))
    }

    async fn find(&self, find: &Find) -> Result<FoundPage, StoreError> {
        let place = (find.name.clone(), find.field.clone(), find.term.clone());
        // All at once, in their order, so that no session moves from one to another meanwhile.
        let shards: Vec<_> = self.inner.shards.iter().map(lock).collect();
        let now = Timestamp::now(find.clock);
        let mut sessions = BTreeMap::new();
        for shard in &shards {
            for key in shard.index.get(&place).into_iter().flatten() {
                let header = shard.entries.get(key).map(|entry| entry.header);
                let Some(header) = header.filter(|header| header.head.stored && header.is_live(now)) else { continue };
                if find.after.as_ref().is_none_or(|after| key.id().as_bytes() > &after.0[..]) {
                    sessions.insert(key.id(), (key.clone(), header.head));
                    if find.limit.is_some_and(|limit| sessions.len() > limit) {
                        sessions.pop_last();
                    }
                }
            }
        }
        let full = find.limit.is_some_and(|limit| sessions.len() == limit);
        let next = sessions.last_key_value().filter(|_| full).map(|(id, _)| Cursor(id.as_bytes().into()));
        Ok(FoundPage { now, sessions: sessions.into_values().collect(), next })
    }

    async fn registration(&self, name: &str, version: u32) -> Result<Option<Registration>, StoreError> {
        Ok(lock(&self.inner.registrations).get(&(name.into(), version)).cloned())
    }

    async fn register(&self, proposal: &Registration) -> Result<Registration, StoreError> {
        let mut registrations = lock(&self.inner.registrations);
        let key = (proposal.name.clone(), proposal.version);
        let registered = registrations.entry(key).or_insert_with(|| proposal.clone());
        registered.add_missing(proposal);
        let registered = registered.clone();
        self.tell_shards(&registrations);
        Ok(registered)
    }
}

impl Housekeeping for MemoryStore {
    async fn keys(
        &self,
        name: &str,
        after: Option<Cursor>,
        limit: usize,
        clock: ClockOffset,
    ) -> Result<Keys, StoreError> {
        let now = Timestamp::now(clock);
        // The smallest keys after the cursor, gathered shard by shard; a listing holds no lock for long.
        let mut smallest = BTreeMap::new();
        for shard in &self.inner.shards {
            for (key, entry) in &lock(shard).entries {
                let listed = key.name() == name && entry.header.head.stored && entry.header.is_live(now);
                if listed && after.as_ref().is_none_or(|after| key.id().as_bytes() > &after.0[..]) {
                    smallest.insert(key.id().to_owned(), key.clone());
                    if smallest.len() > limit {
                        smallest.pop_last();
                    }
                }
            }
        }
        let next =
            smallest.last_key_value().filter(|_| smallest.len() == limit).map(|(id, _)| Cursor(id.as_bytes().into()));
        Ok(Keys { keys: smallest.into_values().collect(), next })
    }

    async fn count(&self, name: &str, clock: ClockOffset) -> Result<u64, StoreError> {
        let now = Timestamp::now(clock);
        let stored =
            |(key, entry): &(&Key, &Entry)| key.name() == name && entry.header.head.stored && entry.header.is_live(now);
        Ok(self.inner.shards.iter().map(|shard| lock(shard).entries.iter().filter(stored).count() as u64).sum())
    }

    async fn purge(&self, limit: usize, clock: ClockOffset) -> Result<Purged, StoreError> {
        let now = Timestamp::now(clock);
        let mut removed = 0;
        for shard in &self.inner.shards {
            removed += lock(shard).purge(limit - removed, now);
        }
        Ok(Purged { removed: removed as u64, more: removed == limit })
    }

    async fn registrations(&self) -> Result<Registrations, StoreError> {
        let found = lock(&self.inner.registrations).values().cloned().collect();
        Ok(Registrations { found, ..Registrations::default() })
    }

    async fn withdraw(&self, name: &str, version: u32) -> Result<bool, StoreError> {
        let mut registrations = lock(&self.inner.registrations);
        let removed = registrations.remove(&(name.into(), version));
        self.tell_shards(&registrations);
        Ok(removed.is_some())
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;
    use crate::expiry::Lifetime;
    use crate::store::{Base, RegistrationId};

    fn now<F: Future>(future: F) -> F::Output {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => output,
            Poll::Pending => panic!("a store in memory waits for nothing"),
        }
    }

    fn key(id: usize) -> Key {
        Key::new("visitor".into(), id.to_string()).expect("a key")
    }

    #[test]
    fn keys_are_spread_over_the_locks() {
        let mut keys = [0; SHARDS];
        for id in 0..SHARDS * 50 {
            keys[shard_of(key(id).keyed_hash(), SHARDS)] += 1;
        }
        assert!(keys.iter().all(|keys| (10..=150).contains(keys)), "{keys:?}");
    }

    #[test]
    fn nothing_is_left_in_the_index_of_a_session_that_went() {
        let (store, key) = (MemoryStore::new(), key(42));
        let (id, name, codec) = (RegistrationId(7), "visitor".into(), "json".into());
        now(store.register(&Registration { id, name, version: 1, codec, fields: Vec::new() })).expect("a registration");
        let lifetime = Lifetime { inactivity: Some(60_000), creation: None, touch_after: 1, retention: 60_000 };
        let change = Change { name: "user".into(), value: Some("7".into()) };
        let index = vec![IndexEntry { field: "user".into(), term: Term::of(b"7") }];
        let write = Action::Write(Write { index, ..Write::new(1, id, vec![change]) });
        let commit = Commit::new(Base::Absent { saw: None, valid_until: None }, write, lifetime, ClockOffset(0));
        now(store.commit(&key, &commit)).expect("a commit");
        assert_eq!(store.shard(&key).index.len(), 1);
        assert_eq!(now(store.purge(10, ClockOffset(200_000))).expect("a purge").removed, 1);
        assert_eq!(store.shard(&key).index.len(), 0);
    }

    #[test]
    fn a_session_that_is_changed_often_is_due_to_be_looked_at_once() {
        let (store, key) = (MemoryStore::new(), key(42));
        let (id, name, codec) = (RegistrationId(7), "visitor".into(), "json".into());
        now(store.register(&Registration { id, name, version: 1, codec, fields: Vec::new() })).expect("a registration");
        let lifetime = Lifetime { inactivity: Some(60_000), creation: None, touch_after: 1, retention: 60_000 };
        let mut base = Base::Absent { saw: None, valid_until: None };
        for _ in 0..100 {
            let change = Change { name: "visits".into(), value: Some("1".into()) };
            let write = Action::Write(Write::new(1, id, vec![change]));
            let Ok(Reply::Applied(applied)) =
                now(store.commit(&key, &Commit::new(base, write, lifetime, ClockOffset(0))))
            else {
                panic!("it is applied")
            };
            base = Base::from(&applied.head.expect("it is stored"));
        }
        assert_eq!(store.shard(&key).due.len(), 1);
    }
}
