//! Sessions in Redis or Valkey: one hash per session, one script call per operation.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use self::keys::Names;
use self::line::Lost;
use self::link::Link;
use self::resp::{Request, Value};
use self::script::{COMMIT, TOUCH};
use self::wire::Stored;
use super::both::both;
use super::rule::{self, Commits, Header};
use super::{
    Action, Applied, Commit, Find, Found, FoundPage, Key, Load, Loaded, Registration, Reply, Store, StoreError,
    StoreErrorKind,
};
use crate::expiry::{ClockOffset, Timestamp};

mod address;
mod check;
mod cluster;
mod error;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzz;
mod index;
mod keys;
mod line;
mod link;
mod open;
mod options;
mod registry;
mod resp;
mod scan;
mod script;
mod server;
mod socket;
mod stream;
mod tls;
mod wire;

pub use options::{RedisOptions, Slots};

/// How often a commit of an indexed value is announced at most, if each time it came too late.
const ANNOUNCEMENTS: u32 = 4;

/// Keeps sessions in Redis (6.2 or newer) or Valkey: a single server or a cluster.
///
/// Its tests have been run on Redis 6.2.5, 7.0.15 and 8.2.3; Valkey speaks the same protocol and scripts, but was not
/// at hand.
///
/// A load is HGETALL and TIME in one flight, a commit a script that the server knows by its hash; if it has forgotten
/// it, it is sent whole. All operations of a tokio runtime share one connection to each server, on which commands of
/// many tasks travel together; a second one is made when four or more wait for answers at once, and a third one when
/// some of those commit.
///
/// # When a connection fails
///
/// A connection is given up when it is closed or reset, when no answer comes
/// [in time](RedisOptions::response_timeout), and when the server says that it is read-only, as it does after a
/// failover. What was sent on it is sent once more on a new connection, to whoever is at the address, or to whoever
/// holds the key in a cluster, by then: a commit carries an id, so it is applied once. If that fails too, the
/// operation is an error; the next one connects anew. Idle connections are kept alive by TCP, and one that the server
/// or the network gave up meanwhile costs no operation more than another connection.
///
/// # What is stored
///
/// One hash per session, at `session:{name}:{key}` (without these braces; the prefix is an
/// [option](RedisOptions::prefix)). In the key, `%`, `:`, `{` and `}` stand as `%25`, `%3A`, `%7B` and `%7D`, so
/// that no user chooses a namespace or a slot.
///
/// | field of the hash | holds |
/// |---|---|
/// | `#h` | the header: 64 bytes with the incarnation, the revision, the last commit id, who wrote it and all times |
/// | `#c` | in seven bytes how long the header is kept once the session has ended, or the sliding lifetime of the session's own if it has one; the commit ids before the last, at most seven of eight bytes, newest first |
/// | any other | a session field's encoded value, by its name |
///
/// The sessions with a value in an indexed field are in the sorted set `session:#index:{name}:{field}:{value}`, or with
/// a hash instead of a long value; it can have some that have ended, which whoever looks takes out.
///
/// Registered initial values are hashes at `session:{#registrations}:{name}:{version}` (here the first braces are
/// stored), which the set `session:{#registrations}` names. To look at a session whose key is `42`:
///
/// ```text
/// redis-cli HGETALL session:Visitor:42          # everything; #h and #c are binary
/// redis-cli HGET session:Visitor:42 theme       # one field, readable with the JSON codec
/// redis-cli PTTL session:Visitor:42             # how long until Redis removes it, in milliseconds
/// redis-cli --scan --pattern 'session:Visitor:*'
/// redis-cli SMEMBERS 'session:{#registrations}'
/// ```
///
/// A hash stays in the compact encoding while it has no more fields than `hash-max-listpack-entries` and no value is
/// longer than `hash-max-listpack-value` (64 bytes unless set; `…-ziplist-…` before Redis 7). `#h` and `#c` fit. If
/// most values of your sessions are a little longer, raise it: it saves memory, and costs time only in hashes with
/// many fields.
///
/// # What goes by itself
///
/// Each hash has a time to live that ends in the minute after its session may be purged, later than it expires, so
/// Redis collects what has ended and [`Housekeeping::purge`](super::Housekeeping::purge) has nothing to do, but to take
/// ended sessions out of the index: it scans for that where this store has indexed or found sessions, so call it now
/// and then. A session that never expires has none. Do not EXPIRE, PERSIST or RENAME these keys
/// from outside: headers of destroyed sessions have times to live too. A load whose touch the server refuses, because
/// it takes no writes or is full, is answered all the same, with a warning in the log.
///
/// # What it costs
///
/// [`Housekeeping::keys`](super::Housekeeping::keys) and [`Housekeeping::count`](super::Housekeeping::count) look at
/// all keys of the server with SCAN, some hundreds at a time, so that others are served in between; a page of keys is a
/// whole pass, so take large pages. They are for tools.
///
/// # What the server must promise
///
/// An acknowledged commit is as durable as the server's settings make it.
///
/// | setting | an acknowledged commit is lost |
/// |---|---|
/// | `appendonly yes`, `appendfsync always` | with the disk only |
/// | `appendonly yes`, `appendfsync everysec` | if the machine stops within about a second; not if only Redis does |
/// | snapshots (`save`) only | if Redis stops before the next one |
/// | replicas and a failover (Sentinel, Cluster) | if it had not reached the replica that took over, whatever the settings above: replication is asynchronous |
///
/// `min-replicas-to-write` makes the last less likely: it refuses writes while too few replicas follow (not before
/// Redis 7, which is the first that applies it to scripts). WAIT would
/// tell that a commit reached replicas, but does not undo one that did not; this store does not send it. Where commits
/// were lost, sessions are as they were before, a commit is never applied to half, and a session loaded before the
/// loss cannot overwrite what was written after it, since its last commit is compared as well as its revision.
///
/// `maxmemory-policy` must be `noeviction`, which [`Store::prepare`] checks: an evicted header lets a destroyed session
/// come back, and an evicted registration makes records unreadable.
///
/// The user needs the commands EVALSHA, EVAL, INFO, SCAN, TIME, HGET, HMGET, HGETALL, HEXISTS, HLEN, HSET, HDEL,
/// EXISTS, RENAME, UNLINK, PEXPIREAT, PERSIST, SADD, SREM, SMEMBERS, ZADD, ZRANGE, ZSCAN, ZSCORE and ZREM on keys with the prefix; `prepare` tries them.
/// With CONFIG as well, it can check the eviction policy.
///
/// # Clusters
///
/// Sessions spread over the nodes by their keys. A renewal needs both keys
/// in one slot, else it fails with [`StoreErrorKind::CrossSlot`] and changes nothing: choose [`Slots`] that keep them
/// together. Braces in the prefix (`{app}:`) put all sessions in one slot.
#[derive(Debug, Clone)]
pub struct RedisStore {
    link: Link,
    names: Names,
    accept_eviction: bool,
    /// How long after it was announced a commit may be applied, in milliseconds.
    valid: i64,
    /// Whether it has met an index, so that a purge has something to clean.
    indexes: Arc<AtomicBool>,
}

