use std::sync::Arc;

use tokio_postgres::Row;

use super::StoreError;

mod address;
mod arguments;
#[cfg(feature = "postgres-tls")]
mod certificate;
mod commit;
mod connection;
mod drive;
mod error;
mod fields;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzz;
mod open;
mod options;
mod places;
mod pool;
mod prepare;
mod row;
mod sql;
mod store;
mod tls;

use arguments::{Argument, Value};
pub use options::PostgresOptions;
use pool::{Answer, Pool};
use sql::{Call, Names, Sql, Statements};

/// Keeps sessions in PostgreSQL 13 or newer, for many instances on many machines.
///
/// A load is one statement that takes no lock, and a second one when an expiry is to be moved. A commit is one statement
/// that writes the session's row, and rows of large fields that changed, if the session is as it was loaded; else a
/// second one, a function, decides by the whole rule. Each is one round trip.
///
/// ```no_run
/// # async fn open() -> Result<(), session_runtime::store::StoreError> {
/// use session_runtime::store::{PostgresOptions, PostgresStore};
///
/// let store = PostgresStore::open("postgres://app:password@db.example/app").await?;
/// let store = PostgresOptions::new("postgres://app:password@db.example/app").schema("web").open().await?;
/// # Ok(()) }
/// ```
///
/// # What it keeps where
/// In the schema `sessions`, or as [`PostgresOptions::schema`] and [`prefix`](PostgresOptions::prefix) say:
///
/// | table | holds |
/// |---|---|
/// | `header` | one row per key: which life of it, revision, last eight commits, expiry, state; in `fields` the small fields that differ from their initial value, `has_rows` if there are others |
/// | `field` | one row per other such field; `value` is what the codec made of it, `term` what an indexed one is found by |
/// | `registration`, `registered_field` | the initial values that all instances agreed on |
/// | `schema_version` | the version of all this |
///
/// Keys are `bytea`, because `text` cannot hold every string. Times are milliseconds since the Unix epoch. To look at
/// the session `42` of the type `Visitor` in psql:
///
/// ```sql
/// SELECT state, revision, to_timestamp(expires_at / 1000.0) AS expires, fields
///   FROM sessions.header WHERE name = 'Visitor' AND key = convert_to('42', 'UTF8');
/// SELECT f.field, convert_from(f.value, 'UTF8') FROM sessions.header h JOIN sessions.field f
///   USING (name, key, incarnation) WHERE h.name = 'Visitor' AND h.key = convert_to('42', 'UTF8');
/// ```
///
/// A header keeps values of up to 128 bytes, and fields of up to 256 bytes in all: one row is read and changed in little
/// more than half the time of two. `fields` is a JSON object of texts; what a codec made is there as it is, or as `#`
/// and hexadecimal digits if it is no text or begins with `#`. A value that is longer, or indexed, or finds no room, has
/// a row in `field`, and its field stays there until it is back at its initial value.
///
/// The state is 0 for a stored session, and 1, 2 or 3 for the header that an emptied, destroyed or renewed one leaves
/// for a while. Do not change rows by hand while instances run, except by the functions beside the tables.
///
/// # Rights
/// [`Store::prepare`](super::Store::prepare) creates the tables if they are not there: that takes the right to create
/// in the schema, and in the database if the schema is missing too. Instances that start together do it once. If an
/// administrator runs [`schema_sql`](PostgresStore::schema_sql) instead, this is all that a running store needs
/// (`EXECUTE` on functions is granted to all by default):
///
/// ```sql
/// GRANT USAGE ON SCHEMA sessions TO app;
/// GRANT SELECT, INSERT, UPDATE, DELETE ON sessions.header, sessions.field, sessions.registration,
///   sessions.registered_field TO app;
/// GRANT SELECT ON sessions.schema_version TO app;
/// ```
///
/// # What survives a crash
/// Once a commit was acknowledged it survives a crash of the server as long as `fsync` and `synchronous_commit` are on,
/// as they are by default; `prepare` warns if not. With `synchronous_commit = off` the commits of the last moments can
/// be lost. A failover to a replica loses what the replica had not received: to keep the promises that the destroyed
/// stay destroyed and that acknowledged commits are kept, name a replica in `synchronous_standby_names` and leave
/// `synchronous_commit` at `on` (or `remote_apply`). Where commits are lost nevertheless, a session that was loaded
/// before meets a conflict and is rebased: a revision that comes round again is told apart by its commit id.
///
/// Connect to the primary server. A replica serves loads, which move no expiry there, and answers
/// [`StoreErrorKind::ReadOnly`](super::StoreErrorKind::ReadOnly) to the rest.
///
/// # Behind a proxy
/// A proxy that pools by the transaction (`PgBouncer`, for one) may stand in between: say so with
/// [`PostgresOptions::behind_pooler`], unless it carries prepared statements along. Then every operation is one
/// statement without a name, which leaves nothing behind on the connection; that takes about twice the time. Otherwise
/// a connection asks for plans by keys as it starts (`enable_seqscan` and `plan_cache_mode` in the startup parameter
/// `options`), which such a proxy may refuse. The options of the address come after these and win.
///
/// # Many operations at once
/// Loads go to one connection, up to eight together, before another one is used. Commits and renewals have one of their
/// own as long as there are enough; then these share too, and are sent without waiting for the answers to others on the
/// same connection. None of them waits there longer than 50 ms for a lock that another holds (`lock_timeout`, also in the
/// startup parameter `options`); one that has to is sent again on a connection of its own. Listings, counts and purges
/// have one of their own at once; so has everything behind a proxy and in a database whose default isolation is another.
///
/// # When connections die
/// A connection that rested for half a minute is asked for a sign of life before it is used, and keepalives are sent
/// meanwhile. One that fails in use, or does not answer in half of
/// [`response_timeout`](PostgresOptions::response_timeout), is replaced, and the operation sent again; commits have an
/// id, so none is applied twice. All connections that rest at that time are replaced too: an operation meets one dead
/// connection at most. What the server gave up for the sake of other work is sent again as well.
///
/// Each statement runs under READ COMMITTED, whatever the default of the database is. Where it is another, that takes
/// two messages more for each statement.
///
/// # Size and upkeep
/// A commit of one small field logs about 250 bytes (WAL), with many small fields beside it up to 500, whatever the size
/// of the session; a touch logs about 140,
/// outside the page images that follow a checkpoint; a read-only request logs nothing. A renewal copies the fields to
/// the new key. Let a task call [`Housekeeping::purge`](super::Housekeeping::purge) now and then: expired sessions stay
/// in the tables until it does. It works in small steps and passes by what others have locked.
///
/// Both tables can be partitioned by their key: let an administrator create `header` and `field` as
/// [`schema_sql`](PostgresStore::schema_sql) has them, with `PARTITION BY HASH (name, key)` after the closing bracket,
/// and their partitions (`WITH (fillfactor = 70)` keeps updates on their page), and call `prepare` then. No operation
/// moves a row to another partition.
#[derive(Debug, Clone)]
pub struct PostgresStore {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    pool: Pool,
    names: Names,
    statements: Statements,
}

