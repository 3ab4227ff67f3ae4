//! The SQLite store: its file, its errors, its threads, and what survives a crash.

mod conformance;
mod crash;
mod errors;
mod file;
mod full;
mod threads;

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use session_runtime::expiry::{ClockOffset, Lifetime};
use session_runtime::store::{
    Action, Applied, Base, Change, Commit, Found, Key, Load, Loaded, Record, Reply, SqliteStore, Store, Write,
};
use session_tests::commits::{REGISTRATION, agree};

/// A session that does not expire.
const FOREVER: Lifetime = Lifetime { inactivity: None, creation: None, touch_after: 1, retention: 3_600_000 };

/// A session that ends a minute after its last use.
const MINUTE: Lifetime = Lifetime { inactivity: Some(60_000), creation: None, touch_after: 6_000, retention: 0 };

const NOW: ClockOffset = ClockOffset(0);
const ABSENT: Base = Base::Absent { saw: None, valid_until: None };

/// A folder for a database, removed at the end of the test.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("sessions.db")
    }

    /// The write-ahead log of the database.
    fn log(&self) -> PathBuf {
        self.0.path().join("sessions.db-wal")
    }

    async fn open(&self) -> SqliteStore {
        let store = SqliteStore::open(self.file()).await.unwrap();
        agree(&store).await;
        store
    }

    /// Another program's connection to the same file.
    fn connection(&self) -> Connection {
        Connection::open(self.file()).unwrap()
    }
}

fn key(id: &str) -> Key {
    Key::new("Visitor".into(), id).unwrap()
}

fn write(base: Base, fields: &[(&str, &[u8])]) -> Commit {
    let changes = fields.iter().map(|(name, value)| Change { name: (*name).into(), value: Some((*value).into()) });
    let write = Write::new(1, REGISTRATION, changes.collect());
    Commit::new(base, Action::Write(write), FOREVER, NOW)
}

async fn load(store: &impl Store, key: &Key) -> Loaded {
    store.load(key, Load::touch(FOREVER, NOW)).await.unwrap()
}

async fn record(store: &impl Store, key: &Key) -> Record {
    match load(store, key).await.found {
        Found::Record(record) => record,
        Found::Absent { .. } => panic!("there is no session"),
    }
}

/// The fields of a session, by name.
async fn fields(store: &impl Store, key: &Key) -> Vec<(String, Vec<u8>)> {
    let record = record(store, key).await;
    let mut fields: Vec<_> = record.fields.iter().map(|field| (field.name.to_string(), field.value.to_vec())).collect();
    fields.sort();
    fields
}

fn applied(reply: Reply) -> Applied {
    match reply {
        Reply::Applied(applied) => applied,
        other => panic!("not applied: {other:?}"),
    }
}

/// How many pages each transaction wrote to a write-ahead log.
fn transactions(log: &Path) -> Vec<usize> {
    let bytes = std::fs::read(log).unwrap_or_default();
    let Some(frames) = bytes.get(32..) else { return Vec::new() };
    let number = |bytes: &[u8]| u32::from_be_bytes(bytes.try_into().unwrap());
    let page = number(&bytes[8..12]) as usize;
    let mut transactions = Vec::new();
    let mut pages = 0;
    for frame in frames.chunks_exact(24 + page) {
        // Frames with another salt are left over from before a checkpoint.
        if frame[8..16] != bytes[16..24] {
            break;
        }
        pages += 1;
        if number(&frame[4..8]) != 0 {
            transactions.push(std::mem::take(&mut pages));
        }
    }
    transactions
}
