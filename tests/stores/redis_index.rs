//! The index in Redis: its sets have too many at times, and whoever looks into them sees to that.

use std::time::Duration;

use session_runtime::expiry::ClockOffset;
use session_runtime::store::{
    Action, Base, Commit, Find, Housekeeping, IndexEntry, RedisOptions, RedisStore, Reply, Store, StoreErrorKind, Term,
};
use session_tests::commits::{NOTHING, agree, applied, destroying, key, renewing, set, write};
use session_tests::redis_server::{RedisServer, is_available};

/// A server of the test's own, and a store on it; says that the test is left out if there is none.
macro_rules! store {
    ($options:expr) => {{
        if !is_available() {
            return;
        }
        let server = RedisServer::start(&["appendonly no"]);
        let options: fn(RedisOptions) -> RedisOptions = $options;
        let store = options(RedisOptions::new(server.url())).open().await.unwrap();
        agree(&store).await;
        (server, store)
    }};
}

const SEVEN: &str = "session:#index:Visitor:user:7";

/// A commit that gives a session this user.
pub(crate) fn login(base: Base, user: &'static str) -> Commit {
    let mut commit = write(base, vec![set("user", user)]);
    if let Action::Write(write) = &mut commit.action {
        write.index.push(IndexEntry { field: "user".into(), term: Term::of(user.as_bytes()) });
    }
    commit
}

async fn found(store: &RedisStore, user: &'static str) -> Vec<String> {
    let term = Term::of(user.as_bytes());
    let find = Find::all("Visitor".into(), "user".into(), user.into(), term, ClockOffset(0));
    let page = store.find(&find).await.unwrap();
    page.sessions.iter().map(|(key, _)| key.id().to_owned()).collect()
}

fn members(server: &RedisServer, set: &str) -> String {
    server.cli(&format!("ZRANGE {set} 0 -1"))
}

/// Lets an entry be so old that no commit can need it any more.
fn make_old(server: &RedisServer, set: &str, id: &str) {
    assert_eq!(server.cli(&format!("ZADD {set} XX CH 1000 session:Visitor:{id}")), ":1\r\n");
}

#[tokio::test]
async fn p01_whoever_finds_a_session_that_has_another_value_takes_it_out() {
    let (server, store) = store!(|options| options);
    let head = applied(store.commit(&key("42"), &login(NOTHING, "7")).await.unwrap()).head.unwrap();
    let head = applied(store.commit(&key("42"), &login(Base::from(&head), "8")).await.unwrap()).head.unwrap();
    applied(store.commit(&key("43"), &login(NOTHING, "7")).await.unwrap());

    assert_eq!(found(&store, "7").await, ["43"]);
    assert!(members(&server, SEVEN).contains("session:Visitor:42"), "a commit could still need it");
    make_old(&server, SEVEN, "42");
    make_old(&server, SEVEN, "43");
    assert_eq!(found(&store, "7").await, ["43"]);
    assert_eq!(members(&server, SEVEN), "*1\r\n$18\r\nsession:Visitor:43\r\n");

    applied(store.commit(&key("42"), &login(Base::from(&head), "7")).await.unwrap());
    assert_eq!(found(&store, "7").await, ["43", "42"], "it is added again");
}

/// One that was added again after it was looked at: a commit may need it.
#[tokio::test]
async fn p01_nobody_takes_out_a_session_that_was_added_again() {
    let (server, store) = store!(|options| options);
    for id in ["42", "43"] {
        applied(store.commit(&key(id), &login(NOTHING, "7")).await.unwrap());
        make_old(&server, SEVEN, id);
    }
    applied(store.commit(&key("44"), &login(NOTHING, "7")).await.unwrap());
    let forget = include_bytes!("../../session-runtime/src/store/redis/forget.lua");
    let member = |id: &str| format!("session:Visitor:{id}").into_bytes();
    let (again, old, gone) = (member("42"), member("43"), member("45"));
    assert_eq!(server.cli(&format!("ZADD {SEVEN} XX CH 2000 session:Visitor:42")), ":1\r\n");
    let seen = [&again[..], b"1000", &old, b"1000", &gone, b"1000"];
    let call = [&[&b"EVAL"[..], forget, b"1", SEVEN.as_bytes()][..], &seen[..]].concat();
    assert_eq!(server.command(&call), b":1\r\n");
    assert_eq!(members(&server, SEVEN), "*2\r\n$18\r\nsession:Visitor:42\r\n$18\r\nsession:Visitor:44\r\n");
}

