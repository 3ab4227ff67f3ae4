//! What does a request cost a web framework with sessions around it?

mod actix;
mod axum;

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use session_peers_load::cpu_time;
use session_runtime::{Expiry, MemoryStore, Session, Sessions};

use crate::compare::Ratio;
use crate::options::Effort;
use crate::say;

/// Microseconds of processor time per request, round by round: without a session library, with this project, and with
/// a peer, each on its memory store.
#[derive(Serialize, Deserialize, Debug, Clone)]
pub struct Layers {
    pub framework: String,
    pub peer: String,
    pub none: Vec<f64>,
    pub requests: Vec<Cost>,
}

#[derive(Serialize, Deserialize, Debug, Clone)]
pub struct Cost {
    pub request: String,
    pub ours: Vec<f64>,
    pub theirs: Vec<f64>,
}

impl Layers {
    pub fn request(&self, name: &str) -> Option<&Cost> {
        self.requests.iter().find(|cost| cost.request == name)
    }
}

impl Cost {
    pub fn ratio(&self) -> Ratio {
        Ratio::of(self.ours.iter().zip(&self.theirs).map(|(ours, theirs)| ours / theirs))
    }
}

pub const UNUSED: &str = "session unused";
pub const NO_COOKIE: &str = "no cookie, read only";
pub const READ: &str = "read only";
pub const CHANGED: &str = "one field changed";

/// The requests: the path, and whether it brings the cookie of a stored session.
const REQUESTS: [(&str, &str, bool); 4] =
    [(UNUSED, "/unused", true), (NO_COOKIE, "/read", false), (READ, "/read", true), (CHANGED, "/change", true)];

/// Three small fields, of which `/login` sets each, `/read` reads one and `/change` counts one up.
#[derive(Session)]
struct Visitor {
    visits: u32,
    theme: String,
    user: Option<u64>,
}

/// As long as the two weeks that the peers keep a session by default.
fn sessions() -> Sessions<Visitor> {
    let two_weeks = Expiry::AfterInactivity(Duration::from_secs(14 * 24 * 3600));
    Sessions::builder(MemoryStore::new()).expiry(two_weeks).build()
}

/// An application in this process, whose client has logged in if it keeps sessions.
trait Application {
    /// What a request is made of, so that making it takes next to no time.
    type Parts;
    fn parts(&self, path: &'static str, has_cookie: bool) -> Self::Parts;
    async fn serve(&mut self, parts: &Self::Parts);
}

/// To be called on a thread of its own work only: actix's services stay on it.
pub async fn ask(effort: &Effort) -> Vec<Layers> {
    say!("layers");
    vec![
        measure("axum", "tower-sessions 0.15", axum::applications().await, effort).await,
        measure("actix-web", "actix-session 0.11", actix::applications().await, effort).await,
    ]
}

async fn measure<A: Application>(
    framework: &str,
    peer: &str,
    [mut bare, mut ours, mut theirs]: [A; 3],
    effort: &Effort,
) -> Layers {
    let cost = |request: &str| Cost { request: request.to_owned(), ours: Vec::new(), theirs: Vec::new() };
    let mut requests = REQUESTS.map(|(name, ..)| cost(name));
    let mut none = Vec::new();
    for round in 0..effort.rounds {
        none.push(time(&mut bare, "/unused", true, effort.turn).await);
        for (cost, (_, path, has_cookie)) in requests.iter_mut().zip(REQUESTS) {
            if round % 2 == 0 {
                cost.ours.push(time(&mut ours, path, has_cookie, effort.turn).await);
                cost.theirs.push(time(&mut theirs, path, has_cookie, effort.turn).await);
            } else {
                cost.theirs.push(time(&mut theirs, path, has_cookie, effort.turn).await);
                cost.ours.push(time(&mut ours, path, has_cookie, effort.turn).await);
            }
        }
    }
    Layers { framework: framework.to_owned(), peer: peer.to_owned(), none, requests: requests.into() }
}

async fn time<A: Application>(application: &mut A, path: &'static str, has_cookie: bool, turn: Duration) -> f64 {
    let parts = application.parts(path, has_cookie);
    // Nothing waits here, and no other task is there for the scheduler to be fair to.
    tokio::task::unconstrained(async {
        let (ends, before, mut done) = (Instant::now() + turn, cpu_time(), 0_u32);
        while Instant::now() < ends {
            for _ in 0..50 {
                application.serve(&parts).await;
            }
            done += 50;
        }
        (cpu_time() - before).as_secs_f64() * 1e6 / f64::from(done)
    })
    .await
}
