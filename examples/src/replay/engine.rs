//! What a store's engine saw of a replay: asked of the engine itself, on a connection of its own.

use std::sync::mpsc::{Sender, channel};

use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{MultipleNodeRoutingInfo, RoutingInfo};
use redis::{Cmd, RedisResult, Value};
use serde_json::json;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio_postgres::{Client, NoTls};

use super::stores::{Engine, Place};
use super::wal::{Wal, WalError};

/// What an engine saw of one policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// There is no engine.
    Nothing,
    /// What Redis counted, without the questions of the replay itself; of a cluster, all masters together.
    Redis(Traffic),
    /// How far PostgreSQL's write-ahead log grew, in bytes.
    Postgres(u64),
    /// How many bytes were appended to SQLite's write-ahead log.
    Sqlite(u64),
    /// The engine did not say.
    Unknown(&'static str),
}

/// What Redis counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    /// Commands that were run, also those that scripts ran.
    pub commands: u64,
    /// Calls of scripts.
    pub scripts: u64,
    /// Bytes that came in.
    pub received: u64,
    /// Bytes that went out.
    pub sent: u64,
}

const NO_INFO: Seen = Seen::Unknown("Redis does not answer INFO");
const RESTARTED: Seen = Seen::Unknown("Redis restarted, or its counters were reset");
const NO_POSITION: Seen = Seen::Unknown("PostgreSQL does not tell this connection, which is not encrypted");
const NO_LOG: Seen = Seen::Unknown("SQLite's log could not be followed");

impl Seen {
    /// What the figures mean; nothing if there are none.
    #[must_use]
    pub fn legend(self) -> Option<&'static str> {
        match self {
            Self::Nothing => None,
            Self::Redis(_) => Some(
                "Commands and bytes are what Redis counted (INFO) from the store's opening to the last answer,\n\
                 without the questions themselves; of a cluster, all masters together. Commands are also those inside\n\
                 scripts. What other programs send at the same time is in them.",
            ),
            Self::Postgres(_) => Some(
                "WAL bytes are how far the server's write-ahead log grew (pg_current_wal_insert_lsn), with page images\n\
                 after a checkpoint, and with what other programs and its own maintenance write at the same time.",
            ),
            Self::Sqlite(_) => Some(
                "WAL bytes are the frames (page and header) appended to the write-ahead log, counted through all its new\n\
                 beginnings; what a checkpoint then writes to the file is not in them. Measuring holds up writers\n\
                 five times a second for a checkpoint.",
            ),
            Self::Unknown(why) => Some(why),
        }
    }

    /// Whether the engine did not say.
    #[must_use]
    pub fn is_unknown(self) -> bool {
        matches!(self, Self::Unknown(_))
    }

    /// Each figure by its name.
    #[must_use]
    pub fn figures(self) -> Vec<(&'static str, u64)> {
        match self {
            Self::Nothing | Self::Unknown(_) => Vec::new(),
            Self::Redis(Traffic { commands, scripts, received, sent }) => vec![
                ("commands", commands),
                ("script calls", scripts),
                ("bytes received", received),
                ("bytes sent", sent),
            ],
            Self::Postgres(bytes) | Self::Sqlite(bytes) => vec![("WAL bytes", bytes)],
        }
    }

    /// The figures as JSON.
    #[must_use]
    pub fn to_json(self) -> serde_json::Value {
        match self {
            Self::Nothing => serde_json::Value::Null,
            Self::Redis(Traffic { commands, scripts, received, sent }) => json!({ "redis": {
                "commands": commands, "script_calls": scripts, "bytes_received": received, "bytes_sent": sent,
            }}),
            Self::Postgres(bytes) => json!({ "postgres": { "wal_bytes": bytes } }),
            Self::Sqlite(bytes) => json!({ "sqlite": { "wal_bytes": bytes } }),
            Self::Unknown(why) => json!({ "unknown": why }),
        }
    }
}

/// Looks at an engine before a policy and after it.
#[derive(Debug)]
pub(super) enum Meter {
    Idle(Seen),
    Redis(Box<Redis>, Info),
    Postgres(Client, u64),
    Sqlite(Sender<()>, JoinHandle<Result<u64, WalError>>),
}

impl Meter {
    /// Looks for the first time. The store has to be open, so that what that takes does not count.
    pub(super) async fn start(place: &Place) -> Self {
        match place {
            Place::Memory(_) => Self::Idle(Seen::Nothing),
            Place::Url { engine: Engine::Redis, url } => redis(url).await.unwrap_or(Self::Idle(NO_INFO)),
            Place::Url { engine: Engine::Postgres, url } => postgres(url).await.unwrap_or(Self::Idle(NO_POSITION)),
            Place::Url { engine: Engine::Sqlite, url } => sqlite(url).await.unwrap_or(Self::Idle(NO_LOG)),
        }
    }

    /// Looks again.
    pub(super) async fn finish(self) -> Seen {
        match self {
            Self::Idle(seen) => seen,
            Self::Redis(mut redis, before) => match redis.info().await {
                Ok(after) => after.since(before).map_or(RESTARTED, Seen::Redis),
                Err(_) => NO_INFO,
            },
            Self::Postgres(client, before) => {
                let after = position(&client).await;
                after.and_then(|after| after.checked_sub(before)).map_or(NO_POSITION, Seen::Postgres)
            }
            Self::Sqlite(end, measured) => {
                drop(end);
                measured.await.ok().and_then(Result::ok).map_or(NO_LOG, Seen::Sqlite)
            }
        }
    }
}

