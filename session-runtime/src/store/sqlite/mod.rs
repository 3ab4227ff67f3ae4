use std::sync::Arc;

use rusqlite::Connection;

use super::{
    Commit, Cursor, Find, FoundPage, Housekeeping, Key, Keys, Load, Loaded, Purged, Registration, Registrations, Reply,
    Store, StoreError, StoreErrorKind,
};
use crate::expiry::ClockOffset;
use error::Failure;
use worker::Workers;

mod error;
mod file;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzz;
mod open;
mod options;
mod read;
mod rows;
mod schema;
#[cfg(test)]
mod tests;
mod worker;
mod write;

pub use options::{SqliteOptions, Synchronous};

/// How many records a purge removes in one go, before it lets waiting commits pass.
const PURGED_AT_ONCE: usize = 100;

/// Keeps sessions in an SQLite database: a file, or memory.
///
/// One thread writes, and carries all commits that wait to the disk in one transaction: they share its flush, and each
/// is answered after it. Loads run beside it on threads of their own, each in a transaction, so that a session is read
/// as it was at one moment. Several processes on one machine can share a file.
///
/// Clones share the database. Dropping the last one finishes what is under way, moves the write-ahead log into the
/// file, and closes it; it waits for that.
///
/// # What is stored
///
/// The tables live beside those of the application, if it has any in this file, and take nothing of it: neither
/// `user_version` nor `application_id`.
///
/// | table | holds |
/// |---|---|
/// | `session_runtime_sessions` | one row per session: its header. `state` is `stored`, `emptied`, `destroyed` or `renewed`; times are milliseconds since 1970; ids are 64 bits as a signed number; `commits` are the last ids, 8 bytes each, newest first |
/// | `session_runtime_fields` | one row per field that differs from its initial value, under the `id` of its session; `term` is what an indexed one is found by |
/// | `session_runtime_registrations`, `session_runtime_registered_fields` | the initial values that all instances agreed on |
/// | `session_runtime_schema` | the version of these tables |
///
/// A change of one field writes its row and the header's, and no other. Values are text if they are UTF-8, which those
/// of the JSON codec are, and else BLOBs. To look at the sessions, and at one of them:
///
/// ```text
/// sqlite3 -readonly sessions.db
/// sqlite> SELECT name, key, revision, datetime(expires_at / 1000, 'unixepoch') FROM session_runtime_sessions
///    ...> WHERE state = 'stored';
/// sqlite> SELECT f.name, f.value FROM session_runtime_sessions s JOIN session_runtime_fields f ON f.session = s.id
///    ...> WHERE s.name = 'Visitor' AND s.key = '42';
/// ```
///
/// # What survives a crash
///
/// A commit is applied as a whole or not at all, whatever crashes.
///
/// - The process crashes or is killed: every acknowledged commit is there when the file is opened again. Keep
///   `sessions.db-wal` beside `sessions.db`: the last commits are in it until the file is closed.
/// - The machine crashes or loses power: with [`Synchronous::Full`], the default, every acknowledged commit is there
///   if the disk keeps what it confirmed; [`SqliteOptions::synchronous`] says what the other levels give up.
///
/// The file must be on a local file system: the write-ahead log does not work across machines.
///
/// # Backups
///
/// `VACUUM INTO 'copy.db'` copies a database in use. To restore one, remove `sessions.db-wal` and `sessions.db-shm` and
/// rename the copy to `sessions.db`: programs that run notice it before their next operation, and go on with what is
/// there now. Never write into the file while it is in use.
///
/// # Errors
///
/// A lock that another process holds for longer than [`SqliteOptions::busy_timeout`] is
/// [`Busy`](StoreErrorKind::Busy), a full disk [`Full`](StoreErrorKind::Full), a database that takes no writes
/// [`ReadOnly`](StoreErrorKind::ReadOnly), tables of a newer build [`Incompatible`](StoreErrorKind::Incompatible), and
/// a file that is no database, or holds what this crate did not write, [`Corrupt`](StoreErrorKind::Corrupt). A load
/// that cannot move an expiry because the database is full or takes no writes answers without having moved it.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    inner: Arc<Inner>,
}

