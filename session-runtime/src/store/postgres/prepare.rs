//! Creating the tables: each version of them once, however many instances start together.

use super::super::{StoreError, StoreErrorKind};
use super::Inner;
use super::arguments::Value;
use super::pool::Lent;
use super::row::column;
use super::sql::{OLDEST_SERVER, VERSION};

/// What is to be done to the database.
enum Found {
    /// Nothing.
    Ready,
    /// The tables are to be created, or also the schema for them.
    Nothing { schema: bool },
}

pub(super) async fn prepare(inner: &Inner) -> Result<(), StoreError> {
    let mut lent = inner.pool.lend_new().await?;
    // The tables are there as a rule: then this takes no lock, and needs no right to create anything.
    let Found::Nothing { .. } = look(inner, &mut lent).await? else { return Ok(()) };
    lent.begin(&inner.names.lock()).await?;
    match look(inner, &mut lent).await? {
        Found::Ready => lent.commit("").await,
        Found::Nothing { schema: true } => lent.commit(&inner.names.create()).await,
        Found::Nothing { schema: false } => {
            lent.commit(&format!("{}; {}", inner.names.create_schema(), inner.names.create())).await
        }
    }
}

async fn look(inner: &Inner, lent: &mut Lent<'_>) -> Result<Found, StoreError> {
    let (schema, table) = (inner.names.schema(), inner.names.version_table());
    // Queries of the catalogs, because `to_regclass` and the like can answer from a cache: as it was before the lock.
    let rows = lent
        .ask_once(
            "SELECT current_setting('server_version_num')::int4, \
             EXISTS (SELECT FROM pg_namespace WHERE nspname = $1), \
             EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname = $1 AND c.relname = $2), \
             current_setting('fsync') = 'on' AND current_setting('synchronous_commit') <> 'off', \
             current_setting('server_encoding'), current_setting('default_transaction_isolation')",
            &[Value::Text(schema), Value::Text(&table)],
        )
        .await?;
    let row = rows.first().ok_or_else(unknown)?;
    if column::<i32>(row, 0, "server_version_num")? < OLDEST_SERVER {
        let message = "this PostgreSQL is too old for sessions, which need version 13 or newer";
        return Err(StoreError::new(StoreErrorKind::Incompatible, message).not_applied());
    }
    let encoding: &str = column(row, 4, "server_encoding")?;
    if encoding != "UTF8" {
        return Err(StoreError::new(
            StoreErrorKind::Incompatible,
            format!("this PostgreSQL database is encoded as {encoding}, and sessions need UTF8; create one with ENCODING 'UTF8'"),
        )
        .not_applied());
    }
    if column::<&str>(row, 5, "default_transaction_isolation")? != "read committed" {
        inner.pool.isolate();
    }
    if !column::<bool>(row, 3, "synchronous_commit")? {
        tracing::warn!(
            "PostgreSQL is set up to lose acknowledged commits in a crash: see fsync and synchronous_commit"
        );
    }
    if !column::<bool>(row, 2, "schema_version")? {
        return Ok(Found::Nothing { schema: column(row, 1, "schema_version")? });
    }
    let rows = lent.ask_once(&inner.statements.version, &[]).await?;
    match column::<Option<i32>>(rows.first().ok_or_else(unknown)?, 0, "schema_version")? {
        Some(VERSION) => Ok(Found::Ready),
        Some(version) if version > VERSION => Err(StoreError::new(
            StoreErrorKind::Incompatible,
            format!(
                "the session tables in PostgreSQL have version {version}, and this build knows versions up to {VERSION}; \
                 use a newer build"
            ),
        )
        .not_applied()),
        _ => Err(unknown()),
    }
}

fn unknown() -> StoreError {
    let message = "the session tables in PostgreSQL have no version that this store ever wrote; use another prefix";
    StoreError::new(StoreErrorKind::Incompatible, message).not_applied()
}