impl PostgresStore {
    /// The statements with which [`Store::prepare`](super::Store::prepare) creates the tables and functions, for those
    /// who want to run them by hand, in one transaction, in a schema that exists.
    #[must_use]
    pub fn schema_sql(&self) -> String {
        self.inner.names.create()
    }

    async fn rows(&self, sql: &Sql, values: &[Value<'_>]) -> Result<Vec<Row>, StoreError> {
        Ok(self.inner.pool.ask(sql, values).await?.rows)
    }

    /// The only row of an answer.
    async fn row(&self, sql: &Sql, values: &[Value<'_>]) -> Result<Row, StoreError> {
        self.rows(sql, values).await?.into_iter().next().ok_or_else(sql::unknown_answer)
    }

    /// The answer of a function.
    async fn ask(&self, call: &Call, arguments: Vec<Argument<'_>>) -> Result<Answer, StoreError> {
        let sql = call.sql(&arguments);
        let values: Vec<Value<'_>> = arguments.into_iter().map(|(_, value)| value).collect();
        self.inner.pool.ask(sql, &values).await
    }

    /// The only row of that.
    async fn call(&self, call: &Call, arguments: Vec<Argument<'_>>) -> Result<Row, StoreError> {
        self.ask(call, arguments).await?.rows.into_iter().next().ok_or_else(sql::unknown_answer)
    }
}
