//! Sends what the store asks for to the server that holds its key, and sends it again where that helps.
//!
//! Everything may be sent again: reads change nothing, scripts of sessions know by an id what they did, and
//! registering twice is registering once.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::address::Address;
use super::cluster::{Cluster, redirection};
use super::error;
use super::resp::{Request, Value};
use super::script::Script;
use super::server::{Access, Failure, Server, Timeouts};
use super::tls::Tls;
use crate::store::StoreError;

/// How often a request is sent again that a node refused because the cluster is changing.
const REDIRECTS: u32 = 8;

#[derive(Debug, Clone)]
pub(super) enum Link {
    Single(Arc<Server>),
    Cluster(Arc<Cluster>),
}

/// What a server answered.
#[derive(Debug)]
pub(super) struct Answer {
    /// One for each command of the request; none of them is an error.
    pub(super) values: Vec<Value>,
    /// Whether the request was sent before, and may have been carried out then.
    pub(super) may_repeat: bool,
}

/// Why there is none.
enum Refusal {
    /// The engine says so.
    Engine(Vec<u8>),
    Unanswered(Failure),
}

impl From<Refusal> for StoreError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Engine(text) => error::from_engine(&text),
            Refusal::Unanswered(failure) => error::from_failure(failure),
        }
    }
}

/// A request on its way.
struct Trip<'a> {
    key: &'a [u8],
    request: Cow<'a, Request>,
    /// Makes the request for an engine that does not know the script it names.
    whole: Option<&'a (dyn Fn() -> Request + Sync)>,
    server: Arc<Server>,
    /// Whether the server is to be told that the key is being moved to it.
    asks: bool,
    redirected: u32,
    resent: bool,
    /// Why it is not known whether the request was carried out; what is refused later does not settle that.
    unsettled: Option<StoreError>,
}

impl Link {
    pub(super) fn new(address: Address, tls: Tls, timeouts: Timeouts) -> Result<Self, StoreError> {
        let Address { mut places, is_cluster, login, .. } = address;
        let access = Arc::new(Access { login, tls, timeouts });
        if is_cluster {
            return Ok(Self::Cluster(Arc::new(Cluster::new(places, access))));
        }
        let place = places.pop().ok_or_else(error::no_node)?;
        Ok(Self::Single(Arc::new(Server::new(place, access))))
    }

    pub(super) fn is_cluster(&self) -> bool {
        matches!(self, Self::Cluster(_))
    }

    /// The servers that take writes.
    pub(super) async fn masters(&self) -> Result<Vec<Arc<Server>>, StoreError> {
        match self {
            Self::Single(server) => Ok(vec![server.clone()]),
            Self::Cluster(cluster) => cluster.masters().await,
        }
    }

    /// Runs a script by its hash, and sends it whole if the engine does not know it (any more).
    pub(super) async fn script(
        &self,
        script: &Script,
        keys: &[&str],
        arguments: &[&[u8]],
    ) -> Result<(Value, bool), StoreError> {
        let count = keys.len().to_string();
        let request = |name: &[u8], code: &str| {
            let mut request = Request { is_script: true, ..Request::default() };
            request.begin(3 + keys.len() + arguments.len());
            request.word(name);
            [code, &count].iter().chain(keys).for_each(|word| request.word(word.as_bytes()));
            for word in arguments {
                request.word(word);
            }
            request
        };
        let key = keys.first().copied().unwrap_or_default().as_bytes();
        let by_hash = request(b"EVALSHA", &script.hash);
        let whole = || request(b"EVAL", script.code);
        let Answer { values, may_repeat } = self.try_send(key, &by_hash, Some(&whole)).await?;
        Ok((values.into_iter().next().ok_or_else(error::unexpected)?, may_repeat))
    }

    /// Sends commands to where this key is. The first of them is about that key.
    pub(super) async fn send(&self, key: &str, request: &Request) -> Result<Vec<Value>, StoreError> {
        Ok(self.try_send(key.as_bytes(), request, None).await?.values)
    }

