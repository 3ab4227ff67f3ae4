//! How much travels, and what is the server asked?

use std::time::Duration;

use serde::{Deserialize, Serialize};
use session_peers_load::{Load, Verb};
use session_tests::postgres_server;
use session_tests::proxy::Proxy;

use crate::engines::{Engine, Place};
use crate::questions::speed::fill;
use crate::say;

/// What one request of one side takes on its way.
#[derive(Serialize, Deserialize, Debug, Clone)]
pub struct Wire {
    pub engine: String,
    pub side: String,
    pub untouched: usize,
    pub read: Travel,
    /// What saving adds to the read before it.
    pub save: Travel,
    /// The server's commands per request of load, change and save; on Redis those that scripts call count too.
    pub commands: Vec<(String, f64)>,
    /// Bytes that PostgreSQL writes ahead per save.
    pub log: Option<f64>,
}

#[derive(Serialize, Deserialize, Debug, Clone, Copy, Default)]
pub struct Travel {
    pub sent: f64,
    pub received: f64,
    pub round_trips: f64,
}

/// Through a proxy that counts, by one task.
pub fn ask(engines: &[Engine], place: &Place) -> Vec<Wire> {
    let mut found = Vec::new();
    for (engine, address) in engines.iter().filter_map(|engine| Some((engine, engine.address()?))) {
        say!("bytes and commands on {}", engine.name());
        let proxy = Proxy::start(&address);
        let mut sides = engine.through(place, &proxy.address());
        for (number, untouched) in (40..).zip([0, 10_240, 102_400]) {
            let keys = number * 1_000_000..number * 1_000_000 + 4;
            fill(&mut sides, keys.clone(), untouched);
            for side in &mut sides {
                let mut travel = |verb| {
                    let load = Load { verb, keys: keys.clone(), tasks: 1, duration: Duration::from_millis(30) };
                    side.run(&load);
                    let before =
                        (proxy.sent(), proxy.received(), proxy.requests(), commands(engine), log(engine, place));
                    let done = side.run(&load).operations as f64;
                    let counted = counted(&before.3, &commands(engine), done);
                    let travel = Travel {
                        sent: (proxy.sent() - before.0) as f64 / done,
                        received: (proxy.received() - before.1) as f64 / done,
                        round_trips: (proxy.requests() - before.2) as f64 / done,
                    };
                    let log = log(engine, place).zip(before.4).map(|(after, before)| (after - before) / done);
                    (travel, counted, log)
                };
                let (read, ..) = travel(Verb::Read);
                let (both, commands, log) = travel(Verb::Change);
                let save = Travel {
                    sent: both.sent - read.sent,
                    received: both.received - read.received,
                    round_trips: both.round_trips - read.round_trips,
                };
                let (engine, side) = (engine.name().to_owned(), side.name().to_owned());
                found.push(Wire { engine, side, untouched, read, save, commands, log });
            }
        }
    }
    found
}

/// How often each command has run.
pub fn commands(engine: &Engine) -> Vec<(String, f64)> {
    let Engine::Redis(server) = engine else { return Vec::new() };
    let said = server.cli("INFO commandstats");
    said.lines()
        .filter_map(|line| {
            let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
            Some((name.to_owned(), rest.split(',').next()?.parse().ok()?))
        })
        .filter(|(name, _)| !["info", "quit"].contains(&&**name))
        .collect()
}

pub fn counted(before: &[(String, f64)], after: &[(String, f64)], done: f64) -> Vec<(String, f64)> {
    let earlier = |name: &str| before.iter().find(|(other, _)| other == name).map_or(0.0, |(_, calls)| *calls);
    let mut counted: Vec<_> =
        after.iter().map(|(name, calls)| (name.clone(), (calls - earlier(name)) / done)).collect();
    // What happens less often than that belongs to no request.
    counted.retain(|(_, each)| *each >= 0.01);
    counted
}

/// How much PostgreSQL has written ahead so far.
fn log(engine: &Engine, place: &Place) -> Option<f64> {
    let Engine::Postgres(server) = engine else { return None };
    let position = place.runtime.block_on(async {
        let client = postgres_server::client(&server.url()).await;
        let sql = "select (pg_current_wal_insert_lsn() - '0/0')::float8";
        client.query_one(sql, &[]).await.map(|row| row.get::<_, f64>(0))
    });
    position.ok()
}
