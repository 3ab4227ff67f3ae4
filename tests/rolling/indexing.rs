//! A deployment that adds an index: the older build runs as a process of its own, beside the newer one.
//!
//! A child is this test binary again: it runs the one test named in its arguments, which does the child's work when it
//! finds the store's URL in its environment.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use session_runtime::{AnyStore, Session, Sessions, connect};
use session_tests::{postgres_server, redis_server};

/// Where a child finds the URL of the store.
const URL: &str = "SESSION_TESTS_INDEXING_URL";

/// The name that both builds share.
const NAME: &str = "member";

mod older {
    #[derive(session_runtime::Session)]
    pub struct Member {
        pub user: Option<u64>,
        pub visits: u64,
    }
}

#[derive(Session)]
struct Member {
    #[session(index)]
    user: Option<u64>,
    visits: u64,
}

/// A process of the older build, which does what it is told.
struct Older {
    child: Child,
    said: Lines<BufReader<ChildStdout>>,
}

impl Older {
    fn start(test: &str, url: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", &format!("indexing::{test}"), "--nocapture", "--test-threads=1"])
            .env(URL, url)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("another process");
        let said = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        Self { child, said }
    }

    /// Logs a user in at a key, or out with `None`.
    fn log_in(&mut self, key: &str, user: Option<u64>) {
        let user = user.map_or_else(|| "nobody".to_owned(), |user| user.to_string());
        let mut stdin = self.child.stdin.as_ref().expect("it is piped");
        writeln!(stdin, "{key} {user}").expect("the process listens");
        let done = self.said.by_ref().map(|line| line.expect("text")).find(|line| line.starts_with("done "));
        assert_eq!(done.as_deref(), Some(&*format!("done {key}")), "the older build goes on");
    }

    fn end(mut self) {
        drop(self.child.stdin.take());
        assert!(self.child.wait().expect("an end").success(), "the older build met no error");
    }
}

/// The child's work, if this is one: changes what it is told to.
async fn is_child() -> bool {
    let Ok(url) = std::env::var(URL) else { return false };
    let store = connect(&url).await.expect("a store");
    let sessions = Sessions::<older::Member>::builder(store).name(NAME).build();
    for line in std::io::stdin().lines() {
        let line = line.expect("text");
        let (key, user) = line.split_once(' ').expect("a key and a user");
        let user = user.parse().ok();
        let change = |member: &mut session_runtime::Handle<older::Member>| {
            *member.edit().user() = user;
            *member.edit().visits() += 1;
        };
        sessions.update(key, change).await.expect("a commit");
        println!("\ndone {key}");
    }
    true
}

async fn log_in(sessions: &Sessions<Member>, key: &str, user: u64) {
    sessions.update(key, |member| *member.edit().user() = Some(user)).await.expect("a commit");
}

async fn found(sessions: &Sessions<Member>, user: u64) -> BTreeSet<String> {
    let mut found = sessions.find(MemberIndex::User(&Some(user)));
    let mut keys = BTreeSet::new();
    while let Some(session) = found.next().await {
        keys.insert(session.expect("a session").key().to_owned());
    }
    keys
}

fn keys(keys: &[&str]) -> BTreeSet<String> {
    keys.iter().map(|key| (*key).to_owned()).collect()
}

async fn deploy(test: &str, url: &str) {
    let mut older = Older::start(test, url);
    for key in ["a", "b", "c"] {
        older.log_in(key, Some(7));
    }
    let store: AnyStore = connect(url).await.expect("a store");
    let newer = Sessions::<Member>::builder(store.clone()).name(NAME).build();
    newer.prepare().await.expect("both builds agree");
    assert_eq!(found(&newer, 7).await, keys(&[]), "what was stored before is not found yet");

    for key in ["d", "e", "f"] {
        log_in(&newer, key, 7).await;
    }
    assert_eq!(found(&newer, 7).await, keys(&["d", "e", "f"]));
    // The older build changes what the newer one has indexed: nothing is found by a value that it does not have.
    older.log_in("e", Some(8));
    older.log_in("f", None);
    older.log_in("g", Some(7));
    assert_eq!(found(&newer, 7).await, keys(&["d"]));
    assert!(found(&newer, 8).await.is_subset(&keys(&["e"])));
    // The newer one changes what the older one has stored.
    log_in(&newer, "a", 8).await;
    assert!(found(&newer, 8).await.contains("a"));

    older.end();
    assert!(newer.build_index(&store).await.expect("an index") >= 6);
    assert_eq!(found(&newer, 7).await, keys(&["b", "c", "d", "g"]));
    assert_eq!(found(&newer, 8).await, keys(&["a", "e"]));
    assert_eq!(newer.load("b").await.expect("a load").visits, 1, "building it changes no value");

    assert_eq!(newer.destroy_found(MemberIndex::User(&Some(7))).await.expect("they end"), 4);
    assert_eq!(found(&newer, 7).await, keys(&[]));
    assert_eq!(newer.load("e").await.expect("a load").user, Some(8));
}

#[tokio::test]
async fn an_index_is_added_while_an_older_build_runs_on_sqlite() {
    if is_child().await {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite:{}", folder.path().join("sessions.db").display());
    deploy("an_index_is_added_while_an_older_build_runs_on_sqlite", &url).await;
}

#[tokio::test]
async fn an_index_is_added_while_an_older_build_runs_on_redis() {
    if is_child().await {
        return;
    }
    let Some(url) = redis_server::shared() else { return };
    let url = format!("{url}?namespace={}", postgres_server::fresh_schema());
    deploy("an_index_is_added_while_an_older_build_runs_on_redis", &url).await;
}

#[tokio::test]
async fn an_index_is_added_while_an_older_build_runs_on_postgresql() {
    if is_child().await {
        return;
    }
    let Some(url) = postgres_server::shared() else { return };
    let url =
        format!("{url}{}namespace={}", if url.contains('?') { '&' } else { '?' }, postgres_server::fresh_schema());
    deploy("an_index_is_added_while_an_older_build_runs_on_postgresql", &url).await;
}
