//! Which sessions have a value: a sorted set for each value of an indexed field, in a slot of its own in a cluster.
//!
//! A session is added before the commit that gives it the value, so a set can have too many and never misses one. Whoever
//! looks into a set looks at the sessions themselves, and takes out those that do not have the value, unless a commit may
//! still give it to them: each commit has a time until which it may be applied, which is the score.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;

use super::keys::pattern;
use super::link::send_to;
use super::resp::{Request, Value};
use super::script::{ANNOUNCE, FIND, FORGET};
use super::{RedisStore, error, wire};
use crate::expiry::Timestamp;
use crate::store::rule::{Header, State};
use crate::store::{Action, Commit, Cursor, Find, FoundPage, Incarnation, Key, StoreError, StoreErrorKind};

/// How long after it was announced a commit may be applied, in milliseconds.
pub(super) const VALID: i64 = 60_000;

/// How far the clocks of a cluster's nodes may be apart, in milliseconds.
const MARGIN: i64 = 60_000;

/// How often a set in a cluster is looked at, to see all at one moment.
const LOOKS: u32 = 16;

/// How many sessions are taken out of a set in one go.
const FORGOTTEN_AT_ONCE: usize = 1000;

/// What a look into a set showed.
struct Look {
    /// When it began, by the clock of whoever holds the set.
    now: Timestamp,
    entries: Vec<Entry>,
    next: Option<Cursor>,
}

/// A session in a set.
struct Entry {
    place: Bytes,
    score: Bytes,
    /// What its key holds now.
    header: Option<Header>,
    value: Option<Bytes>,
}

impl Entry {
    fn new(place: Value, score: Value, there: Value) -> Option<Self> {
        let mut there = there.list()?.into_iter().map(Value::bytes);
        let (raw, older, value) = (there.next()?, there.next()?, there.next()?);
        // What cannot be read is no session.
        let header = raw.zip(older).and_then(|(raw, older)| wire::header(&raw, &older).ok());
        Some(Self { place: place.bytes()?, score: score.bytes()?, header, value })
    }

    /// The header, if a session is stored.
    fn stored(&self, now: Timestamp) -> Option<&Header> {
        self.header.as_ref().filter(|header| header.head.stored && header.is_live(now))
    }

    /// Whether no commit that was announced with this entry can arrive any more.
    fn is_old(&self, now: Timestamp) -> bool {
        let score = std::str::from_utf8(&self.score).ok().and_then(|score| score.parse::<f64>().ok());
        #[expect(clippy::cast_precision_loss, reason = "the engine counts in the same numbers")]
        score.is_some_and(|score| score < now.plus(-MARGIN).as_millis() as f64)
    }

    /// What changes when the session is announced, created, moved or ended.
    fn state(&self) -> (&[u8], &[u8], Option<(Incarnation, State)>) {
        let life = self.header.as_ref().map(|header| (header.head.incarnation, header.state));
        (&self.place, &self.score, life)
    }
}

impl RedisStore {
    /// Adds a session to the sets of the values that a commit gives it. Returns until when that may be applied.
    pub(super) async fn announce(&self, key: &Key, commit: &Commit) -> Result<Option<i64>, StoreError> {
        if commit.index().is_empty() {
            return Ok(None);
        }
        self.indexes.store(true, Ordering::Relaxed);
        let key = match &commit.action {
            Action::Renew { to, .. } => to,
            Action::Write(_) | Action::Destroy => key,
        };
        let (place, valid, mut until) = (self.names.session(key), self.valid.to_string(), i64::MAX);
        for entry in commit.index() {
            let set = self.names.index(key.name(), &entry.field, entry.term.as_str());
            match self.link.script(&ANNOUNCE, &[&set], &[place.as_bytes(), valid.as_bytes()]).await?.0 {
                Value::Number(till) => until = until.min(till),
                _ => return Err(error::unexpected()),
            }
        }
        Ok(Some(until))
    }

    pub(super) async fn found(&self, find: &Find) -> Result<FoundPage, StoreError> {
        self.indexes.store(true, Ordering::Relaxed);
        let set = self.names.index(&find.name, &find.field, find.term.as_str());
        let steps = find.limit.map(|limit| (find.after.as_ref(), limit));
        let look = match steps {
            None if self.link.is_cluster() => self.look_at_once(&set, &find.field).await?,
            _ => self.look(&set, &find.field, steps).await?,
        };
        let now = look.now.plus(find.clock.0);
        let (mut sessions, mut stale) = (Vec::new(), Vec::new());
        for entry in &look.entries {
            match entry.stored(now).filter(|_| entry.value.as_deref() == Some(&*find.value)) {
                Some(header) => {
                    let key =
                        self.names.parse(&entry.place, &find.name).ok_or_else(|| error::corrupt("of an index"))?;
                    sessions.push((key, header.head));
                }
                None if entry.is_old(look.now) => stale.push(entry),
                None => {}
            }
        }
        self.forget(&set, &stale).await;
        Ok(FoundPage { now, sessions, next: look.next })
    }

