//! Sessions in Redis or Valkey: one hash per session, one script call per operation.

use redis::Value;

use self::keys::Names;
use self::link::Link;
use self::script::{COMMIT, LOAD};
use super::rule;
use super::{
    Action, Applied, Commit, Cursor, Found, Housekeeping, Key, Keys, Load, Loaded, Purged, Registration, Reply, Store,
    StoreError, StoreErrorKind,
};
use crate::expiry::{ClockOffset, Timestamp};

mod check;
mod error;
mod keys;
mod link;
mod options;
mod registry;
mod scan;
mod script;
mod wire;

pub use options::{RedisOptions, Slots};

/// Keeps sessions in Redis (6.2 or newer) or Valkey: a single server or a cluster.
///
/// Its tests have been run on Redis 6.2.5, 7.0.15 and 8.2.3; Valkey speaks the same protocol and scripts, but was not
/// at hand.
///
/// A load and a commit are one command each, a script that the server knows by its hash; if it has forgotten it, it is
/// sent once more. All operations share one connection, which is made when it is first needed and anew when it is
/// lost. Nothing that was sent on a lost connection is sent again by itself: the session settles it.
///
/// # What is stored
///
/// One hash per session, at `session:{name}:{key}` (without these braces; the prefix is an
/// [option](RedisOptions::prefix)). In the key, `%`, `:`, `{` and `}` stand as `%25`, `%3A`, `%7B` and `%7D`, so
/// that no user chooses a namespace or a slot.
///
/// | field of the hash | holds |
/// |---|---|
/// | `#h` | the header: 64 bytes with the incarnation, the revision, the versions and all times |
/// | `#c` | the last commit ids, at most eight of eight bytes, newest first |
/// | any other | a session field's encoded value, by its name |
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
/// Each hash has a time to live that ends when its session may be purged, later than the session expires, so Redis
/// collects what has ended and [`Housekeeping::purge`] has nothing to do (it scans only if a test moved the clock). A session
/// that never expires has none. Do not EXPIRE, PERSIST or RENAME these keys from outside: headers of destroyed
/// sessions have times to live too. A load whose touch the server refuses, because it takes no writes or is full, is
/// answered all the same, with a warning in the log.
///
/// # What it costs
///
/// [`Housekeeping::keys`] and [`Housekeeping::count`] look at all keys of the server with SCAN, some hundreds at a time, so that
/// others are served in between; a page of keys is a whole pass, so take large pages. They are for tools.
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
/// The user needs the commands EVALSHA, EVAL, INFO, PING, SCAN, TIME, HGET, HMGET, HGETALL, HEXISTS, HLEN, HSET, HDEL,
/// EXISTS, RENAME, UNLINK, PEXPIREAT, PERSIST, SADD, SREM and SMEMBERS on keys with the prefix; `prepare` tries them.
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
}

impl RedisStore {
    /// The store at this URL, connected and checked.
    ///
    /// `redis://[user:password@]host[:port][/db]` is a server, `rediss://…` one reached over TLS (feature `redis-tls`),
    /// `redis+unix:///path` one on this machine, `redis+cluster://host:port,host:port` a cluster of which some nodes
    /// are named.
    ///
    /// # Errors
    /// When the URL is not understood, the server cannot be reached, or [`Store::prepare`] refuses it.
    pub async fn open(url: impl Into<String>) -> Result<Self, StoreError> {
        RedisOptions::new(url).open().await
    }

    fn new(link: Link, prefix: String, slots: Slots, accept_eviction: bool) -> Self {
        Self { link, names: Names { prefix, slots }, accept_eviction }
    }
}

impl Store for RedisStore {
    async fn prepare(&self) -> Result<(), StoreError> {
        self.check().await
    }

