//! What does `sessionctl waste` say of each library, and what did it really write?
//!
//! Each serves the same requests, by two instances that share a Redis server. What really happened is known without
//! the program that is tried: the server counts its writes, and a model knows what each request leaves behind.

mod actix;
mod express;
mod ours;
mod postgres;
mod tower;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use session_examples::sessionctl::waste::figures::{Figures, Kind};
use session_examples::sessionctl::waste::{Options, Source, Watcher};
use session_peers_load::Random;
use session_tests::redis_server::{self, RedisServer};

use crate::say;

const CLIENTS: usize = 200;
const REQUESTS: usize = 3000;
/// How many times two requests of a client are under way at once.
const PAIRS: usize = 50;

/// What a request does to a session of `visits`, first 0, and `dark`, first false.
#[derive(Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Read,
    /// Counts the visit.
    Visit,
    /// Sets the visits to the number that they are.
    Same,
    /// Counts the visit and takes it back.
    Revert,
    /// Turns the theme.
    Turn,
    /// Counts the visit, and turns the theme.
    Both,
}

/// A handler's view of a session.
trait View {
    async fn visits(&mut self) -> u32;
    async fn set_visits(&mut self, visits: u32);
    async fn dark(&mut self) -> bool;
    async fn set_dark(&mut self, dark: bool);
}

/// What a handler does, with a wait in between for whom two requests have to meet.
async fn carry_out(view: &mut impl View, act: Act, meeting: Option<&tokio::sync::Barrier>) {
    let (visits, dark) = (view.visits().await, view.dark().await);
    if let Some(meeting) = meeting {
        meeting.wait().await;
    }
    match act {
        Act::Read => {}
        Act::Same => view.set_visits(visits).await,
        Act::Revert => {
            view.set_visits(visits + 1).await;
            view.set_visits(visits).await;
        }
        Act::Visit => view.set_visits(visits + 1).await,
        Act::Turn => view.set_dark(!dark).await,
        Act::Both => {
            view.set_visits(visits + 1).await;
            view.set_dark(!dark).await;
        }
    }
}

/// A library, twice, on one server.
trait Library {
    fn name(&self) -> String;
    /// Whether what it writes has an end inside, which moves with every write.
    fn keeps_its_end(&self) -> bool;
    async fn request(&mut self, instance: usize, client: usize, act: Act);
    /// A visit by one instance and a turn by the other, both of which have read before one writes.
    async fn meet(&mut self, client: usize);
}

/// What some writes did.
#[derive(Serialize, Deserialize, Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Did {
    pub writes: u64,
    pub first: u64,
    pub nothing: u64,
    pub only_expiry: u64,
    pub one_part: u64,
    pub more_parts: u64,
    /// Writes over a change that their request had not seen.
    pub overlapped: u64,
}

/// A library, and what is said of it.
#[derive(Serialize, Deserialize, Debug, Clone)]
pub struct Waste {
    pub library: String,
    pub requests: usize,
    pub written: Did,
    pub said: Did,
    /// Of the overlaps, those that it is not sure of.
    pub seem: u64,
    /// Whether it sees reads, without which nobody overlaps.
    pub has_reads: bool,
}

/// Asks each that is there; `sqlx` is the program with the stores of tower-sessions for SQL.
pub async fn ask(folder: &Path, sqlx: Option<&Path>) -> Vec<Waste> {
    let mut found = if redis_server::is_available() { on_redis(folder).await } else { Vec::new() };
    if let Some(program) = sqlx {
        found.extend(postgres::ask(program).await);
    }
    found
}

async fn on_redis(folder: &Path) -> Vec<Waste> {
    let mut found = Vec::new();
    let server = RedisServer::start(&["appendonly no"]);
    found.push(by(&server, tower::Tower::new(&server.url()).await).await);
    found.push(by(&server, actix::Actix::new(&server.url()).await).await);
    for careful in [false, true] {
        if let Some(express) = express::Express::start(folder, &server.url(), careful) {
            found.push(by(&server, express).await);
        }
    }
    found.push(by(&server, ours::Ours::new(&server.url()).await).await);
    found
}

async fn by(server: &RedisServer, mut library: impl Library) -> Waste {
    say!("waste: {}", library.name());
    let (written, figures) = watch(Source::Redis(server.url()), async || serve(server, &mut library).await).await;
    let (requests, seem) = (REQUESTS + 2 * PAIRS, figures.seem_overlapped);
    Waste { library: library.name(), requests, written, said: said(&figures), seem, has_reads: true }
}

