//! One connection, which several operations may use at once: the server answers them one after the other.

use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::{Handle, Id};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Config, Error, Row, Statement};

use super::super::both::both;
use super::arguments::Value;
use super::drive::Drive;
use super::sql::Sql;
use super::tls::Tls;

/// From how many bytes on an answer is a long one.
const LONG: usize = 16 * 1024;

/// How long to try to stop a statement whose answer nobody waits for any more.
const CANCEL: Duration = Duration::from_secs(5);

/// Begins a transaction that reads what is committed, whatever the database's default is, and that waits for locks as
/// long as it takes.
pub(super) const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = 0";

/// An open connection.
pub(super) struct Connection {
    client: Client,
    drive: Drive,
    state: Mutex<State>,
    /// Whether a statement may be under way for whose answer nobody waits.
    is_abandoned: AtomicBool,
    answers_at_length: AtomicBool,
    opened: Instant,
    /// Its socket is of no use in another runtime.
    runtime: Id,
    tls: Tls,
    /// Somebody who wants it alone is told when it is.
    pub(super) alone: Notify,
}

struct State {
    /// The named statements, at the numbers of their texts.
    prepared: Vec<Option<Statement>>,
    /// When the server was last heard of.
    heard: Instant,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("opened", &self.opened).finish_non_exhaustive()
    }
}

impl Connection {
    /// Opens a connection, which is moved by the runtime that runs this.
    pub(super) async fn open(tls: &Tls, config: &Config) -> Result<Self, Error> {
        let (client, line) = tls.connect(config).await?;
        let opened = Instant::now();
        Ok(Self {
            client,
            drive: Drive::new(line),
            state: Mutex::new(State { prepared: Vec::new(), heard: opened }),
            is_abandoned: AtomicBool::new(false),
            answers_at_length: AtomicBool::new(false),
            opened,
            runtime: Handle::current().id(),
            tls: tls.clone(),
            alone: Notify::new(),
        })
    }

    /// Whether it can be used here, as far as is known.
    pub(super) fn is_usable(&self) -> bool {
        Handle::current().id() == self.runtime && !self.client.is_closed()
    }

    /// The same, by what has arrived until now.
    pub(super) fn is_open(&self) -> bool {
        self.drive.look();
        self.is_usable()
    }

    pub(super) fn opened(&self) -> Instant {
        self.opened
    }

    /// When the server was last heard of.
    pub(super) fn heard(&self) -> Instant {
        self.state().heard
    }

    /// Whether its last answer was a long one. The next one is likely to be too.
    pub(super) fn answers_at_length(&self) -> bool {
        self.answers_at_length.load(Ordering::Relaxed)
    }

    /// Nobody waits for the answer to what was sent, so the server is asked to stop it when this is closed: a statement
    /// that waits for a lock would keep its place there for as long as the lock is held.
    pub(super) fn abandon(&self) {
        self.is_abandoned.store(true, Ordering::Relaxed);
    }

    /// Sends one statement under a name, which is prepared at its first use.
    pub(super) async fn named(&self, sql: &Sql, values: &[Value<'_>]) -> Result<Vec<Row>, Error> {
        self.wait_for(async {
            let prepared = self.state().prepared.get(sql.number).cloned().flatten();
            let statement = match prepared {
                Some(statement) => statement,
                None => self.prepare(sql, values).await?,
            };
            let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as _).collect();
            let rows = self.client.query(&statement, &values).await?;
            let size: usize = rows.iter().map(Row::raw_size_bytes).sum();
            self.answers_at_length.store(size > LONG, Ordering::Relaxed);
            Ok(rows)
        })
        .await
    }

    async fn prepare(&self, sql: &Sql, values: &[Value<'_>]) -> Result<Statement, Error> {
        let types: Vec<Type> = values.iter().map(Value::kind).collect();
        let statement = self.client.prepare_typed(&sql.text, &types).await?;
        let mut state = self.state();
        if state.prepared.len() <= sql.number {
            state.prepared.resize(sql.number + 1, None);
        }
        if let Some(place) = state.prepared.get_mut(sql.number) {
            *place = Some(statement.clone());
        }
        Ok(statement)
    }

    /// Sends one statement in one message, under no name that a proxy would have to remember.
    pub(super) async fn unnamed(&self, sql: &str, values: &[Value<'_>]) -> Result<Vec<Row>, Error> {
        let typed: Vec<(&(dyn ToSql + Sync), Type)> = values.iter().map(|value| (value as _, value.kind())).collect();
        self.wait_for(self.client.query_typed(sql, &typed)).await
    }

    /// Sends one statement in a transaction of its own, three messages in one flight: see [`BEGIN`]. Nobody else may use
    /// the connection meanwhile.
    pub(super) async fn isolated(&self, sql: &str, values: &[Value<'_>]) -> Result<Vec<Row>, Error> {
        let typed: Vec<(&(dyn ToSql + Sync), Type)> = values.iter().map(|value| (value as _, value.kind())).collect();
        let asked = async {
            let begun = self.client.batch_execute(BEGIN);
            // Where the statement fails, this rolls back.
            let (rows, committed) = (self.client.query_typed(sql, &typed), self.client.batch_execute("COMMIT"));
            let (begun, (rows, committed)) = both(begun, both(rows, committed)).await;
            begun?;
            let rows = rows?;
            committed.map(|()| rows)
        };
        self.wait_for(asked).await
    }

    /// Runs statements without values.
    pub(super) async fn run(&self, sql: &str) -> Result<(), Error> {
        self.wait_for(self.client.batch_execute(sql)).await
    }

    /// Asks the server for nothing but a sign of life.
    pub(super) async fn ping(&self) -> Result<(), Error> {
        self.wait_for(self.client.check_connection()).await
    }

    async fn wait_for<R>(&self, answer: impl Future<Output = Result<R, Error>>) -> Result<R, Error> {
        let answer = self.drive.wait_for(answer).await;
        self.state().heard = Instant::now();
        answer
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.is_abandoned.load(Ordering::Relaxed)
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(timeout(CANCEL, self.tls.clone().cancel(self.client.cancel_token())));
        }
    }
}
