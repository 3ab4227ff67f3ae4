//! Log out everywhere, while tasks log in, change and renew, and the engine is killed in between.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use session_runtime::expiry::ClockOffset;
use session_runtime::{Error, Handle, Housekeeping, PostgresStore, RedisStore, Session, Sessions};
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

/// Logs in, changes and renews until it is over, whatever fails.
async fn visit(sessions: Sessions<Member>, task: usize, all_in: Arc<Barrier>, over: Arc<AtomicBool>) {
    let (mut number, mut is_early) = (0, true);
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
        tasks.spawn(visit(sessions.clone(), task, all_in.clone(), over.clone()));
    }
    all_in.wait().await;
    let ending = tokio::spawn({
        let sessions = sessions.clone();
        async move {
            loop {
                match sessions.destroy_found(MemberIndex::User(&SEVEN)).await {
                    Ok(_) => return,
                    Err(Error::Store(_) | Error::Contended) => {}
                    Err(error) => panic!("{error:?}"),
                }
            }
        }
    });
    tokio::task::block_in_place(crash);
    ending.await.expect("all are ended");
    assert_eq!(survivors(&sessions, &store).await, [""; 0]);
    over.store(true, Ordering::Release);
    while let Some(ended) = tasks.join_next().await {
        ended.expect("a task");
    }
    assert_eq!(survivors(&sessions, &store).await, [""; 0], "nobody comes back");
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
