//! One connection, which moves its bytes in the task of the operation that uses it.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Context;
use std::time::Instant;

use tokio::runtime::{Handle, Id};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{CancelToken, Client, Error, Row, Statement};

use super::super::both::both;
use super::arguments::Value;
use super::sql::Sql;

/// What reads and writes for a [`Client`]; done when the connection is closed.
pub(super) type Line = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// An open connection.
///
/// No task of its own stands between an operation and the socket: whoever waits for an answer also fetches it. That
/// spares two switches of tasks, often of threads, for each statement.
pub(super) struct Connection {
    client: Client,
    /// There until it is closed.
    line: Option<Line>,
    /// The named statements, at the numbers of their texts.
    prepared: Vec<Option<Statement>>,
    /// When the server was last heard of.
    heard: Instant,
    /// Its socket is of no use in another runtime.
    runtime: Id,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("heard", &self.heard).finish_non_exhaustive()
    }
}

impl Connection {
    /// A connection that was opened just now, in the runtime that runs this.
    pub(super) fn new(client: Client, line: Line) -> Self {
        let runtime = Handle::current().id();
        Self { client, line: Some(line), prepared: Vec::new(), heard: Instant::now(), runtime }
    }

    /// Whether it can be used here, as far as can be known without asking the server.
    pub(super) fn is_open(&mut self) -> bool {
        if Handle::current().id() != self.runtime {
            return false;
        }
        let mut nobody = Context::from_waker(std::task::Waker::noop());
        self.advance(&mut nobody);
        self.line.is_some()
    }

    /// When the server was last heard of.
    pub(super) fn heard(&self) -> Instant {
        self.heard
    }

    pub(super) fn cancel_token(&self) -> CancelToken {
        self.client.cancel_token()
    }

    /// Sends one statement under a name, which is prepared at its first use.
    pub(super) async fn named(&mut self, sql: &Sql, values: &[Value<'_>]) -> Result<Vec<Row>, Error> {
        if self.prepared.len() <= sql.number {
            self.prepared.resize(sql.number + 1, None);
        }
        let Self { client, line, prepared, heard, .. } = self;
        let asked = async {
            let statement = if let Some(Some(statement)) = prepared.get(sql.number) {
                statement.clone()
            } else {
                let types: Vec<Type> = values.iter().map(Value::kind).collect();
                let statement = client.prepare_typed(&sql.text, &types).await?;
                if let Some(place) = prepared.get_mut(sql.number) {
                    *place = Some(statement.clone());
                }
                statement
            };
            let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as _).collect();
            client.query(&statement, &values).await
        };
        drive(line, heard, asked).await
    }

    /// Sends one statement in one message, under no name that a proxy would have to remember.
    pub(super) async fn unnamed(&mut self, sql: &str, values: &[Value<'_>]) -> Result<Vec<Row>, Error> {
        let typed: Vec<(&(dyn ToSql + Sync), Type)> = values.iter().map(|value| (value as _, value.kind())).collect();
        let Self { client, line, heard, .. } = self;
        drive(line, heard, client.query_typed(sql, &typed)).await
    }

    /// Sends one statement in a transaction of its own that reads what is committed, whatever the database's default
    /// is: three messages in one flight.
    pub(super) async fn isolated(&mut self, sql: &str, values: &[Value<'_>]) -> Result<Vec<Row>, Error> {
        let typed: Vec<(&(dyn ToSql + Sync), Type)> = values.iter().map(|value| (value as _, value.kind())).collect();
        let Self { client, line, heard, .. } = self;
        let asked = async {
            let begun = client.batch_execute("BEGIN ISOLATION LEVEL READ COMMITTED");
            // Where the statement fails, this rolls back.
            let (rows, committed) = (client.query_typed(sql, &typed), client.batch_execute("COMMIT"));
            let (begun, (rows, committed)) = both(begun, both(rows, committed)).await;
            begun?;
            let rows = rows?;
            committed.map(|()| rows)
        };
        drive(line, heard, asked).await
    }

    /// Runs statements without values.
    pub(super) async fn run(&mut self, sql: &str) -> Result<(), Error> {
        let Self { client, line, heard, .. } = self;
        drive(line, heard, client.batch_execute(sql)).await
    }

    /// Asks the server for nothing but a sign of life.
    pub(super) async fn ping(&mut self) -> Result<(), Error> {
        let Self { client, line, heard, .. } = self;
        drive(line, heard, client.check_connection()).await
    }

    fn advance(&mut self, context: &mut Context<'_>) {
        advance(&mut self.line, context);
    }
}

fn advance(line: &mut Option<Line>, context: &mut Context<'_>) {
    if line.as_mut().is_some_and(|line| line.as_mut().poll(context).is_ready()) {
        *line = None;
    }
}

/// Waits for an answer while it moves the connection's bytes.
async fn drive<R>(
    line: &mut Option<Line>,
    heard: &mut Instant,
    asked: impl Future<Output = Result<R, Error>>,
) -> Result<R, Error> {
    let mut asked = pin!(asked);
    let answer = poll_fn(|context| {
        // What has arrived, then whoever waits for it, then what that one sends.
        advance(line, context);
        let answer = asked.as_mut().poll(context);
        if answer.is_pending() {
            advance(line, context);
        }
        answer
    })
    .await;
    *heard = Instant::now();
    answer
}