#[tokio::test]
async fn p01_a_page_of_many_sessions_is_no_more_than_a_part_of_them() {
    let (_server, store) = store!(|options| options);
    for id in 0..300 {
        applied(store.commit(&key(&id.to_string()), &login(NOTHING, "7")).await.unwrap());
    }
    let mut find = Find::all("Visitor".into(), "user".into(), "7".into(), Term::of(b"7"), ClockOffset(0));
    find.limit = Some(10);
    let page = store.find(&find).await.unwrap();
    assert!(page.next.is_some() && page.sessions.len() < 100, "{} sessions", page.sessions.len());
}

#[tokio::test]
async fn p06_what_was_renewed_or_destroyed_is_taken_out_and_a_purge_does_it_too() {
    for purges in [false, true] {
        let (server, store) = store!(|options| options);
        let first = applied(store.commit(&key("old"), &login(NOTHING, "7")).await.unwrap()).head.unwrap();
        let renewal = renewing(login(Base::from(&first), "7"), &key("new"));
        let second = applied(store.commit(&key("old"), &renewal).await.unwrap()).head.unwrap();
        applied(store.commit(&key("new"), &destroying(write(Base::from(&second), Vec::new()))).await.unwrap());
        applied(store.commit(&key("other"), &login(NOTHING, "7")).await.unwrap());
        for id in ["old", "new", "other"] {
            make_old(&server, SEVEN, id);
        }
        if purges {
            store.purge(10, ClockOffset(0)).await.unwrap();
        } else {
            assert_eq!(found(&store, "7").await, ["other"]);
        }
        assert_eq!(members(&server, SEVEN), "*1\r\n$21\r\nsession:Visitor:other\r\n");
        assert_eq!(server.cli("DEL session:Visitor:other"), ":1\r\n");
        store.purge(10, ClockOffset(0)).await.unwrap();
        assert_eq!(server.cli(&format!("EXISTS {SEVEN}")), ":0\r\n", "nothing grows for ever");
    }
}

#[tokio::test]
async fn p01_a_commit_that_comes_after_its_entry_may_be_gone_is_not_applied() {
    let (server, store) = store!(|options| options.announced_for(Duration::ZERO));
    let late = store.commit(&key("42"), &login(NOTHING, "7")).await.unwrap_err();
    assert_eq!(late.kind(), StoreErrorKind::TimedOut);
    assert_eq!(server.cli("EXISTS session:Visitor:42"), ":0\r\n");
    // What was applied in time is answered as it was, however late it is asked for.
    let patient = RedisStore::open(server.url()).await.unwrap();
    let commit = login(NOTHING, "7");
    applied(patient.commit(&key("42"), &commit).await.unwrap());
    let Reply::Applied(again) = store.commit(&key("42"), &commit).await.unwrap() else { panic!("it is known") };
    assert!(again.repeated);
}

#[tokio::test]
async fn p02_a_commit_without_an_index_writes_none() {
    let (server, store) = store!(|options| options);
    applied(store.commit(&key("42"), &write(NOTHING, vec![set("visits", "1")])).await.unwrap());
    let commands = || server.cli("INFO commandstats");
    assert_eq!(server.cli("KEYS *#index*"), "*0\r\n");
    let scans = |stats: String| stats.lines().find(|line| line.starts_with("cmdstat_scan:")).map(str::to_owned);
    assert_eq!(scans(commands()), None);
    store.purge(10, ClockOffset(0)).await.unwrap();
    assert_eq!(scans(commands()), None, "and a purge has nothing to do");
}
