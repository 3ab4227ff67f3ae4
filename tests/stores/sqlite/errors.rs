//! What goes wrong with a file is told as a typed error, and nothing of the file is lost.

use std::error::Error;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use session_runtime::expiry::ClockOffset;
use session_runtime::store::{
    Base, Found, Housekeeping, Load, Reply, SqliteOptions, SqliteStore, Store, StoreError, StoreErrorKind,
};

use session_tests::commits::living;

use super::{ABSENT, FOREVER, MINUTE, NOW, Place, agree, applied, fields, key, write};

fn kind<T: std::fmt::Debug>(result: &Result<T, StoreError>) -> StoreErrorKind {
    result.as_ref().unwrap_err().kind()
}

/// Replaces a table by one that takes anything, as a hostile or broken program could.
fn loosen(connection: &Connection, table: &str) {
    let columns = "SELECT group_concat(format('+%s AS %s', name, name)) FROM pragma_table_info(?1)";
    let columns: String = connection.query_row(columns, [table], |row| row.get(0)).unwrap();
    let loose = format!("CREATE TABLE loose AS SELECT {columns} FROM {table}");
    let replace = format!("{loose}; DROP TABLE {table}; ALTER TABLE loose RENAME TO {table}");
    connection.execute_batch(&replace).unwrap();
}

#[tokio::test]
async fn a_lock_of_another_process_is_busy_for_commits_and_nothing_for_loads() {
    let place = Place::new();
    let options = SqliteOptions::new(place.file()).busy_timeout(Duration::from_millis(50));
    let store = options.clone().open().await.unwrap();
    agree(&store).await;
    let first = applied(store.commit(&key("42"), &write(ABSENT, &[("a", b"1")])).await.unwrap()).head.unwrap();

    let other = place.connection();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let commit = write(Base::from(&first), &[("a", b"2")]);
    let refused = store.commit(&key("42"), &commit).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Busy);
    assert!(refused.is_not_applied());
    assert!(refused.source().is_some());
    assert_eq!(fields(&store, &key("42")).await, [("a".to_owned(), b"1".to_vec())]);
    // Its tables are there, so opening it needs no lock.
    drop(options.open().await.unwrap());

    other.execute_batch("ROLLBACK").unwrap();
    assert!(!applied(store.commit(&key("42"), &commit).await.unwrap()).repeated);
    assert_eq!(fields(&store, &key("42")).await, [("a".to_owned(), b"2".to_vec())]);
}

#[tokio::test]
async fn a_load_that_counts_as_activity_says_when_a_lock_keeps_it_from_that() {
    let place = Place::new();
    let store = SqliteOptions::new(place.file()).busy_timeout(Duration::from_millis(50)).open().await.unwrap();
    agree(&store).await;
    applied(store.commit(&key("42"), &living(write(ABSENT, &[("a", b"1")]), MINUTE)).await.unwrap());

    let other = place.connection();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let touch = async || store.load(&key("42"), Load::touch(MINUTE, ClockOffset(30_000))).await;
    assert_eq!(touch().await.unwrap_err().kind(), StoreErrorKind::Busy);
    other.execute_batch("ROLLBACK").unwrap();
    assert!(touch().await.unwrap().touched);
}

#[tokio::test]
async fn a_file_that_takes_the_place_of_another_is_read_while_others_write_to_it() {
    let (place, next) = (Place::new(), Place::new());
    let store = SqliteOptions::new(place.file()).busy_timeout(Duration::from_millis(50)).open().await.unwrap();
    let restored = next.open().await;
    applied(restored.commit(&key("42"), &write(ABSENT, &[("a", b"1")])).await.unwrap());
    drop(restored);
    for file in [place.log(), place.0.path().join("sessions.db-shm")] {
        std::fs::remove_file(file).unwrap();
    }
    std::fs::rename(next.file(), place.file()).unwrap();

    let other = place.connection();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(fields(&store, &key("42")).await, [("a".to_owned(), b"1".to_vec())]);
}

#[tokio::test]
async fn a_path_that_no_file_can_have_is_a_mistake_of_the_configuration() {
    assert_eq!(kind(&SqliteStore::open("sessions\0.db").await), StoreErrorKind::Configuration);
}

