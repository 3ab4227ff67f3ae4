//! What the rows mean.

use bytes::Bytes;
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

use super::super::rule::{Commits, Header, State};
use super::super::{
    CommitId, Head, Incarnation, Record, RegisteredField, Registration, RegistrationId, StoreError, StoreErrorKind,
    StoredField,
};
use super::error;
use crate::expiry::Timestamp;

/// The longest name of a field, in bytes.
const LONGEST_FIELD: usize = 255;

/// A column's value; `what` names it in an error.
pub(super) fn column<'a, T: FromSql<'a>>(row: &'a Row, index: usize, what: &str) -> Result<T, StoreError> {
    row.try_get(index).map_err(|source| corrupt(what).with_source(source))
}

pub(super) fn corrupt(what: &str) -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt, error::corrupt(what)).not_applied()
}

fn id(row: &Row, index: usize, what: &str) -> Result<u64, StoreError> {
    column::<i64>(row, index, what).map(i64::cast_unsigned)
}

pub(super) fn time(row: &Row, index: usize, what: &str) -> Result<Option<Timestamp>, StoreError> {
    Ok(column::<Option<i64>>(row, index, what)?.map(Timestamp::from_millis))
}

pub(super) fn now(row: &Row, index: usize) -> Result<Timestamp, StoreError> {
    column(row, index, "now").map(Timestamp::from_millis)
}

/// The header whose columns begin at `first`; `None` if there is none.
pub(super) fn header(row: &Row, first: usize) -> Result<Option<Header>, StoreError> {
    let Some(incarnation) = column::<Option<i64>>(row, first, "incarnation")? else { return Ok(None) };
    let state = match column::<i16>(row, first + 6, "state")? {
        0 => State::Stored,
        1 => State::Emptied,
        2 => State::Destroyed,
        3 => State::Renewed,
        _ => return Err(corrupt("state")),
    };
    let ids = column::<Vec<i64>>(row, first + 10, "commits")?;
    if ids.len() > Commits::KEPT {
        return Err(corrupt("commits"));
    }
    let commits: Commits = ids.into_iter().map(|id| CommitId(id.cast_unsigned())).collect();
    Ok(Some(Header {
        head: Head {
            incarnation: Incarnation(incarnation.cast_unsigned()),
            revision: column::<i64>(row, first + 7, "revision")?
                .try_into()
                .ok()
                .filter(|revision| *revision > 0)
                .ok_or_else(|| corrupt("revision"))?,
            last_commit: commits.iter().next().ok_or_else(|| corrupt("commits"))?,
            version: version(row, first + 3)?,
            registration: RegistrationId(id(row, first + 4, "registration")?),
            created_at: Timestamp::from_millis(column(row, first + 2, "created_at")?),
            fixed_end: time(row, first + 5, "fixed_end")?,
            sliding: column(row, first + 12, "sliding")?,
            expires_at: time(row, first + 8, "expires_at")?,
            stored: state == State::Stored,
        },
        state,
        origin: column::<Option<i64>>(row, first + 1, "origin")?.map(|id| Incarnation(id.cast_unsigned())),
        commits,
        retention: column(row, first + 11, "retention")?,
        retained_until: time(row, first + 9, "retained_until")?,
    }))
}

/// The record of a header and of the fields whose names and values are in the columns at `first`.
pub(super) fn record(row: &Row, first: usize, header: &Header) -> Result<Record, StoreError> {
    let names = column::<Option<Vec<&str>>>(row, first, "field")?.unwrap_or_default();
    let values = column::<Option<Vec<&[u8]>>>(row, first + 1, "value")?.unwrap_or_default();
    let fields = names.into_iter().zip(values).map(|(name, value)| stored_field(name, value));
    Ok(header.record(fields.collect::<Result<_, _>>()?))
}

fn stored_field(name: &str, value: &[u8]) -> Result<StoredField, StoreError> {
    if name.is_empty() || name.len() > LONGEST_FIELD || name.starts_with('#') {
        return Err(corrupt(name.get(..LONGEST_FIELD).unwrap_or(name)));
    }
    Ok(StoredField { name: name.into(), value: Bytes::copy_from_slice(value) })
}

pub(super) fn registration(row: &Row) -> Result<Registration, StoreError> {
    let names = column::<Option<Vec<&str>>>(row, 4, "field")?.unwrap_or_default();
    let initials = column::<Option<Vec<Option<&[u8]>>>>(row, 5, "initial")?.unwrap_or_default();
    let sensitive = column::<Option<Vec<bool>>>(row, 6, "sensitive")?.unwrap_or_default();
    let fields = names.into_iter().zip(initials).zip(sensitive);
    Ok(Registration {
        id: RegistrationId(id(row, 2, "id")?),
        name: column::<&str>(row, 0, "name")?.into(),
        version: version(row, 1)?,
        codec: column::<&str>(row, 3, "codec")?.into(),
        fields: fields
            .map(|((name, initial), sensitive)| RegisteredField {
                name: name.into(),
                initial: initial.map(Bytes::copy_from_slice),
                sensitive,
            })
            .collect(),
    })
}

fn version(row: &Row, index: usize) -> Result<u32, StoreError> {
    column::<i64>(row, index, "version")?.try_into().map_err(|_| corrupt("version"))
}
