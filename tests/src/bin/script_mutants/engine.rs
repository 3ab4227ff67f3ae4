//! A server, and the tests of its store on changed scripts.

use std::collections::BTreeSet;
use std::fmt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use session_runtime::store::conformance::Case;
use session_runtime::store::{AnyStore, PostgresOptions, RedisOptions};
use session_tests::postgres_server::{PostgresServer, client, fresh_schema};
use session_tests::redis_server::RedisServer;
use tokio::task::JoinSet;

use crate::in_front;
use crate::mutants::{self, Mutant};
use crate::proxy::{Protocol, Proxy, Texts};

/// How nextest ends when tests failed.
const TESTS_FAILED: i32 = 100;

/// How long cases may take at the least.
const LEAST_PATIENCE: Duration = Duration::from_secs(120);

/// How many cases run at once.
const AT_ONCE: usize = 8;

pub(crate) struct Engine {
    server: Server,
    /// How long all cases together may take.
    patience: Duration,
}

enum Server {
    Postgres(PostgresServer),
    /// One for each change: what a script keeps does not stay, and one that never ends is killed.
    Redis,
}

/// What became of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The engine does not take it.
    Invalid,
    Caught(String),
    /// What was asked last did not notice it.
    Survived(Stage),
}

/// What is asked of a change: what takes less time first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// The quick cases of the suite.
    Quick,
    /// The tests that look at what stands in the engine.
    Inside,
    /// The other cases of the suite.
    Slow,
}

impl Stage {
    pub(crate) const ALL: [Self; 3] = [Self::Quick, Self::Inside, Self::Slow];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Quick => "the quick cases",
            Self::Inside => "the quick cases and what looks into the engine",
            Self::Slow => "all cases and what looks into the engine",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid => f.write_str("invalid"),
            Self::Caught(by) => write!(f, "caught by {by}"),
            Self::Survived(stage) => write!(f, "survived {}", stage.name()),
        }
    }
}

impl From<&str> for Verdict {
    /// What was written of it.
    fn from(said: &str) -> Self {
        let survived = Stage::ALL.into_iter().find(|stage| said == Self::Survived(*stage).to_string());
        match said.strip_prefix("caught by ") {
            Some(by) => Self::Caught(by.to_owned()),
            None => survived.map_or(Self::Invalid, Self::Survived),
        }
    }
}

impl Engine {
    /// The engine of this name.
    pub(crate) fn start(name: &str) -> Option<Self> {
        // A change can make a loop endless.
        let settings = [("fsync", "off"), ("max_connections", "400"), ("statement_timeout", "20s"), ("jit", "off")];
        let server = match name {
            "postgres" => Server::Postgres(PostgresServer::start(&settings)),
            "redis" => Server::Redis,
            _ => return None,
        };
        Some(Self { server, patience: Duration::from_secs(300) })
    }

    pub(crate) const fn name(&self) -> &'static str {
        match self.server {
            Server::Postgres(_) => "postgres",
            Server::Redis => "redis",
        }
    }

    pub(crate) fn mutants(&self, statements: &BTreeSet<String>) -> Vec<Mutant> {
        match self.server {
            Server::Postgres(_) => mutants::of_postgres(statements),
            Server::Redis => mutants::of_redis(),
        }
    }

    /// Runs the cases without a change and puts the quick ones first. Returns the statements that the store sent, or
    /// the case that fails.
    pub(crate) async fn measure(&mut self, cases: &mut [&Case]) -> Result<BTreeSet<String>, String> {
        let place = Place::new(self, Vec::new()).await.ok_or("the scripts are not valid")?;
        let (begin, mut durations) = (Instant::now(), Vec::new());
        let failed = run(&place.store, cases, &mut durations, self.patience).await;
        // A machine can be busier later.
        self.patience = (begin.elapsed() * 3).max(LEAST_PATIENCE);
        let statements = place.proxy.seen();
        place.clear(self).await;
        if let Some(case) = failed {
            return Err(case);
        }
        cases.sort_by_key(|case| durations.iter().find(|(name, _)| *name == case.name).map(|(_, time)| *time));
        Ok(statements)
    }

    /// Judges a change by one stage, which runs these cases.
    pub(crate) async fn judge(&mut self, mutant: &Mutant, stage: Stage, cases: &mut Vec<&Case>) -> Verdict {
        let Some(place) = Place::new(self, mutant.texts.clone()).await else { return Verdict::Invalid };
        let failed = if stage == Stage::Inside {
            self.other_tests(&place, &mutant.name)
        } else {
            run(&place.store, cases, &mut Vec::new(), self.patience).await
        };
        if let Some(at) = cases.iter().position(|case| Some(case.name) == failed.as_deref()) {
            // What noticed one change notices more of them.
            let case = cases.remove(at);
            cases.insert(0, case);
        }
        place.clear(self).await;
        failed.map_or(Verdict::Survived(stage), Verdict::Caught)
    }

    /// Runs the tests that look at what stands in the engine, and says what failed.
    fn other_tests(&self, place: &Place, change: &str) -> Option<String> {
        let filter = match self.server {
            Server::Postgres(_) => {
                "binary(stores) & test(/^postgres::/) & !test(/conformance/) \
                 | binary(faults) & test(/^postgres::(p11|locks::)/)"
            }
            Server::Redis => {
                "binary(stores) & test(/^(redis::|redis_index::|redis_scan::|redis_cluster::p10)/) & !test(/::suite::/) \
                 | binary(faults) & test(/^redis::(p06|a_revision|a_session|what_others)/)"
            }
        };
        let mut command = Command::new("cargo");
        command.args(["nextest", "run", "--locked", "--package", "session-tests", "--test", "stores"]);
        command.args(["--test", "faults", "--hide-progress-bar", "--color", "never"]);
        command.args(["--status-level", "fail", "--final-status-level", "none", "--filterset", filter]);
        match self.server {
            Server::Postgres(_) => _ = command.env("SESSION_TEST_POSTGRES", &place.url),
            Server::Redis => in_front::prepare(&mut command, change),
        }
        let output = command.stdin(Stdio::null()).output().ok()?;
        if output.status.success() {
            return None;
        }
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(TESTS_FAILED), "the other tests did not run: {said}");
        let failed = said.lines().find(|line| line.trim_start().starts_with("FAIL") || line.contains("error"));
        Some(failed.unwrap_or("the other tests").trim().to_owned())
    }
}