    async fn try_send(
        &self,
        key: &[u8],
        request: &Request,
        whole: Option<&(dyn Fn() -> Request + Sync)>,
    ) -> Result<Answer, StoreError> {
        let (server, request) = (self.server(key).await?, Cow::Borrowed(request));
        let mut trip = Trip { key, request, whole, server, asks: false, redirected: 0, resent: false, unsettled: None };
        loop {
            let refusal = match trip.send().await {
                Ok(values) => return Ok(Answer { values, may_repeat: trip.unsettled.is_some() }),
                Err(refusal) => refusal,
            };
            let goes_on = match &refusal {
                Refusal::Engine(text) => self.redirects(&mut trip, text).await?,
                Refusal::Unanswered(failure) => self.replaces(&mut trip, failure).await?,
            };
            if let Refusal::Unanswered(Failure::Lost(lost)) = refusal {
                trip.unsettled.get_or_insert_with(|| error::lost(lost));
            }
            if !goes_on {
                return Err(trip.unsettled.unwrap_or_else(|| refusal.into()));
            }
        }
    }

    async fn server(&self, key: &[u8]) -> Result<Arc<Server>, StoreError> {
        match self {
            Self::Single(server) => Ok(server.clone()),
            Self::Cluster(cluster) => cluster.node(key).await,
        }
    }

    /// Whether a request that the engine refused is to be sent again, or elsewhere.
    async fn redirects(&self, trip: &mut Trip<'_>, text: &[u8]) -> Result<bool, StoreError> {
        let code = text.split(|byte| *byte == b' ').next().unwrap_or_default();
        if error::says(text, "READONLY") {
            // The server was demoted. Its address, or the map of the cluster, may lead to another one by now.
            trip.server.condemn();
            return self.replaces(trip, &Failure::Lost(super::line::Lost::Closed)).await;
        }
        if code == b"NOSCRIPT"
            && let Some(whole) = trip.whole.take()
        {
            trip.request = Cow::Owned(whole());
            return Ok(true);
        }
        let Self::Cluster(cluster) = self else { return Ok(false) };
        if trip.redirected == REDIRECTS {
            return Ok(false);
        }
        let delay = Duration::from_millis(5 << trip.redirected);
        trip.redirected += 1;
        trip.asks = code == b"ASK";
        match code {
            b"MOVED" | b"ASK" => {
                let place = redirection(text, &trip.server.place).ok_or_else(error::unexpected)?;
                if code == b"MOVED" {
                    let _ = cluster.refresh(None).await;
                }
                trip.server = cluster.node_at(place);
            }
            b"TRYAGAIN" => sleep(delay).await,
            b"CLUSTERDOWN" => {
                sleep(delay).await;
                let _ = cluster.refresh(None).await;
                trip.server = cluster.node(trip.key).await?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Whether a request that was not answered is to be sent again: once, on another connection.
    async fn replaces(&self, trip: &mut Trip<'_>, failure: &Failure) -> Result<bool, StoreError> {
        let can_help = matches!((self, failure), (Self::Cluster(_), _) | (_, Failure::Lost(_)));
        if !can_help || std::mem::replace(&mut trip.resent, true) {
            return Ok(false);
        }
        if let Self::Cluster(cluster) = self {
            // An old map is better than none.
            let _ = cluster.refresh(Some(&trip.server)).await;
            trip.server = cluster.node(trip.key).await?;
            trip.asks = false;
        }
        Ok(true)
    }
}

impl Trip<'_> {
    async fn send(&self) -> Result<Vec<Value>, Refusal> {
        if !self.asks {
            return ask(&self.server, &self.request).await;
        }
        let mut asking = Request::of(&[b"ASKING"]);
        asking.append(&self.request);
        let mut values = ask(&self.server, &asking).await?;
        values.rotate_left(1);
        values.truncate(self.request.commands);
        Ok(values)
    }
}

async fn ask(server: &Server, request: &Request) -> Result<Vec<Value>, Refusal> {
    let values = server.send(request).await.map_err(Refusal::Unanswered)?;
    match values.iter().find_map(Value::error) {
        Some(text) => Err(Refusal::Engine(text.to_vec())),
        None => Ok(values),
    }
}

/// Sends commands to this server, and once more if the connection was lost.
pub(super) async fn send_to(server: &Server, request: &Request) -> Result<Vec<Value>, StoreError> {
    match ask(server, request).await {
        Err(Refusal::Unanswered(Failure::Lost(_))) => Ok(ask(server, request).await?),
        answer => Ok(answer?),
    }
}
