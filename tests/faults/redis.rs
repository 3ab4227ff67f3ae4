//! Redis killed, stopped, cut off, full, read-only, locked, forgetful, and holding what others wrote.

use std::time::Duration;

use session_runtime::expiry::{ClockOffset, Lifetime};
use session_runtime::store::{
    Action, Base, Change, CommitId, Ended, ExpiryChange, Found, Head, Key, Load, Record, RedisOptions, RedisStore,
    RegistrationId, Reply, Store, StoreError, StoreErrorKind, Write,
};
use session_tests::commits::{
    self, FOREVER, HALF_AN_HOUR, NOTHING, agree, applied, destroying, key, living, load, record, renewing, set, unset,
    value, write,
};
use session_tests::proxy::Proxy;
use session_tests::redis_server::{RedisServer, is_available};

/// A server of the test's own; says that the test is left out if there is none.
macro_rules! server {
    ($($line:expr),*) => {
        if is_available() { RedisServer::start(&[$($line),*]) } else { return }
    };
}

/// Creates the first session.
async fn create(store: &RedisStore, key: &Key, changes: Vec<Change>) -> Head {
    agree(store).await;
    commits::create(store, key, changes).await
}

async fn open(server: &RedisServer) -> RedisStore {
    RedisStore::open(server.url()).await.unwrap()
}

/// A load whose touch is due.
fn late() -> Load {
    Load::touch(HALF_AN_HOUR, ClockOffset(600_000))
}

fn number(record: &Record) -> u32 {
    std::str::from_utf8(&value(record, "n").unwrap()).unwrap().parse().unwrap()
}

/// Loads until the server is back, for a bounded number of times.
async fn load_when_back(store: &RedisStore, id: &str) -> Record {
    for _ in 0..100 {
        if let Ok(loaded) = store.load(&key(id), load(HALF_AN_HOUR)).await {
            return record(loaded);
        }
    }
    panic!("the store did not recover");
}

#[tokio::test]
async fn p07_what_was_acknowledged_is_there_after_kill_9_and_nothing_is_doubled() {
    let mut server = server!();
    let store = open(&server).await;
    let mut base = Base::from(&create(&store, &key("1"), vec![set("n", "0")]).await);
    let mut counted: u32 = 0;
    for round in 0..5 {
        // Commits follow each other until the server dies under them.
        let writer = tokio::spawn({
            let store = store.clone();
            async move {
                let mut acknowledged = 0;
                loop {
                    let commit = write(base, vec![set("n", (counted + acknowledged + 1).to_string())]);
                    match store.commit(&key("1"), &commit).await {
                        Ok(reply) => base = Base::from(&applied(reply).head.unwrap()),
                        Err(error) => return (acknowledged, commit, error),
                    }
                    acknowledged += 1;
                }
            }
        });
        while number(&load_when_back(&store, "1").await) < counted + 20 * (round + 1) {}
        server.kill9();
        let (acknowledged, pending, error) = writer.await.unwrap();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error:?}");
        counted += acknowledged;
        server.restart();

        let kept = number(&load_when_back(&store, "1").await);
        assert!(kept == counted || kept == counted + 1, "{counted} were acknowledged, {kept} are there");
        // Sent again, the commit without an answer is applied once.
        let reply = applied(store.commit(&key("1"), &pending).await.unwrap());
        assert_eq!(reply.repeated, kept == counted + 1);
        counted += 1;
        let loaded = load_when_back(&store, "1").await;
        assert_eq!(value(&loaded, "n").unwrap(), counted.to_string());
        base = Base::from(&loaded.head);
    }
}

#[tokio::test]
async fn p07_a_stopped_server_times_out_and_a_write_it_applies_later_is_found_by_its_id() {
    let server = server!();
    let store = RedisOptions::new(server.url()).response_timeout(Duration::from_millis(200)).open().await.unwrap();
    let head = create(&store, &key("1"), vec![set("n", "0")]).await;
    let commit = write(Base::from(&head), vec![set("n", "1")]);

    server.stop();
    let error = store.commit(&key("1"), &commit).await.unwrap_err();
    assert_eq!((error.kind(), error.is_not_applied()), (StoreErrorKind::TimedOut, false));
    let error = store.load(&key("1"), load(HALF_AN_HOUR)).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::TimedOut);
    server.cont();

    let mut loaded = load_when_back(&store, "1").await;
    for _ in 0..1000 {
        if loaded.head.revision == 2 {
            break;
        }
        loaded = load_when_back(&store, "1").await;
    }
    assert_eq!(value(&loaded, "n").unwrap(), "1", "the server applied it after the timeout");
    assert!(applied(store.commit(&key("1"), &commit).await.unwrap()).repeated);
    assert_eq!(load_when_back(&store, "1").await.head.revision, 2);
}

