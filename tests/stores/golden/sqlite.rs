//! The file of the SQLite store, as the SQL that makes it.

use rusqlite::Connection;
use session_runtime::store::SqliteStore;

use super::check::check;
use super::{Advice, read, record, script};

const FILE: &str = "sqlite.sql";

#[tokio::test]
async fn what_is_in_sqlite_today_is_read_by_later_builds() {
    let _advice = Advice;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.db");
    Connection::open(&path).unwrap().execute_batch(&read(FILE)).unwrap();
    check(&SqliteStore::open(path).await.unwrap()).await;
}

#[tokio::test]
#[ignore = "scripts/golden records with it"]
async fn record_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.db");
    script::play(&SqliteStore::open(&path).await.unwrap()).await;
    record(FILE, "--", &dump(&Connection::open(&path).unwrap()));
}

/// The tables and what belongs to them, then their rows.
fn dump(connection: &Connection) -> Vec<String> {
    let made = "SELECT sql || ';' FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid";
    let mut lines = select(connection, made);
    let tables = select(connection, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY rowid");
    for table in tables {
        let columns = select(connection, &format!("SELECT name FROM pragma_table_info('{table}')"));
        let values = columns.iter().map(|column| format!("quote({column})")).collect::<Vec<_>>().join(" || ', ' || ");
        let mut rows = select(connection, &format!("SELECT {values} FROM {table}"));
        rows.sort();
        let columns = columns.join(", ");
        lines.extend(rows.into_iter().map(|row| format!("INSERT INTO {table} ({columns}) VALUES ({row});")));
    }
    lines
}

fn select(connection: &Connection, sql: &str) -> Vec<String> {
    connection.prepare(sql).unwrap().query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}
