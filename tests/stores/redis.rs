//! The Redis store on a real server: it says what the memory store says, at the price it promises.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Mutex;

use session_runtime::expiry::{ClockOffset, Lifetime, Timestamp};
use session_runtime::store::{
    Action, Base, ExpiryChange, Housekeeping, Key, Load, RedisOptions, RedisStore, RegisteredField, Registration,
    RegistrationId, Registrations, Slots, Store, StoreErrorKind, Write,
};
use session_tests::commits::{
    FOREVER, HALF_AN_HOUR, NOTHING, REGISTRATION, agree, applied, at, create, destroying, key, living, load, record,
    renewing, set, unset, value, write,
};
use session_tests::proxy::Proxy;
use session_tests::redis_server::{RedisServer, is_available};

/// The suite that all stores pass, on one server.
mod suite {
    use session_runtime::store::RedisStore;
    use session_tests::redis_server::shared;

    async fn open() -> Option<RedisStore> {
        Some(RedisStore::open(shared()?).await.unwrap())
    }

    session_runtime::conformance!(open());

    mod namespaced {
        use session_runtime::store::Namespaced;

        async fn open() -> Option<Namespaced<super::RedisStore>> {
            Some(Namespaced::new(super::open().await?, "shop").unwrap())
        }

        session_runtime::conformance!(open());
    }
}

/// A server of the test's own; says that the test is left out if there is none.
macro_rules! server {
    ($($line:literal),*) => {
        if is_available() { RedisServer::start(&["appendonly no", $($line),*]) } else { return }
    };
}

async fn open(server: &RedisServer) -> RedisStore {
    let store = RedisStore::open(server.url()).await.unwrap();
    agree(&store).await;
    store
}

#[tokio::test]
async fn two_hundred_and_four_thousand_fields_go_in_one_commit() {
    let server = server!();
    let store = open(&server).await;
    for count in [200, 4_100, 20_000] {
        let place = key(&format!("many {count}"));
        let changes = (0..count).map(|n| set(&format!("field{n}"), format!("{n}"))).collect();
        let head = create(&store, &place, changes).await;
        let loaded = record(store.load(&place, load(HALF_AN_HOUR)).await.unwrap());
        assert_eq!(loaded.fields.len(), count);
        assert_eq!(value(&loaded, "field199").unwrap(), "199");

        let changes = (1..count).map(|n| unset(&format!("field{n}"))).collect();
        applied(store.commit(&place, &write(Base::from(&head), changes)).await.unwrap());
        let loaded = record(store.load(&place, load(HALF_AN_HOUR)).await.unwrap());
        assert_eq!(loaded.fields.len(), 1);
    }
}

/// Commands and bytes of one operation.
#[derive(Debug, PartialEq, Eq)]
struct Cost {
    commands: u64,
    sent: u64,
    received: u64,
}

async fn cost<T>(proxy: &Proxy, operation: impl Future<Output = T>) -> (Cost, T) {
    let before = (proxy.requests(), proxy.sent(), proxy.received());
    let answer = operation.await;
    let after = (proxy.requests(), proxy.sent(), proxy.received());
    (Cost { commands: after.0 - before.0, sent: after.1 - before.1, received: after.2 - before.2 }, answer)
}