#[tokio::test]
async fn p07_a_thousand_cuts_between_request_and_answer_leave_the_counter_exact() {
    let server = server!("appendonly no");
    let proxy = Proxy::start(&server.address());
    let store = RedisStore::open(server.url_at(&proxy.address())).await.unwrap();
    let mut base = Base::from(&create(&store, &key("1"), vec![set("n", "0")]).await);
    for n in 1..=1000 {
        let commit = write(base, vec![set("n", n.to_string())]);
        proxy.cut_after(0);
        // It is sent again, and found by its id.
        let reply = applied(store.commit(&key("1"), &commit).await.unwrap());
        assert!(reply.repeated, "cut {n}");
        base = Base::from(&reply.head.unwrap());
    }
    assert_eq!(proxy.cuts(), 1000);
    let loaded = record(store.load(&key("1"), load(HALF_AN_HOUR)).await.unwrap());
    assert_eq!(value(&loaded, "n").unwrap(), "1000");
    assert_eq!(loaded.head.revision, 1001);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable_and_is_found_when_it_comes() {
    let mut server = server!();
    server.kill9();
    let store = RedisOptions::new(server.url()).build().unwrap();
    let error = store.commit(&key("1"), &write(NOTHING, vec![set("a", "1")])).await.unwrap_err();
    assert_eq!((error.kind(), error.is_not_applied()), (StoreErrorKind::Unavailable, true), "{error:?}");
    server.restart();
    create(&store, &key("1"), vec![set("a", "1")]).await;
}

/// Loads and commits, as the first thing after `fault`; neither fails, and the commit is applied once.
async fn goes_on_after(store: &RedisStore, id: &str, mut fault: impl FnMut()) {
    let head = create(store, &key(id), vec![set("n", "0")]).await;
    fault();
    let loaded = record(store.load(&key(id), load(HALF_AN_HOUR)).await.unwrap());
    assert_eq!(loaded.head, head);
    fault();
    let head =
        applied(store.commit(&key(id), &write(Base::from(&head), vec![set("n", "1")])).await.unwrap()).head.unwrap();
    fault();
    let renewal = renewing(write(Base::from(&head), vec![set("n", "2")]), &key(&format!("{id} renewed")));
    let head = applied(store.commit(&key(id), &renewal).await.unwrap()).head.unwrap();
    let loaded = record(store.load(&key(&format!("{id} renewed")), load(HALF_AN_HOUR)).await.unwrap());
    assert_eq!((number(&loaded), loaded.head), (2, head));
    fault();
    let destruction = destroying(write(Base::from(&head), Vec::new()));
    let reply = applied(store.commit(&key(&format!("{id} renewed")), &destruction).await.unwrap());
    assert!(reply.was_stored && !reply.is_stored);
}

#[tokio::test]
async fn p12_the_first_operation_after_the_server_closed_idle_connections_succeeds() {
    let server = server!();
    let store = open(&server).await;
    goes_on_after(&store, "1", || drop(server.cli("CLIENT KILL TYPE normal"))).await;
}

#[tokio::test]
async fn p12_the_first_operation_after_a_restart_succeeds() {
    let mut server = server!();
    let store = open(&server).await;
    goes_on_after(&store, "1", || server.restart()).await;
}

#[tokio::test]
async fn p12_an_operation_meets_one_connection_at_most_that_the_network_has_forgotten() {
    let server = server!();
    let proxy = Proxy::start(&server.address());
    let options = RedisOptions::new(server.url_at(&proxy.address())).response_timeout(Duration::from_secs(1));
    let store = options.open().await.unwrap();
    goes_on_after(&store, "1", || proxy.silence()).await;
    assert_eq!(proxy.connections(), 5);
}

#[tokio::test]
async fn p12_all_who_wait_for_a_silent_server_wait_for_the_same_connections() {
    let server = server!();
    let proxy = Proxy::start(&server.address());
    let options = RedisOptions::new(server.url_at(&proxy.address())).response_timeout(Duration::from_secs(1));
    let store = options.open().await.unwrap();
    create(&store, &key("1"), vec![set("n", "0")]).await;
    let before = proxy.connections();
    proxy.silence_for_good();
    let waiting: Vec<_> = (0..20)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.load(&key("1"), load(HALF_AN_HOUR)).await.unwrap_err() })
        })
        .collect();
    for waiting in waiting {
        assert_eq!(waiting.await.unwrap().kind(), StoreErrorKind::TimedOut);
    }
    let made = proxy.connections() - before;
    assert!((1..=3).contains(&made), "each was sent once more, all on two connections: {made}");
    proxy.silence();
    assert_eq!(number(&load_when_back(&store, "1").await), 0);
}