/// Watches what is written meanwhile.
async fn watch<T>(source: Source, mut meanwhile: impl AsyncFnMut() -> T) -> (T, Figures) {
    let options = Options {
        source,
        time: Duration::from_secs(3600),
        prefix: String::new(),
        keys: 100_000,
        yes: true,
        json: false,
        chart: None,
    };
    let watcher = Watcher::begin(&options).await.expect("a server of our own");
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let watching = tokio::spawn(watcher.until(async move { drop(ended.await) }));
    let done = meanwhile().await;
    drop(end);
    (done, watching.await.expect("watches to the end").expect("watches").figures)
}

fn said(figures: &Figures) -> Did {
    let writes = |kind| figures.of(kind).writes;
    Did {
        writes: figures.all().writes,
        first: writes(Kind::First),
        nothing: writes(Kind::Nothing),
        only_expiry: writes(Kind::Added),
        one_part: writes(Kind::OnePart),
        more_parts: writes(Kind::MoreParts),
        overlapped: figures.overlapped + figures.seem_overlapped,
    }
}

/// Serves all requests, and counts what is written by them.
async fn serve(server: &RedisServer, library: &mut impl Library) -> Did {
    let (mut random, mut sessions, mut did) = (Random(707), HashMap::<usize, Model>::new(), Did::default());
    let mut before = writes(server);
    for number in 0..REQUESTS {
        // All clients that meet later have both parts by then.
        let (client, act) = if number < PAIRS {
            (number, Act::Both)
        } else {
            (random.below(CLIENTS as u64) as usize, act(&mut random))
        };
        library.request(random.below(2) as usize, client, act).await;
        let session = sessions.entry(client).or_default();
        let changed = session.apply(act);
        let after = writes(server);
        for _ in before..after {
            did.count(session, changed, library.keeps_its_end());
        }
        before = after;
    }
    for client in 0..PAIRS {
        library.meet(client).await;
        let after = writes(server);
        let session = sessions.entry(client).or_default();
        match after - before {
            // The second took the first one's change back, and made its own.
            2 if !library_merges(&library.name()) => {
                did.count(session, 1, false);
                did.count(session, 2, false);
                did.overlapped += 1;
            }
            written => (0..written).for_each(|_| did.count(session, 1, false)),
        }
        before = after;
    }
    did
}

/// Whether both changes of a meeting last.
fn library_merges(name: &str) -> bool {
    name.starts_with("session-runtime")
}

/// How many writes the server carried out, of any client and any script.
fn writes(server: &RedisServer) -> u64 {
    let stats = server.cli("INFO commandstats");
    let calls = |command: &str| -> u64 {
        let line = stats.lines().find_map(|line| line.strip_prefix(&format!("cmdstat_{command}:calls=")));
        line.and_then(|line| line.split(',').next()?.parse().ok()).unwrap_or_default()
    };
    calls("set") + calls("setex") + calls("hset")
}

fn act(random: &mut Random) -> Act {
    match random.below(100) {
        0..40 => Act::Read,
        40..65 => Act::Visit,
        65..75 => Act::Same,
        75..85 => Act::Revert,
        85..95 => Act::Turn,
        _ => Act::Both,
    }
}

/// A session as it should be.
#[derive(Debug, Default)]
struct Model {
    parts: BTreeMap<&'static str, u32>,
    is_stored: bool,
}

impl Model {
    /// Returns how many parts changed.
    fn apply(&mut self, act: Act) -> u64 {
        let before = self.parts.clone();
        let mut set = |part, value: fn(u32) -> u32| {
            let old = before.get(part).copied().unwrap_or_default();
            self.parts.insert(part, value(old));
        };
        match act {
            Act::Read => {}
            Act::Same | Act::Revert => set("visits", |visits| visits),
            Act::Visit => set("visits", |visits| visits + 1),
            Act::Turn => set("dark", |dark| 1 - dark),
            Act::Both => {
                set("visits", |visits| visits + 1);
                set("dark", |dark| 1 - dark);
            }
        }
        self.parts.iter().filter(|(part, value)| before.get(*part) != Some(*value)).count() as u64
    }
}

impl Did {
    fn count(&mut self, session: &mut Model, changed: u64, keeps_its_end: bool) {
        self.writes += 1;
        let is_first = !std::mem::replace(&mut session.is_stored, true);
        *match changed {
            _ if is_first => &mut self.first,
            0 if keeps_its_end => &mut self.only_expiry,
            0 => &mut self.nothing,
            1 => &mut self.one_part,
            _ => &mut self.more_parts,
        } += 1;
    }
}
