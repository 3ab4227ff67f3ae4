//! The connection: shared by all operations, made when first needed, replaced when it is lost or does not answer.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{MultipleNodeRoutingInfo, RoutingInfo, SingleNodeRoutingInfo};
use redis::io::tcp::TcpSettings;
use redis::{
    Client, Cmd, ErrorKind, IntoConnectionInfo, Pipeline, RedisError, RedisResult, RetryMethod, ServerErrorKind, Value,
};
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

use super::error;
use super::script::Script;
use crate::store::{StoreError, StoreErrorKind};

#[derive(Debug, Clone, Copy)]
pub(super) struct Timeouts {
    pub(super) connection: Duration,
    pub(super) response: Duration,
}

/// How often a command is sent again that a node of the cluster refused because the cluster is changing.
const REDIRECTS: u32 = 8;

#[derive(Clone)]
pub(super) struct Link(Arc<Inner>);

struct Inner {
    target: Target,
    timeouts: Timeouts,
    connection: Mutex<Option<Connection>>,
    /// Counts the connections, so that one that does not answer is replaced once.
    generation: AtomicU64,
}

enum Target {
    Single(Box<Client>),
    Cluster(Box<ClusterClient>),
}

#[derive(Clone)]
enum Connection {
    Single(ConnectionManager),
    Cluster(ClusterConnection),
}

/// Why there is no answer.
enum Failure {
    Engine(RedisError),
    TimedOut,
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Engine(error) => error::from_redis(error),
            Failure::TimedOut => error::timed_out(),
        }
    }
}

/// A server that holds a part of the keys.
#[derive(Debug, Clone)]
pub(super) enum Node {
    /// The only one.
    Single,
    /// One of a cluster.
    At(String, u16),
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The target is left out: it knows the password.
        f.debug_struct("Link").field("timeouts", &self.0.timeouts).finish_non_exhaustive()
    }
}

impl Link {
    pub(super) fn new(url: &str, timeouts: Timeouts) -> Result<Self, StoreError> {
        let target = target(url, timeouts)?;
        Ok(Self(Arc::new(Inner { target, timeouts, connection: Mutex::default(), generation: AtomicU64::new(0) })))
    }

    /// Runs a script by its hash, and sends it whole if the engine does not know it (any more).
    pub(super) async fn script(
        &self,
        script: &Script,
        keys: &[&str],
        arguments: impl Fn(&mut Cmd) + Send,
    ) -> Result<Value, StoreError> {
        let command = |name: &str, code: &str| {
            let mut command = redis::cmd(name);
            command.arg(code).arg(keys.len()).arg(keys);
            arguments(&mut command);
            command
        };
        let by_hash = command("EVALSHA", &script.hash);
        match self.try_send(&by_hash).await {
            Err(Failure::Engine(error)) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                self.send(&command("EVAL", script.code)).await
            }
            answer => Ok(answer?),
        }
    }

    /// Sends a command to where its key is.
    pub(super) async fn send(&self, command: &Cmd) -> Result<Value, StoreError> {
        Ok(self.try_send(command).await?)
    }

    /// Sends commands to one server at once.
    pub(super) async fn send_to(&self, node: &Node, pipeline: &Pipeline) -> Result<Vec<Value>, StoreError> {
        let answers = self.bounded(async {
            match (self.connection().await?, node) {
                (Connection::Cluster(mut cluster), Node::At(host, port)) => {
                    cluster.route_pipeline(pipeline.clone(), 0, pipeline.len(), at(host, *port)).await
                }
                (Connection::Cluster(mut cluster), Node::Single) => pipeline.query_async(&mut cluster).await,
                (Connection::Single(mut single), _) => pipeline.query_async(&mut single).await,
            }
        });
        let answers = answers.await?;
        answers.into_iter().map(|answer| answer.extract_error().map_err(error::from_redis)).collect()
    }

    /// The servers that take writes.
    pub(super) async fn masters(&self) -> Result<Vec<Node>, StoreError> {
        let masters = self.bounded(async {
            let Connection::Cluster(mut cluster) = self.connection().await? else { return Ok(None) };
            let all = RoutingInfo::MultiNode((MultipleNodeRoutingInfo::AllMasters, None));
            cluster.route_command(redis::cmd("PING"), all).await?.extract_error().map(Some)
        });
        match masters.await? {
            None => Ok(vec![Node::Single]),
            Some(Value::Map(masters)) => {
                masters.iter().map(|(address, _)| node(address).ok_or_else(error::unexpected)).collect()
            }
            Some(_) => Err(error::unexpected()),
        }
    }

    async fn try_send(&self, command: &Cmd) -> Result<Value, Failure> {
        self.bounded(async {
            match self.connection().await? {
                Connection::Single(mut single) => command.query_async(&mut single).await,
                Connection::Cluster(mut cluster) => follow(&mut cluster, command).await,
            }
        })
        .await
    }

    /// Waits for an operation no longer than the timeouts, and gives up a connection that does not answer: its peer
    /// may have gone without a word.
    async fn bounded<T>(&self, operation: impl Future<Output = RedisResult<T>> + Send) -> Result<T, Failure> {
        let Timeouts { connection, response } = self.0.timeouts;
        let generation = self.0.generation.load(Ordering::Acquire);
        let failure = match timeout(connection.saturating_add(response), operation).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) if !error.is_timeout() => return Err(Failure::Engine(error)),
            Ok(Err(error)) => Failure::Engine(error),
            Err(_) => Failure::TimedOut,
        };
        // Whoever holds the lock is making a new connection already.
        if let Ok(mut current) = self.0.connection.try_lock()
            && self
                .0
                .generation
                .compare_exchange(generation, generation + 1, Ordering::AcqRel, Ordering::Relaxed)
                .is_ok()
        {
            *current = None;
        }
        Err(failure)
    }

    async fn connection(&self) -> RedisResult<Connection> {
        let mut current = self.0.connection.lock().await;
        if let Some(connection) = &*current {
            return Ok(connection.clone());
        }
        let connection = match &self.0.target {
            Target::Single(client) => Connection::Single(manager(Client::clone(client), self.0.timeouts)?),
            Target::Cluster(client) => Connection::Cluster(client.get_async_connection().await?),
        };
        *current = Some(connection.clone());
        Ok(connection)
    }
}