/// A store with changed scripts.
struct Place {
    store: AnyStore,
    proxy: Proxy,
    /// Where tests find the server.
    url: String,
    schema: String,
    _redis: Option<RedisServer>,
}

impl Place {
    /// Nothing if the engine does not take the scripts.
    async fn new(engine: &Engine, texts: Texts) -> Option<Self> {
        match &engine.server {
            Server::Postgres(server) => {
                if !is_valid(server, &texts).await {
                    return None;
                }
                let proxy = Proxy::start(Protocol::Postgres, &server.address(), texts);
                let (url, schema) = (server.url_at(&proxy.address()), fresh_schema());
                let store = AnyStore::new(PostgresOptions::new(&url).schema(&schema).build().ok()?);
                Some(Self { store, proxy, url, schema, _redis: None })
            }
            Server::Redis => {
                let server = RedisServer::start(&["appendonly no"]);
                let proxy = Proxy::start(Protocol::Redis, &server.address(), texts);
                let url = server.url_at(&proxy.address());
                let store = AnyStore::new(RedisOptions::new(&url).build().ok()?);
                Some(Self { store, proxy, url, schema: String::new(), _redis: Some(server) })
            }
        }
    }

    async fn clear(self, engine: &Engine) {
        if let Server::Postgres(server) = &engine.server {
            let others = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity \
                          WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
            let client = client(&server.url()).await;
            let _ = client.batch_execute(others).await;
            let _ = client.batch_execute(&format!("DROP SCHEMA IF EXISTS \"{}\" CASCADE", self.schema)).await;
        }
    }
}

/// Whether PostgreSQL takes these texts.
async fn is_valid(server: &PostgresServer, texts: &Texts) -> bool {
    let client = client(&server.url()).await;
    let put = |text: &str| text.replace("sessions.", "trial.");
    let schema = put(&texts
        .iter()
        .map(|(_, to)| to)
        .find(|to| to.contains("CREATE TABLE"))
        .cloned()
        .unwrap_or_else(|| mutants::SCHEMA.to_owned()));
    let created = client.batch_execute(&format!("BEGIN; CREATE SCHEMA trial; {schema}")).await;
    let mut is_valid = created.is_ok();
    for (_, text) in texts.iter().filter(|(_, to)| !to.contains("CREATE TABLE")) {
        is_valid &= client.prepare(&put(text)).await.is_ok();
    }
    is_valid
}

/// Runs the cases until one fails, and says which. What does not end in time has failed too.
async fn run(
    store: &AnyStore,
    cases: &[&Case],
    durations: &mut Vec<(&'static str, Duration)>,
    patience: Duration,
) -> Option<String> {
    let mut running = JoinSet::new();
    let mut names = Vec::new();
    let mut waiting = cases.iter().map(|case| **case);
    let all = async {
        loop {
            while running.len() < AT_ONCE
                && let Some(case) = waiting.next()
            {
                let store = store.clone();
                let task = running.spawn(async move {
                    let begin = Instant::now();
                    case.run(store).await;
                    (case.name, begin.elapsed())
                });
                names.push((task.id(), case.name));
            }
            match running.join_next().await {
                None => return None,
                Some(Ok(ended)) => durations.push(ended),
                Some(Err(error)) => {
                    return names.iter().find(|(id, _)| *id == error.id()).map(|(_, name)| (*name).to_owned());
                }
            }
        }
    };
    let failed = tokio::time::timeout(patience, all).await.unwrap_or_else(|_| Some("waiting in vain".to_owned()));
    running.shutdown().await;
    failed
}
