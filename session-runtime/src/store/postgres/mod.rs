use std::collections::BTreeMap;
use std::sync::Arc;

use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use super::rule::{self, Decision};
use super::{
    Action, Applied, Base, Commit, Cursor, Found, Gone, Key, Keys, Load, Loaded, Purged, Registration, Reply, Store,
    StoreError, StoreErrorKind,
};
use crate::expiry::ClockOffset;

mod connection;
mod error;
mod options;
mod prepare;
mod row;
mod sql;
mod tls;

use connection::{Argument, Connections};
pub use options::PostgresOptions;
use row::{column, to_sql};
use sql::{Names, Statements};

/// How many keys one step of a purge looks at, so that no commit waits long for it.
const PURGED_AT_ONCE: i64 = 200;

/// Keeps sessions in PostgreSQL 13 or newer, for many instances on many machines.
#[derive(Debug, Clone)]
pub struct PostgresStore {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    connections: Connections,
    names: Names,
    statements: Statements,
}

impl PostgresStore {
    /// Connects to a database, and creates the tables if they are not there. [`PostgresOptions`] say more.
    ///
    /// # Errors
    /// [`StoreErrorKind::Configuration`] when this is no address, and whatever [`Store::prepare`] meets.
    pub async fn open(url: impl Into<String>) -> Result<Self, StoreError> {
        PostgresOptions::new(url).open().await
    }

    /// The statements with which [`Store::prepare`] creates the tables and functions, for those who want to run them
    /// by hand, in one transaction, in a schema that exists.
    #[must_use]
    pub fn schema_sql(&self) -> String {
        self.inner.names.create()
    }

