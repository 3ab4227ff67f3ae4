//! What each verb does at a fault, as docs/failures.md says in a table.

use std::time::{Duration, Instant};

use session_runtime::store::{
    Housekeeping, PostgresOptions, PostgresStore, RedisOptions, RedisStore, SqliteOptions, StoreErrorKind,
};
use session_runtime::{Error, Handle, Outcome, Session};
use session_tests::Kept;
use session_tests::postgres_server::{self, PostgresServer, client, fresh_schema};
use session_tests::proxy::Proxy;
use session_tests::redis_server::{self, RedisServer};

const VERBS: [&str; 5] = ["load", "commit", "renew", "destroy", "update"];

/// The deadline of what succeeds.
const DEADLINE: Duration = Duration::from_secs(20);

/// The deadline of what waits in vain.
const SHORT: Duration = Duration::from_secs(2);

/// How much later than that a busy machine notices it.
const SLACK: Duration = Duration::from_secs(4);

#[derive(Session)]
#[session(name = "verbs")]
struct Visitor {
    visits: u32,
}

/// A session, and one who makes a verb of it.
struct Attempt<S> {
    sessions: Kept<Visitor, S>,
    verb: &'static str,
    handle: Handle<Visitor>,
}

impl<S: Housekeeping> Attempt<S> {
    /// A session with one visit, of which the handler wants two.
    async fn new(store: &S, verb: &'static str, deadline: Duration) -> Self {
        let sessions = Kept::<Visitor, _>::builder(store.clone()).deadline(deadline).build();
        sessions.update(verb, |visitor| *visitor.edit().visits() = 1).await.expect("a commit");
        let mut handle = sessions.load(verb).await.expect("a load");
        *handle.edit().visits() = 2;
        Self { sessions, verb, handle }
    }

    async fn make(&mut self) -> Result<(), Error> {
        match self.verb {
            "load" => self.sessions.load(self.verb).await.map(|found| assert_eq!(found.visits, 1)),
            "commit" => self.handle.commit().await.map(|done| assert_eq!(done.outcome(), Outcome::Updated)),
            "renew" => self.handle.renew("renewed").await.map(drop),
            "destroy" => self.handle.destroy().await.map(|outcome| assert_eq!(outcome, Outcome::Removed)),
            _ => self.sessions.update(self.verb, |visitor| *visitor.edit().visits() += 1).await,
        }
    }

    /// It was done, once, as whoever looks finds.
    async fn check(self, store: &S) {
        let later = Kept::<Visitor, _>::new(store.clone());
        let visits = async |key| later.load(key).await.expect("a load").visits;
        match self.verb {
            "load" => assert_eq!(visits("load").await, 1),
            "renew" => assert_eq!((visits("renew").await, visits("renewed").await), (0, 2)),
            "destroy" => assert_eq!(visits("destroy").await, 0),
            verb => assert_eq!(visits(verb).await, 2, "{verb}"),
        }
        self.handle.discard();
    }
}

/// Each verb succeeds as the first operation after `fault`, within its deadline.
async fn each_verb_succeeds_after(store: &impl Housekeeping, mut fault: impl AsyncFnMut()) {
    for verb in VERBS {
        let mut attempt = Attempt::new(store, verb, DEADLINE).await;
        fault().await;
        let began = Instant::now();
        attempt.make().await.unwrap_or_else(|error| panic!("{verb}: {error:?}"));
        assert!(began.elapsed() < DEADLINE, "{verb} took {:?}", began.elapsed());
        println!("{verb}: {:?}", began.elapsed());
        attempt.check(store).await;
    }
}

/// Each verb fails for this reason, within its deadline, and succeeds when it is made again after `repair`. Those that
/// `go_on` do so as if nothing were wrong.
async fn each_verb_fails(
    store: &impl Housekeeping,
    kind: StoreErrorKind,
    go_on: &[&str],
    mut fault: impl AsyncFnMut(),
    mut repair: impl AsyncFnMut(),
) {
    for verb in VERBS {
        let mut attempt = Attempt::new(store, verb, SHORT).await;
        fault().await;
        let began = Instant::now();
        let made = attempt.make().await;
        let took = began.elapsed();
        let goes_on = go_on.contains(&verb);
        if goes_on {
            made.unwrap_or_else(|error| panic!("{verb}: {error:?}"));
        } else {
            let Err(Error::Store(error)) = made else { panic!("{verb}: {made:?}") };
            assert_eq!(error.kind(), kind, "{verb}: {error:?}");
        }
        assert!(took < SHORT + SLACK, "{verb} took {took:?}");
        println!("{verb}: {took:?}");
        repair().await;
        // An update that ended at its deadline may be done nevertheless, and is not made once more here.
        if kind == StoreErrorKind::TimedOut && verb == "update" {
            attempt.handle.discard();
            continue;
        }
        if !goes_on || verb == "load" {
            attempt.make().await.unwrap_or_else(|error| panic!("{verb}, again: {error:?}"));
        }
        attempt.check(store).await;
    }
}

