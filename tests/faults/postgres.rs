//! [`PostgresStore`] when its server is killed, stopped, cut off, full, read-only, or holds what it did not write.

use std::time::Duration;

use session_runtime::expiry::ClockOffset;
use session_runtime::store::{
    Base, Change, Commit, Head, Housekeeping, Key, Load, PostgresOptions, PostgresStore, Reply, Store, StoreErrorKind,
};
use session_tests::Events;
use session_tests::commits::{
    self, HALF_AN_HOUR, NOTHING, agree, applied, key, load, record, renewing, set, value, write,
};
use session_tests::postgres_server::{PostgresServer, client, fresh_schema, is_available, shared};
use session_tests::proxy::Proxy;
use tokio::net::{TcpListener, TcpStream};
use tokio_postgres::Client;

/// A server that a test may break.
macro_rules! server {
    ($($setting:expr),*) => {
        if is_available() { PostgresServer::start(&[$($setting),*]) } else { return }
    };
}

/// A schema on the server that all tests share.
macro_rules! place {
    () => {
        match shared() {
            Some(url) => (url, fresh_schema()),
            None => return,
        }
    };
}

/// What has a row of its own.
const LARGE: &[u8] = &[b'1'; 200];

mod locks;
mod sharing;

/// Creates the first session.
async fn create(store: &PostgresStore, key: &Key, changes: Vec<Change>) -> Head {
    agree(store).await;
    commits::create(store, key, changes).await
}

async fn open(url: &str, schema: &str) -> (PostgresStore, Client) {
    let store = PostgresOptions::new(url).schema(schema).open().await.unwrap();
    agree(&store).await;
    let client = client(url).await;
    client.batch_execute(&format!("SET search_path = {schema}")).await.unwrap();
    (store, client)
}

async fn clear(client: &Client, schema: &str) {
    client.batch_execute(&format!("DROP SCHEMA {schema} CASCADE")).await.unwrap();
}

async fn found(store: &PostgresStore, key: &Key) -> session_runtime::store::Record {
    record(store.load(key, load(HALF_AN_HOUR)).await.unwrap())
}

async fn apply(store: &PostgresStore, key: &Key, commit: &Commit) -> Head {
    applied(store.commit(key, commit).await.unwrap()).head.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn p07_every_acknowledged_commit_is_there_after_kill_9() {
    let mut server = server!();
    let store = PostgresStore::open(server.url()).await.unwrap();
    for round in 0..3 {
        let mut writers = tokio::task::JoinSet::new();
        for writer in 0..4 {
            let store = store.clone();
            writers.spawn(async move {
                let key = key(&format!("{round} {writer}"));
                let mut head = create(&store, &key, vec![set("visits", "0")]).await;
                for visit in 1.. {
                    let commit = write((&head).into(), vec![set("visits", visit.to_string())]);
                    match store.commit(&key, &commit).await {
                        Ok(reply) => head = applied(reply).head.unwrap(),
                        Err(error) => return (key, commit, visit, error),
                    }
                }
                unreachable!()
            });
        }
        let reader = store.clone();
        let reads = tokio::spawn(async move {
            loop {
                if let Err(error) = reader.load(&key("nobody"), load(HALF_AN_HOUR)).await {
                    return error;
                }
            }
        });
        while store.count("Visitor", ClockOffset(0)).await.unwrap() < 4 * (round + 1) {}
        server.kill9();
        let mut broken = Vec::new();
        while let Some(writer) = writers.join_next().await {
            let (key, commit, visit, error) = writer.unwrap();
            assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error:?}");
            broken.push((key, commit, visit));
        }
        assert_eq!(reads.await.unwrap().kind(), StoreErrorKind::Unavailable);
        server.restart(&[]);
        for (key, commit, visit) in broken {
            // All that was acknowledged, and perhaps the commit whose answer is missing.
            let record = found(&store, &key).await;
            assert!([visit, visit + 1].contains(&record.head.revision), "{} of {visit}", record.head.revision);
            let head = apply(&store, &key, &commit).await;
            assert_eq!(head.revision, visit + 1);
            assert_eq!(value(&found(&store, &key).await, "visits").unwrap(), visit.to_string());
        }
    }
}