    async fn rows(&self, sql: &str, arguments: &[Argument<'_>]) -> Result<Vec<Row>, StoreError> {
        self.inner.connections.rows(sql, arguments).await
    }

    /// The only row of an answer.
    async fn row(&self, sql: &str, arguments: &[Argument<'_>]) -> Result<Row, StoreError> {
        let row = self.rows(sql, arguments).await?.into_iter().next();
        row.ok_or_else(|| {
            let message = "PostgreSQL answered nothing; look whether the functions of the session store were changed";
            StoreError::new(StoreErrorKind::Incompatible, message)
        })
    }
}

impl Store for PostgresStore {
    async fn prepare(&self) -> Result<(), StoreError> {
        prepare::prepare(&self.inner).await
    }

    async fn load(&self, key: &Key, load: Load) -> Result<Loaded, StoreError> {
        let lifetime = load.lifetime;
        let row = self
            .row(
                &self.inner.statements.load,
                &[
                    text(&key.name()),
                    bytes(&key.id().as_bytes()),
                    maybe(&lifetime.inactivity),
                    maybe(&lifetime.creation),
                    int(&lifetime.renew_after),
                    int(&lifetime.retention),
                    int(&load.clock.0),
                ],
            )
            .await?;
        let now = row::now(&row, 0)?;
        let found = match row::header(&row, 4)? {
            None => Found::Absent { saw: None },
            Some(header) if header.is_live(now) => Found::Record(row::record(&row, 2, header.head)?),
            Some(header) => Found::Absent { saw: Some(header.head.incarnation) },
        };
        Ok(Loaded { now, renewed: column(&row, 1, "renewed")?, found })
    }

    async fn commit(&self, key: &Key, commit: &Commit) -> Result<Reply, StoreError> {
        let (incarnation, revision, last_commit, saw) = match commit.base {
            Base::Record { incarnation, revision, last_commit } => {
                (Some(to_sql(incarnation.0)), Some(to_sql(revision)), Some(to_sql(last_commit.0)), None)
            }
            Base::Absent { saw } => (None, None, None, saw.map(|saw| to_sql(saw.0))),
        };
        let valid_until = match commit.base {
            Base::Absent { .. } => commit.valid_until.map(|until| until.as_millis()),
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
        let until = commit.until.flatten().map(|until| until.as_millis());
        let (name, key_id) = (key.name(), key.id().as_bytes());
        let sets_until = commit.until.is_some();
        let mut arguments = vec![
            text(&name),
            bytes(&key_id),
            int(&id),
            maybe(&incarnation),
            maybe(&revision),
            maybe(&last_commit),
            maybe(&saw),
            maybe(&valid_until),
            (&set, Type::TEXT_ARRAY),
            (&values, Type::BYTEA_ARRAY),
            (&unset, Type::TEXT_ARRAY),
            flag(&commit.replace),
            int(&creates),
            int(&version),
            int(&registration),
            flag(&commit.keep_empty),
            maybe(&commit.lifetime.inactivity),
            maybe(&commit.lifetime.creation),
            int(&commit.lifetime.retention),
            flag(&sets_until),
            maybe(&until),
            int(&commit.clock.0),
        ];
        let statements = &self.inner.statements;
        let row = match &commit.action {
            Action::Write => {
                arguments.push(flag(&false));
                self.row(&statements.commit, &arguments).await?
            }
            Action::Destroy => {
                arguments.push(flag(&true));
                self.row(&statements.commit, &arguments).await?
            }
            Action::Renew { to } => {
                let (to_name, to_id) = (to.name(), to.id().as_bytes());
                arguments.extend([text(&to_name), bytes(&to_id)]);
                self.row(&statements.renew, &arguments).await?
            }
        };
        reply(&row, commit)
    }

    async fn registration(&self, name: &str, version: u32) -> Result<Option<Registration>, StoreError> {
        let version = i64::from(version);
        let rows = self.rows(&self.inner.statements.registration, &[text(&name), int(&version)]).await?;
        rows.first().map(row::registration).transpose()
    }

    async fn register(&self, proposal: &Registration) -> Result<Registration, StoreError> {
        let (id, version) = (to_sql(proposal.id.0), i64::from(proposal.version));
        let names: Vec<&str> = proposal.fields.iter().map(|field| &*field.name).collect();
        let initials: Vec<Option<&[u8]>> = proposal.fields.iter().map(|field| field.initial.as_deref()).collect();
        let sensitive: Vec<bool> = proposal.fields.iter().map(|field| field.sensitive).collect();
        self.row(
            &self.inner.statements.register,
            &[
                text(&&*proposal.name),
                int(&version),
                int(&id),
                text(&&*proposal.codec),
                (&names, Type::TEXT_ARRAY),
                (&initials, Type::BYTEA_ARRAY),
                (&sensitive, Type::BOOL_ARRAY),
            ],
        )
        .await?;
        let registered = self.registration(&proposal.name, proposal.version).await?;
        registered.ok_or_else(|| {
            let message = "the registration was withdrawn while it was made; try again";
            StoreError::new(StoreErrorKind::Busy, message).not_applied()
        })
    }

    async fn withdraw(&self, name: &str, version: u32) -> Result<bool, StoreError> {
        let version = i64::from(version);
        column(&self.row(&self.inner.statements.withdraw, &[text(&name), int(&version)]).await?, 0, "withdraw")
    }

    async fn registrations(&self) -> Result<Vec<Registration>, StoreError> {
        self.rows(&self.inner.statements.registrations, &[]).await?.iter().map(row::registration).collect()
    }

    async fn keys(
        &self,
        name: &str,
        after: Option<Cursor>,
        limit: usize,
        clock: ClockOffset,
    ) -> Result<Keys, StoreError> {
        let after = after.as_ref().map_or(&[][..], |after| &after.0);
        let at_most = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows =
            self.rows(&self.inner.statements.keys, &[text(&name), int(&clock.0), bytes(&after), int(&at_most)]).await?;
        let name: Arc<str> = name.into();
        let key = |row: &Row| {
            let id = std::str::from_utf8(column(row, 0, "key")?).map_err(|_| row::corrupt("key"))?;
            Key::new(name.clone(), id).map_err(|_| row::corrupt("key"))
        };
        let keys = rows.iter().map(key).collect::<Result<Vec<_>, _>>()?;
        let next = keys.last().filter(|_| keys.len() == limit).map(|key| Cursor(key.id().as_bytes().into()));
        Ok(Keys { keys, next })
    }

    async fn count(&self, name: &str, clock: ClockOffset) -> Result<u64, StoreError> {
        let row = self.row(&self.inner.statements.count, &[text(&name), int(&clock.0)]).await?;
        column::<i64>(&row, 0, "count").map(i64::unsigned_abs)
    }

    async fn purge(&self, limit: usize, clock: ClockOffset) -> Result<Purged, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut removed: i64 = 0;
        while removed < limit {
            let batch = (limit - removed).min(PURGED_AT_ONCE);
            let row = self.row(&self.inner.statements.purge, &[int(&batch), int(&clock.0)]).await?;
            removed += column::<i64>(&row, 1, "removed")?;
            // Keys that were only looked at are not due any more, so each step is nearer to the end.
            if column::<i64>(&row, 0, "looked_at")? < batch {
                return Ok(Purged { removed: removed.unsigned_abs(), more: false });
            }
        }
        Ok(Purged { removed: removed.unsigned_abs(), more: true })
    }
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
        ("destroyed", _) => Reply::Gone(Gone::Destroyed),
        ("renewed", _) => Reply::Gone(Gone::Renewed),
        ("expired", _) => Reply::Gone(Gone::Expired),
        ("absent", _) => Reply::Gone(Gone::Absent),
        _ => {
            let message = "PostgreSQL answered what this build does not know; look whether the functions were changed";
            return Err(StoreError::new(StoreErrorKind::Incompatible, message));
        }
    })
}

fn text(value: &(impl ToSql + Sync)) -> Argument<'_> {
    (value, Type::TEXT)
}

fn bytes(value: &(impl ToSql + Sync)) -> Argument<'_> {
    (value, Type::BYTEA)
}

fn int(value: &i64) -> Argument<'_> {
    (value, Type::INT8)
}

fn maybe(value: &Option<i64>) -> Argument<'_> {
    (value, Type::INT8)
}

fn flag(value: &bool) -> Argument<'_> {
    (value, Type::BOOL)
}
