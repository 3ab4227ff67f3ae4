//! A commit: one call of a function, which says the [rule] in PL/pgSQL.

use std::collections::BTreeMap;

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::super::rule::{self, Decision};
use super::super::{Action, Applied, Base, Commit, Ended, Key, Reply, StoreError, StoreErrorKind};
use super::row::{column, to_sql};
use super::{PostgresStore, bytes, flag, int, row, text};
use crate::expiry::Timestamp;

pub(super) async fn commit(store: &PostgresStore, key: &Key, commit: &Commit) -> Result<Reply, StoreError> {
    let (incarnation, revision, last_commit, saw) = match commit.base {
        Base::Record { incarnation, revision, last_commit } => {
            (Some(to_sql(incarnation.0)), Some(to_sql(revision)), Some(to_sql(last_commit.0)), None)
        }
        Base::Absent { saw } => (None, None, None, saw.map(|saw| to_sql(saw.0))),
    };
    let valid_until = match commit.base {
        Base::Absent { .. } => commit.valid_until.map(Timestamp::as_millis),
        Base::Record { .. } => None,
    };
    // One change a field, in one order for all.
    let changes: BTreeMap<&str, Option<&[u8]>> =
        commit.changes.iter().map(|change| (&*change.name, change.value.as_deref())).collect();
    let set: Vec<&str> = changes.iter().filter(|(_, value)| value.is_some()).map(|(name, _)| *name).collect();
    let values: Vec<&[u8]> = changes.values().copied().flatten().collect();
    let unset: Vec<&str> = changes.iter().filter(|(_, value)| value.is_none()).map(|(name, _)| *name).collect();
    let (id, creates) = (to_sql(commit.id.0), to_sql(commit.creates.0));
    let (version, registration) = (i64::from(commit.version), to_sql(commit.registration.0));
    let until = commit.until.flatten().map(Timestamp::as_millis);
    let (name, key_id) = (key.name(), key.id().as_bytes());
    let sets_until = commit.until.is_some();
    let mut arguments = vec![
        text(&name),
        bytes(&key_id),
        int(&id),
        int(&incarnation),
        int(&revision),
        int(&last_commit),
        int(&saw),
        int(&valid_until),
        (&set, Type::TEXT_ARRAY),
        (&values, Type::BYTEA_ARRAY),
        (&unset, Type::TEXT_ARRAY),
        flag(&commit.replace),
        int(&creates),
        int(&version),
        int(&registration),
        flag(&commit.keep_empty),
        int(&commit.lifetime.inactivity),
        int(&commit.lifetime.creation),
        int(&commit.lifetime.retention),
        flag(&sets_until),
        int(&until),
        int(&commit.clock.0),
    ];
    let statements = &store.inner.statements;
    let row = match &commit.action {
        Action::Write => {
            arguments.push(flag(&false));
            store.row(&statements.commit, &arguments).await?
        }
        Action::Destroy => {
            arguments.push(flag(&true));
            store.row(&statements.commit, &arguments).await?
        }
        Action::Renew { to } => {
            let (to_name, to_id) = (to.name(), to.id().as_bytes());
            arguments.extend([text(&to_name), bytes(&to_id)]);
            store.row(&statements.renew, &arguments).await?
        }
    };
    reply(&row, commit)
}

/// What the answer to a commit says.
fn reply(row: &Row, commit: &Commit) -> Result<Reply, StoreError> {
    let header = row::header(row, 5)?;
    let was_stored = column::<Option<bool>>(row, 1, "was_stored")?.unwrap_or_default();
    Ok(match (column::<&str>(row, 0, "answer")?, header) {
        ("apply", Some(header)) => {
            let is_stored = header.head.stored;
            let head = (commit.action != Action::Destroy).then_some(header.head);
            Reply::Applied(Applied { head, was_stored, is_stored, repeated: false })
        }
        ("repeated", Some(header)) => match rule::decide(Some(&header), commit, row::now(row, 2)?) {
            Decision::Answer(applied) => Reply::Applied(applied),
            _ => return Err(row::corrupt("commits")),
        },
        ("nothing", _) => Reply::Applied(Applied { head: None, was_stored: false, is_stored: false, repeated: false }),
        ("conflict", Some(header)) => Reply::Conflict(row::record(row, 3, header.head)?),
        ("occupied", _) => Reply::Occupied,
        ("destroyed", _) => Reply::Ended(Ended::Destroyed),
        ("renewed", _) => Reply::Ended(Ended::Renewed),
        ("expired", _) => Reply::Ended(Ended::Expired),
        ("absent", _) => Reply::Ended(Ended::Unknown),
        _ => {
            let message = "PostgreSQL answered what this build does not know; look whether the functions were changed";
            return Err(StoreError::new(StoreErrorKind::Incompatible, message));
        }
    })
}