impl Store for RedisStore {
    async fn prepare(&self) -> Result<(), StoreError> {
        self.check().await
    }

    async fn load(&self, key: &Key, load: Load) -> Result<Loaded, StoreError> {
        let place = self.names.session(key);
        // A session that had not ended when the time was told was there when it was read before.
        let mut request = Request::of(&[b"HGETALL", place.as_bytes()]);
        request.add(&[b"TIME"]);
        let mut answers = self.link.send(&place, &request).await?.into_iter();
        let (Some(Value::List(found)), Some(time)) = (answers.next(), answers.next()) else {
            return Err(error::unexpected());
        };
        let now = wire::time(time)?.plus(load.clock.0);
        let absent = |saw| Loaded { now, touched: false, found: Found::Absent { saw } };
        let Some(Stored { mut header, raw, fields }) = wire::hash(found)? else { return Ok(absent(None)) };
        if !header.is_live(now) {
            return Ok(absent(Some(header.past())));
        }
        let mut touched = false;
        if let Some(later) = load.lifetime.and_then(|lifetime| header.touched(&wire::countable(lifetime), now)) {
            touched = self.touch(&place, &raw, &later, load.clock).await;
            if touched {
                header = later;
            }
        }
        Ok(Loaded { now, touched, found: Found::Record(header.record(fields)) })
    }

    async fn commit(&self, key: &Key, commit: &Commit) -> Result<Reply, StoreError> {
        let place = self.names.session(key);
        let target = match &commit.action {
            Action::Renew { to, .. } => Some(self.names.session(to)),
            Action::Write(_) | Action::Destroy => None,
        };
        let places: Vec<&str> = [Some(&place), target.as_ref()].into_iter().flatten().map(String::as_str).collect();
        let mut may_repeat = false;
        for _ in 0..ANNOUNCEMENTS {
            let until = self.announce(key, commit).await?;
            if let Some(reply) = self.commit_until(key, commit, until, &places, &mut may_repeat).await? {
                return Ok(reply);
            }
        }
        let message = "a commit was on its way for so long that it was not applied; try again";
        Err(StoreError::new(StoreErrorKind::TimedOut, message))
    }

    async fn find(&self, find: &Find) -> Result<FoundPage, StoreError> {
        self.found(find).await
    }

    async fn registration(&self, name: &str, version: u32) -> Result<Option<Registration>, StoreError> {
        self.registered(name, version).await
    }

    async fn register(&self, proposal: &Registration) -> Result<Registration, StoreError> {
        self.agree(proposal).await
    }
}

