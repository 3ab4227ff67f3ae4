use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use session_runtime::expiry::{ClockOffset, Timestamp};
use session_runtime::store::rule::{self, Header};
use session_runtime::store::{
    Action, Applied, Commit, Cursor, Ended, Find, Found, FoundPage, Housekeeping, Key, Keys, Load, Loaded, Purged,
    Registration, Registrations, Reply, Store, StoreError, StoredField,
};

/// Keeps sessions in one map behind one lock, which makes every operation atomic.
#[derive(Debug, Clone, Default)]
pub struct MapStore(Arc<Mutex<Maps>>);

#[derive(Debug, Default)]
struct Maps {
    sessions: BTreeMap<Key, (Header, Vec<StoredField>)>,
    registrations: BTreeMap<(Arc<str>, u32), Registration>,
}

impl MapStore {
    fn lock(&self) -> MutexGuard<'_, Maps> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MapStore {
    async fn prepare(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn load(&self, key: &Key, load: Load) -> Result<Loaded, StoreError> {
        let (mut maps, now) = (self.lock(), Timestamp::now(load.clock));
        let Some((header, fields)) = maps.sessions.get_mut(key) else {
            return Ok(Loaded { now, touched: false, found: Found::Absent { saw: None } });
        };
        if !header.is_live(now) {
            return Ok(Loaded { now, touched: false, found: Found::Absent { saw: Some(header.past()) } });
        }
        let touched = load.lifetime.and_then(|lifetime| header.touched(&lifetime, now));
        *header = touched.unwrap_or(*header);
        let record = header.record(fields.clone());
        Ok(Loaded { now, touched: touched.is_some(), found: Found::Record(record) })
    }

    async fn commit(&self, key: &Key, commit: &Commit) -> Result<Reply, StoreError> {
        let (mut maps, now) = (self.lock(), Timestamp::now(commit.clock));
        let (header, fields) = maps.sessions.get(key).cloned().unzip();
        let mut fields = fields.unwrap_or_default();
        if let Some(reply) =
            rule::decide(header.as_ref(), commit, now).refusal(|| Ok::<_, StoreError>(fields.clone()))?
        {
            return Ok(reply);
        }
        if let Some((name, version, id)) = commit.registration(key)
            && maps.registrations.get(&(name.into(), version)).is_none_or(|registration| registration.id != id)
        {
            return Ok(Reply::Unregistered);
        }
        let target = match &commit.action {
            Action::Renew { to, .. } => maps.sessions.get(to).map(|(header, _)| *header),
            Action::Write(_) | Action::Destroy => None,
        };
        if rule::is_occupied(target.as_ref(), now) {
            return Ok(Reply::Occupied);
        }

        let live = header.filter(|header| header.is_live(now));
        if live.is_none() || commit.write().is_none_or(|write| write.replace) {
            fields.clear();
        }
        for change in commit.changes() {
            fields.retain(|field| field.name != change.name);
            fields.extend(change.value.clone().map(|value| StoredField { name: change.name.clone(), value }));
        }
        let Some(next) = rule::next(header.as_ref(), commit, fields.is_empty(), now) else {
            return Ok(Reply::Ended(Ended::Unknown));
        };
        let head = match &commit.action {
            Action::Write(_) | Action::Destroy => {
                maps.sessions.insert(key.clone(), (next, fields));
                (!commit.is_destruction()).then_some(next.head)
            }
            Action::Renew { to, write } => {
                let renewed = rule::renewed(&next, target.as_ref(), commit, write, fields.is_empty(), now);
                // In this order, because a session that is not stored may be renewed to its own key.
                maps.sessions.insert(key.clone(), (next, Vec::new()));
                maps.sessions.insert(to.clone(), (renewed, fields));
                Some(renewed.head)
            }
        };
        let was_stored = live.is_some_and(|header| header.head.stored);
        let is_stored = head.is_some_and(|head| head.stored);
        Ok(Reply::Applied(Applied { head, was_stored, is_stored, repeated: false }))
    }

    async fn find(&self, find: &Find) -> Result<FoundPage, StoreError> {
        let (maps, now) = (self.lock(), Timestamp::now(find.clock));
        let stored = maps.sessions.iter().filter(|(_, (header, _))| header.head.stored && header.is_live(now));
        let named = stored.filter(|(key, _)| key.name() == &*find.name);
        let has_it = |field: &StoredField| field.name == find.field && field.value == find.value;
        let found = named.filter(|(_, (_, fields))| fields.iter().any(has_it));
        // All of them, whatever the limit: it is about one.
        let sessions = found.map(|(key, (header, _))| (key.clone(), header.head)).collect();
        Ok(FoundPage { now, sessions, next: None })
    }

    async fn registration(&self, name: &str, version: u32) -> Result<Option<Registration>, StoreError> {
        Ok(self.lock().registrations.get(&(name.into(), version)).cloned())
    }

    async fn register(&self, proposal: &Registration) -> Result<Registration, StoreError> {
        let (mut maps, key) = (self.lock(), (proposal.name.clone(), proposal.version));
        let registered = maps.registrations.entry(key).or_insert_with(|| proposal.clone());
        registered.add_missing(proposal);
        Ok(registered.clone())
    }
}

impl Housekeeping for MapStore {
    async fn keys(&self, name: &str, after: Option<Cursor>, limit: usize, at: ClockOffset) -> Result<Keys, StoreError> {
        let (maps, now) = (self.lock(), Timestamp::now(at));
        let stored = maps.sessions.iter().filter(|(_, (header, _))| header.head.stored && header.is_live(now));
        let named = stored.map(|(key, _)| key).filter(|key| key.name() == name);
        let rest = named.filter(|key| after.as_ref().is_none_or(|after| key.id().as_bytes() > &*after.0));
        let keys: Vec<Key> = rest.take(limit).cloned().collect();
        let next = keys.last().filter(|_| keys.len() == limit).map(|last| Cursor(last.id().as_bytes().into()));
        Ok(Keys { keys, next })
    }

    async fn count(&self, name: &str, clock: ClockOffset) -> Result<u64, StoreError> {
        Ok(self.keys(name, None, usize::MAX, clock).await?.keys.len() as u64)
    }

    async fn purge(&self, limit: usize, clock: ClockOffset) -> Result<Purged, StoreError> {
        let (mut maps, now) = (self.lock(), Timestamp::now(clock));
        let ended = maps.sessions.iter().filter(|(_, (header, _))| header.is_purgeable(now));
        let purged: Vec<Key> = ended.take(limit).map(|(key, _)| key.clone()).collect();
        for key in &purged {
            maps.sessions.remove(key);
        }
        Ok(Purged { removed: purged.len() as u64, more: purged.len() == limit })
    }

    async fn registrations(&self) -> Result<Registrations, StoreError> {
        Ok(Registrations { found: self.lock().registrations.values().cloned().collect(), ..Registrations::default() })
    }

    async fn withdraw(&self, name: &str, version: u32) -> Result<bool, StoreError> {
        Ok(self.lock().registrations.remove(&(name.into(), version)).is_some())
    }
}