/// A connection that is made, and made anew when it is lost, in the background. What was sent on a lost one is not
/// sent again: only the session knows what that would mean.
fn manager(client: Client, timeouts: Timeouts) -> RedisResult<ConnectionManager> {
    let config = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(timeouts.connection))
        .set_response_timeout(Some(timeouts.response))
        .set_number_of_retries(3)
        .set_min_delay(Duration::from_millis(20))
        .set_max_delay(Duration::from_millis(500));
    ConnectionManager::new_lazy_with_config(client, config)
}

/// Sends a command to a cluster, and sends it again when a node refused it because the cluster is changing.
///
/// The cluster client would also send again what was lost on the way, which may have been applied; that is left to
/// the session, so the client's own repetitions are switched off.
async fn follow(cluster: &mut ClusterConnection, command: &Cmd) -> RedisResult<Value> {
    let mut delay = Duration::from_millis(5);
    for _ in 0..REDIRECTS {
        let error = match command.query_async(cluster).await {
            Err(error) => error,
            answer => return answer,
        };
        match error.retry_method() {
            RetryMethod::AskRedirect => {
                let Some((host, port)) = error.redirect_node().and_then(|(address, _)| address.rsplit_once(':')) else {
                    return Err(error);
                };
                let mut asking = redis::pipe();
                asking.cmd("ASKING").add_command(command.clone());
                let route = at(host, port.parse().unwrap_or_default());
                if let Ok(answers) = cluster.route_pipeline(asking, 0, 2, route).await
                    && let Some(answer) = answers.into_iter().nth(1)
                {
                    return answer.extract_error();
                }
                return Err(error);
            }
            RetryMethod::MovedRedirect
            | RetryMethod::WaitAndRetry
            | RetryMethod::RefreshSlotsAndRetry
            | RetryMethod::ReconnectFromInitialConnections => {}
            _ => return Err(error),
        }
        sleep(delay).await;
        delay *= 2;
    }
    command.query_async(cluster).await
}

fn at(host: &str, port: u16) -> SingleNodeRoutingInfo {
    SingleNodeRoutingInfo::ByAddress { host: host.to_owned(), port }
}

fn node(address: &Value) -> Option<Node> {
    let Value::BulkString(address) = address else { return None };
    let (host, port) = std::str::from_utf8(address).ok()?.rsplit_once(':')?;
    Some(Node::At(host.to_owned(), port.parse().ok()?))
}

/// Reads a URL. `redis+cluster://` and `rediss+cluster://` take several nodes: `host:port,host:port`.
fn target(url: &str, timeouts: Timeouts) -> Result<Target, StoreError> {
    let configuration = |message: &'static str| StoreError::new(StoreErrorKind::Configuration, message).not_applied();
    let refused = |error: RedisError| {
        configuration(
            "this is no URL of a Redis server: write redis://[user:password@]host[:port][/db], rediss://… for TLS, \
             redis+unix:///path, or redis+cluster://host:port,host:port",
        )
        .with_source(error)
    };
    if !cfg!(feature = "redis-tls") && url.starts_with("rediss") {
        return Err(configuration("to reach Redis over TLS, switch on the feature `redis-tls` of session-runtime"));
    }
    let Some((scheme, rest)) = url.split_once("+cluster://") else {
        let info = url.into_connection_info().map_err(refused)?;
        let info = info.set_tcp_settings(tcp());
        let client = Client::open(info).map_err(refused)?;
        return Ok(Target::Single(Box::new(client)));
    };
    let (login, hosts) = rest.rsplit_once('@').map_or(("", rest), |(login, hosts)| (login, hosts));
    let at = if login.is_empty() { "" } else { "@" };
    let nodes = hosts.trim_end_matches('/').split(',').map(|host| format!("{scheme}://{login}{at}{host}"));
    let client = ClusterClient::builder(nodes)
        .connection_timeout(timeouts.connection)
        .response_timeout(timeouts.response)
        .tcp_settings(tcp())
        .retries(0)
        .build()
        .map_err(refused)?;
    Ok(Target::Cluster(Box::new(client)))
}

/// Commands are small and somebody waits for each.
fn tcp() -> TcpSettings {
    TcpSettings::default().set_nodelay(true)
}