    /// Looks at a set: at all of it, or at about so many sessions from a place on. On a single server all that it sees
    /// is of one moment.
    async fn look(&self, set: &str, field: &str, steps: Option<(Option<&Cursor>, usize)>) -> Result<Look, StoreError> {
        let (after, count) = steps.unzip();
        let after: Option<&[u8]> = after.map(|after| after.map_or(&b"0"[..], |after| &after.0));
        let count = count.map(|count: usize| count.max(1).to_string());
        if !self.link.is_cluster() {
            let words = [Some(field.as_bytes()), after, count.as_ref().map(String::as_bytes)];
            let words: Vec<&[u8]> = words.into_iter().flatten().collect();
            let mut parts =
                self.link.script(&FIND, &[set], &words).await?.0.list().ok_or_else(error::unexpected)?.into_iter();
            let (Some(time), Some(cursor), Some(Value::List(seen))) = (parts.next(), parts.next(), parts.next()) else {
                return Err(error::unexpected());
            };
            let entry = |seen: Value| {
                let mut parts = seen.list()?.into_iter();
                Entry::new(parts.next()?, parts.next()?, parts.next()?)
            };
            let entries = seen.into_iter().map(|seen| entry(seen).ok_or_else(error::unexpected));
            return Ok(Look {
                now: wire::time(time)?,
                entries: entries.collect::<Result<_, _>>()?,
                next: next(cursor),
            });
        }
        let mut request = match (after, &count) {
            (Some(after), Some(count)) => Request::of(&[b"ZSCAN", set.as_bytes(), after, b"COUNT", count.as_bytes()]),
            _ => Request::of(&[b"ZRANGE", set.as_bytes(), b"0", b"-1", b"WITHSCORES"]),
        };
        request.add(&[b"TIME"]);
        let mut answers = self.link.send(set, &request).await?.into_iter();
        let (Some(found), Some(time)) = (answers.next(), answers.next()) else { return Err(error::unexpected()) };
        let mut found = found.list().ok_or_else(error::unexpected)?.into_iter();
        let cursor = if after.is_some() { found.next() } else { None };
        let mut found = match &cursor {
            Some(_) => found.next().and_then(Value::list).ok_or_else(error::unexpected)?.into_iter(),
            None => found,
        };
        let mut entries = Vec::new();
        // The time is older than the look, although it came with the set: nobody is taken out for what came later.
        while let (Some(Value::Bytes(place)), Some(score)) = (found.next(), found.next()) {
            let name = std::str::from_utf8(&place).map_err(|_| error::corrupt("of an index"))?;
            let there = Request::of(&[b"HMGET", &place, b"#h", b"#c", field.as_bytes()]);
            let there = self.link.send(name, &there).await?.pop().ok_or_else(error::unexpected)?;
            entries.push(Entry::new(Value::Bytes(place.clone()), score, there).ok_or_else(error::unexpected)?);
        }
        Ok(Look { now: wire::time(time)?, entries, next: cursor.and_then(next) })
    }

    /// Looks at a set in a cluster until two looks show the same sessions: then all of them were there between the two.
    async fn look_at_once(&self, set: &str, field: &str) -> Result<Look, StoreError> {
        let mut before = self.look(set, field, None).await?;
        for _ in 0..LOOKS {
            let look = self.look(set, field, None).await?;
            if look.entries.iter().map(Entry::state).eq(before.entries.iter().map(Entry::state)) {
                return Ok(look);
            }
            before = look;
        }
        let message = "the sessions with a value kept changing while they were looked for; try again";
        Err(StoreError::new(StoreErrorKind::Busy, message).not_applied())
    }

    /// Takes sessions out of a set. If that fails, whoever looks next does it.
    async fn forget(&self, set: &str, stale: &[&Entry]) {
        for stale in stale.chunks(FORGOTTEN_AT_ONCE) {
            let words: Vec<&[u8]> = stale.iter().flat_map(|entry| [&entry.place[..], &entry.score[..]]).collect();
            if let Err(error) = self.link.script(&FORGET, &[set], &words).await {
                tracing::debug!(%error, "the index of sessions could not be cleaned");
                return;
            }
        }
    }

    /// Takes the sessions that have ended out of all sets, if this store has met any set.
    pub(super) async fn clean_index(&self) -> Result<(), StoreError> {
        if !self.indexes.load(Ordering::Relaxed) {
            return Ok(());
        }
        let sets = pattern(&self.names.of_index());
        for server in self.link.masters().await? {
            let mut cursor = Bytes::from_static(b"0");
            loop {
                let scan: [&[u8]; 8] =
                    [b"SCAN", &cursor, b"MATCH", sets.as_bytes(), b"COUNT", b"500", b"TYPE", b"zset"];
                let answer = send_to(&server, &Request::of(&scan)).await?;
                let mut parts =
                    answer.into_iter().next().and_then(Value::list).ok_or_else(error::unexpected)?.into_iter();
                let (Some(Value::Bytes(next)), Some(Value::List(found))) = (parts.next(), parts.next()) else {
                    return Err(error::unexpected());
                };
                for set in found.into_iter().filter_map(Value::bytes) {
                    self.clean(&set).await?;
                }
                if &next[..] == b"0" {
                    break;
                }
                cursor = next;
            }
        }
        Ok(())
    }

    async fn clean(&self, set: &[u8]) -> Result<(), StoreError> {
        let Some((set, field)) = std::str::from_utf8(set).ok().and_then(|set| Some((set, self.names.indexed(set)?)))
        else {
            return Ok(());
        };
        let mut after = None;
        loop {
            let look = self.look(set, &field, Some((after.as_ref(), FORGOTTEN_AT_ONCE))).await?;
            let is_stale =
                |entry: &&Entry| (entry.stored(look.now).is_none() || entry.value.is_none()) && entry.is_old(look.now);
            let stale: Vec<&Entry> = look.entries.iter().filter(is_stale).collect();
            self.forget(set, &stale).await;
            match look.next {
                Some(next) => after = Some(next),
                None => return Ok(()),
            }
        }
    }
}

/// Where a search goes on, by the engine's word.
fn next(cursor: Value) -> Option<Cursor> {
    cursor.bytes().filter(|cursor| &cursor[..] != b"0").map(|cursor| Cursor(Arc::from(&cursor[..])))
}
