//! Changes. Each runs inside the writer's transaction, perhaps together with others.

use rusqlite::{Connection, params};

use super::error::Result;
use super::read;
use super::rows::{self, Session, Value};
use crate::expiry::{ClockOffset, Timestamp};
use crate::store::rule::{self, Decision};
use crate::store::{Action, Applied, Commit, Ended, Found, Key, Load, Loaded, Record, Registration, Reply};

/// Applies a commit, or tells what is there instead.
pub(super) fn commit(connection: &Connection, key: &Key, commit: &Commit) -> Result<Reply> {
    let session = rows::session(connection, key)?;
    let previous = session.as_ref().map(|session| session.header);
    let now = Timestamp::now(commit.clock);
    match (rule::decide(previous.as_ref(), commit, now), &session) {
        (Decision::Apply, _) => {}
        (Decision::Answer(applied), _) => return Ok(Reply::Applied(applied)),
        (Decision::Conflict, Some(Session { id, header })) => {
            return Ok(Reply::Conflict(Record { head: header.head, fields: rows::fields(connection, *id)? }));
        }
        (Decision::Conflict, None) => return Ok(Reply::Ended(Ended::Unknown)),
        (Decision::Ended(gone), _) => return Ok(Reply::Ended(gone)),
    }
    let target = match &commit.action {
        Action::Renew { to } => rows::session(connection, to)?,
        Action::Write | Action::Destroy => None,
    };
    if rule::is_occupied(target.as_ref().map(|target| &target.header), now) {
        return Ok(Reply::Occupied);
    }

    let live = previous.filter(|header| header.is_live(now));
    let id = session.as_ref().map_or_else(|| unused_id(connection), |session| Ok(session.id))?;
    if live.is_none() || commit.replace {
        // What is left of an ended session is no part of the next one.
        clear(connection, id)?;
    }
    let is_empty = change_fields(connection, id, commit)?;
    let next = rule::next(previous.as_ref(), commit, is_empty, now);
    let put = |key: &Key, header| match session {
        Some(_) => rows::update(connection, id, header),
        None => rows::insert(connection, id, key, header),
    };
    let head = match &commit.action {
        Action::Write => {
            put(key, &next)?;
            Some(next.head)
        }
        Action::Destroy => {
            clear(connection, id)?;
            put(key, &next)?;
            None
        }
        Action::Renew { to } => {
            if let Some(target) = target.filter(|target| target.id != id) {
                clear(connection, target.id)?;
                connection
                    .prepare_cached("DELETE FROM session_runtime_sessions WHERE id = ?1")?
                    .execute([target.id])?;
            }
            // The row moves with its fields, whatever their size, and a new row stays behind.
            let moved = rule::moved(&next, commit, is_empty, now);
            put(to, &moved)?;
            if session.is_some() && key != to {
                connection
                    .prepare_cached("UPDATE session_runtime_sessions SET name = ?2, key = ?3 WHERE id = ?1")?
                    .execute((id, to.name(), to.id()))?;
            }
            if key != to {
                rows::insert(connection, unused_id(connection)?, key, &next)?;
            }
            Some(moved.head)
        }
    };
    Ok(Reply::Applied(Applied {
        head,
        was_stored: live.is_some_and(|header| header.head.stored),
        is_stored: head.is_some_and(|head| head.stored),
        repeated: false,
    }))
}

/// The next free number. It may have been used before: whoever takes it clears what is left under it.
fn unused_id(connection: &Connection) -> Result<i64> {
    let next = "SELECT coalesce(max(id), 0) + 1 FROM session_runtime_sessions";
    Ok(connection.prepare_cached(next)?.query_row([], |row| row.get(0))?)
}

fn clear(connection: &Connection, id: i64) -> Result<()> {
    connection.prepare_cached("DELETE FROM session_runtime_fields WHERE session = ?1")?.execute([id])?;
    Ok(())
}