macro_rules! redis {
    ($($line:expr),*) => {
        if redis_server::is_available() { RedisServer::start(&[$($line),*]) } else { return }
    };
}

macro_rules! postgres {
    () => {
        if postgres_server::is_available() { PostgresServer::start(&[]) } else { return }
    };
}

#[tokio::test]
async fn p12_each_verb_succeeds_after_redis_was_killed_and_started_again() {
    let mut server = redis!();
    let store = RedisStore::open(server.url()).await.unwrap();
    each_verb_succeeds_after(&store, async || server.restart()).await;
}

#[tokio::test]
async fn p12_each_verb_succeeds_after_redis_closed_its_idle_connections() {
    let server = redis!("appendonly no");
    let store = RedisStore::open(server.url()).await.unwrap();
    each_verb_succeeds_after(&store, async || drop(server.cli("CLIENT KILL TYPE normal"))).await;
}

#[tokio::test]
async fn p12_each_verb_succeeds_after_the_network_forgot_the_connections_to_redis() {
    let server = redis!("appendonly no");
    let proxy = Proxy::start(&server.address());
    let options = RedisOptions::new(server.url_at(&proxy.address())).response_timeout(SHORT);
    let store = options.open().await.unwrap();
    each_verb_succeeds_after(&store, async || proxy.silence()).await;
}

#[tokio::test]
async fn p12_each_verb_succeeds_after_a_failover_of_redis() {
    let mut servers = [redis!("repl-diskless-sync-delay 0"), redis!("repl-diskless-sync-delay 0")];
    let follow = |replica: &RedisServer, primary: &RedisServer| {
        assert_eq!(replica.cli(&format!("REPLICAOF {}", primary.address().replace(':', " "))), "+OK\r\n");
        // Two replicas will never have it, so each look lasts 10 ms.
        let is_there =
            || primary.cli("WAIT 1 10") == ":1\r\n" && replica.cli("INFO replication").contains("link_status:up");
        assert!((0..1000).any(|_| is_there()), "the replica did not follow");
    };
    follow(&servers[1], &servers[0]);
    let proxy = Proxy::start(&servers[0].address());
    let store = RedisStore::open(servers[0].url_at(&proxy.address())).await.unwrap();
    each_verb_succeeds_after(&store, async || {
        let [old, new] = &servers;
        while new.cli("DBSIZE") != old.cli("DBSIZE") || old.cli("WAIT 1 10") != ":1\r\n" {}
        // The open connection leads to the old primary, which takes no writes any more.
        assert_eq!(new.cli("REPLICAOF NO ONE"), "+OK\r\n");
        follow(old, new);
        proxy.lead_to(&new.address());
        servers.swap(0, 1);
    })
    .await;
}

#[tokio::test]
async fn p12_each_verb_ends_at_its_deadline_while_redis_is_stopped() {
    let server = redis!("appendonly no");
    let store = RedisStore::open(server.url()).await.unwrap();
    each_verb_fails(&store, StoreErrorKind::TimedOut, &[], async || server.stop(), async || server.cont()).await;
}

#[tokio::test]
async fn p07_what_needs_memory_waits_for_room_in_redis() {
    let server = redis!("appendonly no");
    let store = RedisStore::open(server.url()).await.unwrap();
    let limit = |bytes| assert_eq!(server.cli(&format!("CONFIG SET maxmemory {bytes}")), "+OK\r\n");
    each_verb_fails(&store, StoreErrorKind::Full, &["load", "renew", "destroy"], async || limit(1), async || limit(0))
        .await;
}