async fn redis(url: &str) -> RedisResult<Meter> {
    let mut redis = match url.split_once("+cluster://") {
        None => Redis::Single(redis::Client::open(url)?.get_multiplexed_async_connection().await?),
        Some((scheme, rest)) => {
            let (login, hosts) = rest.rsplit_once('@').unwrap_or(("", rest));
            let at = if login.is_empty() { "" } else { "@" };
            let nodes = hosts.trim_end_matches('/').split(',').map(|host| format!("{scheme}://{login}{at}{host}"));
            Redis::Cluster(ClusterClient::new(nodes)?.get_async_connection().await?)
        }
    };
    let before = redis.info().await?;
    Ok(Meter::Redis(Box::new(redis), before))
}

async fn postgres(url: &str) -> Option<Meter> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.ok()?;
    tokio::spawn(connection);
    let before = position(&client).await?;
    Some(Meter::Postgres(client, before))
}

/// How much was ever written to the write-ahead log.
async fn position(client: &Client) -> Option<u64> {
    // Not a prepared statement, which a pooler between may not know the next time.
    let rows = client.simple_query("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn").await.ok()?;
    rows.iter().find_map(|message| match message {
        tokio_postgres::SimpleQueryMessage::Row(row) => row.try_get(0).ok().flatten()?.parse().ok(),
        _ => None,
    })
}

async fn sqlite(url: &str) -> Option<Meter> {
    let path = url.strip_prefix("sqlite:")?;
    let path = path.strip_prefix("//").unwrap_or(path).to_owned();
    let wal = spawn_blocking(move || Wal::open(&path)).await.ok()?.ok()?;
    let (end, ended) = channel();
    Some(Meter::Sqlite(end, spawn_blocking(move || wal.measure(&ended))))
}

/// A connection to ask Redis on.
pub(super) enum Redis {
    Single(redis::aio::MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl std::fmt::Debug for Redis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Redis")
    }
}

/// What Redis counted until it was asked, and what the question adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Info {
    counted: Traffic,
    question: Traffic,
}

impl Redis {
    async fn info(&mut self) -> RedisResult<Info> {
        let mut question = redis::cmd("INFO");
        question.arg("all");
        let answer = match self {
            Self::Single(single) => question.query_async(single).await?,
            Self::Cluster(cluster) => {
                let all = RoutingInfo::MultiNode((MultipleNodeRoutingInfo::AllMasters, None));
                cluster.route_command(question.clone(), all).await?
            }
        };
        let answers = match answer {
            Value::Map(nodes) => nodes.into_iter().map(|(_, answer)| answer).collect(),
            answer => vec![answer],
        };
        let mut info = Info::default();
        for answer in answers {
            info.add(&question, &redis::from_redis_value::<String>(answer)?);
        }
        Ok(info)
    }
}

impl Info {
    /// Adds the answer of a node.
    fn add(&mut self, question: &Cmd, answer: &str) {
        let lines = || answer.lines().filter_map(|line| line.split_once(':'));
        let number = |wanted: &str| {
            lines().find(|(name, _)| *name == wanted).and_then(|(_, number)| number.parse::<u64>().ok()).unwrap_or(0)
        };
        let is_script = |name: &str| {
            let name = name.strip_prefix("cmdstat_").unwrap_or_default();
            matches!(name, "eval" | "evalsha" | "eval_ro" | "evalsha_ro" | "fcall" | "fcall_ro")
        };
        let calls = |figures: &str| figures.strip_prefix("calls=")?.split(',').next()?.parse::<u64>().ok();
        self.counted.commands += number("total_commands_processed");
        self.counted.scripts +=
            lines().filter(|(name, _)| is_script(name)).filter_map(|(_, figures)| calls(figures)).sum::<u64>();
        self.counted.received += number("total_net_input_bytes");
        self.counted.sent += number("total_net_output_bytes");
        // A question is read before it is answered, but counted as a command, and its answer as sent, afterwards.
        self.question.commands += 1;
        self.question.received += question.get_packed_command().len() as u64;
        self.question.sent += format!("${}\r\n\r\n", answer.len()).len() as u64 + answer.len() as u64;
    }

    /// What was counted since `before`, without the two questions; nothing if less was counted than before.
    fn since(self, before: Self) -> Option<Traffic> {
        let difference = |now: u64, then: u64, question: u64| now.checked_sub(then)?.checked_sub(question);
        let (now, then) = (self.counted, before.counted);
        Some(Traffic {
            commands: difference(now.commands, then.commands, before.question.commands)?,
            scripts: difference(now.scripts, then.scripts, 0)?,
            received: difference(now.received, then.received, self.question.received)?,
            sent: difference(now.sent, then.sent, before.question.sent)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_redis_says_is_counted_without_the_questions() {
        let mut question = redis::cmd("INFO");
        question.arg("all");
        let answer = |commands: u64, scripts: u64, received: u64, sent: u64| {
            let text = format!(
                "# Stats\r\ntotal_commands_processed:{commands}\r\ntotal_net_input_bytes:{received}\r\n\
                 total_net_output_bytes:{sent}\r\n# Commandstats\r\ncmdstat_evalsha:calls={scripts},usec=9\r\n\
                 cmdstat_eval:calls=1,usec=9\r\ncmdstat_hset:calls=7,usec=9\r\n"
            );
            let mut info = Info::default();
            info.add(&question, &text);
            info
        };
        let before = answer(10, 2, 1000, 5000);
        assert_eq!(before.counted, Traffic { commands: 10, scripts: 3, received: 1000, sent: 5000 });
        assert_eq!((before.question.commands, before.question.received), (1, 23));
        let asked = before.question.sent;
        let after = answer(15, 4, 1000 + 23 + 300, 5000 + asked + 200);
        assert_eq!(after.since(before), Some(Traffic { commands: 4, scripts: 2, received: 300, sent: 200 }));
        assert_eq!(before.since(after), None, "a server that restarted began again");
    }
}
