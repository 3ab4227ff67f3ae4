use std::cmp::Ordering;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags, OptionalExtension, Transaction, TransactionBehavior};

use super::error::{Failure, Result};
use super::options::{Access, SqliteOptions};
use crate::store::StoreErrorKind;

/// The schema this build reads and writes.
const VERSION: i64 = 1;

/// How long to wait before trying again what SQLite refuses at once instead of waiting for.
const PAUSE: Duration = Duration::from_millis(5);

/// Sessions are referred to by number, so that long keys are stored once and a renewal rewrites no field.
///
/// Fields lie side by side in one tree, without rowids: loading a session reads neighbouring rows. Their values have
/// TEXT affinity and are not STRICT, so that a JSON number typed into the shell is stored as text; a value that is not
/// UTF-8 stays a BLOB.
pub(super) const TABLES: &str = "
CREATE TABLE session_runtime_schema (
    version INTEGER NOT NULL
) STRICT;
CREATE TABLE session_runtime_sessions (
    id             INTEGER PRIMARY KEY,
    name           TEXT    NOT NULL,
    key            TEXT    NOT NULL,
    state          TEXT    NOT NULL,
    incarnation    INTEGER NOT NULL,
    revision       INTEGER NOT NULL,
    version        INTEGER NOT NULL,
    registration   INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    fixed_end      INTEGER,
    sliding        INTEGER,
    expires_at     INTEGER,
    retained_until INTEGER,
    retention      INTEGER NOT NULL,
    origin         INTEGER,
    commits        BLOB    NOT NULL,
    UNIQUE (name, key)
) STRICT;
CREATE INDEX session_runtime_retained ON session_runtime_sessions (retained_until) WHERE retained_until IS NOT NULL;
CREATE TABLE session_runtime_fields (
    session INTEGER NOT NULL,
    name    TEXT    NOT NULL,
    value   TEXT    NOT NULL,
    term    TEXT,
    PRIMARY KEY (session, name)
) WITHOUT ROWID;
CREATE INDEX session_runtime_terms ON session_runtime_fields (term, name) WHERE term IS NOT NULL;
CREATE TABLE session_runtime_registrations (
    name    TEXT    NOT NULL,
    version INTEGER NOT NULL,
    id      INTEGER NOT NULL,
    codec   TEXT    NOT NULL,
    PRIMARY KEY (name, version)
) STRICT, WITHOUT ROWID;
CREATE TABLE session_runtime_registered_fields (
    name      TEXT    NOT NULL,
    version   INTEGER NOT NULL,
    field     TEXT    NOT NULL,
    position  INTEGER NOT NULL,
    initial   TEXT,
    sensitive INTEGER NOT NULL,
    PRIMARY KEY (name, version, field)
) WITHOUT ROWID;
";

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Reader,
    Writer,
}

/// Opens a connection. The writer's comes first: it makes the file and chooses its journal.
pub(super) fn connect(options: &SqliteOptions, role: Role) -> Result<Connection> {
    let mut flags = OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    flags |= match options.access {
        Access::ReadOnly => OpenFlags::SQLITE_OPEN_READ_ONLY,
        Access::Existing => OpenFlags::SQLITE_OPEN_READ_WRITE,
        Access::Create => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
    };
    refuse_zeros(&options.path)?;
    let connection = Connection::open_with_flags(&options.path, flags)?;
    connection.busy_timeout(options.busy_timeout)?;
    connection.set_prepared_statement_cache_capacity(64);
    if role == Role::Reader {
        // By a pragma, because SQLite refuses a URI whose `mode` allows more than the flags do.
        connection.pragma_update(None, "query_only", true)?;
    }
    if role == Role::Writer {
        if is_shared(&connection) && !connection.is_readonly(rusqlite::MAIN_DB)? {
            use_wal(&connection, options.busy_timeout)?;
        }
        connection.pragma_update(None, "synchronous", options.synchronous.pragma())?;
        // Without these macOS reports data as written that its disk has not kept. Other systems ignore them.
        connection.pragma_update(None, "fullfsync", true)?;
        connection.pragma_update(None, "checkpoint_fullfsync", true)?;
        let encoding: String = connection.pragma_query_value(None, "encoding", |row| row.get(0))?;
        // UTF-16 does not give every string back as it was.
        if encoding != "UTF-8" {
            return Err(Failure::incompatible("the SQLite database is not in UTF-8; keep sessions in another file"));
        }
    }
    Ok(connection)
}

/// Opens a connection to what has taken the place of the file that was open, or makes it anew if nothing has.
pub(super) fn reconnect(options: &SqliteOptions, role: Role) -> Result<Connection> {
    let writer = connect(options, Role::Writer)?;
    if options.access != Access::ReadOnly && !is_current(&writer)? {
        let transaction = Transaction::new_unchecked(&writer, TransactionBehavior::Immediate)?;
        create(&transaction)?;
        transaction.commit()?;
    }
    match role {
        Role::Reader => connect(options, role),
        Role::Writer => Ok(writer),
    }
}

/// SQLite takes a file that begins with zeros for a new one, and writes over whatever it was.
fn refuse_zeros(path: &Path) -> Result<()> {
    let mut start = [0; 100];
    // What cannot be read here is no file yet, or SQLite says why.
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut start));
    if read.is_ok() && start.starts_with(&[0; 16]) {
        let message = "the file is not empty and not an SQLite database, it begins with zeros; it was left as it is: \
                       restore it from a backup, or remove it";
        return Err(Failure::Found(StoreErrorKind::Corrupt, message.into()));
    }
    Ok(())
}

/// Whether other connections can open the same database. Those in memory and temporary ones have no name.
pub(super) fn is_shared(connection: &Connection) -> bool {
    connection.path().is_some_and(|path| !path.is_empty())
}

/// Switches to the write-ahead log, in which readers and the writer do not wait for each other.
#[expect(clippy::disallowed_methods, reason = "SQLite tells nobody when a file can be switched")]
fn use_wal(connection: &Connection, patience: Duration) -> Result<()> {
    let deadline = Instant::now() + patience;
    loop {
        let mode = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0));
        match mode.map_err(Failure::from) {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(_) => {
                return Err(Failure::incompatible(
                    "SQLite cannot keep a write-ahead log here; use a file on a local file system",
                ));
            }
            // Where several processes open a new file at once, SQLite does not wait for the lock.
            Err(failure) if failure.is_busy() && Instant::now() < deadline => thread::sleep(PAUSE),
            Err(failure) => return Err(failure),
        }
    }
}

/// Whether the tables are there, as this build knows them.
pub(super) fn is_current(connection: &Connection) -> Result<bool> {
    let exists = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'session_runtime_schema'";
    if !connection.prepare_cached(exists)?.exists([])? {
        return Ok(false);
    }
    let version = "SELECT version FROM session_runtime_schema";
    let version = connection.prepare_cached(version)?.query_row([], |row| row.get::<_, i64>(0)).optional()?;
    match version.map(|version| version.cmp(&VERSION)) {
        Some(Ordering::Equal) => Ok(true),
        Some(Ordering::Greater) => {
            Err(Failure::incompatible("a newer build of this crate made the tables; update this program"))
        }
        _ => Err(Failure::corrupt("table `session_runtime_schema`")),
    }
}

/// Creates the tables. The transaction around it makes that safe where several processes start at once.
pub(super) fn create(connection: &Connection) -> Result<()> {
    if !is_current(connection)? {
        connection.execute_batch(TABLES)?;
        connection.execute("INSERT INTO session_runtime_schema (version) VALUES (?1)", [VERSION])?;
    }
    Ok(())
}
