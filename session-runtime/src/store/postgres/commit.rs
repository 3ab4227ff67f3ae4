//! A commit: one statement for the common kind, and else one call of a function, which says the [rule] in PL/pgSQL.

use tokio_postgres::Row;

use super::super::rule::{self, Commits, Decision};
use super::super::{Action, Applied, Base, Commit, Ended, ExpiryChange, Head, Key, Reply, StoreError};
use super::arguments::{Argument, Value};
use super::fields::Changes;
use super::row::column;
use super::{PostgresStore, error, row, sql};

/// What times and numbers may be at most to be added without a look: more milliseconds than any time that is meant.
const MOST_ADDED: u64 = 1 << 60;

pub(super) async fn commit(store: &PostgresStore, key: &Key, commit: &Commit) -> Result<Reply, StoreError> {
    let mut may_repeat = false;
    let changes = Changes::of(commit);
    if let Some(applied) = set_fields(store, key, commit, &changes, &mut may_repeat).await? {
        return Ok(Reply::Applied(applied));
    }
    let mut arguments = vec![
        ("p_name", Value::Text(key.name())),
        ("p_key", Value::Bytes(key.id().as_bytes())),
        ("p_id", Value::id(commit.id.0)),
        ("p_inactivity", Value::Int(commit.lifetime.inactivity)),
        ("p_creation", Value::Int(commit.lifetime.creation)),
        ("p_retention", Value::Int(Some(commit.lifetime.retention))),
        ("p_offset", Value::Int(Some(commit.clock.0))),
    ];
    arguments.extend(base(commit.base));
    arguments.extend(changes.small()?);
    arguments.extend(changes.rows(commit.write()));
    arguments.push(changes.unset());
    arguments.extend(content(commit));
    let statements = &store.inner.statements;
    let function = match &commit.action {
        Action::Write(_) | Action::Destroy => {
            arguments.push(("p_destroy", Value::Flag(commit.is_destruction())));
            &statements.commit
        }
        Action::Renew { to, .. } => {
            arguments.push(("p_to_name", Value::Text(to.name())));
            arguments.push(("p_to_key", Value::Bytes(to.id().as_bytes())));
            &statements.renew
        }
    };
    let answer = store.ask(function, arguments).await?;
    may_repeat |= answer.may_repeat;
    match reply(answer.rows.first().ok_or_else(sql::unknown_answer)?, commit)? {
        // If it was applied when it was sent first, its id is among those that the header keeps; else nobody knows.
        Reply::Conflict(there) if may_repeat && Commits::have_forgotten(commit, &there.head) => {
            Err(error::unanswered())
        }
        reply => Ok(reply),
    }
}

/// Applies a commit that only sets fields of a stored session, if its base is current. `None` if it is of another kind,
/// or was not applied: then the function finds out why. `may_repeat` is set if it was sent more than once.
async fn set_fields(
    store: &PostgresStore,
    key: &Key,
    commit: &Commit,
    changes: &Changes<'_>,
    may_repeat: &mut bool,
) -> Result<Option<Applied>, StoreError> {
    let (Base::Record { incarnation, revision, last_commit }, Action::Write(write)) = (commit.base, &commit.action)
    else {
        return Ok(None);
    };
    let lifetime = commit.lifetime;
    let added = [lifetime.inactivity, lifetime.creation, Some(lifetime.retention), Some(commit.clock.0)];
    if write.replace
        || write.expiry != ExpiryChange::Keep
        || write.changes.is_empty()
        || write.changes.iter().any(|change| change.value.is_none())
        || added.into_iter().flatten().any(|millis| millis.unsigned_abs() > MOST_ADDED)
        || revision >= MOST_ADDED
    {
        return Ok(None);
    }
    let mut values = vec![
        Value::Text(key.name()),
        Value::Bytes(key.id().as_bytes()),
        Value::id(incarnation.0),
        Value::id(revision),
        Value::id(last_commit.0),
        Value::id(commit.id.0),
        Value::Int(Some(write.version.into())),
        Value::id(write.registration.0),
        Value::Int(Some(commit.clock.0)),
        Value::Int(lifetime.inactivity),
        Value::Int(lifetime.creation),
        Value::Int(Some(lifetime.retention)),
    ];
    let bare = |(_, value)| value;
    values.extend(changes.small()?.map(bare));
    let statements = &store.inner.statements;
    let statement = if changes.are_small() {
        &statements.set_small
    } else {
        values.extend(changes.rows(Some(write)).map(bare));
        &statements.set_fields
    };
    let answer = match store.inner.pool.ask(statement, &values).await {
        Err(error) if error::is_left_to_rule(&error) => {
            *may_repeat = !error.is_not_applied();
            return Ok(None);
        }
        answer => answer?,
    };
    *may_repeat = answer.may_repeat;
    let Some(row) = answer.rows.first() else { return Ok(None) };
    let head = Head {
        incarnation,
        revision: revision.saturating_add(1),
        last_commit: commit.id,
        version: write.version,
        registration: write.registration,
        created_at: row::now(row, 0)?,
        fixed_end: row::time(row, 1, "fixed_end")?,
        sliding: column(row, 3, "sliding")?,
        expires_at: row::time(row, 2, "expires_at")?,
        stored: true,
    };
    Ok(Some(Applied { head: Some(head), was_stored: true, is_stored: true, repeated: false }))
}

