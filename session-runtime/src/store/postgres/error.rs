//! What PostgreSQL's errors mean for a session.

use std::error::Error as _;
use std::io;

use tokio_postgres::Error;
use tokio_postgres::error::{DbError, Severity, SqlState};

use super::super::{StoreError, StoreErrorKind};

/// An error by which a server says something about itself, without the parts that can show stored values.
#[derive(Debug, thiserror::Error)]
#[error("{message} (SQLSTATE {code})")]
struct ServerError {
    message: String,
    code: String,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// The server did not answer in time. What it was asked for may yet be done.
    Silent,
    /// The server refused, or the connection failed.
    Failed(Error),
}

impl Failure {
    /// Whether the connection is of no use any more.
    pub(super) fn is_broken(&self) -> bool {
        match self {
            Self::Silent => true,
            Self::Failed(error) => match error.as_db_error() {
                // Worse than an ERROR ends the connection; a plan for tables of before is made anew on another one.
                Some(server) => {
                    server.parsed_severity() != Some(Severity::Error)
                        || server.routine() == Some("RevalidateCachedQuery")
                }
                None => error.is_closed() || is_io(error),
            },
        }
    }

    /// Whether the server gave up for the sake of other work, so that the same statement can be sent again.
    pub(super) fn is_given_up(&self) -> bool {
        matches!(self.refusal(), Some("40001" | "40P01"))
    }

    /// Whether it did so because of the isolation: under READ COMMITTED that hardly ever happens.
    pub(super) fn is_of_isolation(&self) -> bool {
        self.refusal() == Some("40001")
    }

    /// Whether it did so because others held a lock for longer than it was to wait.
    pub(super) fn is_of_lock(&self) -> bool {
        self.refusal() == Some("55P03")
    }

    /// Why the server refused, if it did and all is as before.
    fn refusal(&self) -> Option<&str> {
        let Self::Failed(error) = self else { return None };
        let server = error.as_db_error().filter(|server| server.parsed_severity() == Some(Severity::Error))?;
        Some(server.code().code())
    }

    pub(super) fn store_error(self) -> StoreError {
        match self {
            Self::Silent => StoreError::new(StoreErrorKind::TimedOut, "PostgreSQL did not answer in time; try again"),
            Self::Failed(error) => store_error(error),
        }
    }
}

/// Nothing was sent.
pub(super) fn all_in_use() -> StoreError {
    let message = "all connections to PostgreSQL are in use; try again, or allow more of them";
    StoreError::new(StoreErrorKind::Busy, message).not_applied()
}

/// Nothing was sent.
pub(super) fn no_connection_in_time() -> StoreError {
    StoreError::new(StoreErrorKind::TimedOut, "connecting to PostgreSQL took too long; try again").not_applied()
}

/// A statement was sent again, and it cannot be told any more what became of it the first time.
pub(super) fn unanswered() -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, "the connection to PostgreSQL was lost before it answered; try again")
}

/// Whether a commit of the common kind failed because it is none, or because of a value that it met, such as a number
/// out of range.
pub(super) fn is_left_to_rule(error: &StoreError) -> bool {
    let source = error.source().and_then(|source| source.downcast_ref::<Error>());
    let code = source.and_then(Error::code).map(SqlState::code);
    code.is_some_and(|code| code == "SSR02" || code.starts_with("22"))
}

/// Why a statement failed.
fn store_error(error: Error) -> StoreError {
    if let Some(server) = error.as_db_error() {
        let (kind, message) = meaning(server);
        let said = StoreError::new(kind, message);
        // A statement that ends in an ERROR was rolled back. What is worse ends the connection, perhaps after a commit.
        let said = match (server.parsed_severity(), server.code().code()) {
            (Some(Severity::Error), code) if code != "40003" => said.not_applied(),
            _ => said,
        };
        // Details can show a row.
        return if server.detail().is_none() {
            said.with_source(error)
        } else {
            let (message, code) = (server.message().to_owned(), server.code().code().to_owned());
            said.with_source(ServerError { message, code })
        };
    }
    let (kind, message) = if error.is_closed() || is_io(&error) {
        (StoreErrorKind::Unavailable, "the connection to PostgreSQL failed; try again, or check that the server runs")
    } else {
        (StoreErrorKind::Other, "PostgreSQL could not be asked; see the source of this error")
    };
    StoreError::new(kind, message).with_source(error)
}

/// Whether the connection failed. What cannot be understood, or a certificate that is not trusted, will not be better at
/// the next attempt.
fn is_io(error: &Error) -> bool {
    let source = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    source.is_some_and(|source| source.kind() != io::ErrorKind::InvalidData)
}

fn meaning(error: &DbError) -> (StoreErrorKind, String) {
    let code = error.code().code();
    let (kind, message) = match code {
        "SSC01" => {
            let column = error.column().unwrap_or("?");
            return (StoreErrorKind::Corrupt, corrupt(column));
        }
        "53100" => (StoreErrorKind::Full, "PostgreSQL's disk is full; make room"),
        "53200" | "53400" => (StoreErrorKind::Full, "PostgreSQL is out of memory or at a limit that was set"),
        "53300" | "53000" => (StoreErrorKind::Busy, "PostgreSQL takes no more connections now; try again"),
        "25006" => (StoreErrorKind::ReadOnly, "PostgreSQL takes no writes here; connect to the primary server"),
        "42501" => (
            StoreErrorKind::Denied,
            "PostgreSQL refuses this to the user; grant the rights that the documentation of `PostgresStore` lists",
        ),
        "57014" => (StoreErrorKind::TimedOut, "PostgreSQL cancelled the statement, which took too long; try again"),
        "3D000" => (StoreErrorKind::Configuration, "there is no such database; create it or change the address"),
        "55P03" | "55006" => (StoreErrorKind::Busy, "PostgreSQL is busy with what this session needs; try again"),
        // Behind a proxy that lends the connection out by the transaction, named statements are another client's.
        "26000" | "42P05" => (
            StoreErrorKind::Configuration,
            "the proxy before PostgreSQL cannot keep prepared statements; say that it is there with `behind_pooler`",
        ),
        _ => match code.get(..2) {
            Some("28") => (StoreErrorKind::Denied, "PostgreSQL refuses the user or the password"),
            Some("40") => (StoreErrorKind::Busy, "PostgreSQL gave up for the sake of other work; try again"),
            Some("08" | "57") => {
                (StoreErrorKind::Unavailable, "PostgreSQL is stopping, starting or lost its connection; try again")
            }
            Some("3F" | "42") => (
                StoreErrorKind::Incompatible,
                "the tables of the session store are missing in PostgreSQL, or not those of this build; call `prepare`",
            ),
            _ => (StoreErrorKind::Other, "PostgreSQL reported an error; see the source of this one"),
        },
    };
    (kind, message.to_owned())
}

/// The message for what this store did not write.
pub(super) fn corrupt(what: &str) -> String {
    format!(
        "`{what}` of a session is not as this store writes it; it was left as it is: look at it with psql, and mend or \
         remove it"
    )
}