impl RedisStore {
    /// Sends a commit that may be applied until then. Nothing is answered if it came too late.
    async fn commit_until(
        &self,
        key: &Key,
        commit: &Commit,
        until: Option<i64>,
        places: &[&str],
        may_repeat: &mut bool,
    ) -> Result<Option<Reply>, StoreError> {
        let (mut arguments, mut removed) = (vec![&[][..]], Vec::new());
        for change in commit.changes() {
            match &change.value {
                Some(value) => arguments.extend([change.name.as_bytes(), value]),
                None => removed.push(change.name.as_bytes()),
            }
        }
        let lengths = self.lengths(key);
        let packed = wire::commit(commit, arguments.len() / 2, lengths.unwrap_or_default(), until);
        arguments.append(&mut removed);
        arguments[0] = &packed;
        let script = || self.link.script(&COMMIT, places, &arguments);
        let (answer, is_registered) = match commit.registration(key) {
            // At the same time, because the script cannot see what is in another slot.
            Some(named) if lengths.is_none() => Box::pin(both(script(), self.is_registered(named))).await,
            _ => (script().await, Ok(true)),
        };
        let (value, resent) = answer?;
        *may_repeat |= resent;
        if value == Value::List(vec![Value::Number(wire::LATE)]) {
            return Ok(None);
        }
        match reply(value, commit)? {
            Reply::Applied(_) if !is_registered? => Ok(Some(Reply::Unregistered)),
            // If it was applied when it was sent first, its id is among those that the header keeps; else nobody knows.
            Reply::Conflict(there) if *may_repeat && Commits::have_forgotten(commit, &there.head) => {
                Err(error::lost(Lost::Closed))
            }
            reply => Ok(Some(reply)),
        }
    }

    /// How long the prefix (and one) and the registered name are with which a session's key begins, so that the commit
    /// script finds the registration; `None` where it could not.
    fn lengths(&self, key: &Key) -> Option<[u8; 2]> {
        let prefix = u8::try_from(self.names.prefix.len() + 1).ok()?;
        let name = u8::try_from(key.registered_name().len()).ok()?;
        (!self.link.is_cluster()).then_some([prefix, name])
    }

    /// Moves a session's end, unless something else did since it was read. Whether it was moved.
    ///
    /// A server that takes no writes, or is full, still answers reads.
    async fn touch(&self, place: &str, read: &[u8], later: &Header, clock: ClockOffset) -> bool {
        let packed = wire::packed(later);
        // The engine's clock is not moved by the offset.
        let end = later.retained_until.map(|end| wire::full_minute(end.plus(clock.0.saturating_neg())).to_string());
        let arguments = [Some(read), Some(&packed), end.as_ref().map(String::as_bytes)];
        let arguments: Vec<&[u8]> = arguments.into_iter().flatten().collect();
        match self.link.script(&TOUCH, &[place], &arguments).await {
            Ok((done, _)) => done == Value::Number(1),
            Err(error) => {
                tracing::warn!(%error, "a session that is in use could not be kept from expiring");
                false
            }
        }
    }
}

/// What `commit.lua` answered. Where it refused, the rule tells from what it found why it did.
fn reply(answer: Value, commit: &Commit) -> Result<Reply, StoreError> {
    let applied = |raw: &[u8], was_stored| {
        let head = Some(wire::head(raw)?).filter(|_| !commit.is_destruction());
        let is_stored = head.is_some_and(|head| head.stored);
        Ok(Reply::Applied(Applied { head, was_stored, is_stored, repeated: false }))
    };
    if let Value::Bytes(raw) = &answer {
        return applied(raw, true);
    }
    let mut parts = answer.list().ok_or_else(error::unexpected)?.into_iter();
    match (parts.next(), parts.next(), parts.next()) {
        (Some(Value::Number(wire::APPLIED)), Some(Value::Number(was_stored)), Some(Value::Bytes(raw))) => {
            applied(&raw, was_stored == 1)
        }
        (Some(Value::Number(wire::OCCUPIED)), None, None) => Ok(Reply::Occupied),
        (Some(Value::Number(wire::UNREGISTERED)), None, None) => Ok(Reply::Unregistered),
        (Some(Value::Number(wire::REFUSED)), Some(Value::Number(now)), Some(Value::List(found))) => {
            let (header, fields) = wire::hash(found)?.map(|stored| (stored.header, stored.fields)).unzip();
            let decision = rule::decide(header.as_ref(), commit, Timestamp::from_millis(now));
            decision.refusal(|| Ok::<_, StoreError>(fields.unwrap_or_default()))?.ok_or_else(|| {
                let message = "a script in Redis refused what this build would apply; run one build of session-runtime";
                StoreError::new(StoreErrorKind::Incompatible, message).not_applied()
            })
        }
        _ => Err(error::unexpected()),
    }
}
