//! Stores opened by their URL, on the real engines.

use session_runtime::store::{StoreErrorKind, connect};
use session_runtime::{AnyStore, Session};
use session_tests::{Kept, postgres_server, redis_server};

#[derive(Session)]
#[session(name = "connected")]
struct Visitor {
    visits: u32,
}

async fn visit(store: AnyStore, key: &str) -> u32 {
    let sessions = Kept::<Visitor, _>::new(store);
    let count = |visitor: &mut session_runtime::Handle<Visitor>| {
        *visitor.edit().visits() += 1;
        visitor.visits
    };
    sessions.update(key, count).await.expect("a visit")
}

/// Two stores of one URL are one place.
async fn is_one_place(url: &str) {
    let key = format!("{:016x}", rand::random::<u64>());
    assert_eq!(visit(connect(url).await.expect("a store"), &key).await, 1);
    assert_eq!(visit(connect(url).await.expect("a store"), &key).await, 2);
}

#[tokio::test]
async fn a_path_opens_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("sessions.db");
    is_one_place(&format!("sqlite:{}", path.display())).await;
    assert!(path.is_file());
    is_one_place(&format!("sqlite://{}", path.display())).await;
}

#[tokio::test]
async fn the_mode_of_an_sqlite_url_says_whether_a_file_is_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("sessions.db");
    let url = |mode: &str| format!("sqlite:{}?mode={mode}", path.display());
    for mode in ["rw", "ro"] {
        let error = connect(&url(mode)).await.map(drop).expect_err("no file is there");
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        assert!(!path.exists());
    }
    is_one_place(&url("rwc")).await;
    assert!(path.is_file());
    for mode in ["rw", "ro"] {
        assert!(connect(&url(mode)).await.is_ok());
    }
    for mode in ["rwc", "rw", "ro"] {
        let uri = format!("file:{}?mode={mode}", path.display());
        assert!(session_runtime::store::SqliteStore::open(&uri).await.is_ok(), "{mode}");
    }
    for file in folder.path().read_dir().expect("a folder") {
        let name = file.expect("a file").file_name();
        assert!(!name.to_string_lossy().contains("mode"), "{name:?} is named after the options");
    }
}

#[tokio::test]
async fn each_memory_is_a_place_of_its_own() {
    for _ in 0..2 {
        assert_eq!(visit(connect("memory:").await.expect("a store"), "42").await, 1);
        assert_eq!(visit(connect("sqlite::memory:").await.expect("a store"), "42").await, 1);
    }
}

#[tokio::test]
async fn a_redis_url_opens_a_server() {
    if let Some(url) = redis_server::shared() {
        is_one_place(&url).await;
    }
}

#[tokio::test]
async fn both_spellings_of_a_postgres_url_open_a_server() {
    if let Some(url) = postgres_server::shared() {
        is_one_place(&url).await;
        is_one_place(&url.replacen("postgres://", "postgresql://", 1)).await;
    }
}

#[tokio::test]
async fn a_wrong_password_is_denied_and_not_shown() {
    if !redis_server::is_available() {
        return;
    }
    let server = redis_server::RedisServer::start(&["requirepass only-for-tests"]);
    let error = connect(&server.url().replace("only-for-tests", "hunter2")).await.map(drop).expect_err("a password");
    assert_eq!(error.kind(), StoreErrorKind::Denied);
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
}
