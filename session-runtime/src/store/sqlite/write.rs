//! Changes. Each runs inside the writer's transaction, perhaps together with others.

use rusqlite::{Connection, named_params};

use super::error::Result;
use super::read;
use super::rows::{self, Session, Value};
use crate::expiry::{ClockOffset, Timestamp};
use crate::store::rule;
use crate::store::{Action, Applied, Commit, Ended, Found, Key, Load, Loaded, Registration, Reply, Term};

/// Applies a commit, or tells what is there instead.
pub(super) fn commit(connection: &Connection, key: &Key, commit: &Commit) -> Result<Reply> {
    let session = rows::session(connection, key)?;
    let previous = session.as_ref().map(|session| session.header);
    let now = Timestamp::now(commit.clock);
    let fields = || session.as_ref().map_or_else(|| Ok(Vec::new()), |session| rows::fields(connection, session.id));
    if let Some(reply) = rule::decide(previous.as_ref(), commit, now).refusal(fields)? {
        return Ok(reply);
    }
    if !is_registered(connection, key, commit)? {
        return Ok(Reply::Unregistered);
    }
    let target = match &commit.action {
        Action::Renew { to, .. } => rows::session(connection, to)?,
        Action::Write(_) | Action::Destroy => None,
    };
    let there = target.as_ref().map(|target| target.header);
    if rule::is_occupied(there.as_ref(), now) {
        return Ok(Reply::Occupied);
    }

    let live = previous.filter(|header| header.is_live(now));
    let id = session.as_ref().map_or_else(|| unused_id(connection), |session| Ok(session.id))?;
    if live.is_none() || commit.write().is_none_or(|write| write.replace) {
        // What is left of an ended session is no part of the next one.
        clear(connection, id)?;
    }
    let is_empty = change_fields(connection, id, commit)?;
    let Some(next) = rule::next(previous.as_ref(), commit, is_empty, now) else {
        return Ok(Reply::Ended(Ended::Unknown));
    };
    let put = |key: &Key, header| match session {
        Some(_) => rows::update(connection, id, header),
        None => rows::insert(connection, id, key, header),
    };
    let head = match &commit.action {
        Action::Write(_) => {
            put(key, &next)?;
            Some(next.head)
        }
        Action::Destroy => {
            put(key, &next)?;
            None
        }
        Action::Renew { to, write } => {
            if let Some(target) = target.filter(|target| target.id != id) {
                clear(connection, target.id)?;
                connection
                    .prepare_cached("DELETE FROM session_runtime_sessions WHERE id = :id")?
                    .execute(named_params! { ":id": target.id })?;
            }
            // The row moves with its fields, whatever their size, and a new row stays behind.
            let renewed = rule::renewed(&next, there.as_ref(), commit, write, is_empty, now);
            put(to, &renewed)?;
            if key != to {
                connection
                    .prepare_cached("UPDATE session_runtime_sessions SET name = :name, key = :key WHERE id = :id")?
                    .execute(named_params! { ":id": id, ":name": to.name(), ":key": to.id() })?;
                rows::insert(connection, unused_id(connection)?, key, &next)?;
            }
            Some(renewed.head)
        }
    };
    Ok(Reply::Applied(Applied {
        head,
        was_stored: live.is_some_and(|header| header.head.stored),
        is_stored: head.is_some_and(|head| head.stored),
        repeated: false,
    }))
}

