//! Three ways to persist sessions, each on the same traffic.

use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use session_runtime::expiry::Lifetime;
use session_runtime::store::{CommitId, Store};
use session_runtime::{Expiry, Sessions};
use tokio::task::JoinSet;

use super::counting::{CountingStore, Counts};
use super::engine::{Meter, Seen};
use super::error::ReplayError;
use super::log::Traffic;
use super::rule::Effect;
use super::stores::Place;
use super::visitor::{Visitor, handle};
use whole::{When, WholeRecords};

mod whole;

pub(super) use whole::RECORD;
#[cfg(test)]
pub(super) use whole::commit_of;

/// What a replay leaves in a store ends by itself after a day without use.
const INACTIVITY: Duration = Duration::from_secs(24 * 3600);

/// The same, for what goes straight to the store: no load moves it unless a tenth of the day has passed.
pub(super) const LIFETIME: Lifetime =
    Lifetime { inactivity: Some(86_400_000), creation: None, touch_after: 8_640_000, retention: 3_600_000 };

/// When a policy writes, and how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// The whole record, after every request.
    EveryRequest,
    /// The whole record, after a request whose handler borrowed the session mutably.
    WhenBorrowed,
    /// The changed fields, after a request that changed any: this project.
    ChangedFields,
}

impl Policy {
    /// All of them, in the order of the report.
    pub const ALL: [Self; 3] = [Self::EveryRequest, Self::WhenBorrowed, Self::ChangedFields];

    /// Its name in a report.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::EveryRequest => "write on every request",
            Self::WhenBorrowed => "write the whole record when borrowed",
            Self::ChangedFields => "write the changed fields (session-runtime)",
        }
    }

    /// Names its sessions in the store, so that all three can use one.
    #[must_use]
    pub fn namespace(self) -> &'static str {
        match self {
            Self::EveryRequest => "replay-every-request",
            Self::WhenBorrowed => "replay-when-borrowed",
            Self::ChangedFields => "replay",
        }
    }
}

/// The sessions of the clients under test.
pub(super) fn sessions<S: Store>(store: S) -> Sessions<Visitor> {
    Sessions::builder(store).expiry(Expiry::AfterInactivity(INACTIVITY)).build()
}

/// Traffic that is to be replayed.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) traffic: Traffic,
    /// What the keys of this run begin with, so that it finds no sessions of an earlier one.
    pub(super) run: String,
    /// The key of each client's session, in the order of [`Traffic::clients`].
    pub(super) keys: Vec<String>,
    /// How many requests are under way at a time.
    pub(super) concurrency: usize,
}

impl Job {
    pub(super) fn new(traffic: Traffic, concurrency: usize) -> Self {
        let run = format!("{:016x}/", CommitId::random().0);
        let keys = traffic.clients.iter().map(|client| format!("{run}{client}")).collect();
        Self { traffic, run, keys, concurrency }
    }
}

/// What a policy cost.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// The store's calls and bytes.
    pub counts: Counts,
    /// From the first request to the last answer.
    pub elapsed: Duration,
    /// What the engine saw of it.
    pub engine: Seen,
}

impl Policy {
    /// Replays the traffic by this policy, through a connection of its own.
    pub(super) async fn play(self, job: &Arc<Job>, place: &Place, progress: &ProgressBar) -> Result<Cost, ReplayError> {
        let store = CountingStore::new(place.connect().await?);
        let meter = Meter::start(place).await;
        let whole = async |when| WholeRecords::new(store.clone(), self.namespace(), when).await;
        let started = Instant::now();
        match self {
            Self::EveryRequest => serve_all(whole(When::EveryRequest).await?, job, progress).await?,
            Self::WhenBorrowed => serve_all(whole(When::Borrowed).await?, job, progress).await?,
            Self::ChangedFields => serve_all(sessions(store.clone()), job, progress).await?,
        }
        let elapsed = started.elapsed();
        Ok(Cost { counts: store.counts(), elapsed, engine: meter.finish().await })
    }
}

/// Serves requests by one policy.
trait Server: Clone + Send + Sync + 'static {
    /// Serves one request of the client with this key.
    fn serve(&self, key: &str, effect: Effect<'_>, at: i64) -> impl Future<Output = Result<(), ReplayError>> + Send;
}

/// Serves all requests. Each client belongs to one worker, which serves its requests one after the other in their
/// order; requests of clients of different workers overlap.
async fn serve_all(server: impl Server, job: &Arc<Job>, progress: &ProgressBar) -> Result<(), ReplayError> {
    let mut shares = vec![Vec::new(); job.concurrency.max(1)];
    let workers = shares.len();
    for (number, request) in job.traffic.requests.iter().enumerate() {
        if let Some(share) = shares.get_mut(request.client % workers) {
            share.push(number);
        }
    }
    let mut running = JoinSet::new();
    for share in shares {
        let (server, job, progress) = (server.clone(), job.clone(), progress.clone());
        running.spawn(async move {
            for number in share {
                let Some(request) = job.traffic.requests.get(number) else { continue };
                let Some(key) = job.keys.get(request.client) else { continue };
                server.serve(key, Effect::of(request), request.at).await?;
                progress.inc(1);
            }
            Ok::<_, ReplayError>(())
        });
    }
    while let Some(worker) = running.join_next().await {
        worker??;
    }
    Ok(())
}

impl Server for Sessions<Visitor> {
    async fn serve(&self, key: &str, effect: Effect<'_>, at: i64) -> Result<(), ReplayError> {
        if effect.uses() {
            let mut visitor = self.load(key).await?;
            handle(&mut visitor, effect, at);
            visitor.commit().await?;
        }
        Ok(())
    }
}
