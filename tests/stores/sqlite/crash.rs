//! Processes that share a file, start at once, and are killed during commits.
//!
//! A child is this test binary again: it runs the one test named in its arguments, which does the child's work when it
//! finds a file name in its environment.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use session_runtime::store::{Base, Found, SqliteStore, Store};

use super::{ABSENT, Place, agree, applied, fields, key, load, record, write};

/// Where a child finds the name of the database file.
const FILE: &str = "SESSION_TESTS_SQLITE_FILE";

/// How many sessions a child commits to at the same time.
const WRITERS: usize = 8;

/// How often a child is killed.
const KILLS: u64 = 40;

fn start(test: &str, file: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("sqlite::crash::{test}"), "--nocapture", "--test-threads=1"])
        .env(FILE, file)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// What commit number `n` of a session stores in each field: small ones, and one of several pages.
fn value(field: &str, n: u64) -> Vec<u8> {
    let length = if field == "large" { 20_000 } else { 1 };
    n.to_string().repeat(length).into_bytes()
}

const FIELDS: [&str; 4] = ["a", "b", "large", "z"];

/// Commits to a session again and again, and prints the number of each commit that was acknowledged.
async fn commit_forever(store: SqliteStore, id: usize) {
    let key = key(&id.to_string());
    let (mut base, mut n) = match load(&store, &key).await.found {
        Found::Record(record) => (Base::from(&record.head), record.head.revision),
        Found::Absent { .. } => (ABSENT, 0),
    };
    loop {
        n += 1;
        let values = FIELDS.map(|field| (field, value(field, n)));
        let changes: Vec<_> = values.iter().map(|(field, value)| (*field, &value[..])).collect();
        let applied = applied(store.commit(&key, &write(base, &changes)).await.unwrap());
        println!("\nacknowledged {id} {n}");
        base = Base::from(&applied.head.unwrap());
    }
}

/// The session and the number of a commit, if the line tells of an acknowledged one.
fn acknowledged(line: &str) -> Option<(usize, u64)> {
    let (id, n) = line.strip_prefix("acknowledged ")?.split_once(' ')?;
    Some((id.parse().ok()?, n.parse().ok()?))
}

#[tokio::test(flavor = "multi_thread")]
async fn p07_every_acknowledged_commit_survives_a_kill_and_none_is_half_there() {
    if let Some(file) = std::env::var_os(FILE) {
        let store = SqliteStore::open(file).await.unwrap();
        agree(&store).await;
        let writers: Vec<_> = (0..WRITERS).map(|id| tokio::spawn(commit_forever(store.clone(), id))).collect();
        for writer in writers {
            writer.await.unwrap();
        }
        return;
    }

    let place = Place::new();
    let mut last: HashMap<usize, u64> = HashMap::new();
    for kill in 0..KILLS {
        let mut child = start("p07_every_acknowledged_commit_survives_a_kill_and_none_is_half_there", &place.file());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        // Each child lives for another number of commits, so that the kills strike at different moments.
        let mut left = 5 + kill * 7 % 60;
        let mut killed = false;
        // What it printed before it died counts too.
        for (id, n) in lines.by_ref().filter_map(|line| acknowledged(&line)) {
            last.insert(id, n);
            left = left.saturating_sub(1);
            if left == 0 && !killed {
                child.kill().unwrap();
                killed = true;
            }
        }
        assert!(killed, "the child ended by itself");
        child.wait().unwrap();

        let store = place.open().await;
        let check: String = place.connection().pragma_query_value(None, "integrity_check", |row| row.get(0)).unwrap();
        assert_eq!(check, "ok");
        for id in 0..WRITERS {
            let acknowledged = last.get(&id).copied().unwrap_or(0);
            let Found::Record(record) = load(&store, &key(&id.to_string())).await.found else {
                assert_eq!(acknowledged, 0, "session {id} is lost");
                continue;
            };
            let n = record.head.revision;
            assert!(n >= acknowledged, "session {id}: commit {acknowledged} was acknowledged, {n} is there");
            let expected: Vec<_> = FIELDS.map(|field| (field.to_owned(), value(field, n))).into();
            assert!(fields(&store, &key(&id.to_string())).await == expected, "session {id} is half of commit {n}");
            last.insert(id, n);
        }
    }
    assert_eq!(last.len(), WRITERS);
    assert!(last.values().sum::<u64>() > KILLS * 5);
}

#[tokio::test]
async fn processes_that_start_at_once_make_one_database_and_lose_nothing() {
    if let Some(file) = std::env::var_os(FILE) {
        let store = SqliteStore::open(file).await.unwrap();
        agree(&store).await;
        let own = key(&std::process::id().to_string());
        let mut base = ABSENT;
        for n in 1..=10_u64 {
            let commit = write(base, &[("a", n.to_string().as_bytes())]);
            base = Base::from(&applied(store.commit(&own, &commit).await.unwrap()).head.unwrap());
        }
        return;
    }

    for _ in 0..5 {
        let place = Place::new();
        let start = || start("processes_that_start_at_once_make_one_database_and_lose_nothing", &place.file());
        let children: Vec<_> = (0..6).map(|_| start()).collect();
        let mut ids = Vec::new();
        for child in children {
            ids.push(child.id());
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        }
        let store = place.open().await;
        for id in ids {
            assert_eq!(record(&store, &key(&id.to_string())).await.head.revision, 10);
        }
    }
}