/// Twenty loads at once, all of which succeed.
async fn crowd(store: &RedisStore) {
    let mut loads = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let store = store.clone();
        loads.spawn(async move { store.load(&key("1"), load(HALF_AN_HOUR)).await.unwrap() });
    }
    loads.join_all().await;
}

/// Twenty sessions that are loaded and created at once.
async fn committing_crowd(store: &RedisStore) {
    let mut commits = tokio::task::JoinSet::new();
    for number in 0..20 {
        let (store, key) = (store.clone(), key(&format!("committed {number}")));
        commits.spawn(async move {
            store.load(&key, load(HALF_AN_HOUR)).await.unwrap();
            store.commit(&key, &write(NOTHING, vec![set("n", "0")])).await.unwrap()
        });
    }
    commits.join_all().await;
}

#[tokio::test]
async fn a_crowd_shares_two_connections_or_three_when_some_commit_and_one_task_alone_has_one() {
    let server = server!();
    let proxy = Proxy::start(&server.address());
    let store = RedisStore::open(server.url_at(&proxy.address())).await.unwrap();
    create(&store, &key("1"), vec![set("n", "0")]).await;
    assert_eq!(proxy.connections(), 1);
    for _ in 0..3 {
        crowd(&store).await;
        assert_eq!(proxy.connections(), 2);
    }
    for _ in 0..3 {
        committing_crowd(&store).await;
        crowd(&store).await;
        assert_eq!(proxy.connections(), 3);
    }
}

#[tokio::test]
async fn p12_a_crowd_is_served_where_the_server_allows_no_second_connection() {
    let server = server!();
    let proxy = Proxy::start(&server.address());
    let store = RedisStore::open(server.url_at(&proxy.address())).await.unwrap();
    create(&store, &key("1"), vec![set("n", "0")]).await;
    assert!(server.cli("CONFIG SET maxclients 1").contains("OK"));
    for _ in 0..3 {
        crowd(&store).await;
        assert_eq!(proxy.connections(), 2, "the server is not asked again and again");
    }
}

#[tokio::test]
async fn p12_after_a_failover_the_store_finds_the_new_primary_by_the_same_address() {
    let old = server!("repl-diskless-sync-delay 0");
    let new = RedisServer::start(&[&format!("replicaof {}", old.address().replace(':', " "))]);
    let proxy = Proxy::start(&old.address());
    let store = RedisStore::open(old.url_at(&proxy.address())).await.unwrap();
    let head = create(&store, &key("1"), vec![set("n", "0")]).await;
    follows(&old, &new, "session:Visitor:1");

    assert_eq!(new.cli("REPLICAOF NO ONE"), "+OK\r\n");
    assert_eq!(old.cli(&format!("REPLICAOF {}", new.address().replace(':', " "))), "+OK\r\n");
    proxy.lead_to(&new.address());
    // The open connection leads to the old primary, which takes no writes any more.
    let reply = applied(store.commit(&key("1"), &write(Base::from(&head), vec![set("n", "1")])).await.unwrap());
    assert!(!reply.repeated);
    assert!(new.cli("HGET session:Visitor:1 n").contains("\r\n1\r\n"));
    assert!(store.load(&key("1"), late()).await.unwrap().touched);
}