/// Stores and removes fields, and tells whether none is left.
fn change_fields(connection: &Connection, id: i64, commit: &Commit) -> Result<bool> {
    for change in &commit.changes {
        match &change.value {
            Some(value) => connection
                .prepare_cached(
                    "INSERT INTO session_runtime_fields (session, name, value) VALUES (?1, ?2, ?3)
                     ON CONFLICT (session, name) DO UPDATE SET value = excluded.value",
                )?
                .execute((id, &*change.name, Value(value)))?,
            None => connection
                .prepare_cached("DELETE FROM session_runtime_fields WHERE session = ?1 AND name = ?2")?
                .execute((id, &*change.name))?,
        };
    }
    if commit.changes.last().is_some_and(|change| change.value.is_some()) {
        return Ok(false);
    }
    Ok(!connection.prepare_cached("SELECT 1 FROM session_runtime_fields WHERE session = ?1 LIMIT 1")?.exists([id])?)
}

/// Reads a session, and moves its expiry if that is due.
pub(super) fn load(connection: &Connection, key: &Key, load: Load) -> Result<Loaded> {
    let (mut loaded, due) = read::load(connection, key, load)?;
    if let (Some(Session { id, header }), Found::Record(record)) = (due, &mut loaded.found) {
        let until = header.retained_until.map(Timestamp::as_millis);
        connection
            .prepare_cached("UPDATE session_runtime_sessions SET expires_at = ?2, retained_until = ?3 WHERE id = ?1")?
            .execute((id, header.head.expires_at.map(Timestamp::as_millis), until))?;
        record.head = header.head;
        loaded.touched = true;
    }
    Ok(loaded)
}

/// Registers what is not registered yet. The answer is complete.
pub(super) fn register(connection: &Connection, proposal: &Registration) -> Result<Option<Registration>> {
    let (name, version) = (&*proposal.name, proposal.version);
    connection
        .prepare_cached(
            "INSERT INTO session_runtime_registrations (name, version, id, codec) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO NOTHING",
        )?
        .execute((name, version, proposal.id.0.cast_signed(), &*proposal.codec))?;
    for field in &proposal.fields {
        let initial = field.initial.as_deref().map(Value);
        connection
            .prepare_cached(
                "INSERT INTO session_runtime_registered_fields (name, version, field, position, initial, sensitive)
                 SELECT ?1, ?2, ?3, count(*), ?4, ?5 FROM session_runtime_registered_fields
                 WHERE name = ?1 AND version = ?2
                 ON CONFLICT DO NOTHING",
            )?
            .execute(params![name, version, &*field.name, initial, field.sensitive])?;
    }
    read::registration(connection, name, version)
}

pub(super) fn withdraw(connection: &Connection, name: &str, version: u32) -> Result<bool> {
    let fields = "DELETE FROM session_runtime_registered_fields WHERE name = ?1 AND version = ?2";
    connection.prepare_cached(fields)?.execute((name, version))?;
    let registration = "DELETE FROM session_runtime_registrations WHERE name = ?1 AND version = ?2";
    Ok(connection.prepare_cached(registration)?.execute((name, version))? > 0)
}

/// Forgets at most `limit` sessions whose retention is over, and tells how many.
pub(super) fn purge(connection: &Connection, limit: usize, clock: ClockOffset) -> Result<usize> {
    let now = Timestamp::now(clock).as_millis();
    let mut due = connection.prepare_cached(
        "SELECT id FROM session_runtime_sessions WHERE retained_until <= ?1 ORDER BY retained_until LIMIT ?2",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let ids = due.query_map((now, limit), |row| row.get(0))?.collect::<rusqlite::Result<Vec<i64>>>()?;
    let mut forget = connection.prepare_cached("DELETE FROM session_runtime_sessions WHERE id = ?1")?;
    for id in &ids {
        clear(connection, *id)?;
        forget.execute([id])?;
    }
    Ok(ids.len())
}