#[tokio::test]
async fn p07_calls_to_a_stopped_server_time_out_and_work_again_when_it_goes_on() {
    let server = server!();
    let store = PostgresOptions::new(server.url()).response_timeout(Duration::from_secs(1)).open().await.unwrap();
    let key = key("42");
    let head = create(&store, &key, vec![set("visits", "0")]).await;
    let commit = write((&head).into(), vec![set("visits", "1")]);

    server.stop();
    // It is sent on an open connection, so it may be applied when the server goes on.
    let error = store.commit(&key, &commit).await.unwrap_err();
    assert_eq!((error.kind(), error.is_not_applied()), (StoreErrorKind::TimedOut, false));
    let error = store.load(&key, load(HALF_AN_HOUR)).await.unwrap_err();
    assert_eq!((error.kind(), error.is_not_applied()), (StoreErrorKind::TimedOut, true));
    server.cont();

    let head = loop {
        match store.commit(&key, &commit).await {
            Ok(reply) => break applied(reply).head.unwrap(),
            Err(error) => assert_eq!(error.kind(), StoreErrorKind::TimedOut),
        }
    };
    assert_eq!(head.revision, 2);
    let record = found(&store, &key).await;
    assert_eq!((record.head.revision, value(&record, "visits").unwrap()), (2, "1".into()));
}

#[tokio::test]
async fn p07_a_commit_whose_connection_is_cut_before_the_answer_is_applied_once() {
    let server = server!();
    let proxy = Proxy::start(&server.address());
    // A disk that stands still for a while is no answer that is lost: only what the proxy cuts is sent again here.
    let options = PostgresOptions::new(server.url_at(&proxy.address())).connections(1);
    let store = options.response_timeout(Duration::from_secs(200)).open().await.unwrap();
    let key = key("42");
    let head = create(&store, &key, vec![set("visits", "first")]).await;
    // The first commit of its kind also prepares the statement.
    let mut head = apply(&store, &key, &write((&head).into(), vec![set("visits", "0")])).await;
    let mut repeated = 0;
    for visit in 1..=1000 {
        let commit = write((&head).into(), vec![set("visits", visit.to_string())]);
        proxy.cut_after(0);
        // The store sends it again by itself.
        let answer = applied(store.commit(&key, &commit).await.unwrap());
        repeated += u32::from(answer.repeated);
        head = answer.head.unwrap();
        assert_eq!(head.revision, visit + 2);
    }
    let record = found(&store, &key).await;
    assert_eq!((record.head.revision, value(&record, "visits").unwrap()), (1002, "1000".into()));
    // The proxy cuts when the server answers, so each that was cut had been applied. Now and then the last word of the
    // connection that was cut before takes the place of the commit, which is then not cut.
    assert_eq!(u64::from(repeated), proxy.cuts());
    assert!(proxy.cuts() > 900, "{}", proxy.cuts());
}

#[tokio::test]
async fn a_read_only_server_serves_loads_and_refuses_commits() {
    let mut server = server!();
    let store = PostgresStore::open(server.url()).await.unwrap();
    let head = create(&store, &key("42"), vec![set("a", "1")]).await;
    server.restart(&[("default_transaction_read_only", "on")]);
    let store = PostgresStore::open(server.url()).await.unwrap();
    assert_eq!(found(&store, &key("42")).await.head, head);
    let error = store.commit(&key("42"), &write((&head).into(), vec![set("a", "2")])).await.unwrap_err();
    assert_eq!((error.kind(), error.is_not_applied()), (StoreErrorKind::ReadOnly, true));
    let late = Load::touch(HALF_AN_HOUR, ClockOffset(400_000));
    let loaded = store.load(&key("42"), late).await.unwrap();
    assert_eq!((loaded.touched, record(loaded).head), (false, head), "a load moves no expiry here");
    assert_eq!(value(&found(&store, &key("42")).await, "a").unwrap(), "1");
}

#[tokio::test]
async fn what_keeps_a_store_from_connecting_is_told() {
    let server = server!();
    let role = "CREATE ROLE app LOGIN PASSWORD 'right'";
    client(&server.url()).await.batch_execute(role).await.unwrap();
    for (url, kind) in [
        (server.url().replace("postgres@", "app:secret@"), StoreErrorKind::Denied),
        (server.url().replace("postgres@", "nobody:secret@"), StoreErrorKind::Denied),
        (server.url().replace("postgres@", "app:right@"), StoreErrorKind::Denied),
        (server.url() + "_that_is_missing", StoreErrorKind::Configuration),
        ("postgres://postgres:secret@127.0.0.1:1/postgres".to_owned(), StoreErrorKind::Unavailable),
        ("postgres://postgres:secret@127.0.0.1:port/postgres".to_owned(), StoreErrorKind::Configuration),
        ("nonsense".to_owned(), StoreErrorKind::Configuration),
    ] {
        let error = PostgresStore::open(&url).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{url}: {error:?}");
        assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
        if kind != StoreErrorKind::Configuration {
            assert!(error.is_not_applied(), "{error:?}");
        }
    }
}

