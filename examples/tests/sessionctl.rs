//! The `sessionctl` program as its users run it, on each store.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use session_runtime::check::Snapshot;
use session_runtime::store::connect;
use session_runtime::{Error, Handle, MemoryStore, Session, Sessions};
use session_tests::postgres_server::{self, PostgresServer};
use session_tests::redis_server::{self, RedisServer};

#[derive(Session)]
#[session(name = "visitor", version = 2)]
struct Visitor {
    visits: u32,
    #[session(initial = "light".to_owned())]
    theme: String,
    #[session(sensitive)]
    token: String,
    #[session(pin, initial = 7)]
    number: u32,
    #[session(index)]
    user: Option<u64>,
}

#[derive(Session)]
#[session(name = "chat")]
struct Chat {
    language: String,
}

fn run(store: &str, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sessionctl"))
        .args(["--store", store])
        .args(arguments)
        .output()
        .expect("the program starts")
}

/// What it prints, and its status.
#[track_caller]
fn says(store: &str, arguments: &[&str]) -> (String, i32) {
    let output = run(store, arguments);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{arguments:?}");
    (String::from_utf8(output.stdout).expect("UTF-8"), output.status.code().expect("an end of its own"))
}

/// What it says is wrong.
#[track_caller]
fn complains(store: &str, arguments: &[&str]) -> String {
    let output = run(store, arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
    String::from_utf8(output.stderr).expect("UTF-8")
}

fn lines(text: &[&str]) -> String {
    text.join("\n") + "\n"
}

/// A key that clears the screen and turns the order of what follows.
const EVIL: &str = "\u{1b}[2J\u{202e}\\";
const EVIL_SHOWN: &str = r"\u{1b}[2J\u{202e}\\";

async fn fill(sessions: &Sessions<Visitor>) {
    let change = |visitor: &mut Handle<Visitor>| {
        *visitor.edit().visits() += 1;
        visitor.edit().token().push_str("swordfish");
    };
    sessions.update("42", change).await.expect("a commit");
    sessions.update("42", |visitor| *visitor.edit().visits() += 1).await.expect("a commit");
    sessions
        .update(EVIL, |visitor| visitor.edit().theme().push_str("\u{1b}]0;owned\u{7}\u{9b}"))
        .await
        .expect("a commit");
    sessions.load("read").await.expect("a load").commit().await.expect("nothing to do");
}

/// A build that is about to go out, and what stands against it.
fn checks_builds(url: &str, folder: &Path) {
    let file = |name: &str, snapshot: &str| {
        let path = folder.join(name);
        fs::write(&path, snapshot).expect("a file");
        path.to_str().expect("UTF-8").to_owned()
    };
    let snapshot = |name: &str| {
        let sessions = Sessions::<Visitor>::builder(MemoryStore::new()).name(name).build();
        Snapshot::of(&sessions).expect("a snapshot").to_string()
    };
    let same = snapshot("visitor");
    let (good, new) = (file("good.session", &same), file("new.session", &snapshot("guest")));
    let said = [
        format!("{good}: `visitor` version 2 gets on with what is registered"),
        format!("{new}: nothing is registered of `guest` version 2 yet"),
    ];
    assert_eq!(says(url, &["check", &good, &new]), (lines(&said.each_ref().map(String::as_str)), 0));

    let changed = same.replace(r#""light""#, r#""dark""#).replace(r#""name": "user""#, r#""name": "member""#);
    let bad = file("bad.session", &changed);
    let (said, status) = says(url, &["check", &bad, &good]);
    let [initial, renamed, last] = said.lines().collect::<Vec<_>>()[..] else { panic!("{said}") };
    assert!(
        initial.starts_with(&format!(r#"{bad}: the initial value of `theme` is "dark" and was "light": "#)),
        "{said}"
    );
    assert!(renamed.contains(r#"write `#[session(alias = "user")]` on `member`"#), "{said}");
    assert!(last.ends_with("gets on with what is registered"), "{said}");
    assert_eq!(status, 1);

    let raised = file("raised.session", &same.replace(r#""version": 2"#, r#""version": 3"#));
    let (said, status) = says(url, &["check", &raised]);
    assert!(said.contains("no `from` leads to version 2") && status == 1, "{said}");
    let reads = same.replace(r#""version": 2"#, r#""version": 3"#).replace(r#""reads": []"#, r#""reads": [2]"#);
    assert_eq!(says(url, &["check", &file("reads.session", &reads)]).1, 0);

    let foreign = file("foreign.session", "{}");
    let said = complains(url, &["check", &good, &foreign]);
    assert!(said.starts_with(&format!("error: {foreign} is none of the files that")), "{said}");
    let said = complains(url, &["check", "nowhere.session"]);
    assert!(said.starts_with("error: cannot read nowhere.session: "), "{said}");
}

/// Each task, on a store of its own.
async fn does_it_all(url: &str) {
    let store = connect(url).await.expect("a store");
    let sessions = Sessions::<Visitor>::new(store.clone());
    fill(&sessions).await;
    Sessions::<Chat>::new(store).prepare().await.expect("a registration");

    let registered = [
        "chat version 0, json",
        r#"  language = """#,
        "visitor version 2, json",
        "  visits = 0",
        r#"  theme = "light""#,
        "  token = (sensitive)",
        "  number = (pinned)",
        "  user = null",
    ];
    let (said, status) = says(url, &["registrations"]);
    let sort = |text: &str| {
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!((sort(&said), status), (sort(&lines(&registered)), 0));
    assert_eq!(says(url, &["stats"]), (lines(&["chat: 0 stored, version 0", "visitor: 2 stored, version 2"]), 0));

    let (said, status) = says(url, &["list", "visitor"]);
    assert_eq!((sort(&said), status), (sort(&lines(&["42", EVIL_SHOWN])), 0));
    assert_eq!(says(url, &["list", "nobody"]), (String::new(), 0));

    shows_sessions(url);
    let folder = tempfile::tempdir().expect("a temporary folder");
    checks_builds(url, folder.path());

    let mut held = sessions.load("42").await.expect("a load");
    *held.edit().visits() += 1;
    let destroyed = lines(&["destroyed: 42", &format!("destroyed: {EVIL_SHOWN}")]);
    assert_eq!(says(url, &["destroy", "visitor", "42", EVIL_SHOWN]), (destroyed, 0));
    assert!(matches!(held.commit().await, Err(Error::Destroyed)), "it is as dead as if the library had destroyed it");
    held.discard();
    assert_eq!(says(url, &["destroy", "visitor", "42"]), (lines(&["not stored: 42"]), 1));
    assert_eq!(says(url, &["show", "visitor", "42"]), (lines(&["not stored: 42"]), 1));
    assert_eq!(says(url, &["list", "visitor"]), (String::new(), 0));

    for key in ["phone", "laptop"] {
        sessions.update(key, |visitor| *visitor.edit().user() = Some(7)).await.expect("a commit");
    }
    sessions.update("other", |visitor| *visitor.edit().user() = Some(8)).await.expect("a commit");
    let (said, status) = says(url, &["find", "visitor", "user=7"]);
    assert_eq!((sort(&said), status), (sort(&lines(&["laptop", "phone"])), 0));
    assert!(complains(url, &["find", "visitor", "usr=7"]).contains("`visitor` has no field `usr`; its fields are"));
    assert!(complains(url, &["find", "visitor", "token=x"]).contains("the field `token` is sensitive"));
    assert!(complains(url, &["find", "nobody", "user=7"]).contains("no session called `nobody` is registered"));
    assert_eq!(says(url, &["build-index", "visitor", "user"]), (lines(&["3 indexed"]), 0));
    assert!(complains(url, &["build-index", "visitor", "usr"]).contains("`visitor` has no field `usr`"));
    assert_eq!(says(url, &["destroy", "visitor", "--where", "user=7"]), (lines(&["2 destroyed"]), 0));
    assert_eq!(says(url, &["destroy", "visitor", "--where", "user=7"]), (lines(&["0 destroyed"]), 1));
    assert_eq!(says(url, &["find", "visitor", "user=7"]), (String::new(), 0));
    assert_eq!(says(url, &["destroy", "visitor", "other"]), (lines(&["destroyed: other"]), 0));

    assert_eq!(says(url, &["namespaces"]), (String::new(), 0));
    let shop = format!("{url}{}namespace=shop", if url.contains('?') { '&' } else { '?' });
    let sessions = Sessions::<Visitor>::new(connect(&shop).await.expect("a store"));
    sessions.update("7", |visitor| *visitor.edit().visits() = 1).await.expect("a commit");
    assert_eq!(says(url, &["namespaces"]), (lines(&["shop: visitor"]), 0));
    assert_eq!(says(&shop, &["list", "visitor"]), (lines(&["7"]), 0));
    assert_eq!(says(url, &["list", "visitor"]), (String::new(), 0));
    assert_eq!(says(url, &["list", "shop/visitor"]), (lines(&["7"]), 0));
    assert_eq!(says(&shop, &["destroy", "visitor", "7"]), (lines(&["destroyed: 7"]), 0));
    assert_eq!(says(&shop, &["withdraw", "visitor", "2"]), (lines(&["withdrawn: visitor version 2"]), 0));

    // What was destroyed just now is kept for an hour.
    assert_eq!(says(url, &["purge"]), (lines(&["0 removed"]), 0));
    assert_eq!(says(url, &["withdraw", "chat", "0"]), (lines(&["withdrawn: chat version 0"]), 0));
    assert_eq!(says(url, &["withdraw", "chat", "0"]), (lines(&["not registered: chat version 0"]), 1));
    assert_eq!(says(url, &["stats"]), (lines(&["visitor: 0 stored, version 2"]), 0));
}

fn shows_sessions(url: &str) {
    let (said, status) = says(url, &["show", "visitor", "42"]);
    assert!(!said.contains("swordfish"), "{said}");
    let mut shown: Value = serde_json::from_str(&said).expect("JSON");
    let created = shown.as_object_mut().and_then(|shown| shown.remove("created")).expect("a date");
    assert!(created.as_str().is_some_and(|date| date.len() == 24 && date.ends_with('Z')), "{created}");
    let expected = json!({
        "name": "visitor",
        "key": "42",
        "expires": null,
        "own_lifetime_ms": null,
        "revision": 2,
        "version": 2,
        "codec": "json",
        "fields": {
            "visits": { "stored": true, "value": 2 },
            "theme": { "stored": false, "value": "light" },
            "token": { "stored": true, "redacted": true },
            "number": { "stored": true, "value": 7 },
            "user": { "stored": false, "value": null },
        },
    });
    assert_eq!((shown, status), (expected, 0));

    let (said, status) = says(url, &["show", "visitor", EVIL_SHOWN]);
    assert_eq!(status, 0);
    assert!(said.contains(r#""key": "\u001b[2J\u202e\\""#), "{said}");
    assert!(said.contains(r#""light\u001b]0;owned\u0007\u009b""#), "{said}");
    assert!(!said.chars().any(|character| character.is_control() && character != '\n'), "{said:?}");
}

fn url(path: &Path) -> String {
    format!("sqlite:{}", path.display())
}

#[tokio::test]
async fn it_looks_after_sessions_in_sqlite() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    does_it_all(&url(&folder.path().join("sessions.db"))).await;
}

#[tokio::test]
async fn it_looks_after_sessions_in_redis() {
    if redis_server::is_available() {
        let server = RedisServer::start(&["appendonly no"]);
        does_it_all(&server.url()).await;
    }
}

#[tokio::test]
async fn it_looks_after_sessions_in_postgresql() {
    if postgres_server::is_available() {
        let server = PostgresServer::start(&[("fsync", "off")]);
        does_it_all(&server.url()).await;
    }
}

#[test]
fn a_store_that_cannot_be_opened_is_explained_without_its_password() {
    let said = complains("mysql://root:hunter2@db/app", &["stats"]);
    assert!(said.starts_with("error: cannot open the store: this is no URL of a session store; write"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
    let said = complains("redis://:hunter2@127.0.0.1:1/", &["stats"]);
    assert!(said.starts_with("error: cannot open the store: "), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn a_file_that_is_not_there_is_not_made() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("typo.db");
    let said = complains(&url(&path), &["stats"]);
    assert_eq!(said, format!("error: cannot open the store: there is no file {}\n", path.display()));
    assert!(!path.exists());
    assert_eq!(complains(&format!("{}?namespace=shop", url(&path)), &["stats"]), said);
}

#[tokio::test]
async fn a_reader_that_has_seen_enough_is_no_error() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = url(&folder.path().join("sessions.db"));
    fill(&Sessions::new(connect(&url).await.expect("a store"))).await;
    let mut child = Command::new(env!("CARGO_BIN_EXE_sessionctl"))
        .args(["--store", &url, "registrations"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("an end");
    assert_eq!((output.status.code(), output.stderr.is_empty()), (Some(0), true));
}

#[test]
fn a_command_line_that_makes_no_sense_is_explained() {
    assert!(complains("memory:", &["explode"]).contains("unrecognized subcommand 'explode'"));
    assert!(complains("memory:", &["show", "visitor", r"a\b"]).contains(r"write `\\` for a backslash"));
    assert!(complains("memory:", &["show", "visitor", ""]).contains("a session key must not be empty"));
}
