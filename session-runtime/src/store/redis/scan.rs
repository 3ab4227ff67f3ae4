//! Listing, counting and purging: what has to look at all keys.
//!
//! The engine may name a key twice while it grows or shrinks its table, and in no order. To list each key exactly
//! once, a page is the smallest keys after the cursor of one whole pass.

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use redis::{FromRedisValue, Value};

use super::keys::pattern;
use super::link::Node;
use super::script::PURGE;
use super::{RedisStore, error, wire};
use crate::expiry::{ClockOffset, Timestamp};
use crate::store::rule::Header;
use crate::store::{Cursor, Key, Keys, Purged, StoreError};

/// How many keys the engine looks at in one step; it serves others between two steps.
const STEP: usize = 500;

/// A position in the pass over one server.
struct Pass<'a> {
    store: &'a RedisStore,
    node: Node,
    pattern: String,
    /// Where the engine goes on; `None` at the end.
    cursor: Option<u64>,
}

impl Pass<'_> {
    /// The next hashes of this store, and their headers if they are sessions.
    async fn step(&mut self) -> Result<Option<Vec<(Vec<u8>, Header)>>, StoreError> {
        let Some(cursor) = self.cursor else { return Ok(None) };
        let mut scan = redis::pipe();
        scan.cmd("SCAN").arg(cursor).arg("MATCH").arg(&self.pattern).arg("COUNT").arg(STEP).arg("TYPE").arg("hash");
        let answer = self.store.link.send_to(&self.node, &scan).await?.pop().ok_or_else(error::unexpected)?;
        let (next, raw): (u64, Vec<Vec<u8>>) =
            FromRedisValue::from_redis_value(answer).map_err(|_| error::unexpected())?;
        self.cursor = Some(next).filter(|next| *next != 0);
        if raw.is_empty() {
            return Ok(Some(Vec::new()));
        }

        let mut headers = redis::pipe();
        for key in &raw {
            headers.cmd("HMGET").arg(key).arg(wire::HEADER).arg(wire::COMMITS);
        }
        let headers = self.store.link.send_to(&self.node, &headers).await?;
        // Whatever is no session of ours is not listed.
        let sessions = raw.into_iter().zip(headers).filter_map(|(key, found)| Some((key, header(found)?)));
        Ok(Some(sessions.collect()))
    }
}

fn header(found: Value) -> Option<Header> {
    let (raw, commits): (Vec<u8>, Vec<u8>) = FromRedisValue::from_redis_value(found).ok()?;
    wire::header(&raw, &commits).ok()
}

impl RedisStore {
    async fn passes(&self, prefix: &str) -> Result<Vec<Pass<'_>>, StoreError> {
        let pattern = pattern(prefix);
        let nodes = self.link.masters().await?;
        Ok(nodes
            .into_iter()
            .map(|node| Pass { store: self, node, pattern: pattern.clone(), cursor: Some(0) })
            .collect())
    }

    async fn now(&self, pass: &Pass<'_>, clock: ClockOffset) -> Result<Timestamp, StoreError> {
        let mut time = redis::pipe();
        time.cmd("TIME");
        let answer = self.link.send_to(&pass.node, &time).await?.pop().ok_or_else(error::unexpected)?;
        let (seconds, micros): (i64, i64) =
            FromRedisValue::from_redis_value(answer).map_err(|_| error::unexpected())?;
        let millis = seconds.saturating_mul(1000).saturating_add(micros / 1000);
        Ok(Timestamp::from_millis(millis).plus(clock.0))
    }

    pub(super) async fn list(
        &self,
        name: &str,
        after: Option<Cursor>,
        limit: usize,
        clock: ClockOffset,
    ) -> Result<Keys, StoreError> {
        let name: Arc<str> = name.into();
        let mut smallest: BTreeMap<String, Key> = BTreeMap::new();
        for mut pass in self.passes(&self.names.of_name(&name)).await? {
            let now = self.now(&pass, clock).await?;
            while let Some(sessions) = pass.step().await? {
                for (raw, header) in sessions {
                    let Some(key) = self.names.parse(&raw, &name).filter(|_| header.head.stored && header.is_live(now))
                    else {
                        continue;
                    };
                    if after.as_ref().is_none_or(|after| key.id().as_bytes() > &after.0[..]) {
                        smallest.insert(key.id().to_owned(), key);
                        if smallest.len() > limit {
                            smallest.pop_last();
                        }
                    }
                }
            }
        }
        let last = smallest.last_key_value().filter(|_| smallest.len() == limit);
        let next = last.map(|(id, _)| Cursor(id.as_bytes().into()));
        Ok(Keys { keys: smallest.into_values().collect(), next })
    }

    /// Keys are counted once by their hashes: two of a hundred million share one with a probability of 0.03 %.
    pub(super) async fn count_stored(&self, name: &str, clock: ClockOffset) -> Result<u64, StoreError> {
        let name: Arc<str> = name.into();
        let (hasher, mut seen) = (RandomState::new(), HashSet::new());
        for mut pass in self.passes(&self.names.of_name(&name)).await? {
            let now = self.now(&pass, clock).await?;
            while let Some(sessions) = pass.step().await? {
                for (raw, header) in sessions {
                    if header.head.stored && header.is_live(now) && self.names.parse(&raw, &name).is_some() {
                        seen.insert(hasher.hash_one(&raw));
                    }
                }
            }
        }
        Ok(seen.len() as u64)
    }

    /// The engine removes by itself what may go by its own clock; only a clock that was moved leaves work.
    pub(super) async fn purge_by_clock(&self, limit: usize, clock: ClockOffset) -> Result<Purged, StoreError> {
        let (mut removed, limit) = (0, limit as u64);
        if clock.0 == 0 {
            return Ok(Purged { removed, more: false });
        }
        for mut pass in self.passes(&self.names.prefix).await? {
            let now = self.now(&pass, clock).await?;
            while let Some(sessions) = pass.step().await? {
                for (raw, _) in sessions.iter().filter(|(_, header)| header.is_purgeable(now)) {
                    if removed == limit {
                        return Ok(Purged { removed, more: true });
                    }
                    let Ok(key) = std::str::from_utf8(raw) else { continue };
                    let answer = self.link.script(&PURGE, &[key], |command| _ = command.arg(clock.0)).await?;
                    removed += u64::from(answer == Value::Int(1));
                }
            }
        }
        Ok(Purged { removed, more: false })
    }
}