#[tokio::test]
async fn a_load_and_a_commit_are_one_small_command_each_whatever_the_session_holds() {
    let server = server!();
    let proxy = Proxy::start(&server.address());
    let store = RedisStore::open(server.url_at(&proxy.address())).await.unwrap();
    agree(&store).await;
    for (session, large) in [("ten small fields", 0), ("ten small fields and one of 10 KB", 10_240)] {
        let place = key(&format!("visitor-of-22-chars{large:03}"));
        let mut fields: Vec<_> = (0..10).map(|n| set(&format!("field_{n}"), "12345")).collect();
        if large > 0 {
            fields.push(set("page", vec![b'x'; large]));
        }
        create(&store, &place, fields).await;
        // The scripts are known from here on.
        let loaded = record(store.load(&place, load(HALF_AN_HOUR)).await.unwrap());

        let (read, _) = cost(&proxy, store.load(&place, load(HALF_AN_HOUR))).await;
        let (commit, reply) =
            cost(&proxy, store.commit(&place, &write(Base::from(&loaded.head), vec![set("field_3", "54321")]))).await;
        let head = applied(reply.unwrap()).head.unwrap();
        for minutes in [10, 20] {
            // A touch that is due costs a command more, the first of them also the script.
            let later = Load::touch(HALF_AN_HOUR, ClockOffset(minutes * 60_000));
            let (touching, touched) = cost(&proxy, store.load(&place, later)).await;
            assert!(touched.unwrap().touched);
            assert!(minutes == 10 || touching.commands == 2, "{touching:?}");
        }
        let (empty, reply) = cost(&proxy, store.commit(&place, &write(Base::from(&head), Vec::new()))).await;
        assert!(applied(reply.unwrap()).is_stored);

        println!("{session}: load {read:?}, commit {commit:?}, empty commit {empty:?}");
        for cost in [&read, &commit, &empty] {
            assert_eq!(cost.commands, 1);
        }
        assert!(commit.sent <= 220, "{commit:?}");
        assert!(empty.sent <= 220, "{empty:?}");
    }
}

/// The full minute after a time, at which the server removes what may be purged then.
fn minute_after(time: Timestamp) -> i64 {
    (time.as_millis() / 60_000 + 1) * 60_000
}

#[tokio::test]
async fn redis_removes_a_session_by_itself_after_its_retention_and_never_one_without_expiry() {
    let server = server!();
    let store = open(&server).await;
    let head = create(&store, &key("1"), vec![set("a", "1")]).await;
    let end = head.expires_at.unwrap().plus(HALF_AN_HOUR.retention);
    assert!(server.removes("session:Visitor:1").unwrap().contains(&minute_after(end)));

    let forever = living(write(Base::from(&head), vec![set("a", "2")]), FOREVER);
    applied(store.commit(&key("1"), &forever).await.unwrap());
    assert_eq!(server.removes("session:Visitor:1"), None);

    // A clock moved by the tests does not move the engine's.
    let clock = ClockOffset(10_000_000_000);
    let moved = at(write(NOTHING, vec![set("a", "1")]), clock);
    let head = applied(store.commit(&key("2"), &moved).await.unwrap()).head.unwrap();
    let end = head.expires_at.unwrap().plus(HALF_AN_HOUR.retention - clock.0);
    assert!(server.removes("session:Visitor:2").unwrap().contains(&minute_after(end)));
}

#[tokio::test]
async fn redis_removes_a_session_when_the_last_commit_or_touch_says_whatever_said_that() {
    let server = server!();
    let store = open(&server).await;
    let hours = |hours: i64| hours * 3_600_000;
    let lasting = |inactivity, retention| Lifetime {
        inactivity: Some(hours(inactivity)),
        retention: hours(retention),
        ..HALF_AN_HOUR
    };
    let removes = |end: Timestamp| {
        let window = server.removes("session:Visitor:1").unwrap();
        assert!(window.contains(&minute_after(end)), "{window:?} has not {}", minute_after(end));
    };
    let mut head = create(&store, &key("1"), vec![set("a", "1")]).await;
    // How long the header is kept is the longest that any commit asked for.
    for (inactivity, retention, kept) in [(2, 1, 1), (5, 3, 3), (5, 2, 3), (1, 4, 4), (1, 1, 4)] {
        let commit = living(write(Base::from(&head), vec![set("a", "2")]), lasting(inactivity, retention));
        head = applied(store.commit(&key("1"), &commit).await.unwrap()).head.unwrap();
        removes(head.expires_at.unwrap().plus(hours(kept)));
    }
    let touched = record(store.load(&key("1"), load(lasting(9, 1))).await.unwrap()).head;
    assert!(touched.expires_at > head.expires_at);
    removes(touched.expires_at.unwrap().plus(hours(4)));
    assert!(store.load(&key("1"), load(FOREVER)).await.unwrap().touched);
    assert_eq!(server.removes("session:Visitor:1"), None);

    // A session without end keeps as well how long its header is to be kept.
    let forever = |retention| Lifetime { retention: hours(retention), ..FOREVER };
    let mut head = record(store.load(&key("1"), load(FOREVER)).await.unwrap()).head;
    for retention in [7, 2] {
        let commit = living(write(Base::from(&head), vec![set("a", "3")]), forever(retention));
        head = applied(store.commit(&key("1"), &commit).await.unwrap()).head.unwrap();
    }
    let now = store.load(&key("1"), Load::look(ClockOffset(0))).await.unwrap().now;
    applied(store.commit(&key("1"), &destroying(write(Base::from(&head), Vec::new()))).await.unwrap());
    let window = server.removes("session:Visitor:1").unwrap();
    let late = minute_after(now.plus(hours(7)));
    assert!(*window.end() >= late && *window.start() <= late + 120_000, "{window:?} is not soon after {late}");
}