#[tokio::test]
async fn p11_what_the_store_did_not_write_is_an_error_and_stays_as_it_is() {
    let (url, schema) = place!();
    let (store, client) = open(&url, &schema).await;
    let key = key("42");
    for (column, foreign) in [
        ("state", "9"),
        ("revision", "0"),
        ("version", "-1"),
        ("version", "4294967296"),
        ("commits", "'{}'"),
        ("commits", "'{1,NULL}'"),
        ("commits", "'{1,2,3,4,5,6,7,8,9}'"),
        ("commits", "'{{1},{2}}'"),
        ("commits", "'[2:3]={1,2}'"),
        ("fields", "'[]'"),
        ("fields", "'\"a\"'"),
    ] {
        client.batch_execute("TRUNCATE header, field").await.unwrap();
        let head = create(&store, &key, vec![set("a", "1"), set("b", LARGE)]).await;
        client.execute(&format!("UPDATE header SET {column} = {foreign}"), &[]).await.unwrap();
        let all = "SELECT header::text || field::text FROM header, field";
        let before: String = client.query_one(all, &[]).await.unwrap().get(0);

        let moving = renewing(write(NOTHING, vec![set("a", "2")]), &key);
        // Soon enough to leave its end where it is, so late that it is due to be moved, and without a touch.
        let due = Load::touch(HALF_AN_HOUR, ClockOffset(10 * 60_000));
        let errors = [
            store.load(&key, load(HALF_AN_HOUR)).await.unwrap_err(),
            store.load(&key, due).await.unwrap_err(),
            store.load(&key, Load::look(ClockOffset(0))).await.unwrap_err(),
            store.commit(&key, &write((&head).into(), vec![set("a", "2")])).await.unwrap_err(),
            store.commit(&self::key("elsewhere"), &moving).await.unwrap_err(),
        ];
        for error in errors {
            assert_eq!((error.kind(), error.is_not_applied()), (StoreErrorKind::Corrupt, true), "{error:?}");
            assert!(error.to_string().contains(&format!("`{column}`")), "{error}");
        }
        let after: String = client.query_one(all, &[]).await.unwrap().get(0);
        assert_eq!(after, before);
    }
    clear(&client, &schema).await;
}

