//! What grows with the number of sessions, of fields, of untouched bytes?

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use session_peers_load::{Load, Verb, cpu_time};
use session_runtime::{MemoryStore, Session, Sessions};

use crate::compare::{Ratio, compare};
use crate::engines::{Engine, Place};
use crate::options::Effort;
use crate::questions::speed::fill;
use crate::say;

/// A line of a chart: a side's microseconds of processor time, client and server, per request.
#[derive(Serialize, Deserialize, Debug, Clone)]
pub struct Growth {
    /// What grows: `sessions`, `fields` or `kilobytes`.
    pub by: String,
    pub engine: String,
    pub verb: String,
    pub side: String,
    pub points: Vec<(f64, f64)>,
}

#[derive(Default)]
struct Lines(Vec<Growth>);

impl Lines {
    fn add(&mut self, by: &str, engine: &str, verb: &str, side: &str, point: (f64, f64)) {
        let same =
            |line: &&mut Growth| (&*line.by, &*line.engine, &*line.verb, &*line.side) == (by, engine, verb, side);
        if let Some(line) = self.0.iter_mut().find(same) {
            line.points.push(point);
        } else {
            let [by, engine, verb, side] = [by, engine, verb, side].map(str::to_owned);
            self.0.push(Growth { by, engine, verb, side, points: vec![point] });
        }
    }
}

pub fn ask(engines: &[Engine], place: &Place, effort: &Effort) -> Vec<Growth> {
    let mut lines = Lines::default();
    for engine in engines {
        if !matches!(engine, Engine::Memory) {
            sessions(&mut lines, engine, place, effort);
        }
        if matches!(engine, Engine::Memory | Engine::Redis(_)) {
            bytes(&mut lines, engine, place, effort);
        }
    }
    say!("growth by fields");
    place.runtime.block_on(fields(&mut lines));
    lines.0
}

fn sessions(lines: &mut Lines, engine: &Engine, place: &Place, effort: &Effort) {
    const FIRST: u32 = 100_000_000;
    let mut sides = engine.sides(place);
    sides.truncate(2);
    let mut stored = 0;
    for number in [1_000, 10_000, 100_000, 1_000_000].into_iter().filter(|number| *number <= effort.sessions) {
        say!("growth on {}: {number} sessions", engine.name());
        fill(&mut sides, FIRST + stored..FIRST + number, 0);
        stored = number;
        for verb in [Verb::Read, Verb::Change] {
            let load = Load { verb, keys: FIRST..FIRST + number, tasks: 1, duration: effort.turn * 2 };
            for series in compare(engine, &mut sides, &load, 0, 3).sides {
                let cost = series.median(|sample| sample.cpu());
                lines.add("sessions", engine.name(), verb.name(), &series.side, (f64::from(number), cost));
            }
        }
    }
}

fn bytes(lines: &mut Lines, engine: &Engine, place: &Place, effort: &Effort) {
    let mut sides = engine.sides(place);
    for (number, kilobytes) in (50..).zip([1, 10, 100, 1000]) {
        say!("growth on {}: {kilobytes} KB untouched", engine.name());
        let keys = number * 1_000_000..number * 1_000_000 + 4;
        fill(&mut sides, keys.clone(), kilobytes * 1000);
        for verb in [Verb::Read, Verb::Change, Verb::Write] {
            let load = Load { verb, keys: keys.clone(), tasks: 1, duration: effort.turn };
            for series in compare(engine, &mut sides, &load, kilobytes * 1000, 3).sides {
                let cost = series.median(|sample| sample.cpu());
                lines.add("kilobytes", engine.name(), verb.name(), &series.side, (kilobytes as f64, cost));
            }
        }
    }
}

/// Sessions of any number of fields: tens nested in each other beyond ten.
macro_rules! wide {
    ($name:ident, $($fields:tt)*) => {
        wide!(@ $name, $($fields)* => a0 a1 a2 a3 a4 a5 a6 a7 a8 a9);
    };
    (@ $name:ident, nested $type:ty => $($field:ident)*) => {
        #[derive(Session)]
        struct $name { $(#[session(nested)] $field: $type,)* }
    };
    (@ $name:ident, $type:ty => $($field:ident)*) => {
        #[derive(Session)]
        struct $name { $($field: $type,)* }
    };
}

#[derive(Session)]
struct One {
    a0: u32,
}

wide!(Ten, u32);
wide!(Hundred, nested Ten);
wide!(Thousand, nested Hundred);
wide!(TenThousand, nested Thousand);

async fn fields(lines: &mut Lines) {
    macro_rules! ours {
        ($count:expr, $type:ty, $($step:ident)*) => {{
            let sessions = Sessions::<$type>::new(MemoryStore::new());
            let started = Instant::now();
            sessions.prepare().await.expect("prepares");
            let prepared = started.elapsed().as_secs_f64() * 1e6;
            lines.add("fields", "memory", "prepare", "session-runtime", (f64::from($count), prepared));
            let mut session = sessions.load("42").await.expect("loads");
            let mut commits = Vec::new();
            let ended = Instant::now() + Duration::from_millis(150);
            while Instant::now() < ended || commits.len() < 3 {
                let before = cpu_time();
                for _ in 0..3 {
                    *session.edit()$(.$step())* += 1;
                    session.commit().await.expect("commits");
                }
                commits.push((cpu_time() - before).as_secs_f64() * 1e6 / 3.0);
            }
            let cost = Ratio::of(commits.into_iter()).median;
            lines.add("fields", "memory", "write only", "session-runtime", (f64::from($count), cost));
        }};
    }
    ours!(1, One, a0);
    ours!(10, Ten, a5);
    ours!(100, Hundred, a5 a5);
    ours!(1000, Thousand, a5 a5 a5);
    ours!(10_000, TenThousand, a5 a5 a5 a5);
    for count in [1, 10, 100, 1000, 10_000] {
        lines.add("fields", "memory", "write only", "tower-sessions", (f64::from(count), tower(count).await));
    }
}

/// One key of many is changed and the session saved, by tower-sessions on its memory store.
async fn tower(count: u32) -> f64 {
    use tower_sessions::session::{Id, Record};
    use tower_sessions::{MemoryStore, SessionStore};
    let store = MemoryStore::default();
    let expiry_date = time::OffsetDateTime::now_utc() + time::Duration::weeks(2);
    let data = (0..count).map(|field| (format!("a{field}"), Value::from(0))).collect();
    let mut record = Record { id: Id::default(), data, expiry_date };
    let mut saves = Vec::new();
    let ended = Instant::now() + Duration::from_millis(150);
    while Instant::now() < ended || saves.len() < 3 {
        let before = cpu_time();
        for round in 0..3 {
            record.data.insert("a0".to_owned(), json!(round));
            store.save(&record).await.expect("saves");
        }
        saves.push((cpu_time() - before).as_secs_f64() * 1e6 / 3.0);
    }
    Ratio::of(saves.into_iter()).median
}
