use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

/// How a [`SqliteStore`](super::SqliteStore) is opened.
///
/// ```no_run
/// # async fn open() -> Result<(), session_runtime::store::StoreError> {
/// use session_runtime::store::{SqliteOptions, Synchronous};
///
/// let store = SqliteOptions::new("sessions.db").synchronous(Synchronous::Normal).open().await?;
/// # drop(store); Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct SqliteOptions {
    pub(super) path: PathBuf,
    pub(super) synchronous: Synchronous,
    pub(super) busy_timeout: Duration,
    pub(super) readers: usize,
    pub(super) access: Access,
}

/// What may be done to the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    ReadOnly,
    Existing,
    Create,
}

/// What an acknowledged commit survives. A crash of the process alone loses nothing at any level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Synchronous {
    /// A crash of the machine and a power failure, as far as its disk keeps what it confirmed.
    #[default]
    Full,
    /// A crash of the machine may take the last commits back, all of those after some moment; what is left is
    /// consistent.
    Normal,
    /// A crash of the machine may destroy the database. For data that can be made again.
    Off,
}

impl Synchronous {
    pub(super) fn pragma(self) -> &'static str {
        match self {
            Self::Full => "FULL",
            Self::Normal => "NORMAL",
            Self::Off => "OFF",
        }
    }
}

impl SqliteOptions {
    /// The database file at `path`, with the defaults: [`Synchronous::Full`], a busy timeout of five seconds, one
    /// reader per processor but at most four.
    ///
    /// `":memory:"` is a database of its own in memory. A path that begins with `file:` is an SQLite URI.
    pub fn new(path: impl AsRef<Path>) -> Self {
        Self {
            path: path.as_ref().to_owned(),
            synchronous: Synchronous::default(),
            busy_timeout: Duration::from_secs(5),
            readers: thread::available_parallelism().map_or(1, usize::from).min(4),
            access: Access::Create,
        }
    }

    /// What an acknowledged commit survives.
    pub fn synchronous(self, synchronous: Synchronous) -> Self {
        Self { synchronous, ..self }
    }

    /// How long an operation waits for a lock that another process holds, before it fails as
    /// [`Busy`](crate::store::StoreErrorKind::Busy).
    pub fn busy_timeout(self, busy_timeout: Duration) -> Self {
        Self { busy_timeout, ..self }
    }

    /// How many threads read, each on its own connection. Without one, the writer's thread reads too.
    pub fn readers(self, readers: usize) -> Self {
        Self { readers, ..self }
    }

    /// Opens an existing database for reading: every change fails as
    /// [`ReadOnly`](crate::store::StoreErrorKind::ReadOnly), and no load moves an expiry.
    pub fn read_only(self, read_only: bool) -> Self {
        Self { access: if read_only { Access::ReadOnly } else { Access::Create }, ..self }
    }

    /// Opens an existing database only: a file that does not exist is not made.
    pub fn existing_only(self) -> Self {
        Self { access: Access::Existing, ..self }
    }
}