#[tokio::test]
async fn an_ended_session_leaves_its_header_and_nothing_of_its_fields() {
    let server = server!();
    let store = open(&server).await;
    let names = |id: &str| {
        let answer = server.cli(&format!("HKEYS session:Visitor:{id}"));
        let mut names: Vec<_> =
            answer.lines().filter(|line| !line.starts_with(['*', '$'])).map(str::to_owned).collect();
        names.sort();
        names
    };
    let header = |id: &str| {
        let answer = server.command(&[b"HGET", format!("session:Visitor:{id}").as_bytes(), b"#h"]);
        answer[b"$64\r\n".len()..][..64].to_vec()
    };
    for id in ["destroyed", "moved", "replaced"] {
        let head = create(&store, &key(id), vec![set("a", "1"), set("b", "2")]).await;
        let mut replacing = Write::new(1, REGISTRATION, vec![set("c", "3")]);
        replacing.replace = id == "replaced";
        let mut commit = write(Base::from(&head), Vec::new());
        commit.action = Action::Write(replacing);
        let commit = match id {
            "destroyed" => destroying(commit),
            "moved" => renewing(commit, &key("new")),
            _ => renewing(commit, &key("newer")),
        };
        let before = header(id);
        applied(store.commit(&key(id), &commit).await.unwrap());
        assert_eq!(names(id), ["#c", "#h"], "{id}");
        if id == "destroyed" {
            // Who wrote it last, and when it was to end, is still told: by the bytes behind the ids, and before the last.
            let after = header(id);
            assert_eq!((&after[22..34], &after[50..57]), (&before[22..34], &before[50..57]));
        }
    }
    assert_eq!(names("new"), ["#c", "#h", "a", "b", "c"]);
    assert_eq!(names("newer"), ["#c", "#h", "c"]);
}

/// How often the engine ran each command since it was asked last.
pub(crate) fn commands(server: &RedisServer) -> HashMap<String, u64> {
    let ran = server.cli("INFO commandstats");
    assert_eq!(server.cli("CONFIG RESETSTAT"), "+OK\r\n");
    let count = |line: &str| {
        let (name, calls) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
        Some((name.to_owned(), calls.split(',').next()?.parse().ok()?))
    };
    ran.lines().filter_map(count).collect()
}