#[tokio::test]
async fn a_file_that_another_program_writes_to_is_waited_for_as_long_as_was_said() {
    let place = Place::new();
    let other = place.connection();
    other.execute_batch("CREATE TABLE orders (id); BEGIN IMMEDIATE").unwrap();
    let patience = Duration::from_millis(200);
    let options = SqliteOptions::new(place.file()).busy_timeout(patience);
    let started = Instant::now();
    assert_eq!(kind(&options.clone().open().await), StoreErrorKind::Busy);
    assert!(started.elapsed() >= patience, "it waited {:?}", started.elapsed());
    other.execute_batch("COMMIT").unwrap();
    drop(options.open().await.unwrap());
}

#[tokio::test]
async fn a_place_that_takes_no_write_ahead_log_is_refused() {
    let place = Place::new();
    let uri = format!("file:{}?vfs=unix-none", place.file().display());
    assert_eq!(kind(&SqliteStore::open(uri).await), StoreErrorKind::Incompatible);
}

#[tokio::test]
async fn a_database_opened_for_reading_is_read_and_takes_no_writes() {
    let place = Place::new();
    let store = place.open().await;
    let commit = living(write(ABSENT, &[("a", b"1")]), MINUTE);
    let head = applied(store.commit(&key("42"), &commit).await.unwrap()).head.unwrap();
    drop(store);

    let uri = format!("file:{}?mode=ro", place.file().display());
    let by_option = SqliteOptions::new(place.file()).read_only(true).open().await.unwrap();
    let by_uri = SqliteStore::open(uri).await.unwrap();
    for store in [by_option, by_uri] {
        store.prepare().await.unwrap();
        let refused = store.commit(&key("42"), &write(Base::from(&head), &[("a", b"2")])).await.unwrap_err();
        assert_eq!((refused.kind(), refused.is_not_applied()), (StoreErrorKind::ReadOnly, true));
        assert_eq!(kind(&store.withdraw("Visitor", 1).await), StoreErrorKind::ReadOnly);
        assert_eq!(kind(&store.purge(1, ClockOffset(61_000)).await), StoreErrorKind::ReadOnly);

        // Half a minute later the expiry ought to move, and cannot.
        let loaded = store.load(&key("42"), Load::touch(MINUTE, ClockOffset(30_000))).await.unwrap();
        assert!(!loaded.touched);
        let Found::Record(record) = loaded.found else { panic!("there is no session") };
        assert_eq!(record.head, head);
    }
}

