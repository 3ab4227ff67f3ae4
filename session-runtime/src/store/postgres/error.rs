//! What PostgreSQL's errors mean for a session.

use std::error::Error as _;
use std::io;

use deadpool_postgres::{PoolError, TimeoutType};
use tokio_postgres::Error;
use tokio_postgres::error::{DbError, Severity};

use super::super::{StoreError, StoreErrorKind};

/// An error by which a server says something about itself, without the parts that can show stored values.
#[derive(Debug, thiserror::Error)]
#[error("{message} (SQLSTATE {code})")]
struct ServerError {
    message: String,
    code: String,
}

/// Why no connection could be had. Nothing was sent.
pub(super) fn no_connection(error: PoolError) -> StoreError {
    match error {
        PoolError::Timeout(TimeoutType::Wait) => StoreError::new(
            StoreErrorKind::Busy,
            "all connections to PostgreSQL are in use; try again, or allow more of them",
        ),
        PoolError::Timeout(TimeoutType::Create | TimeoutType::Recycle) => {
            StoreError::new(StoreErrorKind::TimedOut, "connecting to PostgreSQL took too long; try again")
        }
        PoolError::Backend(error) => store_error(error),
        other => {
            StoreError::new(StoreErrorKind::Other, "the pool of connections to PostgreSQL failed").with_source(other)
        }
    }
    .not_applied()
}

/// The server did not answer in time. What it was asked for may yet be done.
pub(super) fn no_answer() -> StoreError {
    StoreError::new(StoreErrorKind::TimedOut, "PostgreSQL did not answer in time; try again")
}

/// Why a statement failed.
pub(super) fn store_error(error: Error) -> StoreError {
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
    // What cannot be understood, or a certificate that is not trusted, will not be better at the next attempt.
    let is_io = error
        .source()
        .and_then(|source| source.downcast_ref::<io::Error>())
        .is_some_and(|source| source.kind() != io::ErrorKind::InvalidData);
    let (kind, message) = if error.is_closed() || is_io {
        (StoreErrorKind::Unavailable, "the connection to PostgreSQL failed; try again, or check that the server runs")
    } else {
        (StoreErrorKind::Other, "PostgreSQL could not be asked; see the source of this error")
    };
    StoreError::new(kind, message).with_source(error)
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
            "the proxy before PostgreSQL cannot keep prepared statements; turn `named_statements` off",
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
