//! Eight processes that change one session at once.
//!
//! A child is this test binary again: it runs the one test named in its arguments, which does the child's work when it
//! finds the store's URL in its environment.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use session_runtime::store::connect;
use session_runtime::{AnyStore, Session, merge};
use session_tests::{Kept, postgres_server, redis_server};

/// Where a child finds the URL of the store.
const URL: &str = "SESSION_TESTS_PROCESS_URL";

/// And where the key of the session.
const KEY: &str = "SESSION_TESTS_PROCESS_KEY";

const PROCESSES: u64 = 8;

/// How often each of them counts.
const TIMES: u64 = 50;

#[derive(Session)]
#[session(name = "processes")]
struct Counter {
    #[session(merge = merge::add)]
    total: u64,
    /// Counted without a merge: each process adds to what is stored.
    plain: u64,
    /// The last process to write it wins.
    last: u32,
}

async fn counters(url: &str) -> Kept<Counter, AnyStore> {
    let sessions = Kept::new(connect(url).await.unwrap());
    sessions.prepare().await.unwrap();
    sessions
}

/// The child's work, if this is one: says that it is ready, waits for the word to begin, and counts.
async fn is_child() -> bool {
    let (Ok(url), Ok(key)) = (std::env::var(URL), std::env::var(KEY)) else { return false };
    let sessions = counters(&url).await;
    println!("\nready");
    std::io::stdin().read_line(&mut String::new()).unwrap();
    for _ in 0..TIMES {
        let count = |counter: &mut session_runtime::Handle<Counter>| {
            *counter.edit().total() += 1;
            *counter.edit().plain() += 1;
            *counter.edit().last() = std::process::id();
        };
        sessions.update(&key, count).await.unwrap();
    }
    true
}

fn start(test: &str, url: &str, key: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("processes::{test}"), "--nocapture", "--test-threads=1"])
        .env(URL, url)
        .env(KEY, key)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

async fn count_together(test: &str, url: &str) {
    let key = format!("{:016x}", rand::random::<u64>());
    let mut children: Vec<Child> = (0..PROCESSES).map(|_| start(test, url, &key)).collect();
    let mut outputs: Vec<_> =
        children.iter_mut().map(|child| BufReader::new(child.stdout.take().unwrap()).lines()).collect();
    for output in &mut outputs {
        assert!(output.any(|line| line.unwrap() == "ready"), "a process ends before it is ready");
    }
    for child in &mut children {
        child.stdin.take().unwrap().write_all(b"begin\n").unwrap();
    }
    let ids: Vec<u32> = children.iter().map(Child::id).collect();
    for (mut child, output) in children.into_iter().zip(outputs) {
        let rest: Vec<String> = output.map_while(Result::ok).collect();
        assert!(child.wait().unwrap().success(), "a process fails: {rest:?}");
    }
    let counter = counters(url).await.load(&key).await.unwrap();
    assert_eq!((counter.total, counter.plain), (PROCESSES * TIMES, PROCESSES * TIMES));
    assert!(ids.contains(&counter.last));
}

#[tokio::test]
async fn p05_eight_processes_that_share_a_file_count_exactly() {
    if is_child().await {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("sessions.db").display());
    count_together("p05_eight_processes_that_share_a_file_count_exactly", &url).await;
}

#[tokio::test]
async fn p05_eight_processes_that_share_a_redis_server_count_exactly() {
    if is_child().await {
        return;
    }
    if let Some(url) = redis_server::shared() {
        count_together("p05_eight_processes_that_share_a_redis_server_count_exactly", &url).await;
    }
}

#[tokio::test]
async fn p05_eight_processes_that_share_a_postgres_server_count_exactly() {
    if is_child().await {
        return;
    }
    if let Some(url) = postgres_server::shared() {
        count_together("p05_eight_processes_that_share_a_postgres_server_count_exactly", &url).await;
    }
}
