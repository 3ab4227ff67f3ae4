use std::io;
use std::path::PathBuf;

/// Why nothing was watched.
#[derive(Debug, thiserror::Error)]
pub enum WasteError {
    /// The URL is none of a server that can be watched.
    #[error("cannot watch this: {0}")]
    Url(String),
    /// The connection would have to be encrypted.
    #[error(
        "waste does not encrypt; let redis-cli do it: `redis-cli --tls -u URL monitor | sessionctl waste -`, with \
         `timeout 60` before it"
    )]
    Encrypted,
    /// The server cannot be reached, or went away.
    #[error("cannot talk to the server")]
    Connection(#[source] io::Error),
    /// The server did not answer in time.
    #[error("the server does not answer")]
    Slow,
    /// The server is busy.
    #[error("the server is busy, so nothing was done yet: add --yes to watch it all the same, or a short --for")]
    Busy,
    /// The server refused a command.
    #[error("the server refuses {command}: {answer}{}", advice(answer))]
    Refused {
        /// The command.
        command: String,
        /// What it answered.
        answer: String,
    },
    /// What answers is no Redis server.
    #[error("what answers there is no Redis server")]
    NoRedis,
    /// PostgreSQL failed.
    #[error("PostgreSQL failed")]
    Postgres(#[from] tokio_postgres::Error),
    /// What is written cannot be seen in the log.
    #[error(
        "PostgreSQL shows what is written only with wal_level = logical, and here it is {0}: set it (ALTER SYSTEM SET \
         wal_level = logical) and start the server again, or watch another one under the same traffic"
    )]
    WalLevel(String),
    /// There is no slot to decode the log with.
    #[error("PostgreSQL does not let us watch: {why}")]
    Slot {
        /// Why not.
        why: &'static str,
        /// What it said.
        source: tokio_postgres::Error,
    },
    /// A file cannot be read.
    #[error("cannot read {}", .file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A folder has no append-only file.
    #[error("{} has no append-only file: a list of its parts, such as appendonly.aof.manifest, is missing", .0.display())]
    NoManifest(PathBuf),
    /// A file does not list the parts of an append-only file.
    #[error("{} is no list of the parts of an append-only file", .0.display())]
    Manifest(PathBuf),
    /// The picture cannot be written.
    #[error("cannot write {}", .file.display())]
    Chart {
        /// Where to.
        file: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The program ended too early.
    #[error("what was seen could not be looked at")]
    Stopped,
}

/// What to do about an answer.
fn advice(answer: &str) -> &'static str {
    if answer.starts_with("NOPERM") {
        "; this takes a user with the rights `+monitor` and `+info`"
    } else if answer.starts_with("NOAUTH") {
        "; put the password into the URL: redis://:password@host, or redis://user:password@host"
    } else {
        ""
    }
}