#[tokio::test]
async fn a_common_commit_reads_and_writes_once_in_the_engine() {
    const COMMITS: u64 = 5;
    let server = server!();
    let store = open(&server).await;
    for lifetime in [FOREVER, HALF_AN_HOUR] {
        let key = key(&format!("{:?}", lifetime.inactivity));
        let mut saw = None;
        // The first life of a key, and one that follows another.
        for _ in 0..2 {
            let absent = Base::Absent { saw, valid_until: None };
            let creation = living(write(absent, vec![set("a", "0")]), lifetime);
            let mut head = applied(store.commit(&key, &creation).await.unwrap()).head.unwrap();
            let _ = commands(&server);
            for _ in 0..COMMITS {
                let commit = living(write(Base::from(&head), vec![set("a", "1")]), lifetime);
                head = applied(store.commit(&key, &commit).await.unwrap()).head.unwrap();
            }
            let ran = commands(&server);
            let times = |name| ran.get(name).copied().unwrap_or(0);
            assert_eq!(["hmget", "hget", "hset"].map(times), [COMMITS; 3], "{ran:?}");
            assert_eq!(times("time"), if lifetime.inactivity.is_some() { COMMITS } else { 0 }, "{ran:?}");
            // The engine's clock goes by minutes, of which one can be over meanwhile.
            assert!(times("pexpireat") <= 1 && times("persist") == 0, "{ran:?}");
            applied(store.commit(&key, &destroying(write(Base::from(&head), Vec::new()))).await.unwrap());
            saw = Some(head.incarnation);
        }
    }
}

#[tokio::test]
async fn a_small_session_keeps_the_compact_encoding() {
    let server = server!();
    let store = open(&server).await;
    for expiry in [ExpiryChange::Keep, ExpiryChange::After(30 * 86_400_000)] {
        let key = key(&format!("{expiry:?}"));
        let mut head = create(&store, &key, (0..10).map(|n| set(&format!("f{n}"), "12345")).collect()).await;
        for round in 0..10 {
            let mut commit = write(Base::from(&head), vec![set("f3", format!("{round}"))]);
            if let Action::Write(write) = &mut commit.action {
                write.expiry = expiry;
            }
            head = applied(store.commit(&key, &commit).await.unwrap()).head.unwrap();
        }
        let encoding = server.cli(&format!("OBJECT ENCODING session:Visitor:{}", key.id()));
        assert!(encoding.contains("listpack") || encoding.contains("ziplist"), "{expiry:?}: {encoding}");
    }
}