#[tokio::test]
async fn p11_foreign_fields_and_keys_are_errors_that_name_them() {
    let (url, schema) = place!();
    let (store, client) = open(&url, &schema).await;
    create(&store, &key("42"), vec![set("a", LARGE)]).await;
    client.execute("INSERT INTO field SELECT name, key, incarnation, '#foreign', value FROM field", &[]).await.unwrap();
    let error = store.load(&key("42"), load(HALF_AN_HOUR)).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    assert!(error.to_string().contains("`#foreign`"), "{error}");
    // Nor is what stands among the fields of a header.
    for (fields, named) in
        [(r##"{"#foreign": "1"}"##, "`#foreign`"), (r#"{"a": 1}"#, "`fields`"), (r##"{"a": "#0"}"##, "`fields`")]
    {
        client.execute(&format!("UPDATE header SET fields = '{fields}', has_rows = false"), &[]).await.unwrap();
        let error = store.load(&key("42"), load(HALF_AN_HOUR)).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Corrupt);
        assert!(error.to_string().contains(named), "{error}");
    }
    client.batch_execute("UPDATE header SET fields = '{}', has_rows = true").await.unwrap();

    // A row of another life of the key is no part of the session.
    client.batch_execute("UPDATE field SET incarnation = 1 WHERE field = '#foreign'").await.unwrap();
    assert_eq!(found(&store, &key("42")).await.fields.len(), 1);

    client.batch_execute(r"UPDATE header SET key = '\xff'").await.unwrap();
    let error = store.keys("Visitor", None, 10, ClockOffset(0)).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    assert!(error.to_string().contains("`key`"), "{error}");

    client.batch_execute("ALTER TABLE header ALTER COLUMN version TYPE text").await.unwrap();
    client.batch_execute("UPDATE header SET key = '42', version = 'one'").await.unwrap();
    let error = store.load(&key("42"), load(HALF_AN_HOUR)).await.unwrap_err();
    assert!(matches!(error.kind(), StoreErrorKind::Incompatible | StoreErrorKind::Corrupt), "{error:?}");
    clear(&client, &schema).await;
}

#[tokio::test]
async fn a_server_that_may_lose_acknowledged_commits_is_warned_of() {
    for (fsync, synchronous_commit, warns) in [("on", "on", false), ("off", "on", true), ("on", "off", true)] {
        let server = server!(("fsync", fsync), ("synchronous_commit", synchronous_commit));
        let (events, _guard) = Events::capture();
        PostgresStore::open(server.url()).await.unwrap();
        let told = events.take_warnings().iter().any(|line| line.contains("set up to lose acknowledged commits"));
        assert_eq!(told, warns, "fsync {fsync}, synchronous_commit {synchronous_commit}");
    }
}

/// Raised by a trigger in place of a server in trouble.
#[tokio::test]
async fn errors_of_the_server_say_what_to_do() {
    let (url, schema) = place!();
    let (store, client) = open(&url, &schema).await;
    let head = create(&store, &key("42"), vec![set("a", "1"), set("b", LARGE)]).await;
    client
        .batch_execute(
            "CREATE TABLE trouble (code text); INSERT INTO trouble VALUES (''); \
             CREATE FUNCTION trouble() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             RAISE EXCEPTION 'in trouble' USING ERRCODE = (SELECT code FROM trouble), DETAIL = 'secret'; END $$; \
             ALTER FUNCTION trouble SET search_path FROM CURRENT; \
             CREATE TRIGGER trouble BEFORE UPDATE ON field FOR EACH ROW EXECUTE FUNCTION trouble()",
        )
        .await
        .unwrap();
    for (code, kind) in [
        ("53100", StoreErrorKind::Full),
        ("53200", StoreErrorKind::Full),
        ("53300", StoreErrorKind::Busy),
        ("25006", StoreErrorKind::ReadOnly),
        ("42501", StoreErrorKind::Denied),
        ("28000", StoreErrorKind::Denied),
        // After some more attempts.
        ("40001", StoreErrorKind::Busy),
        ("40P01", StoreErrorKind::Busy),
        ("55P03", StoreErrorKind::Busy),
        ("57014", StoreErrorKind::TimedOut),
        ("57P01", StoreErrorKind::Unavailable),
        ("42P01", StoreErrorKind::Incompatible),
        ("XX000", StoreErrorKind::Other),
    ] {
        client.execute("UPDATE trouble SET code = $1", &[&code]).await.unwrap();
        // The header was changed before the row is.
        let commit = write((&head).into(), vec![set("a", "2"), set("b", LARGE)]);
        let error = store.commit(&key("42"), &commit).await.unwrap_err();
        assert_eq!((error.kind(), error.is_not_applied()), (kind, true), "{error:?}");
        assert!(!format!("{error:?}").contains("secret"), "{error:?}");
        let unchanged = found(&store, &key("42")).await;
        assert_eq!((unchanged.head, value(&unchanged, "a").unwrap()), (head, "1".into()));
    }
    clear(&client, &schema).await;
}

/// A database whose default would make an error of each wait for another commit.
#[tokio::test(flavor = "multi_thread")]
async fn p05_whatever_isolation_a_database_defaults_to_no_writer_notices() {
    for isolation in ["repeatable read", "serializable"] {
        let server = server!(("default_transaction_isolation", isolation));
        let prepared = PostgresStore::open(server.url()).await.unwrap();
        agree(&prepared).await;
        // One that was never prepared learns it from the first error.
        let unprepared = PostgresOptions::new(server.url()).build().unwrap();
        let pooled = PostgresOptions::new(server.url()).behind_pooler(true).build().unwrap();
        let mut writers = tokio::task::JoinSet::new();
        for store in [&prepared, &prepared, &unprepared, &unprepared, &pooled, &pooled] {
            let store = store.clone();
            writers.spawn(async move {
                let mut done = 0;
                let mut base: Base = NOTHING;
                while done < 25 {
                    match store.commit(&key("42"), &write(base, vec![set("a", "1")])).await.unwrap() {
                        Reply::Applied(applied) => {
                            done += 1;
                            base = (&applied.head.unwrap()).into();
                        }
                        Reply::Conflict(record) => base = (&record.head).into(),
                        other => panic!("{other:?}"),
                    }
                }
            });
        }
        writers.join_all().await;
        assert_eq!(found(&prepared, &key("42")).await.head.revision, 150);
    }
}

/// The last commit is compared too, not the number alone.
#[tokio::test]
async fn p07_a_commit_that_was_sent_again_too_late_to_be_known_is_not_applied_twice() {
    let server = server!();
    let (proxy, door) = (Proxy::start(&server.address()), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let others = PostgresOptions::new(server.url()).open().await.unwrap();
    let options = PostgresOptions::new(server.url_at(&proxy.address())).connections(1);
    let store = options.response_timeout(Duration::from_secs(200)).open().await.unwrap();
    let key = key("42");
    let head = create(&store, &key, vec![set("visits", "0")]).await;

    // The first time it is applied, and the way to the second is held up until many others have committed.
    proxy.cut_after(0);
    proxy.lead_to(&door.local_addr().unwrap().to_string());
    let commit = write((&head).into(), vec![set("visits", "1")]);
    let meanwhile = async {
        let (mut waiting, _) = door.accept().await.unwrap();
        for visit in 2..=10 {
            let head = found(&others, &key).await.head;
            apply(&others, &key, &write((&head).into(), vec![set("visits", visit.to_string())])).await;
        }
        let mut open = TcpStream::connect(server.address()).await.unwrap();
        let _ = tokio::io::copy_bidirectional(&mut waiting, &mut open).await;
    };
    let answer = tokio::select! {
        answer = store.commit(&key, &commit) => answer,
        () = meanwhile => panic!("the connection is kept"),
    };

    // A conflict would say that it was not applied, and the session would put it on top of the others once more.
    let error = answer.unwrap_err();
    assert!(error.kind().is_transient() && !error.is_not_applied(), "{error}");
    assert_eq!(value(&found(&others, &key).await, "visits").unwrap(), "10");
}

#[tokio::test]
async fn p07_a_revision_that_comes_round_again_after_a_failover_is_no_base() {
    let (url, schema) = place!();
    let (store, client) = open(&url, &schema).await;
    let head = create(&store, &key("42"), vec![set("a", "1")]).await;
    let before = "CREATE TABLE before AS SELECT * FROM header; CREATE TABLE fields_before AS SELECT * FROM field";
    client.batch_execute(before).await.unwrap();
    let lost = apply(&store, &key("42"), &write((&head).into(), vec![set("a", "lost")])).await;
    // A server that was promoted without the last commit.
    let failover = "TRUNCATE header, field; INSERT INTO header SELECT * FROM before; \
                    INSERT INTO field SELECT * FROM fields_before";
    client.batch_execute(failover).await.unwrap();
    let kept = apply(&store, &key("42"), &write((&head).into(), vec![set("a", "kept")])).await;
    assert_eq!(lost.revision, kept.revision);
    let reply = store.commit(&key("42"), &write((&lost).into(), vec![set("a", "2")])).await.unwrap();
    assert!(matches!(reply, Reply::Conflict(_)), "{reply:?}");
    assert_eq!(value(&found(&store, &key("42")).await, "a").unwrap(), "kept");
    clear(&client, &schema).await;
}

/// A firewall that forgot all connections: it passes on what is sent on new ones only.
#[tokio::test]
async fn p12_a_network_that_forgot_its_connections_costs_an_operation_one_of_them() {
    let server = server!();
    let proxy = Proxy::start(&server.address());
    let options = PostgresOptions::new(server.url_at(&proxy.address())).connections(4);
    let store = options.response_timeout(Duration::from_secs(2)).open().await.unwrap();
    let head = create(&store, &key("42"), vec![set("a", "1")]).await;
    // Four writes at once have a connection each.
    let create_four = async |prefix: &'static str| {
        let mut writes = tokio::task::JoinSet::new();
        for number in 0..4 {
            let (store, key) = (store.clone(), key(&format!("{prefix} {number}")));
            writes.spawn(async move { commits::create(&store, &key, vec![set("a", "1")]).await });
        }
        writes.join_all().await;
    };
    create_four("before").await;
    assert_eq!(proxy.connections(), 4);
    proxy.silence();
    let before = proxy.connections();
    let commit = write((&head).into(), vec![set("a", "2")]);
    let answer = applied(store.commit(&key("42"), &commit).await.unwrap());
    assert_eq!(answer.head.unwrap().revision, 2);
    // One in place of the dead one, and one on which the server is asked to stop what it never heard of.
    while proxy.connections() < before + 2 {
        tokio::task::yield_now().await;
    }
    for _ in 0..8 {
        assert_eq!(value(&found(&store, &key("42")).await, "a").unwrap(), "2");
    }
    create_four("after").await;
    assert_eq!(proxy.connections(), before + 2 + 3, "three new ones: the other dead ones are not even tried");
}

/// Whoever waits for a new connection in place of a dead one holds up nobody who can do without.
#[tokio::test]
async fn p12_others_go_on_while_nobody_gets_through_to_open_a_new_connection() {
    let server = server!();
    let (proxy, door) = (Proxy::start(&server.address()), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let options = PostgresOptions::new(server.url_at(&proxy.address())).connections(2);
    let options = options.pool_timeout(Duration::from_secs(1)).response_timeout(Duration::from_secs(200));
    let store = options.open().await.unwrap();
    create(&store, &key("42"), vec![set("a", "1")]).await;
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..16 {
        let (store, key) = (store.clone(), key(&format!("writer {writer}")));
        // All but the first conflict.
        writers.spawn(async move { while store.commit(&key, &write(NOTHING, vec![set("a", "1")])).await.is_ok() {} });
    }
    while proxy.connections() < 2 {
        tokio::task::yield_now().await;
    }
    proxy.lead_to(&door.local_addr().unwrap().to_string());
    let one = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
               WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() LIMIT 1";
    client(&server.url()).await.batch_execute(one).await.unwrap();
    let (_waiting, _) = door.accept().await.unwrap();
    for _ in 0..100 {
        assert_eq!(value(&found(&store, &key("42")).await, "a").unwrap(), "1");
    }
    writers.shutdown().await;
}

/// As a server or a balancer does that closes what rests for long.
#[tokio::test]
async fn p12_connections_that_were_closed_while_they_rested_cost_nobody_an_error() {
    let (url, schema) = place!();
    let (store, client) = open(&url, &schema).await;
    let head = create(&store, &key("42"), vec![set("a", "1")]).await;
    let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
               WHERE pid <> pg_backend_pid() AND application_name = $1";
    let name = format!("app {schema}");
    let named = format!("{url}?application_name={}", name.replace(' ', "%20"));
    let store_of_its_own = PostgresOptions::new(named).schema(&schema).build().unwrap();
    let mut head = head;
    for round in 0..10 {
        assert_eq!(found(&store_of_its_own, &key("42")).await.head, head);
        let ended: i64 = client.query_one(end, &[&name]).await.unwrap().get(0);
        assert_eq!(ended, 1);
        head = apply(&store_of_its_own, &key("42"), &write((&head).into(), vec![set("a", round.to_string())])).await;
        let ended: i64 = client.query_one(end, &[&name]).await.unwrap().get(0);
        assert_eq!(ended, 1);
        let renewed = key(&format!("renewed {round}"));
        let moving = renewing(write((&head).into(), vec![]), &renewed);
        let there = apply(&store_of_its_own, &key("42"), &moving).await;
        let _: i64 = client.query_one(end, &[&name]).await.unwrap().get(0);
        let back = renewing(write((&there).into(), vec![]), &key("42"));
        head = apply(&store_of_its_own, &renewed, &back).await;
    }
    clear(&client, &schema).await;
}

/// Each test has a runtime of its own; so has a program that blocks on several.
#[test]
fn p12_the_first_operation_in_another_runtime_succeeds() {
    let (url, schema) = place!();
    let store = PostgresOptions::new(&url).schema(&schema).build().unwrap();
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let first = runtime();
    first.block_on(store.prepare()).unwrap();
    let head = first.block_on(create(&store, &key("42"), vec![set("a", "1")]));
    let second = runtime();
    assert_eq!(second.block_on(found(&store, &key("42"))).head, head);
    drop(first);
    runtime().block_on(async {
        assert_eq!(found(&store, &key("42")).await.head, head);
        clear(&client(&url).await, &schema).await;
    });
}

#[tokio::test]
async fn p08_a_database_that_is_not_utf8_is_refused_by_name() {
    let (url, schema) = place!();
    let admin = client(&url).await;
    let sql = format!("CREATE DATABASE {schema} ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'");
    admin.batch_execute(&sql).await.unwrap();
    let (server, _) = url.rsplit_once('/').unwrap();
    let error = PostgresStore::open(format!("{server}/{schema}")).await.unwrap_err();
    assert_eq!((error.kind(), error.is_not_applied()), (StoreErrorKind::Incompatible, true));
    assert!(error.to_string().contains("encoded as LATIN1"), "{error}");
    admin.batch_execute(&format!("DROP DATABASE {schema} WITH (FORCE)")).await.unwrap();
}