/// Waits until a replica has a key.
fn follows(primary: &RedisServer, replica: &RedisServer, place: &str) {
    // Two replicas will never have it, so each look lasts 10 ms.
    let has_it = (0..1000).any(|_| {
        let _ = primary.cli("WAIT 2 10");
        replica.cli(&format!("EXISTS {place}")) == ":1\r\n"
    });
    assert!(has_it, "the replica did not follow");
}

#[test]
fn a_store_serves_one_runtime_after_another_and_two_at_once() {
    let server = server!();
    let store = RedisOptions::new(server.url()).build().unwrap();
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut base = Base::from(&runtime().block_on(create(&store, &key("1"), vec![set("n", "0")])));
    let (first, second) = (runtime(), runtime());
    for n in 1..5 {
        for runtime in [&first, &second, &runtime()] {
            let loaded = runtime.block_on(store.load(&key("1"), load(HALF_AN_HOUR))).unwrap();
            assert_eq!(Base::from(&record(loaded).head), base);
            let commit = write(base, vec![set("n", n.to_string())]);
            base = Base::from(&applied(runtime.block_on(store.commit(&key("1"), &commit)).unwrap()).head.unwrap());
        }
    }
}

#[tokio::test]
async fn a_connection_that_is_torn_again_and_again_is_unavailable() {
    let server = server!();
    let proxy = Proxy::start(&server.address());
    let store = RedisStore::open(server.url_at(&proxy.address())).await.unwrap();
    let head = create(&store, &key("1"), vec![set("n", "0")]).await;
    proxy.cut_always();
    let commit = write(Base::from(&head), vec![set("n", "1")]);
    let error = store.commit(&key("1"), &commit).await.unwrap_err();
    assert_eq!((error.kind(), error.is_not_applied()), (StoreErrorKind::Unavailable, false), "{error:?}");
    let error = store.load(&key("1"), load(HALF_AN_HOUR)).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error:?}");
    proxy.cut_no_more();
    assert!(applied(store.commit(&key("1"), &commit).await.unwrap()).repeated);
}

#[tokio::test]
async fn what_answers_in_another_protocol_is_said_to_and_never_waited_for() {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = std::io::Write::write_all(&mut &stream, b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let error = RedisStore::open(url).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error:?}");
}

/// The commit is refused for certain, and the session can be read on; its touch is not lost for good.
async fn reads_go_on(store: &RedisStore, server: &RedisServer, base: Base, kind: StoreErrorKind) {
    let before = server.cli("DUMP session:Visitor:1");
    let error = store.commit(&key("1"), &write(base, vec![set("a", "2")])).await.unwrap_err();
    assert_eq!((error.kind(), error.is_not_applied()), (kind, true), "{error:?}");
    let loaded = store.load(&key("1"), late()).await.unwrap();
    assert!(!loaded.touched);
    assert_eq!(value(&record(loaded), "a").unwrap(), "1");
    assert_eq!(server.cli("DUMP session:Visitor:1"), before);
}

#[tokio::test]
async fn a_read_only_replica_serves_reads_and_refuses_writes() {
    let primary = server!("repl-diskless-sync-delay 0");
    let replica = RedisServer::start(&[&format!("replicaof {}", primary.address().replace(':', " "))]);
    let head = create(&open(&primary).await, &key("1"), vec![set("a", "1")]).await;
    follows(&primary, &replica, "session:Visitor:1");
    let store = open(&replica).await;
    reads_go_on(&store, &replica, Base::from(&head), StoreErrorKind::ReadOnly).await;
}

#[tokio::test]
async fn a_server_without_enough_replicas_serves_reads_and_refuses_writes() {
    let server = server!();
    if server.cli("INFO server").contains("redis_version:6") {
        eprintln!("LEFT OUT: Redis 6 does not apply min-replicas-to-write to scripts");
        return;
    }
    let store = open(&server).await;
    let head = create(&store, &key("1"), vec![set("a", "1")]).await;
    assert_eq!(server.cli("CONFIG SET min-replicas-to-write 1"), "+OK\r\n");
    reads_go_on(&store, &server, Base::from(&head), StoreErrorKind::ReadOnly).await;
    assert_eq!(server.cli("CONFIG SET min-replicas-to-write 0"), "+OK\r\n");
    assert!(store.load(&key("1"), late()).await.unwrap().touched);
}