#[tokio::test]
async fn keys_are_listed_once_and_only_stored_ones_of_this_name_and_prefix() {
    let server = server!();
    let store = open(&server).await;
    let other = RedisOptions::new(server.url()).prefix("session:Visitor:").open().await.unwrap();
    agree(&other).await;
    let mut expected = Vec::new();
    for n in 0..1200 {
        let id = format!("{{{n}}}:*?[x]");
        create(&store, &key(&id), vec![set("a", "1")]).await;
        expected.push(id);
    }
    let other_name = Key::new("Visitors".into(), "1").unwrap();
    let (id, name, codec) = (REGISTRATION, "Visitors".into(), "json".into());
    store.register(&Registration { id, name, version: 1, codec, fields: Vec::new() }).await.unwrap();
    create(&store, &other_name, vec![set("a", "1")]).await;
    create(&other, &key("1"), vec![set("a", "1")]).await;
    let emptied = create(&store, &key("emptied"), vec![set("a", "1")]).await;
    applied(store.commit(&key("emptied"), &write(Base::from(&emptied), vec![unset("a")])).await.unwrap());
    server.command(&[b"HSET", b"session:Visitor:foreign", b"a", b"1"]);
    server.command(&[b"SET", b"session:Visitor:string", b"1"]);

    let (mut listed, mut after) = (Vec::new(), None);
    loop {
        let page = store.keys("Visitor", after, 500, ClockOffset(0)).await.unwrap();
        assert!(page.keys.len() <= 500);
        listed.extend(page.keys.iter().map(|key| key.id().to_owned()));
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    listed.sort();
    expected.sort();
    assert_eq!(listed, expected);
    assert_eq!(store.count("Visitor", ClockOffset(0)).await.unwrap(), 1200);
    assert_eq!(store.count("Visitor", ClockOffset(1_800_001)).await.unwrap(), 0);
    assert_eq!(other.count("Visitor", ClockOffset(0)).await.unwrap(), 1);

    let later = ClockOffset(5_400_001 + 60_000);
    let some = store.purge(500, later).await.unwrap();
    assert_eq!((some.removed, some.more), (500, true));
    let mut rest = 0;
    while store.purge(500, later).await.map(|purged| (rest += purged.removed, purged.more)).unwrap().1 {}
    // Three more than the 1200: of the other name, of the longer prefix, and the emptied one.
    assert_eq!(rest, 703);
    assert_eq!(server.cli("EXISTS session:Visitor:foreign session:Visitor:string"), ":2\r\n");
}

#[tokio::test]
async fn a_registration_stays_as_it_is_and_grows() {
    let server = server!();
    let store = open(&server).await;
    let field = |name: &str, initial: Option<&'static str>, sensitive| RegisteredField {
        name: name.into(),
        initial: initial.map(Into::into),
        sensitive,
    };
    let fields = vec![field("z", Some("0"), false), field("a", None, true), field("m", Some(""), true)];
    let first = Registration { id: RegistrationId(1), name: "Shop".into(), version: 1, codec: "json".into(), fields };
    assert_eq!(store.registration("Shop", 1).await.unwrap(), None);
    assert_eq!(store.register(&first).await.unwrap(), first);

    let second = Registration {
        id: RegistrationId(2),
        codec: "msgpack".into(),
        fields: vec![field("z", Some("9"), true), field("new", None, false)],
        ..first.clone()
    };
    let mut both = first.clone();
    both.fields.push(field("new", None, false));
    assert_eq!(store.register(&second).await.unwrap(), both);
    assert_eq!(store.registration("Shop", 1).await.unwrap(), Some(both.clone()));

    let next = Registration { version: 2, ..first.clone() };
    store.register(&next).await.unwrap();
    let found = |registrations: Registrations| -> Vec<_> {
        registrations.found.into_iter().filter(|found| &*found.name == "Shop").collect()
    };
    assert_eq!(found(store.registrations().await.unwrap()), [both, next.clone()]);
    assert!(store.withdraw("Shop", 1).await.unwrap());
    assert!(!store.withdraw("Shop", 1).await.unwrap());
    assert_eq!(found(store.registrations().await.unwrap()), std::slice::from_ref(&next));

    // One that is damaged is named, and does not hide the others.
    assert_eq!(server.cli("HSET session:{#registrations}:Shop:2 #id 1"), ":0\r\n");
    let all = store.registrations().await.unwrap();
    let [damaged] = &all.damaged[..] else { panic!("{:?}", all.damaged) };
    assert_eq!((&*damaged.name, damaged.version, damaged.error.kind()), ("Shop", 2, StoreErrorKind::Corrupt));
    assert_eq!(all.found.len(), 2);
    assert_eq!(server.cli("HDEL session:{#registrations}:Shop:2 #id"), ":1\r\n");
    assert_eq!(store.register(&next).await.unwrap_err().kind(), StoreErrorKind::Corrupt);
}

#[tokio::test]
async fn prepare_refuses_a_server_that_evicts_unless_that_is_accepted() {
    let server = server!("maxmemory 100mb", "maxmemory-policy volatile-lru");
    let error = RedisStore::open(server.url()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Incompatible);
    assert!(error.to_string().contains("maxmemory-policy is volatile-lru"), "{error}");
    RedisOptions::new(server.url()).accept_eviction().open().await.unwrap();
}

#[tokio::test]
async fn prepare_says_that_the_user_may_not_run_what_sessions_need() {
    let server = server!("user narrow on >secret ~session:* +@all -rename -config");
    let url = format!("redis://narrow:secret@{}/", server.address());
    let error = RedisStore::open(url).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Denied);

    let server = server!("user narrow on >secret ~session:* +@all -config");
    let url = format!("redis://narrow:secret@{}/", server.address());
    let store = RedisStore::open(url).await.unwrap();
    agree(&store).await;
    create(&store, &key("1"), vec![set("a", "1")]).await;
}

