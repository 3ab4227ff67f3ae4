use std::borrow::Cow;
use std::sync::Arc;

use rusqlite::{Error, ErrorCode, Row};

use crate::store::{StoreError, StoreErrorKind};

pub(super) type Result<T> = std::result::Result<T, Failure>;

/// Why an operation failed. It can be cloned, because all commits of a transaction may fail for one reason.
#[derive(Debug, Clone)]
pub(super) enum Failure {
    /// SQLite's own error.
    Engine(Arc<Error>),
    /// What this store found wrong.
    Found(StoreErrorKind, Cow<'static, str>),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Engine(Arc::new(error))
    }
}

impl Failure {
    pub(super) fn incompatible(message: impl Into<Cow<'static, str>>) -> Self {
        Self::Found(StoreErrorKind::Incompatible, message.into())
    }

    pub(super) fn corrupt(what: impl std::fmt::Display) -> Self {
        let message = format!("{what} is not what this crate wrote; it was left as it is");
        Self::Found(StoreErrorKind::Corrupt, message.into())
    }

    /// A column holds something that this crate does not write.
    pub(super) fn corrupt_column(row: &Row<'_>, index: usize) -> Self {
        Self::corrupt(format_args!("column `{}` of a session", row.as_ref().column_name(index).unwrap_or("?")))
    }

    pub(super) fn is_full(&self) -> bool {
        matches!(self, Self::Engine(error) if error.sqlite_error_code() == Some(ErrorCode::DiskFull))
    }

    pub(super) fn is_busy(&self) -> bool {
        matches!(self, Self::Engine(error)
            if matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)))
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Found(kind, message) => Self::new(kind, message),
            Failure::Engine(error) => {
                let (kind, message) = explain(&error);
                Self::new(kind, message).with_source(error)
            }
        }
    }
}

fn explain(error: &Error) -> (StoreErrorKind, &'static str) {
    use StoreErrorKind as Kind;
    match error {
        Error::InvalidPath(_) | Error::NulError(_) => {
            return (Kind::Configuration, "SQLite cannot open a path like this; use another file name");
        }
        Error::InvalidColumnType(..)
        | Error::IntegralValueOutOfRange(..)
        | Error::FromSqlConversionFailure(..)
        | Error::Utf8Error(..) => {
            return (Kind::Corrupt, "a stored value is not of the type this crate writes; it was left as it is");
        }
        _ => {}
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => (
            Kind::Busy,
            "another connection kept the SQLite database locked for longer than the busy timeout; try again",
        ),
        Some(ErrorCode::DiskFull) => (Kind::Full, "there is no room left for the SQLite database; free some"),
        Some(ErrorCode::ReadOnly) => {
            (Kind::ReadOnly, "the SQLite database takes no writes; check the file's permissions and how it was opened")
        }
        Some(ErrorCode::NotADatabase) => (Kind::Corrupt, "the file is not an SQLite database; it was left as it is"),
        Some(ErrorCode::DatabaseCorrupt) => {
            (Kind::Corrupt, "the SQLite database is damaged; check it with `PRAGMA integrity_check`")
        }
        Some(ErrorCode::CannotOpen) => (
            Kind::Unavailable,
            "the SQLite database cannot be opened; check that its directory exists and may be read and written",
        ),
        Some(ErrorCode::SystemIoFailure) => {
            (Kind::Unavailable, "the SQLite database cannot be read or written; check its disk")
        }
        Some(ErrorCode::OutOfMemory) => (Kind::Unavailable, "SQLite got no memory; try again"),
        Some(ErrorCode::PermissionDenied | ErrorCode::AuthorizationForStatementDenied) => {
            (Kind::Denied, "access to the SQLite database was denied; check the file's permissions")
        }
        _ => (Kind::Other, "SQLite could not do what it was asked to"),
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    fn engine(code: i32) -> Failure {
        Error::SqliteFailure(ffi::Error::new(code), None).into()
    }

    #[test]
    fn each_code_of_the_engine_has_its_kind() {
        for (code, kind) in [
            (ffi::SQLITE_BUSY, StoreErrorKind::Busy),
            (ffi::SQLITE_LOCKED, StoreErrorKind::Busy),
            (ffi::SQLITE_FULL, StoreErrorKind::Full),
            (ffi::SQLITE_READONLY, StoreErrorKind::ReadOnly),
            (ffi::SQLITE_NOTADB, StoreErrorKind::Corrupt),
            (ffi::SQLITE_CORRUPT, StoreErrorKind::Corrupt),
            (ffi::SQLITE_CANTOPEN, StoreErrorKind::Unavailable),
            (ffi::SQLITE_IOERR, StoreErrorKind::Unavailable),
            (ffi::SQLITE_NOMEM, StoreErrorKind::Unavailable),
            (ffi::SQLITE_PERM, StoreErrorKind::Denied),
            (ffi::SQLITE_AUTH, StoreErrorKind::Denied),
            (ffi::SQLITE_CONSTRAINT, StoreErrorKind::Other),
        ] {
            let failure = engine(code);
            assert_eq!(failure.is_busy(), kind == StoreErrorKind::Busy, "code {code}");
            assert_eq!(failure.is_full(), kind == StoreErrorKind::Full, "code {code}");
            assert_eq!(StoreError::from(failure).kind(), kind, "code {code}");
        }
    }

    #[test]
    fn a_value_of_another_type_is_corrupt() {
        let ty = rusqlite::types::Type::Text;
        for error in [
            Error::InvalidColumnType(0, "version".to_owned(), ty),
            Error::IntegralValueOutOfRange(0, -1),
            Error::FromSqlConversionFailure(0, ty, "no number".into()),
        ] {
            assert_eq!(StoreError::from(Failure::from(error)).kind(), StoreErrorKind::Corrupt);
        }
    }
}
