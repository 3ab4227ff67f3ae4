//! What does it cost to find the sessions of a user?

use std::time::Instant;

use serde::{Deserialize, Serialize};
use session_peers_load::{Contender, Latencies, Load, Local, Verb};
use session_runtime::store::{SqliteOptions, Store, Synchronous};
use session_runtime::{MemoryStore, PostgresStore, RedisStore};
use session_tests::proxy::Proxy;

use crate::compare::{Comparison, compare};
use crate::engines::{Engine, Place};
use crate::options::Effort;
use crate::peers::accounts::{Accounts, EACH, Indexed, Plain};
use crate::questions::speed::fill;
use crate::questions::wire::{commands, counted};
use crate::say;

pub const INDEXED: &str = "with an index";
pub const PLAIN: &str = "without an index";

/// What an index costs on one engine, and what it gives.
#[derive(Serialize, Deserialize, Debug, Clone)]
pub struct Users {
    /// Commits of the indexed field, and of the same field without an index.
    pub commits: Comparison,
    /// How many sessions are stored, of which a user has ten.
    pub stored: u32,
    /// Microseconds to find these ten.
    pub p50: f64,
    pub p99: f64,
    /// Of servers.
    pub travel: Option<Travel>,
}

/// How often a request writes to its socket, and what Redis counts.
#[derive(Serialize, Deserialize, Debug, Clone)]
pub struct Travel {
    pub indexed: Sent,
    pub plain: Sent,
    pub find: Sent,
}

#[derive(Serialize, Deserialize, Debug, Clone)]
pub struct Sent {
    pub round_trips: f64,
    pub commands: Vec<(String, f64)>,
}

type Pair = (Accounts<Indexed>, Accounts<Plain>);

/// The keys of the sessions that commit, beside those that are found.
const WRITTEN: std::ops::Range<u32> = 100_000_000..100_000_064;

pub fn ask(engines: &[Engine], place: &Place, effort: &Effort) -> Vec<Users> {
    engines.iter().map(|engine| on(engine, place, effort)).collect()
}

fn on(engine: &Engine, place: &Place, effort: &Effort) -> Users {
    let stored = effort.crowd;
    say!("sessions of users on {}, {stored} stored", engine.name());
    let (indexed, plain) = open(engine, place, engine.address().as_deref());
    let mut sides =
        [Local::boxed(INDEXED, indexed.clone(), &place.runtime), Local::boxed(PLAIN, plain, &place.runtime)];
    fill(&mut sides, WRITTEN, 0);
    fill(&mut sides[..1], 0..stored, 0);
    let load = Load { verb: Verb::Write, keys: WRITTEN, tasks: 1, duration: effort.turn };
    let commits = compare(engine, &mut sides, &load, 0, effort.rounds);
    let found = place.runtime.block_on(find(&indexed, stored / EACH, effort));
    let microseconds = |share| found.quantile(share) / 1000.0;
    Users { commits, stored, p50: microseconds(0.5), p99: microseconds(0.99), travel: travel(engine, place) }
}

/// The two on one store, at this address if it is a server's.
fn open(engine: &Engine, place: &Place, address: Option<&str>) -> Pair {
    fn both(store: impl Store + Clone) -> Pair {
        (Accounts::new(store.clone()), Accounts::new(store))
    }
    let address = address.unwrap_or_default();
    place.runtime.block_on(async {
        match engine {
            Engine::Memory => both(MemoryStore::new()),
            Engine::Sqlite => {
                let options = SqliteOptions::new(place.fresh("users")).synchronous(Synchronous::Normal);
                both(options.open().await.expect("opens"))
            }
            Engine::Redis(server) => both(RedisStore::open(&*server.url_at(address)).await.expect("opens")),
            Engine::Postgres(server) => both(PostgresStore::open(&*server.url_at(address)).await.expect("opens")),
        }
    })
}

async fn find(accounts: &Accounts<Indexed>, users: u32, effort: &Effort) -> Latencies {
    let (mut latencies, ends) = (Latencies::new(), Instant::now() + effort.turn * 4);
    // Neighbours are not found one after the other, so that caches help as little as they do a server.
    for user in (0..).map(|turn: u32| turn.wrapping_mul(7_919) % users) {
        let begin = Instant::now();
        accounts.find(user).await;
        latencies.record(begin.elapsed().as_nanos() as u64);
        if Instant::now() >= ends {
            break;
        }
    }
    latencies
}

/// Through a proxy that counts.
fn travel(engine: &Engine, place: &Place) -> Option<Travel> {
    let proxy = Proxy::start(&engine.address()?);
    let (accounts, plain) = open(engine, place, Some(&proxy.address()));
    place.runtime.block_on(async {
        let mut held = accounts.hold(WRITTEN.start).await;
        let mut held_plain = plain.hold(WRITTEN.start).await;
        Some(Travel {
            indexed: sent(engine, &proxy, async || accounts.write(&mut held).await).await,
            plain: sent(engine, &proxy, async || plain.write(&mut held_plain).await).await,
            find: sent(engine, &proxy, async || accounts.find(0).await).await,
        })
    })
}

async fn sent(engine: &Engine, proxy: &Proxy, mut request: impl AsyncFnMut()) -> Sent {
    const TIMES: u32 = 50;
    // What is done once is done before.
    request().await;
    let before = (proxy.requests(), commands(engine));
    for _ in 0..TIMES {
        request().await;
    }
    Sent {
        round_trips: (proxy.requests() - before.0) as f64 / f64::from(TIMES),
        commands: counted(&before.1, &commands(engine), TIMES.into()),
    }
}