#[tokio::test]
async fn a_missing_database_is_not_made_for_reading_only() {
    let place = Place::new();
    let opened = SqliteOptions::new(place.file()).read_only(true).open().await;
    assert_eq!(kind(&opened), StoreErrorKind::Unavailable);
    assert!(!place.file().exists());

    let existing = || SqliteOptions::new(place.file()).existing_only().open();
    assert_eq!(kind(&existing().await), StoreErrorKind::Unavailable);
    assert!(!place.file().exists());
    drop(place.open().await);
    applied(existing().await.unwrap().commit(&key("42"), &write(ABSENT, &[("a", b"1")])).await.unwrap());

    let opened = SqliteStore::open(place.file().join("no/such/folder.db")).await;
    assert_eq!(kind(&opened), StoreErrorKind::Unavailable);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_corrupt_and_left_as_it_is() {
    let place = Place::new();
    let garbage = b"these are not the sessions you are looking for".repeat(200);
    std::fs::write(place.file(), &garbage).unwrap();

    assert_eq!(kind(&SqliteStore::open(place.file()).await), StoreErrorKind::Corrupt);
    assert_eq!(std::fs::read(place.file()).unwrap(), garbage);
}

#[tokio::test]
async fn a_file_of_zeros_is_corrupt_and_left_as_it_is() {
    for length in [100, 512, 4095, 8192] {
        let place = Place::new();
        let zeros = vec![0; length];
        std::fs::write(place.file(), &zeros).unwrap();

        let error = SqliteStore::open(place.file()).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{length} zeros");
        assert!(error.to_string().contains("it begins with zeros"), "{error}");
        assert_eq!(std::fs::read(place.file()).unwrap(), zeros);
    }
}

#[tokio::test]
async fn an_empty_file_becomes_a_database() {
    let place = Place::new();
    std::fs::write(place.file(), b"").unwrap();
    drop(place.open().await);
    assert!(std::fs::read(place.file()).unwrap().starts_with(b"SQLite format 3"));
}

#[tokio::test]
async fn a_damaged_page_is_corrupt() {
    let place = Place::new();
    let store = place.open().await;
    store.commit(&key("42"), &write(ABSENT, &[("a", b"1")])).await.unwrap();
    drop(store);
    let mut bytes = std::fs::read(place.file()).unwrap();
    bytes[4096..].fill(0xa5);
    std::fs::write(place.file(), bytes).unwrap();

    let opened = SqliteStore::open(place.file()).await;
    assert_eq!(kind(&opened), StoreErrorKind::Corrupt);
}

#[tokio::test]
async fn tables_of_a_newer_build_are_refused_and_left_as_they_are() {
    let place = Place::new();
    let store = place.open().await;
    place.connection().execute("UPDATE session_runtime_schema SET version = 2", []).unwrap();

    assert_eq!(kind(&store.prepare().await), StoreErrorKind::Incompatible);
    assert_eq!(kind(&SqliteStore::open(place.file()).await), StoreErrorKind::Incompatible);
    let version = "SELECT version FROM session_runtime_schema";
    assert_eq!(place.connection().query_row(version, [], |row| row.get::<_, i64>(0)).unwrap(), 2);

    let set = |version: &str| place.connection().execute_batch(version).unwrap();
    for version in [
        "UPDATE session_runtime_schema SET version = 0",
        "DELETE FROM session_runtime_schema",
        "DROP TABLE session_runtime_schema; CREATE TABLE session_runtime_schema (version);
         INSERT INTO session_runtime_schema VALUES ('swordfish')",
    ] {
        set(version);
        assert_eq!(kind(&SqliteStore::open(place.file()).await), StoreErrorKind::Corrupt, "{version}");
    }
}

#[tokio::test]
async fn a_database_in_utf_16_is_refused() {
    let place = Place::new();
    place.connection().execute_batch("PRAGMA encoding = 'UTF-16'; CREATE TABLE orders (id)").unwrap();
    assert_eq!(kind(&SqliteStore::open(place.file()).await), StoreErrorKind::Incompatible);
}

#[tokio::test]
async fn a_header_that_this_crate_did_not_write_is_corrupt_by_name_and_stays() {
    let place = Place::new();
    let store = place.open().await;
    let head = applied(store.commit(&key("42"), &write(ABSENT, &[("a", b"1")])).await.unwrap()).head.unwrap();
    let connection = place.connection();
    loosen(&connection, "session_runtime_sessions");

    for (column, value) in [
        ("state", "'swordfish'"),
        ("state", "NULL"),
        ("incarnation", "'swordfish'"),
        ("revision", "1.5"),
        ("version", "-1"),
        ("version", "4294967296"),
        ("registration", "NULL"),
        ("created_at", "x'00'"),
        ("fixed_end", "'swordfish'"),
        ("expires_at", "'swordfish'"),
        ("retained_until", "'swordfish'"),
        ("origin", "'swordfish'"),
        ("commits", "'swordfish'"),
        ("commits", "x''"),
        ("commits", "x'00112233445566'"),
        ("commits", "zeroblob(72)"),
    ] {
        let before: rusqlite::types::Value = connection
            .query_row(&format!("SELECT {column} FROM session_runtime_sessions"), [], |row| row.get(0))
            .unwrap();
        connection.execute(&format!("UPDATE session_runtime_sessions SET {column} = {value}"), []).unwrap();

        let loaded = store.load(&key("42"), Load::touch(FOREVER, NOW)).await.unwrap_err();
        let committed = store.commit(&key("42"), &write(Base::from(&head), &[("a", b"2")])).await.unwrap_err();
        for error in [loaded, committed] {
            assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{column} = {value}");
            assert!(error.to_string().contains(&format!("`{column}`")), "{error}");
            assert!(!error.to_string().contains("swordfish"), "{error}");
            assert!(error.is_not_applied());
        }
        let kept = format!("SELECT {column} IS {value} FROM session_runtime_sessions");
        assert!(connection.query_row(&kept, [], |row| row.get::<_, bool>(0)).unwrap(), "{column} = {value}");
        connection.execute(&format!("UPDATE session_runtime_sessions SET {column} = ?1"), [before]).unwrap();
    }
    applied(store.commit(&key("42"), &write(Base::from(&head), &[("a", b"2")])).await.unwrap());
}

#[tokio::test]
async fn a_value_that_this_crate_did_not_write_is_corrupt_by_name_and_stays() {
    let place = Place::new();
    let store = place.open().await;
    let head = applied(store.commit(&key("42"), &write(ABSENT, &[("cart", b"1"), ("theme", b"2")])).await.unwrap())
        .head
        .unwrap();
    let connection = place.connection();
    loosen(&connection, "session_runtime_fields");
    connection.execute("UPDATE session_runtime_fields SET value = 4711 WHERE name = 'cart'", []).unwrap();

    let loaded = store.load(&key("42"), Load::touch(FOREVER, NOW)).await.unwrap_err();
    assert_eq!(loaded.kind(), StoreErrorKind::Corrupt);
    assert!(loaded.to_string().contains("`cart`"), "{loaded}");
    assert!(!loaded.to_string().contains("4711"), "{loaded}");

    // A conflict answers with the record, and so cannot be answered.
    let stale = write(Base::Record { incarnation: head.incarnation, revision: 9, last_commit: head.last_commit }, &[]);
    assert_eq!(kind(&store.commit(&key("42"), &stale).await), StoreErrorKind::Corrupt);

    let names = "UPDATE session_runtime_fields SET value = '1', name = CAST(x'ff' AS TEXT) WHERE name = 'cart'";
    connection.execute(names, []).unwrap();
    assert_eq!(kind(&store.load(&key("42"), Load::touch(FOREVER, NOW)).await), StoreErrorKind::Corrupt);
    connection.execute("DELETE FROM session_runtime_fields WHERE name <> 'theme'", []).unwrap();
    assert_eq!(fields(&store, &key("42")).await, [("theme".to_owned(), b"2".to_vec())]);
}

#[tokio::test]
async fn a_key_that_this_crate_did_not_write_is_corrupt() {
    let place = Place::new();
    let store = place.open().await;
    store.commit(&key("42"), &write(ABSENT, &[("a", b"1")])).await.unwrap();
    let set = "UPDATE session_runtime_sessions SET key = CAST(x'ff' AS TEXT)";
    place.connection().execute(set, []).unwrap();

    assert_eq!(kind(&store.keys("Visitor", None, 10, NOW).await), StoreErrorKind::Corrupt);
    assert_eq!(store.count("Visitor", NOW).await.unwrap(), 1);
}

#[tokio::test]
async fn a_commit_that_fails_does_not_harm_those_it_shares_a_transaction_with() {
    let place = Place::new();
    let store = place.open().await;
    store.commit(&key("broken"), &write(ABSENT, &[("a", b"1")])).await.unwrap();
    let other = place.connection();
    other.execute("UPDATE session_runtime_sessions SET state = 'swordfish'", []).unwrap();

    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let keys: Vec<_> = (0..20).map(|id| if id % 5 == 3 { key("broken") } else { key(&id.to_string()) }).collect();
    let commits: Vec<_> = keys
        .iter()
        .cloned()
        .map(|key| {
            let store = store.clone();
            tokio::spawn(async move { store.commit(&key, &write(ABSENT, &[("a", b"2")])).await })
        })
        .collect();
    tokio::task::yield_now().await;
    other.execute_batch("ROLLBACK").unwrap();

    for (key, commit) in keys.iter().zip(commits) {
        let answer = commit.await.unwrap();
        if *key == super::key("broken") {
            assert_eq!(kind(&answer), StoreErrorKind::Corrupt);
        } else {
            assert!(matches!(answer, Ok(Reply::Applied(_))), "{answer:?}");
            assert_eq!(fields(&store, key).await, [("a".to_owned(), b"2".to_vec())]);
        }
    }
}