/// What the commit is based on.
fn base(base: Base) -> [Argument<'static>; 5] {
    let (record, saw, valid_until) = match base {
        Base::Record { incarnation, revision, last_commit } => {
            (Some((incarnation.0, revision, last_commit.0)), None, None)
        }
        Base::Absent { saw, valid_until } => (None, saw, valid_until),
    };
    let id = |id: Option<u64>| Value::Int(id.map(u64::cast_signed));
    [
        ("p_incarnation", id(record.map(|(incarnation, ..)| incarnation))),
        ("p_revision", id(record.map(|(_, revision, _)| revision))),
        ("p_last_commit", id(record.map(|(.., last_commit)| last_commit))),
        ("p_saw", id(saw.map(|saw| saw.0))),
        ("p_valid_until", Value::time(valid_until)),
    ]
}

/// What the commit writes besides the fields: nothing if it destroys.
fn content(commit: &Commit) -> [Argument<'_>; 8] {
    let write = commit.write();
    let id = |id: Option<u64>| Value::Int(id.map(u64::cast_signed));
    let expiry = write.map(|write| write.expiry).unwrap_or_default();
    [
        ("p_replace", Value::Flag(write.is_some_and(|write| write.replace))),
        ("p_keep_empty", Value::Flag(write.is_some_and(|write| write.keep_empty))),
        ("p_creates", id(write.map(|write| write.creates.0))),
        ("p_version", Value::Int(write.map(|write| i64::from(write.version)))),
        ("p_registration", id(write.map(|write| write.registration.0))),
        ("p_changes_end", Value::Flag(expiry != ExpiryChange::Keep)),
        ("p_fixed_end", Value::time(expiry.apply(None))),
        ("p_sliding", Value::Int(expiry.apply_to_sliding(None))),
    ]
}

/// What the answer to a commit says.
pub(super) fn reply(row: &Row, commit: &Commit) -> Result<Reply, StoreError> {
    let header = row::header(row, 5)?;
    let was_stored = column::<Option<bool>>(row, 1, "was_stored")?.unwrap_or_default();
    Ok(match (column::<&str>(row, 0, "answer")?, header) {
        ("apply", Some(header)) => {
            let is_stored = header.head.stored;
            let head = (!commit.is_destruction()).then_some(header.head);
            Reply::Applied(Applied { head, was_stored, is_stored, repeated: false })
        }
        ("repeated", Some(header)) => match rule::decide(Some(&header), commit, row::now(row, 2)?) {
            Decision::Answer(applied) => Reply::Applied(applied),
            _ => return Err(row::corrupt("commits")),
        },
        ("nothing", _) => Reply::Applied(Applied { head: None, was_stored: false, is_stored: false, repeated: false }),
        ("conflict", Some(header)) => Reply::Conflict(row::record(row, 3, &header)?),
        ("unregistered", _) => Reply::Unregistered,
        ("occupied", _) => Reply::Occupied,
        ("replaced", _) => Reply::Ended(Ended::Replaced),
        ("destroyed", _) => Reply::Ended(Ended::Destroyed),
        ("renewed", _) => Reply::Ended(Ended::Renewed),
        ("expired", _) => Reply::Ended(Ended::Expired),
        ("absent", _) => Reply::Ended(Ended::Unknown),
        _ => return Err(sql::unknown_answer()),
    })
}
