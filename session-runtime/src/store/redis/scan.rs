//! Listing, counting and purging: what has to look at all keys.
//!
//! The engine may name a key twice while it grows or shrinks its table, and in no order. To list each key exactly
//! once, a page is the smallest keys after the cursor of one whole pass.

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use bytes::Bytes;

use super::keys::pattern;
use super::link::send_to;
use super::resp::{Request, Value};
use super::script::PURGE;
use super::server::Server;
use super::{RedisStore, error, wire};
use crate::expiry::{ClockOffset, Timestamp};
use crate::store::rule::Header;
use crate::store::{Cursor, Housekeeping, Key, Keys, Purged, Registrations, StoreError};

/// How many keys the engine looks at in one step; it serves others between two steps.
const STEP: &[u8] = b"500";

/// A position in the pass over one server.
struct Pass {
    server: Arc<Server>,
    pattern: String,
    /// Where the engine goes on; `None` at the end.
    cursor: Option<Bytes>,
}

impl Pass {
    /// The next hashes of this store.
    async fn names(&mut self) -> Result<Option<Vec<Bytes>>, StoreError> {
        let Some(cursor) = self.cursor.take() else { return Ok(None) };
        let scan: [&[u8]; 8] = [b"SCAN", &cursor, b"MATCH", self.pattern.as_bytes(), b"COUNT", STEP, b"TYPE", b"hash"];
        let answer = send_to(&self.server, &Request::of(&scan)).await?;
        let mut parts = answer.into_iter().next().and_then(Value::list).ok_or_else(error::unexpected)?.into_iter();
        let (Some(Value::Bytes(next)), Some(Value::List(raw))) = (parts.next(), parts.next()) else {
            return Err(error::unexpected());
        };
        self.cursor = Some(next).filter(|next| &next[..] != b"0");
        Ok(Some(raw.into_iter().filter_map(Value::bytes).collect()))
    }

    /// The headers of those hashes that are sessions.
    async fn headers(&self, raw: Vec<Bytes>) -> Result<Vec<(Bytes, Header)>, StoreError> {
        if raw.is_empty() {
            return Ok(Vec::new());
        }
        let mut request = Request::default();
        for key in &raw {
            request.add(&[b"HMGET", key, wire::HEADER.as_bytes(), wire::COMMITS.as_bytes()]);
        }
        let headers = send_to(&self.server, &request).await?;
        // Whatever is no session of ours is not listed.
        Ok(raw.into_iter().zip(headers).filter_map(|(key, found)| Some((key, header(found)?))).collect())
    }

    /// The next sessions of this store.
    async fn step(&mut self) -> Result<Option<Vec<(Bytes, Header)>>, StoreError> {
        match self.names().await? {
            Some(raw) => self.headers(raw).await.map(Some),
            None => Ok(None),
        }
    }

    async fn now(&self, clock: ClockOffset) -> Result<Timestamp, StoreError> {
        let answer = send_to(&self.server, &Request::of(&[b"TIME"])).await?.pop();
        Ok(wire::time(answer.ok_or_else(error::unexpected)?)?.plus(clock.0))
    }
}

fn header(found: Value) -> Option<Header> {
    let mut found = found.list()?.into_iter().map(Value::bytes);
    wire::header(&found.next()??, &found.next()??).ok()
}

impl RedisStore {
    async fn passes(&self, prefix: &str) -> Result<Vec<Pass>, StoreError> {
        let pattern = pattern(prefix);
        let begin = |server| Pass { server, pattern: pattern.clone(), cursor: Some(Bytes::from_static(b"0")) };
        Ok(self.link.masters().await?.into_iter().map(begin).collect())
    }
}

impl Housekeeping for RedisStore {
    async fn keys(
        &self,
        name: &str,
        after: Option<Cursor>,
        limit: usize,
        clock: ClockOffset,
    ) -> Result<Keys, StoreError> {
        let name: Arc<str> = name.into();
        let mut smallest: BTreeMap<String, Key> = BTreeMap::new();
        for mut pass in self.passes(&self.names.of_name(&name)).await? {
            let now = pass.now(clock).await?;
            while let Some(mut raw) = pass.names().await? {
                // Most keys are not of this page, and of those nothing is asked.
                let last = smallest.last_key_value().filter(|_| smallest.len() == limit).map(|(id, _)| id);
                raw.retain(|raw| {
                    self.names.parse(raw, &name).is_some_and(|key| {
                        after.as_ref().is_none_or(|after| key.id().as_bytes() > &after.0[..])
                            && last.is_none_or(|last| key.id() < &**last)
                    })
                });
                for (raw, header) in pass.headers(raw).await? {
                    if let Some(key) =
                        self.names.parse(&raw, &name).filter(|_| header.head.stored && header.is_live(now))
                    {
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
    async fn count(&self, name: &str, clock: ClockOffset) -> Result<u64, StoreError> {
        let name: Arc<str> = name.into();
        let (hasher, mut seen) = (RandomState::new(), HashSet::new());
        for mut pass in self.passes(&self.names.of_name(&name)).await? {
            let now = pass.now(clock).await?;
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
    async fn purge(&self, limit: usize, clock: ClockOffset) -> Result<Purged, StoreError> {
        let (mut removed, limit, offset) = (0, limit as u64, clock.0.to_string());
        let passes = if clock.0 == 0 { Vec::new() } else { self.passes(&self.names.prefix).await? };
        for mut pass in passes {
            let now = pass.now(clock).await?;
            while let Some(sessions) = pass.step().await? {
                for (raw, _) in sessions.iter().filter(|(_, header)| header.is_purgeable(now)) {
                    if removed == limit {
                        return Ok(Purged { removed, more: true });
                    }
                    let Ok(key) = std::str::from_utf8(raw) else { continue };
                    let (answer, _) = self.link.script(&PURGE, &[key], &[offset.as_bytes()]).await?;
                    removed += u64::from(answer == Value::Number(1));
                }
            }
        }
        // Once, and not with each part of a purge: it looks at all sets.
        self.clean_index().await?;
        Ok(Purged { removed, more: false })
    }

    async fn registrations(&self) -> Result<Registrations, StoreError> {
        self.all_registered().await
    }

    async fn withdraw(&self, name: &str, version: u32) -> Result<bool, StoreError> {
        self.disagree(name, version).await
    }
}