#[tokio::test]
async fn a_full_server_serves_reads_and_applies_the_refused_commit_once_when_it_has_room() {
    let server = server!();
    let store = open(&server).await;
    let head = create(&store, &key("1"), vec![set("a", "1")]).await;
    assert_eq!(server.cli("CONFIG SET maxmemory 1"), "+OK\r\n");
    reads_go_on(&store, &server, Base::from(&head), StoreErrorKind::Full).await;
    let new = write(NOTHING, vec![set("a", "1")]);
    let error = store.commit(&key("2"), &new).await.unwrap_err();
    assert_eq!((error.kind(), error.is_not_applied()), (StoreErrorKind::Full, true));
    assert_eq!(server.cli("EXISTS session:Visitor:2"), ":0\r\n");
    open(&server).await;

    assert_eq!(server.cli("CONFIG SET maxmemory 0"), "+OK\r\n");
    assert!(!applied(store.commit(&key("2"), &new).await.unwrap()).repeated);
}

#[tokio::test]
async fn a_wrong_password_is_denied() {
    let server = server!("requirepass right");
    let open = |login: &str| RedisStore::open(format!("redis://{login}{}/", server.address()));
    for login in [":wrong@", "nobody:right@", ""] {
        let error = open(login).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Denied, "{login}: {error:?}");
        assert!(!error.to_string().contains("wrong"), "{error}");
    }
    let store = open(":right@").await.unwrap();
    create(&store, &key("1"), vec![set("a", "1")]).await;
}

fn is_corrupt(error: &StoreError, field: &str) {
    assert_eq!((error.kind(), error.is_not_applied()), (StoreErrorKind::Corrupt, true), "{error:?}");
    assert!(error.to_string().contains(field), "{error}");
    assert!(!error.to_string().contains("secret"), "{error}");
}

