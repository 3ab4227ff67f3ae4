//! One connection that reads, and one thread that writes whatever waits in one transaction.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use rusqlite::{Connection, params};
use session_peers_load::{Contender, Visitor};
use tokio::sync::oneshot;

use super::{decode, fields};

const SCHEMA: &str = "\
create table if not exists header (key text primary key, revision integer not null) without rowid;
create table if not exists field (key text, field text, value blob not null, primary key (key, field)) without rowid;";

pub struct Sqlite {
    reader: Mutex<Connection>,
    writes: Sender<(Write, oneshot::Sender<bool>)>,
}

enum Write {
    Fill { key: String, notes: usize },
    Visits { key: String, revision: i64, visits: u32 },
}

pub struct Held {
    key: String,
    revision: i64,
    visitor: Visitor,
}

impl Sqlite {
    pub fn open(path: &Path, synchronous: &str) -> Self {
        let writer = connect(path, synchronous);
        writer.execute_batch(SCHEMA).expect("makes tables");
        let (writes, waiting) = channel();
        thread::spawn(move || write_all(writer, &waiting));
        Self { reader: Mutex::new(connect(path, synchronous)), writes }
    }

    /// Whether the guard let it pass.
    async fn send(&self, write: Write) -> bool {
        let (done, answer) = oneshot::channel();
        self.writes.send((write, done)).expect("a running writer");
        answer.await.expect("a commit")
    }
}

fn connect(path: &Path, synchronous: &str) -> Connection {
    let connection = Connection::open(path).expect("opens");
    connection.pragma_update(None, "journal_mode", "wal").expect("sets");
    connection.pragma_update(None, "synchronous", synchronous).expect("sets");
    connection
}

fn write_all(mut connection: Connection, waiting: &Receiver<(Write, oneshot::Sender<bool>)>) {
    while let Ok(first) = waiting.recv() {
        let batch: Vec<_> = std::iter::once(first).chain(waiting.try_iter()).collect();
        let transaction = connection.transaction().expect("begins");
        let mut answers = Vec::new();
        for (write, answer) in batch {
            answers.push((apply(&transaction, write).expect("writes"), answer));
        }
        transaction.commit().expect("commits");
        for (passed, answer) in answers {
            let _ = answer.send(passed);
        }
    }
}

fn apply(connection: &Connection, write: Write) -> rusqlite::Result<bool> {
    let upsert = "insert or replace into field values (?1, ?2, ?3)";
    match write {
        Write::Fill { key, notes } => {
            connection.prepare_cached("insert or replace into header values (?1, 1)")?.execute([&key])?;
            for (field, value) in fields(notes) {
                connection.prepare_cached(upsert)?.execute(params![key, field, value])?;
            }
        }
        Write::Visits { key, revision, visits } => {
            let guard = "update header set revision = revision + 1 where key = ?1 and revision = ?2";
            if connection.prepare_cached(guard)?.execute(params![key, revision])? == 0 {
                return Ok(false);
            }
            connection.prepare_cached(upsert)?.execute(params![key, "visits", visits.to_string()])?;
        }
    }
    Ok(true)
}

impl Contender for Sqlite {
    type Held = Held;

    async fn fill(&self, key: u32, notes: usize) {
        self.send(Write::Fill { key: name(key), notes }).await;
    }

    async fn read(&self, key: u32) {
        std::hint::black_box(self.hold(key).await.visitor.visits);
    }

    async fn change(&self, key: u32) {
        // Who comes second starts again.
        while !self.try_write(&mut self.hold(key).await).await {}
    }

    async fn hold(&self, key: u32) -> Held {
        let key = name(key);
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let sql = "select revision, field, value from header join field using (key) where key = ?1";
        let mut statement = reader.prepare_cached(sql).expect("prepares");
        let rows: Vec<(i64, String, Vec<u8>)> = statement
            // A number written as text is text to SQLite.
            .query_map([&key], |row| Ok((row.get(0)?, row.get(1)?, row.get_ref(2)?.as_bytes()?.to_vec())))
            .and_then(Iterator::collect)
            .expect("reads");
        let revision = rows.first().expect("the session is stored").0;
        Held { visitor: decode(rows.iter().map(|(_, field, value)| (&**field, &**value))), revision, key }
    }

    async fn write(&self, held: &mut Held) {
        assert!(self.try_write(held).await, "nobody else writes this key");
    }
}

impl Sqlite {
    async fn try_write(&self, held: &mut Held) -> bool {
        held.visitor.visits = held.visitor.visits.wrapping_add(1);
        let (key, revision, visits) = (held.key.clone(), held.revision, held.visitor.visits);
        held.revision += 1;
        self.send(Write::Visits { key, revision, visits }).await
    }
}

fn name(key: u32) -> String {
    format!("visitor-{key}")
}
