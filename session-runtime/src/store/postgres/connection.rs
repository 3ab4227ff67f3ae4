//! Connections: lent out one by one, given back only when nothing is left to read from them.

use std::fmt;
use std::time::Duration;

use deadpool_postgres::{Object, Pool};
use tokio::runtime::Handle;
use tokio::time::timeout;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Error, Row};

use super::super::StoreError;
use super::arguments::Value;
use super::error;
use super::tls::Tls;

/// How long to try to stop a statement whose answer nobody waits for any more.
const CANCEL: Duration = Duration::from_secs(5);

pub(super) struct Connections {
    pub(super) pool: Pool,
    pub(super) timeout: Duration,
    pub(super) named: bool,
    pub(super) tls: Tls,
}

impl Connections {
    pub(super) async fn lend(&self) -> Result<Lent<'_>, StoreError> {
        let object = self.pool.get().await.map_err(error::no_connection)?;
        Ok(Lent { object: Some(object), connections: self, is_settled: true, in_transaction: false })
    }

    /// Sends one statement; its rows are the answer.
    pub(super) async fn rows(&self, sql: &str, values: &[Value<'_>]) -> Result<Vec<Row>, StoreError> {
        self.lend().await?.rows(sql, values).await
    }
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections").field("pool", &self.pool.status()).finish_non_exhaustive()
    }
}

/// A connection on loan.
///
/// If its user goes away before the answer is there, it is closed: the next user would wait for that answer first.
pub(super) struct Lent<'a> {
    /// There until this is dropped.
    object: Option<Object>,
    connections: &'a Connections,
    is_settled: bool,
    in_transaction: bool,
}

impl Lent<'_> {
    /// Sends one statement; its rows are the answer.
    pub(super) async fn rows(&mut self, sql: &str, values: &[Value<'_>]) -> Result<Vec<Row>, StoreError> {
        let Self { object: Some(object), connections, is_settled, .. } = self else { return Err(error::no_answer()) };
        let answer = async {
            if !connections.named {
                // Parsed, bound and executed in one message, under no name that a proxy would have to remember.
                let typed: Vec<(&(dyn ToSql + Sync), Type)> =
                    values.iter().map(|value| (value as _, value.kind())).collect();
                return object.query_typed(sql, &typed).await;
            }
            let types: Vec<Type> = values.iter().map(Value::kind).collect();
            let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as _).collect();
            let statement = object.prepare_typed_cached(sql, &types).await?;
            object.query(&statement, &values).await
        };
        connections.wait_for(answer, is_settled).await
    }

    /// Begins a transaction with these statements. Only [`Lent::commit`] ends it well.
    pub(super) async fn begin(&mut self, sql: &str) -> Result<(), StoreError> {
        self.in_transaction = true;
        self.run(&format!("BEGIN; {sql}")).await
    }

    /// Runs these statements and commits.
    pub(super) async fn commit(&mut self, sql: &str) -> Result<(), StoreError> {
        self.run(&format!("{sql}; COMMIT")).await?;
        self.in_transaction = false;
        Ok(())
    }

    async fn run(&mut self, sql: &str) -> Result<(), StoreError> {
        let Self { object: Some(object), connections, is_settled, .. } = self else { return Err(error::no_answer()) };
        connections.wait_for(object.batch_execute(sql), is_settled).await
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let Some(object) = self.object.take() else { return };
        if self.is_settled && !self.in_transaction {
            return;
        }
        // A statement that waits for a lock would keep its place on the server for as long as the lock is held.
        if !self.is_settled
            && let Ok(runtime) = Handle::try_current()
        {
            let cancel = self.connections.tls.clone().cancel(object.cancel_token());
            runtime.spawn(timeout(CANCEL, cancel));
        }
        drop(Object::take(object));
    }
}

impl Connections {
    /// Waits for an answer, and notes whether the connection is free again then.
    async fn wait_for<T>(
        &self,
        answer: impl Future<Output = Result<T, Error>>,
        is_settled: &mut bool,
    ) -> Result<T, StoreError> {
        *is_settled = false;
        let answer = timeout(self.timeout, answer).await.map_err(|_| error::no_answer())?;
        *is_settled = true;
        answer.map_err(error::store_error)
    }
}