#[tokio::test]
async fn a_renewal_moves_fields_and_expiry_to_the_new_key() {
    let server = server!();
    let store = RedisOptions::new(server.url()).slots(Slots::PerName).open().await.unwrap();
    agree(&store).await;
    let head = create(&store, &key("old"), vec![set("a", "1"), set("b", vec![b'x'; 500])]).await;
    let renew = renewing(write(Base::from(&head), vec![set("c", "3")]), &key("new"));
    let reply = applied(store.commit(&key("old"), &renew).await.unwrap());
    assert_eq!(reply.head.unwrap().incarnation, renew.write().unwrap().creates);
    let moved = record(store.load(&key("new"), load(HALF_AN_HOUR)).await.unwrap());
    assert_eq!(moved.fields.len(), 3);
    assert!(server.cli("EXISTS session:Visitor:{Visitor}new").contains('1'));
    let repeated = applied(store.commit(&key("old"), &renew).await.unwrap());
    assert!(repeated.repeated);
}

#[cfg(unix)]
#[tokio::test]
async fn a_server_of_this_machine_is_reached_by_its_socket() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("redis.sock");
    if !is_available() {
        return;
    }
    let _server = RedisServer::start(&["appendonly no", &format!("unixsocket {}", socket.display())]);
    let store = RedisStore::open(format!("redis+unix://{}?db=3", socket.display())).await.unwrap();
    agree(&store).await;
    create(&store, &key("1"), vec![set("a", "1")]).await;
    let loaded = record(store.load(&key("1"), load(HALF_AN_HOUR)).await.unwrap());
    assert_eq!(value(&loaded, "a").unwrap(), "1");
}

#[tokio::test]
async fn p10_sessions_go_on_when_the_server_was_emptied_under_them() {
    let server = server!();
    let store = open(&server).await;
    session_tests::emptied_under_running_sessions(store, || async { assert_eq!(server.cli("FLUSHALL"), "+OK\r\n") })
        .await;
}

#[tokio::test]
async fn p10_sessions_go_on_when_the_server_was_restored_from_a_backup_under_them() {
    let server = server!();
    let folder = server.cli("CONFIG GET dir").lines().nth(4).map(PathBuf::from).unwrap();
    let (file, backup) = (folder.join("dump.rdb"), folder.join("backup.rdb"));
    let store = open(&server).await;
    let server = Mutex::new(server);
    let save = || async {
        assert_eq!(server.lock().unwrap().cli("SAVE"), "+OK\r\n");
        std::fs::copy(&file, &backup).unwrap();
    };
    let restore = || async {
        let mut server = server.lock().unwrap();
        server.kill9();
        std::fs::copy(&backup, &file).unwrap();
        server.restart();
    };
    session_tests::restored_under_running_sessions(store, save, restore).await;
}

#[tokio::test]
async fn a_retention_that_cannot_be_added_to_a_time_is_counted_by_the_whole_rule() {
    let server = server!();
    let store = open(&server).await;
    for (n, retention) in [(1_i64 << 50) - 1, 1 << 50, (1 << 53) - 1, i64::MAX].into_iter().enumerate() {
        let place = key(&n.to_string());
        let endless = Lifetime { retention, ..HALF_AN_HOUR };
        let creation = living(write(NOTHING, vec![set("n", "0")]), endless);
        let created = applied(store.commit(&place, &creation).await.unwrap()).head.unwrap();
        // The common commit goes on with the retention that the header has.
        let change = write(Base::from(&created), vec![set("n", "1")]);
        let expires = applied(store.commit(&place, &change).await.unwrap()).head.unwrap().expires_at.unwrap();
        let header = server.command(&[b"HGET", format!("session:Visitor:{n}").as_bytes(), b"#h"]);
        let retained = &header[header.len() - 2 - 7..header.len() - 2];
        let retained = retained.iter().fold(0, |number, byte| number << 8 | i64::from(*byte));
        let latest = (1 << 53) - 1;
        assert_eq!(retained, expires.as_millis().saturating_add(retention).min(latest), "{retention}");
        assert!(server.removes(&format!("session:Visitor:{n}")).unwrap().end() > &retained);
    }
}
