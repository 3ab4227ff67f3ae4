//! Where the sessions of a test are kept: each engine, for real.

use session_runtime::store::{LogStore, connect};
use session_runtime::{AnyStore, MemoryStore};
use session_tests::postgres_server::{self, fresh_schema};
use session_tests::proxy::Proxy;
use session_tests::redis_server::{self, RedisServer};
use session_tests::{Fault, FaultyStore, all_stored};
use tempfile::TempDir;

use crate::visitor::TestStore;

/// Runs these tests of a file on each engine, with each framework. A test is a function of framework and place.
macro_rules! on_each_engine {
    ($($test:ident),* $(,)?) => {
        $crate::place::on_each_engine! { @ memory Memory [$($test)*] }
        $crate::place::on_each_engine! { @ sqlite Sqlite [$($test)*] }
        $crate::place::on_each_engine! { @ redis Redis [$($test)*] }
        $crate::place::on_each_engine! { @ postgres Postgres [$($test)*] }
    };
    (@ $module:ident $engine:ident [$($test:ident)*]) => {
        mod $module {
            $crate::place::on_each_engine! { @ on_axum Axum $engine [$($test)*] }
            $crate::place::on_each_engine! { @ on_actix_web ActixWeb $engine [$($test)*] }
        }
    };
    (@ $module:ident $framework:ident $engine:ident [$($test:ident)*]) => {
        mod $module {
            use crate::place::{Engine, Place};
            use crate::site::{Framework, local};

            $(
                #[tokio::test]
                async fn $test() {
                    if let Some(place) = Place::open(Engine::$engine).await {
                        local(super::super::$test(Framework::$framework, place)).await;
                    }
                }
            )*
        }
    };
}
pub(crate) use on_each_engine;

#[derive(Debug, Clone, Copy)]
pub(crate) enum Engine {
    Memory,
    Sqlite,
    Redis,
    Postgres,
}

/// A store of one test, and what it is kept in.
pub(crate) struct Place {
    pub(crate) store: TestStore,
    behind: Behind,
}

enum Behind {
    Nothing,
    Folder(TempDir),
    Redis(RedisServer, Proxy),
    Postgres(String, Proxy),
}

impl Place {
    /// `None`, with a word about it, if there is no server.
    pub(crate) async fn open(engine: Engine) -> Option<Self> {
        let (store, behind) = match engine {
            Engine::Memory => (AnyStore::new(MemoryStore::new()), Behind::Nothing),
            Engine::Sqlite => {
                let folder = tempfile::tempdir().expect("a folder");
                let url = format!("sqlite:{}", folder.path().join("sessions.db").display());
                (connect(&url).await.expect("a store"), Behind::Folder(folder))
            }
            Engine::Redis => {
                if !redis_server::is_available() {
                    return None;
                }
                let server = RedisServer::start(&["appendonly no"]);
                let proxy = Proxy::start(&server.address());
                let store = connect(&server.url_at(&proxy.address())).await.expect("a store");
                (store, Behind::Redis(server, proxy))
            }
            Engine::Postgres => {
                let url = postgres_server::shared()?;
                let server = url.rsplit('@').next().and_then(|rest| rest.split('/').next()).expect("an address");
                let proxy = Proxy::start(server);
                let namespace = fresh_schema();
                let by_proxy = format!("{}?namespace={namespace}", url.replace(server, &proxy.address()));
                (connect(&by_proxy).await.expect("a store"), Behind::Postgres(url, proxy))
            }
        };
        Some(Self { store: LogStore::new(FaultyStore::new(store)), behind })
    }

    /// Lets the next loads fail: connections to a server break as soon as it answers.
    pub(crate) fn fail_loads(&self) {
        match &self.behind {
            Behind::Redis(_, proxy) | Behind::Postgres(_, proxy) => proxy.cut_always(),
            Behind::Nothing | Behind::Folder(_) => self.store.inner().fail_load(Fault::Refused),
        }
    }

    pub(crate) fn heal(&self) {
        match &self.behind {
            Behind::Redis(_, proxy) | Behind::Postgres(_, proxy) => proxy.cut_no_more(),
            Behind::Nothing | Behind::Folder(_) => self.store.inner().heal(),
        }
    }

    /// The sessions that are stored: their keys, and their fields as text.
    pub(crate) async fn sessions(&self) -> Vec<(String, Vec<(String, String)>)> {
        let sessions = all_stored(&self.store, "visitor").await;
        drop(self.store.take());
        sessions
    }

    /// All that the engine holds, past the store.
    pub(crate) async fn contents(&self) -> Vec<u8> {
        match &self.behind {
            Behind::Nothing => format!("{:?}", self.sessions().await).into_bytes(),
            Behind::Folder(folder) => {
                let files = folder.path().read_dir().expect("a folder").map(|file| file.expect("a file").path());
                files.flat_map(|file| std::fs::read(file).expect("a file")).collect()
            }
            Behind::Redis(server, _) => {
                let keys = server.cli("KEYS *");
                let keys: Vec<_> = keys.lines().filter(|line| !line.starts_with(['*', '$'])).collect();
                keys.iter()
                    .flat_map(|key| server.command(&[b"HGETALL", key.as_bytes()]))
                    .chain(keys.join(" ").into_bytes())
                    .collect()
            }
            Behind::Postgres(url, _) => {
                let client = postgres_server::client(url).await;
                let tables = "SELECT table_schema || '.' || table_name FROM information_schema.tables \
                              WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')";
                let mut contents = String::new();
                for table in client.query(tables, &[]).await.expect("the tables") {
                    let rows = format!("SELECT row::text FROM {} row", table.get::<_, String>(0));
                    // Other tests drop their tables meanwhile.
                    for row in client.query(&rows, &[]).await.unwrap_or_default() {
                        contents += row.get(0);
                    }
                }
                contents.into_bytes()
            }
        }
    }
}
