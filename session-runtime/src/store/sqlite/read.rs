//! Questions. Each runs inside a transaction, so all it reads is of one moment.

use std::sync::Arc;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Row};

use super::error::{Failure, Result};
use super::rows::{self, Session, column};
use crate::expiry::{ClockOffset, Timestamp};
use crate::store::{
    Cursor, DamagedRegistration, FieldName, Find, Found, FoundPage, Key, Keys, Load, Loaded, RegisteredField,
    Registration, RegistrationId, Registrations, StoreErrorKind,
};

/// Reads a session as it is, and what it is to become if its expiry is to be moved.
pub(super) fn load(connection: &Connection, key: &Key, load: Load) -> Result<(Loaded, Option<Session>)> {
    let session = rows::session(connection, key)?;
    let now = Timestamp::now(load.clock);
    let (found, due) = match session {
        Some(Session { id, header }) if header.is_live(now) => {
            let record = header.record(rows::fields(connection, id)?);
            let touched = load.lifetime.and_then(|lifetime| header.touched(&lifetime, now));
            let due = touched.map(|header| Session { id, header });
            (Found::Record(record), due)
        }
        ended => (Found::Absent { saw: ended.map(|session| session.header.past()) }, None),
    };
    Ok((Loaded { now, touched: false, found }, due))
}

pub(super) fn keys(
    connection: &Connection,
    name: &str,
    after: Option<&Cursor>,
    limit: usize,
    clock: ClockOffset,
) -> Result<Keys> {
    let mut statement = connection.prepare_cached(
        "SELECT key FROM session_runtime_sessions
         WHERE name = ?1 AND key > ?2 AND state = 'stored' AND (expires_at IS NULL OR expires_at > ?3)
         ORDER BY key LIMIT ?4",
    )?;
    // Every key is after the empty string. Text compares with text only, so a cursor is text whatever it holds.
    let after = ToSqlOutput::Borrowed(ValueRef::Text(after.map_or(&[], |after| &after.0)));
    let now = Timestamp::now(clock).as_millis();
    let mut rows = statement.query((name, after, now, i64::try_from(limit).unwrap_or(i64::MAX)))?;
    let name: Arc<str> = name.into();
    let mut keys = Vec::new();
    while let Some(row) = rows.next()? {
        let key: Arc<str> = column(row, 0)?;
        keys.push(Key::new(name.clone(), key).map_err(|_| Failure::corrupt_column(row, 0))?);
    }
    let next = keys.last().filter(|_| keys.len() == limit).map(|key| Cursor(key.id().as_bytes().into()));
    Ok(Keys { keys, next })
}

pub(super) fn count(connection: &Connection, name: &str, clock: ClockOffset) -> Result<u64> {
    let mut statement = connection.prepare_cached(
        "SELECT count(*) FROM session_runtime_sessions
         WHERE name = ?1 AND state = 'stored' AND (expires_at IS NULL OR expires_at > ?2)",
    )?;
    let count: i64 = statement.query_row((name, Timestamp::now(clock).as_millis()), |row| row.get(0))?;
    Ok(count.unsigned_abs())
}

/// A cross join is made in the order in which it is written: by way of the index.
pub(super) const FIND: &str =
    "SELECT s.key, s.state, s.incarnation, s.revision, s.version, s.registration, s.created_at, s.fixed_end,
            s.expires_at, s.retained_until, s.origin, s.commits, s.retention, s.sliding
     FROM session_runtime_fields f CROSS JOIN session_runtime_sessions s ON s.id = f.session
     WHERE f.term = ?1 AND f.name = ?2 AND s.name = ?3 AND s.key > ?4
         AND s.state = 'stored' AND (s.expires_at IS NULL OR s.expires_at > ?5)
     ORDER BY s.key LIMIT ?6";

/// The sessions with a value.
pub(super) fn find(connection: &Connection, find: &Find) -> Result<FoundPage> {
    let mut statement = connection.prepare_cached(FIND)?;
    let after = ToSqlOutput::Borrowed(ValueRef::Text(find.after.as_ref().map_or(&[], |after| &after.0)));
    let now = Timestamp::now(find.clock);
    let limit = find.limit.map_or(i64::MAX, |limit| i64::try_from(limit).unwrap_or(i64::MAX));
    let mut rows = statement.query((find.term.as_str(), &*find.field, &*find.name, after, now.as_millis(), limit))?;
    let mut sessions = Vec::new();
    while let Some(row) = rows.next()? {
        let key: Arc<str> = column(row, 0)?;
        let key = Key::new(find.name.clone(), key).map_err(|_| Failure::corrupt_column(row, 0))?;
        sessions.push((key, rows::header(row)?.head));
    }
    let full = find.limit == Some(sessions.len());
    let next = sessions.last().filter(|_| full).map(|(key, _)| Cursor(key.id().as_bytes().into()));
    Ok(FoundPage { now, sessions, next })
}

pub(super) fn registration(connection: &Connection, name: &str, version: u32) -> Result<Option<Registration>> {
    let mut statement = connection.prepare_cached(
        "SELECT name, version, id, codec FROM session_runtime_registrations WHERE name = ?1 AND version = ?2",
    )?;
    let mut rows = statement.query((name, version))?;
    rows.next()?.map(|row| complete(connection, row)).transpose()
}

pub(super) fn registrations(connection: &Connection) -> Result<Registrations> {
    let mut statement = connection
        .prepare_cached("SELECT name, version, id, codec FROM session_runtime_registrations ORDER BY name, version")?;
    let mut rows = statement.query([])?;
    let mut registrations = Registrations::default();
    while let Some(row) = rows.next()? {
        let (name, version): (Arc<str>, u32) = (column(row, 0)?, column(row, 1)?);
        match complete(connection, row) {
            Ok(found) => registrations.found.push(found),
            Err(damage @ Failure::Found(StoreErrorKind::Corrupt, _)) => {
                registrations.damaged.push(DamagedRegistration { name, version, error: damage.into() });
            }
            Err(failure) => return Err(failure),
        }
    }
    Ok(registrations)
}

/// A registration with its fields, in the order in which they were registered.
fn complete(connection: &Connection, row: &Row<'_>) -> Result<Registration> {
    let (name, version): (Arc<str>, u32) = (column(row, 0)?, column(row, 1)?);
    let mut statement = connection.prepare_cached(
        "SELECT field, initial, sensitive FROM session_runtime_registered_fields
         WHERE name = ?1 AND version = ?2 ORDER BY position",
    )?;
    let mut rows = statement.query((&*name, version))?;
    let mut fields = Vec::new();
    while let Some(row) = rows.next()? {
        let name = FieldName::from(rows::text(row, 0)?);
        let initial = match row.get_ref(1)? {
            ValueRef::Null => None,
            ValueRef::Text(value) | ValueRef::Blob(value) => Some(value.into()),
            _ => return Err(Failure::corrupt(format_args!("the registered initial value of field `{name}`"))),
        };
        fields.push(RegisteredField { name, initial, sensitive: column(row, 2)? });
    }
    Ok(Registration { id: RegistrationId(rows::id(row, 2)?), name, version, codec: column(row, 3)?, fields })
}