/// Whether the registration that a commit names is there.
fn is_registered(connection: &Connection, key: &Key, commit: &Commit) -> Result<bool> {
    let Some((name, version, id)) = commit.registration(key) else { return Ok(true) };
    let registration = "SELECT 1 FROM session_runtime_registrations WHERE name = ?1 AND version = ?2 AND id = ?3";
    Ok(connection.prepare_cached(registration)?.exists((name, version, id.0.cast_signed()))?)
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
    let changes = commit.changes();
    for change in changes {
        match &change.value {
            Some(value) => connection
                .prepare_cached(
                    "INSERT INTO session_runtime_fields (session, name, value, term)
                     VALUES (:session, :name, :value, :term)
                     ON CONFLICT (session, name) DO UPDATE SET value = excluded.value, term = excluded.term",
                )?
                .execute(named_params! {
                    ":session": id,
                    ":name": &*change.name,
                    ":value": Value(value),
                    ":term": commit.write().and_then(|write| write.term(&change.name)).map(Term::as_str),
                })?,
            None => connection
                .prepare_cached("DELETE FROM session_runtime_fields WHERE session = :session AND name = :name")?
                .execute(named_params! { ":session": id, ":name": &*change.name })?,
        };
    }
    for entry in commit.index().iter().filter(|entry| changes.iter().all(|change| change.name != entry.field)) {
        connection
            .prepare_cached("UPDATE session_runtime_fields SET term = :term WHERE session = :session AND name = :name")?
            .execute(named_params! { ":session": id, ":name": &*entry.field, ":term": entry.term.as_str() })?;
    }
    if changes.last().is_some_and(|change| change.value.is_some()) {
        return Ok(false);
    }
    Ok(!connection.prepare_cached("SELECT 1 FROM session_runtime_fields WHERE session = ?1 LIMIT 1")?.exists([id])?)
}

/// Reads a session, and moves its expiry if that is due.
pub(super) fn load(connection: &Connection, key: &Key, load: Load) -> Result<Loaded> {
    let (mut loaded, due) = read::load(connection, key, load)?;
    if let (Some(Session { id, header }), Found::Record(record)) = (due, &mut loaded.found) {
        connection
            .prepare_cached(
                "UPDATE session_runtime_sessions SET expires_at = :expires_at, retained_until = :retained_until
                 WHERE id = :id",
            )?
            .execute(named_params! {
                ":id": id,
                ":expires_at": header.head.expires_at.map(Timestamp::as_millis),
                ":retained_until": header.retained_until.map(Timestamp::as_millis),
            })?;
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
            "INSERT INTO session_runtime_registrations (name, version, id, codec) VALUES (:name, :version, :id, :codec)
             ON CONFLICT DO NOTHING",
        )?
        .execute(named_params! {
            ":name": name,
            ":version": version,
            ":id": proposal.id.0.cast_signed(),
            ":codec": &*proposal.codec,
        })?;
    for field in &proposal.fields {
        let initial = field.initial.as_deref().map(Value);
        connection
            .prepare_cached(
                "INSERT INTO session_runtime_registered_fields (name, version, field, position, initial, sensitive)
                 SELECT :name, :version, :field, count(*), :initial, :sensitive
                 FROM session_runtime_registered_fields
                 WHERE name = :name AND version = :version
                 ON CONFLICT DO NOTHING",
            )?
            .execute(named_params! {
                ":name": name,
                ":version": version,
                ":field": &*field.name,
                ":initial": initial,
                ":sensitive": field.sensitive,
            })?;
    }
    read::registration(connection, name, version)
}

pub(super) fn withdraw(connection: &Connection, name: &str, version: u32) -> Result<bool> {
    let fields = "DELETE FROM session_runtime_registered_fields WHERE name = ?1 AND version = ?2";
    connection.prepare_cached(fields)?.execute((name, version))?;
    let registration = "DELETE FROM session_runtime_registrations WHERE name = ?1 AND version = ?2";
    Ok(connection.prepare_cached(registration)?.execute((name, version))? > 0)
}

/// Purges at most `limit` sessions whose retention is over, and tells how many.
pub(super) fn purge(connection: &Connection, limit: usize, clock: ClockOffset) -> Result<usize> {
    let now = Timestamp::now(clock).as_millis();
    let mut due = connection.prepare_cached(
        "SELECT id FROM session_runtime_sessions WHERE retained_until <= ?1 ORDER BY retained_until LIMIT ?2",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let ids = due.query_map((now, limit), |row| row.get(0))?.collect::<rusqlite::Result<Vec<i64>>>()?;
    let mut remove = connection.prepare_cached("DELETE FROM session_runtime_sessions WHERE id = ?1")?;
    for id in &ids {
        clear(connection, *id)?;
        remove.execute([id])?;
    }
    Ok(ids.len())
}