/// Readers end first: the last connection to close is the writer's, which moves the log into the file.
#[derive(Debug)]
struct Inner {
    /// None for a database that only one connection can see.
    readers: Option<Workers>,
    writer: Workers,
}

impl SqliteStore {
    async fn read<T: Send + 'static>(
        &self,
        question: impl FnMut(&Connection) -> error::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.inner.readers.as_ref().unwrap_or(&self.inner.writer).run(question).await
    }

    async fn write<T: Send + 'static>(
        &self,
        change: impl FnMut(&Connection) -> error::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.inner.writer.run(change).await
    }
}

impl Store for SqliteStore {
    async fn prepare(&self) -> Result<(), StoreError> {
        // A database that takes no writes can be read if its tables are there.
        if !self.read(schema::is_current).await? {
            self.write(schema::create).await?;
        }
        Ok(())
    }

    async fn load(&self, key: &Key, load: Load) -> Result<Loaded, StoreError> {
        let for_reader = key.clone();
        let (loaded, due) = self.read(move |connection| read::load(connection, &for_reader, load)).await?;
        if due.is_none() {
            return Ok(loaded);
        }
        let key = key.clone();
        match self.write(move |connection| write::load(connection, &key, load)).await {
            Err(error) if matches!(error.kind(), StoreErrorKind::ReadOnly | StoreErrorKind::Full) => Ok(loaded),
            answer => answer,
        }
    }

    async fn commit(&self, key: &Key, commit: &Commit) -> Result<Reply, StoreError> {
        let (key, commit) = (key.clone(), commit.clone());
        self.write(move |connection| write::commit(connection, &key, &commit)).await
    }

    async fn find(&self, find: &Find) -> Result<FoundPage, StoreError> {
        let find = find.clone();
        self.read(move |connection| read::find(connection, &find)).await
    }

    async fn registration(&self, name: &str, version: u32) -> Result<Option<Registration>, StoreError> {
        let name = name.to_owned();
        self.read(move |connection| read::registration(connection, &name, version)).await
    }

    async fn register(&self, proposal: &Registration) -> Result<Registration, StoreError> {
        // Every start of a program asks for this, and nearly always finds it done.
        if let Some(registered) = self.registration(&proposal.name, proposal.version).await? {
            let is_known = |name| registered.fields.iter().any(|known| known.name == name);
            if proposal.fields.iter().all(|field| is_known(field.name.clone())) {
                return Ok(registered);
            }
        }
        let proposal = proposal.clone();
        self.write(move |connection| {
            write::register(connection, &proposal)?
                .ok_or_else(|| Failure::corrupt("table `session_runtime_registrations`"))
        })
        .await
    }
}

impl Housekeeping for SqliteStore {
    async fn keys(
        &self,
        name: &str,
        after: Option<Cursor>,
        limit: usize,
        clock: ClockOffset,
    ) -> Result<Keys, StoreError> {
        let name = name.to_owned();
        self.read(move |connection| read::keys(connection, &name, after.as_ref(), limit, clock)).await
    }

    async fn count(&self, name: &str, clock: ClockOffset) -> Result<u64, StoreError> {
        let name = name.to_owned();
        self.read(move |connection| read::count(connection, &name, clock)).await
    }

    async fn purge(&self, limit: usize, clock: ClockOffset) -> Result<Purged, StoreError> {
        let mut removed = 0;
        while removed < limit {
            let most = PURGED_AT_ONCE.min(limit - removed);
            let now_removed = self.write(move |connection| write::purge(connection, most, clock)).await?;
            removed += now_removed;
            if now_removed < most {
                break;
            }
        }
        Ok(Purged { removed: removed as u64, more: removed == limit })
    }

    async fn withdraw(&self, name: &str, version: u32) -> Result<bool, StoreError> {
        let name = name.to_owned();
        self.write(move |connection| write::withdraw(connection, &name, version)).await
    }

    async fn registrations(&self) -> Result<Registrations, StoreError> {
        self.read(read::registrations).await
    }
}
