//! What the rows mean.

use std::error::Error;

use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Type};

use super::super::rule::{Commits, Header, State};
use super::super::{
    CommitId, FieldValue, Head, Incarnation, Record, RegisteredField, Registration, RegistrationId, StoreError,
    StoreErrorKind, StoredField,
};
use super::arguments::JSONB_VERSION;
use super::error;
use super::fields::Small;
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

/// The record of a header, of the fields that it keeps, in the column at `first`, and of those that have rows, in the
/// next.
pub(super) fn record(row: &Row, first: usize, header: &Header) -> Result<Record, StoreError> {
    let Json(kept) = column(row, first, "fields")?;
    let Small(mut fields) = serde_json::from_slice(kept).map_err(|_| corrupt("fields"))?;
    let rows = column::<Option<Vec<&[u8]>>>(row, first + 1, "field")?.unwrap_or_default();
    for pair in rows.chunks(2) {
        let [name, value] = *pair else { return Err(corrupt("field")) };
        let name = std::str::from_utf8(name).map_err(|_| corrupt("field"))?;
        fields.push(StoredField { name: name.into(), value: value.into() });
    }
    if let Some(StoredField { name, .. }) = fields.iter().find(|field| !is_name(&field.name)) {
        return Err(corrupt(name.get(..LONGEST_FIELD).unwrap_or(name)));
    }
    Ok(header.record(fields))
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= LONGEST_FIELD && !name.starts_with('#')
}

/// The text of a `jsonb`.
struct Json<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Json<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        raw.strip_prefix(&[JSONB_VERSION]).map(Self).ok_or_else(|| "a jsonb of another version".into())
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::JSONB
    }
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
                initial: initial.map(FieldValue::from),
                sensitive,
            })
            .collect(),
    })
}

fn version(row: &Row, index: usize) -> Result<u32, StoreError> {
    column::<i64>(row, index, "version")?.try_into().map_err(|_| corrupt("version"))
}