#[tokio::test]
async fn what_others_wrote_under_our_keys_is_refused_by_name_and_stays_as_it_is() {
    let server = server!();
    let store = open(&server).await;
    let head = create(&store, &key("good"), vec![set("a", "1")]).await;
    let good_header = |id: &str| {
        let place = format!("session:Visitor:{id}");
        server.command(&[b"COPY", b"session:Visitor:good", place.as_bytes()]);
        place.into_bytes()
    };
    let long_id = [b'x'; 6];
    let header = [1; 63];
    // The flags are in the 35th byte.
    let [old, strange] = [0, 128].map(|flags| [&[1; 34][..], &[flags], &[1; 29]].concat());
    let many_ids = [0; 7 + 8 * 8];
    // It begins with the base of a commit that would change the session.
    let answer = server.command(&[b"HGET", b"session:Visitor:good", b"#h"]);
    let longer = [&answer[b"$64\r\n".len()..][..64], b"x"].concat();
    for (id, command, field) in [
        ("string", vec![&b"SET"[..], b"session:Visitor:string", b"secret"], "#h"),
        ("list", vec![b"RPUSH", b"session:Visitor:list", b"secret"], "#h"),
        ("hash", vec![b"HSET", b"session:Visitor:hash", b"a", b"secret"], "#h"),
        ("empty", vec![b"HSET", &good_header("empty"), b"#h", b""], "#h"),
        ("short", vec![b"HSET", &good_header("short"), b"#h", &header], "#h"),
        ("longer", vec![b"HSET", &good_header("longer"), b"#h", &longer], "#h"),
        ("headless", vec![b"HDEL", &good_header("headless"), b"#h"], "#h"),
        ("old", vec![b"HSET", &good_header("old"), b"#h", &old], "#h"),
        ("strange", vec![b"HSET", &good_header("strange"), b"#h", &strange], "#h"),
        ("many ids", vec![b"HSET", &good_header("many ids"), b"#c", &many_ids], "#c"),
        ("ids", vec![b"HSET", &good_header("ids"), b"#c", &long_id], "#c"),
        ("odd ids", vec![b"HSET", &good_header("odd ids"), b"#c", &many_ids[..7 + 3]], "#c"),
        ("none", vec![b"HDEL", &good_header("none"), b"#c"], "#c"),
    ] {
        server.command(&command);
        let place = format!("session:Visitor:{id}");
        let before = server.command(&[b"DUMP", place.as_bytes()]);
        is_corrupt(&store.load(&key(id), load(HALF_AN_HOUR)).await.unwrap_err(), field);
        for base in [NOTHING, Base::from(&head)] {
            let mut replace = Write::new(1, RegistrationId(7), vec![set("a", "2")]);
            replace.replace = true;
            let mut commit = write(base, Vec::new());
            commit.action = Action::Write(replace);
            is_corrupt(&store.commit(&key(id), &commit).await.unwrap_err(), field);
            is_corrupt(&store.commit(&key(id), &destroying(commit)).await.unwrap_err(), field);
            let change = write(base, vec![set("a", "2")]);
            is_corrupt(&store.commit(&key(id), &change).await.unwrap_err(), field);
        }
        let renew = renewing(write(Base::from(&head), vec![set("a", "2")]), &key(id));
        is_corrupt(&store.commit(&key("good"), &renew).await.unwrap_err(), field);
        assert_eq!(server.command(&[b"DUMP", place.as_bytes()]), before, "{id}");
    }
    // An ended session with a lifetime of its own, of which less is there than that takes.
    let mut own = write(NOTHING, vec![set("a", "1")]);
    if let Action::Write(write) = &mut own.action {
        write.expiry = ExpiryChange::After(HALF_AN_HOUR.retention);
    }
    let own = applied(store.commit(&key("own"), &own).await.unwrap()).head.unwrap();
    applied(store.commit(&key("own"), &destroying(write(Base::from(&own), Vec::new()))).await.unwrap());
    server.command(&[b"HSET", b"session:Visitor:own", b"#c", &many_ids[..6]]);
    is_corrupt(&store.load(&key("own"), load(HALF_AN_HOUR)).await.unwrap_err(), "#c");
    let after = Base::Absent { saw: Some(own.incarnation), valid_until: None };
    is_corrupt(&store.commit(&key("own"), &write(after, vec![set("a", "2")])).await.unwrap_err(), "#c");

    for (id, name) in [("name", &b"#x"[..]), ("bytes", &[0xff])] {
        server.command(&[b"HSET", &good_header(id), name, b"secret"]);
        is_corrupt(&store.load(&key(id), load(HALF_AN_HOUR)).await.unwrap_err(), "field");
    }
    // Nothing of the renewals that were refused stuck to the session they began at.
    assert_eq!(record(store.load(&key("good"), load(HALF_AN_HOUR)).await.unwrap()).head.revision, 1);
}

#[tokio::test]
async fn a_server_that_forgot_the_scripts_is_told_them_again() {
    let mut server = server!();
    let store = open(&server).await;
    let head = create(&store, &key("1"), vec![set("a", "1")]).await;
    assert_eq!(server.cli("SCRIPT FLUSH"), "+OK\r\n");
    let reply = store.commit(&key("1"), &write(Base::from(&head), vec![set("a", "2")])).await.unwrap();
    let head = applied(reply).head.unwrap();
    server.restart();
    let loaded = load_when_back(&store, "1").await;
    assert_eq!((loaded.head.revision, loaded.head.last_commit), (2, head.last_commit));
    applied(store.commit(&key("1"), &write(Base::from(&head), vec![set("a", "3")])).await.unwrap());
}

