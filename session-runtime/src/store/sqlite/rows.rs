//! Headers, fields and values as rows.

use rusqlite::types::{FromSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, Row, ToSql};

use super::error::{Failure, Result};
use crate::expiry::Timestamp;
use crate::store::rule::{Commits, Header, State};
use crate::store::{CommitId, FieldName, Head, Incarnation, Key, RegistrationId, StoredField};

/// A row of the sessions' table.
pub(super) struct Session {
    pub(super) id: i64,
    pub(super) header: Header,
}

/// Reads the header of a key.
pub(super) fn session(connection: &Connection, key: &Key) -> Result<Option<Session>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, state, incarnation, revision, version, registration, created_at, fixed_end, expires_at,
                retained_until, origin, commits, retention, sliding
         FROM session_runtime_sessions WHERE name = ?1 AND key = ?2",
    )?;
    let mut rows = statement.query((key.name(), key.id()))?;
    rows.next()?.map(|row| Ok(Session { id: column(row, 0)?, header: header(row)? })).transpose()
}

/// The header whose columns follow the first, in the order in which [`session`] reads them.
pub(super) fn header(row: &Row<'_>) -> Result<Header> {
    let state = match row.get_ref(1)?.as_str() {
        Ok("stored") => State::Stored,
        Ok("emptied") => State::Emptied,
        Ok("destroyed") => State::Destroyed,
        Ok("renewed") => State::Renewed,
        _ => return Err(Failure::corrupt_column(row, 1)),
    };
    let time = |index| Ok::<_, Failure>(column::<Option<i64>>(row, index)?.map(Timestamp::from_millis));
    let commits = commits(row, 11)?;
    let head = Head {
        incarnation: Incarnation(id(row, 2)?),
        revision: id(row, 3)?,
        last_commit: commits.iter().next().ok_or_else(|| Failure::corrupt_column(row, 11))?,
        version: column(row, 4)?,
        registration: RegistrationId(id(row, 5)?),
        created_at: Timestamp::from_millis(column(row, 6)?),
        fixed_end: time(7)?,
        sliding: column(row, 13)?,
        expires_at: time(8)?,
        stored: state == State::Stored,
    };
    let origin = column::<Option<i64>>(row, 10)?.map(|origin| Incarnation(origin.cast_unsigned()));
    Ok(Header { head, state, origin, commits, retention: column(row, 12)?, retained_until: time(9)? })
}

fn commits(row: &Row<'_>, index: usize) -> Result<Commits> {
    let corrupt = || Failure::corrupt_column(row, index);
    let bytes = row.get_ref(index)?.as_blob().map_err(|_| corrupt())?;
    let (ids, rest) = bytes.as_chunks();
    if !rest.is_empty() || ids.len() > Commits::KEPT {
        return Err(corrupt());
    }
    Ok(ids.iter().map(|id| CommitId(u64::from_be_bytes(*id))).collect())
}

/// A number that this crate counts without a sign.
pub(super) fn id(row: &Row<'_>, index: usize) -> Result<u64> {
    Ok(column::<i64>(row, index)?.cast_unsigned())
}

/// A column, or an error that names it.
pub(super) fn column<T: FromSql>(row: &Row<'_>, index: usize) -> Result<T> {
    T::column_result(row.get_ref(index)?).map_err(|_| Failure::corrupt_column(row, index))
}

/// The same of a text, where it stands.
pub(super) fn text<'row>(row: &'row Row<'_>, index: usize) -> Result<&'row str> {
    row.get_ref(index)?.as_str().map_err(|_| Failure::corrupt_column(row, index))
}

/// The parameters of a header's columns, and more.
macro_rules! columns {
    ($header:expr $(, $name:literal: $value:expr)*) => {
        rusqlite::named_params! {
            $($name: $value,)*
            ":state": match $header.state {
                State::Stored => "stored",
                State::Emptied => "emptied",
                State::Destroyed => "destroyed",
                State::Renewed => "renewed",
            },
            ":incarnation": $header.head.incarnation.0.cast_signed(),
            ":revision": $header.head.revision.cast_signed(),
            ":version": $header.head.version,
            ":registration": $header.head.registration.0.cast_signed(),
            ":created_at": $header.head.created_at.as_millis(),
            ":fixed_end": $header.head.fixed_end.map(Timestamp::as_millis),
            ":sliding": $header.head.sliding,
            ":expires_at": $header.head.expires_at.map(Timestamp::as_millis),
            ":retained_until": $header.retained_until.map(Timestamp::as_millis),
            ":retention": $header.retention,
            ":origin": $header.origin.map(|origin| origin.0.cast_signed()),
            ":commits": $header.commits.iter().flat_map(|id| id.0.to_be_bytes()).collect::<Vec<u8>>(),
        }
    };
}

pub(super) fn insert(connection: &Connection, id: i64, key: &Key, header: &Header) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO session_runtime_sessions (id, name, key, state, incarnation, revision, version, registration,
                created_at, fixed_end, sliding, expires_at, retained_until, retention, origin, commits)
             VALUES (:id, :name, :key, :state, :incarnation, :revision, :version, :registration,
                :created_at, :fixed_end, :sliding, :expires_at, :retained_until, :retention, :origin, :commits)",
        )?
        .execute(columns!(header, ":id": id, ":name": key.name(), ":key": key.id()))?;
    Ok(())
}

pub(super) fn update(connection: &Connection, id: i64, header: &Header) -> Result<()> {
    connection
        .prepare_cached(
            "UPDATE session_runtime_sessions SET state = :state, incarnation = :incarnation, revision = :revision,
                version = :version, registration = :registration, created_at = :created_at, fixed_end = :fixed_end,
                sliding = :sliding, expires_at = :expires_at, retained_until = :retained_until, retention = :retention, origin = :origin,
                commits = :commits
             WHERE id = :id",
        )?
        .execute(columns!(header, ":id": id))?;
    Ok(())
}

/// The fields of a session.
pub(super) fn fields(connection: &Connection, session: i64) -> Result<Vec<StoredField>> {
    let mut statement =
        connection.prepare_cached("SELECT name, value FROM session_runtime_fields WHERE session = ?1")?;
    let mut rows = statement.query([session])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let name = FieldName::from(text(row, 0)?);
        let (ValueRef::Text(value) | ValueRef::Blob(value)) = row.get_ref(1)? else {
            return Err(Failure::corrupt(format_args!("the stored value of field `{name}`")));
        };
        found.push(StoredField { name, value: value.into() });
    }
    Ok(found)
}

/// A value as this crate stores it: text where it is text, so that the shell shows it, and else a BLOB.
pub(super) struct Value<'a>(pub(super) &'a [u8]);

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let value = if std::str::from_utf8(self.0).is_ok() { ValueRef::Text(self.0) } else { ValueRef::Blob(self.0) };
        Ok(ToSqlOutput::Borrowed(value))
    }
}