#[tokio::test]
async fn p07_each_verb_but_a_load_waits_for_a_redis_that_takes_writes() {
    let server = redis!("appendonly no");
    let store = RedisStore::open(server.url()).await.unwrap();
    let follow = |whom| assert_eq!(server.cli(&format!("REPLICAOF {whom}")), "+OK\r\n");
    each_verb_fails(
        &store,
        StoreErrorKind::ReadOnly,
        &["load"],
        async || follow("127.0.0.1 1"),
        async || follow("NO ONE"),
    )
    .await;
}

#[tokio::test]
async fn p12_each_verb_succeeds_after_postgres_was_killed_and_started_again() {
    let mut server = postgres!();
    let store = PostgresStore::open(server.url()).await.unwrap();
    each_verb_succeeds_after(&store, async || {
        server.kill9();
        server.restart(&[]);
    })
    .await;
}

#[tokio::test]
async fn p12_each_verb_succeeds_after_postgres_closed_its_idle_connections() {
    let Some(url) = postgres_server::shared() else { return };
    let (schema, observer) = (fresh_schema(), client(&url).await);
    let named = format!("{url}?application_name={schema}");
    let store = PostgresOptions::new(named).schema(&schema).open().await.unwrap();
    let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = $1";
    each_verb_succeeds_after(&store, async || {
        let ended: i64 = observer.query_one(end, &[&schema]).await.unwrap().get(0);
        assert!(ended > 0);
    })
    .await;
    observer.batch_execute(&format!("DROP SCHEMA {schema} CASCADE")).await.unwrap();
}

#[tokio::test]
async fn p12_each_verb_succeeds_after_the_network_forgot_the_connections_to_postgres() {
    let server = postgres!();
    let proxy = Proxy::start(&server.address());
    let options = PostgresOptions::new(server.url_at(&proxy.address())).response_timeout(SHORT);
    let store = options.open().await.unwrap();
    each_verb_succeeds_after(&store, async || proxy.silence()).await;
}

#[tokio::test]
async fn p12_each_verb_ends_at_its_deadline_while_postgres_is_stopped() {
    let server = postgres!();
    let store = PostgresStore::open(server.url()).await.unwrap();
    each_verb_fails(&store, StoreErrorKind::TimedOut, &[], async || server.stop(), async || server.cont()).await;
}

#[tokio::test]
async fn p07_each_verb_but_a_load_waits_for_a_postgres_that_takes_writes() {
    let server = postgres!();
    let store = PostgresStore::open(server.url()).await.unwrap();
    let server = std::cell::RefCell::new(server);
    let restart = |read_only| server.borrow_mut().restart(&[("default_transaction_read_only", read_only)]);
    each_verb_fails(&store, StoreErrorKind::ReadOnly, &["load"], async || restart("on"), async || restart("off")).await;
}

#[tokio::test]
async fn p07_each_verb_but_a_load_waits_for_room_on_the_disk_of_postgres() {
    let Some(url) = postgres_server::shared() else { return };
    let (schema, observer) = (fresh_schema(), client(&url).await);
    let store = PostgresOptions::new(&url).schema(&schema).open().await.unwrap();
    observer
        .batch_execute(&format!(
            "SET search_path = {schema}; CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$; \
             CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON header EXECUTE FUNCTION full_disk(); \
             ALTER TABLE header DISABLE TRIGGER full_disk"
        ))
        .await
        .unwrap();
    let turn = async |what: &str| {
        observer.batch_execute(&format!("ALTER TABLE header {what} TRIGGER full_disk")).await.unwrap();
    };
    each_verb_fails(
        &store,
        StoreErrorKind::Full,
        &["load"],
        async || turn("ENABLE").await,
        async || turn("DISABLE").await,
    )
    .await;
    observer.batch_execute(&format!("DROP SCHEMA {schema} CASCADE")).await.unwrap();
}

#[tokio::test]
async fn p07_each_verb_but_a_load_waits_for_a_lock_on_the_file_of_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sessions.db");
    let store = SqliteOptions::new(&file).busy_timeout(Duration::from_millis(200)).open().await.unwrap();
    let other = rusqlite::Connection::open(&file).unwrap();
    each_verb_fails(
        &store,
        StoreErrorKind::Busy,
        &["load"],
        async || other.execute_batch("BEGIN IMMEDIATE").unwrap(),
        async || other.execute_batch("ROLLBACK").unwrap(),
    )
    .await;
}