    async fn load(&self, key: &Key, load: Load) -> Result<Loaded, StoreError> {
        let (place, arguments) = (self.names.session(key), wire::load(&load));
        let answer = self.link.script(&LOAD, &[&place], |command| _ = command.arg(&arguments)).await?;
        let Ok([Value::Int(now), Value::Int(done), Value::Array(found)]) =
            <[Value; 3]>::try_from(error::array(answer)?)
        else {
            return Err(error::unexpected());
        };
        let now = Timestamp::from_millis(now);
        let found = match (done, wire::hash(found)?) {
            (wire::ABSENT, None) => Found::Absent { saw: None },
            (wire::ENDED, Some((header, _))) => Found::Absent { saw: Some(header.head.incarnation) },
            (wire::FOUND | wire::TOUCHED | wire::UNTOUCHED, Some((header, fields))) => {
                Found::Record(wire::record(&header, fields))
            }
            _ => return Err(error::unexpected()),
        };
        if done == wire::UNTOUCHED {
            tracing::warn!("Redis takes no writes: a session that is in use could not be kept from expiring");
        }
        Ok(Loaded { now, touched: done == wire::TOUCHED, found })
    }

    async fn commit(&self, key: &Key, commit: &Commit) -> Result<Reply, StoreError> {
        let place = self.names.session(key);
        let target = match &commit.action {
            Action::Renew { to, .. } => Some(self.names.session(to)),
            Action::Write(_) | Action::Destroy => None,
        };
        let places: Vec<&str> = [Some(&place), target.as_ref()].into_iter().flatten().map(String::as_str).collect();
        let sets = commit.changes().iter().filter(|change| change.value.is_some()).count();
        let arguments = wire::commit(commit, sets);
        let answer = self.link.script(&COMMIT, &places, |command| {
            command.arg(&arguments);
            for change in commit.changes() {
                if let Some(value) = &change.value {
                    command.arg(&*change.name).arg(&value[..]);
                }
            }
            for change in commit.changes().iter().filter(|change| change.value.is_none()) {
                command.arg(&*change.name);
            }
        });
        reply(answer.await?, commit)
    }

    async fn registration(&self, name: &str, version: u32) -> Result<Option<Registration>, StoreError> {
        self.registered(name, version).await
    }

    async fn register(&self, proposal: &Registration) -> Result<Registration, StoreError> {
        self.agree(proposal).await
    }
}

impl Housekeeping for RedisStore {
    async fn withdraw(&self, name: &str, version: u32) -> Result<bool, StoreError> {
        self.disagree(name, version).await
    }

    async fn registrations(&self) -> Result<Vec<Registration>, StoreError> {
        self.all_registered().await
    }

    async fn keys(
        &self,
        name: &str,
        after: Option<Cursor>,
        limit: usize,
        clock: ClockOffset,
    ) -> Result<Keys, StoreError> {
        self.list(name, after, limit, clock).await
    }

    async fn count(&self, name: &str, clock: ClockOffset) -> Result<u64, StoreError> {
        self.count_stored(name, clock).await
    }

    async fn purge(&self, limit: usize, clock: ClockOffset) -> Result<Purged, StoreError> {
        self.purge_by_clock(limit, clock).await
    }
}

/// What `commit.lua` answered. Where it refused, the rule tells from what it found why it did.
fn reply(answer: Value, commit: &Commit) -> Result<Reply, StoreError> {
    let mut answer = error::array(answer)?.into_iter();
    match (answer.next(), answer.next(), answer.next()) {
        (Some(Value::Int(wire::APPLIED)), Some(Value::Int(was_stored)), Some(Value::BulkString(raw))) => {
            let header = wire::header(&raw, &commit.id.0.to_be_bytes())?;
            let head = (!commit.is_destruction()).then_some(header.head);
            let is_stored = head.is_some_and(|head| head.stored);
            Ok(Reply::Applied(Applied { head, was_stored: was_stored == 1, is_stored, repeated: false }))
        }
        (Some(Value::Int(wire::OCCUPIED)), None, None) => Ok(Reply::Occupied),
        (Some(Value::Int(wire::REFUSED)), Some(Value::Int(now)), Some(Value::Array(found))) => {
            let (header, fields) = wire::hash(found)?.unzip();
            let decision = rule::decide(header.as_ref(), commit, Timestamp::from_millis(now));
            decision.refusal(|| Ok::<_, StoreError>(fields.unwrap_or_default()))?.ok_or_else(|| {
                let message = "a script in Redis refused what this build would apply; run one build of session-runtime";
                StoreError::new(StoreErrorKind::Incompatible, message).not_applied()
            })
        }
        _ => Err(error::unexpected()),
    }
}