#[tokio::test]
async fn p06_expire_and_persist_from_outside_resurrect_nothing() {
    let server = server!();
    let store = open(&server).await;
    for (id, outside) in
        [("expire", "PEXPIRE session:Visitor:expire 0"), ("persist", "PERSIST session:Visitor:persist")]
    {
        let head = create(&store, &key(id), vec![set("a", "1")]).await;
        let destroy = destroying(write(Base::from(&head), Vec::new()));
        applied(store.commit(&key(id), &destroy).await.unwrap());
        assert_eq!(server.cli(outside), ":1\r\n");

        let late = write(Base::from(&head), vec![set("a", "2")]);
        let reply = store.commit(&key(id), &late).await.unwrap();
        assert!(matches!(reply, Reply::Ended(Ended::Destroyed | Ended::Unknown)), "{reply:?}");
        let found = store.load(&key(id), load(HALF_AN_HOUR)).await.unwrap().found;
        assert!(matches!(found, Found::Absent { .. }), "{found:?}");
    }
    // A live session's time to live is put right by its next commit in another minute.
    let head = create(&store, &key("live"), vec![set("a", "1")]).await;
    assert_eq!(server.cli("PERSIST session:Visitor:live"), ":1\r\n");
    let longer = Lifetime { retention: HALF_AN_HOUR.retention + 60_000, ..HALF_AN_HOUR };
    let reply =
        store.commit(&key("live"), &living(write(Base::from(&head), vec![set("a", "2")]), longer)).await.unwrap();
    let head = applied(reply).head.unwrap();
    let end = head.expires_at.unwrap().plus(longer.retention).as_millis();
    assert!(server.removes("session:Visitor:live").unwrap().contains(&((end / 60_000 + 1) * 60_000)));
    let forever = living(write(Base::from(&head), vec![set("a", "3")]), FOREVER);
    assert_eq!(server.cli("EXPIRE session:Visitor:live 100"), ":1\r\n");
    applied(store.commit(&key("live"), &forever).await.unwrap());
    assert_eq!(server.removes("session:Visitor:live"), None);
}

#[tokio::test]
async fn a_revision_that_comes_round_again_after_a_lost_commit_is_a_conflict() {
    let server = server!();
    let store = open(&server).await;
    let first = create(&store, &key("1"), vec![set("a", "1")]).await;
    server.command(&[b"COPY", b"session:Visitor:1", b"backup"]);
    let reply = store.commit(&key("1"), &write(Base::from(&first), vec![set("a", "lost")])).await.unwrap();
    let lost = applied(reply).head.unwrap();

    // The failover: the commit is gone, and another one takes its revision.
    server.command(&[b"COPY", b"backup", b"session:Visitor:1", b"REPLACE"]);
    applied(store.commit(&key("1"), &write(Base::from(&first), vec![set("a", "other")])).await.unwrap());

    match store.commit(&key("1"), &write(Base::from(&lost), vec![set("b", "1")])).await.unwrap() {
        Reply::Conflict(record) => {
            assert_eq!(record.head.revision, lost.revision);
            assert_eq!(value(&record, "a").unwrap(), "other");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_revision_that_cannot_grow_stays_as_it_is() {
    let server = server!();
    let store = open(&server).await;
    create(&store, &key("1"), vec![set("a", "1"), set("b", "1")]).await;
    let answer = server.command(&[b"HGET", b"session:Visitor:1", b"#h"]);
    let mut header = answer[b"$64\r\n".len()..][..64].to_vec();
    header[8..14].fill(0xff);
    server.command(&[b"HSET", b"session:Visitor:1", b"#h", &header]);
    for change in [set("a", "2"), unset("b"), set("a", "3")] {
        let head = record(store.load(&key("1"), load(HALF_AN_HOUR)).await.unwrap()).head;
        assert_eq!(head.revision, (1 << 48) - 1);
        applied(store.commit(&key("1"), &write(Base::from(&head), vec![change])).await.unwrap());
    }
    let found = record(store.load(&key("1"), load(HALF_AN_HOUR)).await.unwrap());
    assert_eq!((found.head.revision, value(&found, "a").unwrap()), ((1 << 48) - 1, "3".into()));
}

#[tokio::test]
async fn a_session_that_holds_what_scripts_cannot_count_is_not_damaged() {
    let server = server!();
    let store = open(&server).await;
    agree(&store).await;
    let mut commit = write(NOTHING, vec![set("a", "1")]);
    commit.lifetime = Lifetime {
        inactivity: Some(i64::MAX / 4),
        creation: Some(i64::MAX / 4),
        touch_after: 1,
        retention: i64::MAX / 4,
    };
    commit.id = CommitId(u64::MAX);
    let head = applied(store.commit(&key("1"), &commit).await.unwrap()).head.unwrap();
    let loaded = record(store.load(&key("1"), load(commit.lifetime)).await.unwrap());
    assert_eq!(loaded.head.last_commit, CommitId(u64::MAX));
    assert_eq!(loaded.head.expires_at, head.expires_at);
    assert!(applied(store.commit(&key("1"), &commit).await.unwrap()).repeated);
}
