//! The engines that contenders are compared on, each started here and ended with the program.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use session_peers_load::{Child, Local, Side};
use session_runtime::store::{SqliteOptions, Synchronous};
use session_runtime::{MemoryStore, PostgresStore, RedisStore};
use session_tests::postgres_server::{self, PostgresServer};
use session_tests::redis_server::{self, RedisServer};
use tokio::runtime::Runtime;
use tower_sessions_redis_store::fred::prelude::{ClientLike, Config, Pool};

use crate::peers::{by_hand, ours::Ours, tower_memory, tower_redis};
use crate::processes::{children, cpu_of};

/// How the engines' contenders are reached.
pub struct Place {
    pub runtime: Arc<Runtime>,
    /// For the files of SQLite: on a real disk.
    pub folder: PathBuf,
    /// The program with the stores on SQLx.
    pub sqlx: Option<PathBuf>,
}

impl Place {
    /// Where a new database of SQLite goes.
    pub fn fresh(&self, name: &str) -> PathBuf {
        let _ = fs::create_dir_all(&self.folder);
        self.folder.join(format!("{name}-{}.db", rand_number()))
    }
}

pub enum Engine {
    Memory,
    Sqlite,
    Redis(RedisServer),
    Postgres(PostgresServer),
}

impl Engine {
    /// Those that this machine has; what is left out is said.
    pub fn all(wanted: impl Fn(&str) -> bool) -> Vec<Self> {
        let mut engines = vec![Self::Memory, Self::Sqlite];
        engines.retain(|engine| wanted(engine.name()));
        if wanted("Redis") && redis_server::is_available() {
            engines.push(Self::Redis(RedisServer::start(&["appendonly no"])));
        }
        if wanted("PostgreSQL") && postgres_server::is_available() {
            // What is compared is work, and not this machine's disk, which is the same for all.
            engines.push(Self::Postgres(PostgresServer::start(&[("fsync", "off"), ("checkpoint_timeout", "1h")])));
        }
        engines
    }

    pub fn name(&self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Sqlite => "SQLite",
            Self::Redis(_) => "Redis",
            Self::Postgres(_) => "PostgreSQL",
        }
    }

    /// The contenders on this engine: this project first, then tower-sessions, then the limits.
    pub fn sides(&self, place: &Place) -> Vec<Box<dyn Side>> {
        match self {
            Self::Memory => vec![
                Local::boxed("session-runtime", Ours::new(MemoryStore::new()), &place.runtime),
                Local::boxed(
                    "tower-sessions",
                    tower_memory::Tower::new(tower_sessions::MemoryStore::default()),
                    &place.runtime,
                ),
                Local::boxed("by hand", by_hand::memory::Memory::default(), &place.runtime),
            ],
            Self::Sqlite => sqlite(place, Synchronous::Normal),
            Self::Redis(server) => redis(place, &server.url()),
            Self::Postgres(server) => postgres(place, &server.url()),
        }
    }

    /// The engine's address and this engine's contenders at another one.
    pub fn through(&self, place: &Place, proxy: &str) -> Vec<Box<dyn Side>> {
        match self {
            Self::Redis(server) => redis(place, &server.url_at(proxy)),
            Self::Postgres(server) => postgres(place, &server.url_at(proxy)),
            _ => Vec::new(),
        }
    }

    pub fn address(&self) -> Option<String> {
        match self {
            Self::Redis(server) => Some(server.address()),
            Self::Postgres(server) => Some(server.address()),
            _ => None,
        }
    }

    /// The processor time that the server has used, if there is one.
    pub fn cpu(&self) -> Option<Duration> {
        let processes = self.processes();
        (!processes.is_empty()).then(|| processes.iter().map(|id| cpu_of(id)).sum())
    }

    /// The processes of the server, if there is one.
    pub fn processes(&self) -> Vec<String> {
        match self {
            Self::Memory | Self::Sqlite => Vec::new(),
            Self::Redis(server) => vec![server.process().to_owned()],
            Self::Postgres(server) => {
                let file = fs::read_to_string(server.data().join("postmaster.pid")).unwrap_or_default();
                let Some(first) = file.lines().next() else { return Vec::new() };
                let mut processes = children(first);
                processes.push(first.to_owned());
                processes
            }
        }
    }
}

pub fn sqlite(place: &Place, synchronous: Synchronous) -> Vec<Box<dyn Side>> {
    let path = place.fresh("ours");
    let store = place.runtime.block_on(SqliteOptions::new(path).synchronous(synchronous).open()).expect("opens");
    let mut sides = vec![Local::boxed("session-runtime", Ours::new(store), &place.runtime)];
    let (engine, word) =
        if synchronous == Synchronous::Full { ("sqlite-full", "full") } else { ("sqlite-normal", "normal") };
    if let Some(program) = &place.sqlx {
        let path = place.fresh("tower");
        sides.push(Child::boxed("tower-sessions", program, &[engine, &path.to_string_lossy()]));
    }
    sides.push(Local::boxed("by hand", by_hand::sqlite::Sqlite::open(&place.fresh("hand"), word), &place.runtime));
    sides
}

fn redis(place: &Place, url: &str) -> Vec<Box<dyn Side>> {
    let runtime = &place.runtime;
    let ours = runtime.block_on(RedisStore::open(url)).expect("opens");
    let tower = runtime.block_on(async {
        // As the documentation of the store says.
        let pool = Pool::new(Config::from_url(url).expect("a URL"), None, None, None, 6).expect("a pool");
        pool.init().await.expect("a server");
        tower_sessions_redis_store::RedisStore::new(pool)
    });
    let (by_redis, by_fred) =
        runtime.block_on(async { (by_hand::redis::Redis::open(url).await, by_hand::fred::Fred::open(url).await) });
    vec![
        Local::boxed("session-runtime", Ours::new(ours), runtime),
        Local::boxed("tower-sessions", tower_redis::Tower::new(tower), runtime),
        Local::boxed("by hand", by_fred, runtime),
        Local::boxed("by hand, crate redis", by_redis, runtime),
    ]
}

fn postgres(place: &Place, url: &str) -> Vec<Box<dyn Side>> {
    let runtime = &place.runtime;
    let ours = runtime.block_on(PostgresStore::open(url)).expect("opens");
    let mut sides = vec![Local::boxed("session-runtime", Ours::new(ours), runtime)];
    if let Some(program) = &place.sqlx {
        sides.push(Child::boxed("tower-sessions", program, &["postgres", url]));
    }
    let by_hand = runtime.block_on(by_hand::postgres::Postgres::open(url));
    sides.push(Local::boxed("by hand", by_hand, runtime));
    sides
}

/// Files of one run do not meet those of another.
fn rand_number() -> u32 {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    NUMBER.fetch_add(1, Ordering::Relaxed)
}
