//! Log out everywhere, while tasks log in, change and renew, and the engine is killed in between.
//!
//! SQLite's engine is the program that uses it, so there a process is killed that logs in, changes and renews. It is this
//! test binary again: it runs the one test, which does the child's work when it finds a file name in its environment.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use session_runtime::expiry::ClockOffset;
use session_runtime::{Error, Handle, Housekeeping, PostgresStore, RedisStore, Session, Sessions, SqliteStore};
use session_tests::postgres_server::{self, PostgresServer};
use session_tests::redis_server::{self, RedisServer};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

#[derive(Session)]
#[session(name = "fault-member")]
struct Member {
    #[session(index)]
    user: Option<u64>,
    visits: u32,
    /// Whether it was logged in before somebody began to log out everywhere.
    early: bool,
}

const TASKS: usize = 32;
const SEVEN: Option<u64> = Some(7);

/// Logs in, changes and renews until it is over, whatever fails. The first login is an early one, if any is.
async fn visit(sessions: Sessions<Member>, task: usize, early: bool, all_in: Arc<Barrier>, over: Arc<AtomicBool>) {
    let (mut number, mut is_early) = (0, early);
    while is_early || !over.load(Ordering::Acquire) {
        number += 1;
        let login = |member: &mut Handle<Member>| {
            *member.edit().user() = SEVEN;
            *member.edit().early() = is_early;
        };
        let mut key = format!("{task} {number}");
        let logged_in = sessions.update(&key, login).await;
        if std::mem::take(&mut is_early) {
            logged_in.expect("the engine lives");
            all_in.wait().await;
        }
        for step in 1..100 {
            let Ok(mut session) = sessions.load(&key).await else { continue };
            if session.is_new() {
                break;
            }
            *session.edit().visits() += 1;
            if step % 3 == 0 {
                number += 1;
                let to = format!("{task} {number}");
                if session.renew(&to).await.is_ok() {
                    key = to;
                }
            } else {
                let _ = session.commit().await;
            }
            session.discard();
        }
    }
}

/// Kills the engine while all sessions of the user are being ended, and ends them until that succeeds. Nobody survives
/// who was logged in before.
async fn log_out_everywhere(store: impl Housekeeping, crash: impl FnOnce()) {
    let sessions = Sessions::<Member>::new(store.clone());
    sessions.prepare().await.expect("a store");
    let (all_in, over) = (Arc::new(Barrier::new(TASKS + 1)), Arc::new(AtomicBool::new(false)));
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        tasks.spawn(visit(sessions.clone(), task, true, all_in.clone(), over.clone()));
    }
    all_in.wait().await;
    let ending = tokio::spawn(end_all(sessions.clone()));
    tokio::task::block_in_place(crash);
    ending.await.expect("all are ended");
    assert_eq!(survivors(&sessions, &store).await, [""; 0]);
    over.store(true, Ordering::Release);
    while let Some(ended) = tasks.join_next().await {
        ended.expect("a task");
    }
    assert_eq!(survivors(&sessions, &store).await, [""; 0], "nobody comes back");
}

/// Ends all sessions of the user, again until that succeeds.
async fn end_all(sessions: Sessions<Member>) {
    loop {
        match sessions.destroy_found(MemberIndex::User(&SEVEN)).await {
            Ok(_) => return,
            Err(Error::Store(_) | Error::Contended) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
}

/// The keys of all sessions that were logged in early.
async fn survivors(sessions: &Sessions<Member>, store: &impl Housekeeping) -> Vec<String> {
    let listed = store.keys("fault-member", None, usize::MAX, ClockOffset(0)).await.expect("a listing");
    let mut survivors = Vec::new();
    for key in listed.keys {
        let member = sessions.load(key.id()).await.expect("a load");
        if member.early && member.user == SEVEN {
            survivors.push(key.id().to_owned());
        }
    }
    survivors
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p06_nobody_survives_a_log_out_everywhere_in_which_redis_is_killed() {
    if !redis_server::is_available() {
        return;
    }
    let mut server = RedisServer::start(&[]);
    let store = RedisStore::open(server.url()).await.expect("a server");
    log_out_everywhere(store, || {
        server.kill9();
        server.restart();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p06_nobody_survives_a_log_out_everywhere_in_which_postgres_is_killed() {
    if !postgres_server::is_available() {
        return;
    }
    let mut server = PostgresServer::start(&[]);
    let store = PostgresStore::open(server.url()).await.expect("a server");
    log_out_everywhere(store, || {
        server.kill9();
        server.restart(&[]);
    })
    .await;
}

/// Where a child finds the name of the database file, and whether its tasks log in early.
const FILE: &str = "SESSION_TESTS_INDEX_FILE";
const EARLY: &str = "SESSION_TESTS_INDEX_EARLY";

/// The child's work, if this is one: says when all are logged in, and goes on until it is killed.
async fn is_child() -> bool {
    let Some(file) = std::env::var_os(FILE) else { return false };
    let early = std::env::var_os(EARLY).is_some();
    let sessions = Sessions::<Member>::new(SqliteStore::open(file).await.expect("a file"));
    let (all_in, over) = (Arc::new(Barrier::new(TASKS + 1)), Arc::new(AtomicBool::new(false)));
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let task = if early { task } else { TASKS + task };
        tasks.spawn(visit(sessions.clone(), task, early, all_in.clone(), over.clone()));
    }
    if early {
        all_in.wait().await;
    }
    println!("\nall are in");
    tasks.join_next().await.expect("tasks").expect("it goes on until it is killed");
    true
}

/// Starts a process whose tasks log in, and waits until they have.
fn start(file: &Path, early: bool) -> Child {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    let test = "index::p06_nobody_survives_a_log_out_everywhere_in_which_a_process_on_sqlite_is_killed";
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(FILE, file).stdout(Stdio::piped());
    if early {
        command.env(EARLY, "1");
    }
    let mut child = command.spawn().expect("another process");
    let said = BufReader::new(child.stdout.take().expect("it is piped"));
    assert!(said.lines().map_while(Result::ok).any(|line| line == "all are in"), "it logs in");
    child
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p06_nobody_survives_a_log_out_everywhere_in_which_a_process_on_sqlite_is_killed() {
    if is_child().await {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("sessions.db");
    let store = SqliteStore::open(&file).await.expect("a file");
    let sessions = Sessions::<Member>::new(store.clone());
    sessions.prepare().await.expect("a store");
    let mut first = start(&file, true);
    assert!(!survivors(&sessions, &store).await.is_empty(), "they are logged in");

    let ending = tokio::spawn(end_all(sessions.clone()));
    first.kill().expect("it can be killed");
    first.wait().expect("an end");
    let mut second = tokio::task::block_in_place(|| start(&file, false));
    ending.await.expect("all are ended");
    assert_eq!(survivors(&sessions, &store).await, [""; 0]);
    second.kill().expect("it can be killed");
    second.wait().expect("an end");
    assert_eq!(survivors(&sessions, &store).await, [""; 0], "nobody comes back");
}
