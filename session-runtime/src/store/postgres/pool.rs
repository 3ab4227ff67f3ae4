//! Connections, lent out one by one. Only those come back from which nothing is left to read.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_postgres::{Config, Row};

use super::super::StoreError;
use super::arguments::Value;
use super::connection::Connection;
use super::error::{self, Failure};
use super::sql::Sql;
use super::tls::Tls;

/// How long to try to stop a statement whose answer nobody waits for any more.
const CANCEL: Duration = Duration::from_secs(5);

/// Networks forget connections on which nothing is said, most of them after minutes. One that rested this long is asked
/// for a sign of life before it is used.
const RESTED: Duration = Duration::from_secs(30);

/// How long to wait for that sign, at most.
const SIGN_OF_LIFE: Duration = Duration::from_secs(1);

/// How often a statement is tried again that the server gave up for the sake of others.
const RETRIES: u32 = 8;

pub(super) struct Pool {
    config: Config,
    tls: Tls,
    /// Those that rested least are at the end, and used first.
    resting: Mutex<Vec<Connection>>,
    free: Semaphore,
    limits: Limits,
    /// Whether each statement has to ask for READ COMMITTED, because the database's default is another.
    isolates: AtomicBool,
}

/// Leaves out the configuration, which holds the password.
impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("free", &self.free.available_permits()).finish_non_exhaustive()
    }
}

/// What the server answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) rows: Vec<Row>,
    /// Whether the statement was sent before, and may have been carried out then.
    pub(super) may_repeat: bool,
}

impl Pool {
    pub(super) fn new(config: Config, tls: Tls, limits: Limits) -> Self {
        Self {
            config,
            tls,
            resting: Mutex::default(),
            free: Semaphore::new(limits.connections.clamp(1, Semaphore::MAX_PERMITS)),
            limits,
            isolates: AtomicBool::new(false),
        }
    }

    /// Sends one statement.
    ///
    /// A connection that turns out to be dead is replaced, and the statement sent again on the new one.
    pub(super) async fn ask(&self, sql: &Sql, values: &[Value<'_>]) -> Result<Answer, StoreError> {
        let mut lent = self.lend().await?;
        let (mut retries, mut may_repeat) = (RETRIES, false);
        loop {
            let failure = match lent.ask(sql, values).await {
                Ok(rows) => return Ok(Answer { rows, may_repeat }),
                Err(failure) => failure,
            };
            if failure.is_given_up() && retries > 0 {
                if failure.is_of_isolation() {
                    self.isolate();
                }
                retries -= 1;
            } else if failure.is_broken() && lent.was_used && sql.is_repeatable {
                may_repeat = true;
                lent.replace().await.map_err(StoreError::perhaps_applied)?;
            } else {
                let error = failure.store_error();
                return Err(if may_repeat { error.perhaps_applied() } else { error });
            }
        }
    }

    /// A connection that was not used before.
    pub(super) async fn lend_new(&self) -> Result<Lent<'_>, StoreError> {
        let mut lent = self.permitted().await?;
        // It takes the place of one that rests: else each preparation would leave one more open.
        drop(self.take());
        lent.connect().await?;
        Ok(lent)
    }

    /// From now on each statement asks for READ COMMITTED.
    pub(super) fn isolate(&self) {
        self.isolates.store(true, Ordering::Relaxed);
    }

    async fn lend(&self) -> Result<Lent<'_>, StoreError> {
        let mut lent = self.permitted().await?;
        while let Some(mut resting) = self.take() {
            if !resting.is_open() {
                continue;
            }
            if resting.heard().elapsed() < RESTED || is_alive(&mut resting, lent.until).await {
                lent.connection = Some(resting);
                lent.was_used = true;
                return Ok(lent);
            }
            self.condemn();
        }
        lent.connect().await?;
        Ok(lent)
    }

    /// The right to use a connection, without one yet.
    async fn permitted(&self) -> Result<Lent<'_>, StoreError> {
        let permit = match self.free.try_acquire() {
            Ok(permit) => permit,
            Err(_) => timeout(self.limits.pool_timeout, self.free.acquire())
                .await
                .ok()
                .and_then(Result::ok)
                .ok_or_else(error::all_in_use)?,
        };
        let until = Instant::now() + self.limits.response_timeout;
        let connection = None;
        Ok(Lent {
            connection,
            pool: self,
            until,
            was_used: false,
            is_settled: true,
            in_transaction: false,
            _permit: permit,
        })
    }

    /// Drops all connections that rest: when one of them is dead, the older ones are as a rule dead too.
    fn condemn(&self) {
        let condemned = std::mem::take(&mut *self.resting());
        drop(condemned);
    }

    fn take(&self) -> Option<Connection> {
        self.resting().pop()
    }

    fn resting(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How much of what the pool grants.
pub(super) struct Limits {
    pub(super) connections: usize,
    pub(super) pool_timeout: Duration,
    pub(super) response_timeout: Duration,
    /// Whether a proxy lends out connections by the transaction.
    pub(super) behind_pooler: bool,
}

async fn is_alive(connection: &mut Connection, until: Instant) -> bool {
    let most = (Instant::now() + SIGN_OF_LIFE).min(halfway(until));
    matches!(timeout_at(most, connection.ping()).await, Ok(Ok(())))
}

/// When half of the time until then is over.
fn halfway(until: Instant) -> Instant {
    let now = Instant::now();
    now + until.saturating_duration_since(now) / 2
}

/// A connection on loan.
///
/// If its user goes away before the answer is there, it is closed: the next user would wait for that answer first.
pub(super) struct Lent<'a> {
    /// There from the time that it is lent until it is dropped.
    connection: Option<Connection>,
    pool: &'a Pool,
    /// When its user stops waiting.
    until: Instant,
    /// Whether it comes from the pool, so that it can have died meanwhile.
    was_used: bool,
    is_settled: bool,
    in_transaction: bool,
    _permit: SemaphorePermit<'a>,
}

impl Lent<'_> {
    /// Sends one statement; its rows are the answer.
    pub(super) async fn ask(&mut self, sql: &Sql, values: &[Value<'_>]) -> Result<Vec<Row>, Failure> {
        let Self { connection: Some(connection), pool, is_settled, .. } = self else { return Err(Failure::Silent) };
        // A connection that can be dead leaves time for another one.
        let until = if self.was_used { halfway(self.until) } else { self.until };
        *is_settled = false;
        let answer = if pool.isolates.load(Ordering::Relaxed) {
            timeout_at(until, connection.isolated(&sql.text, values)).await
        } else if pool.limits.behind_pooler {
            timeout_at(until, connection.unnamed(&sql.text, values)).await
        } else {
            timeout_at(until, connection.named(sql, values)).await
        };
        settle(answer, is_settled)
    }

    /// Sends a statement that is sent once.
    pub(super) async fn ask_once(&mut self, sql: &str, values: &[Value<'_>]) -> Result<Vec<Row>, StoreError> {
        let Self { connection: Some(connection), until, is_settled, .. } = self else {
            return Err(Failure::Silent.store_error());
        };
        *is_settled = false;
        settle(timeout_at(*until, connection.unnamed(sql, values)).await, is_settled).map_err(Failure::store_error)
    }

    /// Begins a transaction with these statements. Only [`Lent::commit`] ends it well.
    pub(super) async fn begin(&mut self, sql: &str) -> Result<(), StoreError> {
        self.in_transaction = true;
        self.run(&format!("BEGIN ISOLATION LEVEL READ COMMITTED; {sql}")).await
    }

    /// Runs these statements and commits.
    pub(super) async fn commit(&mut self, sql: &str) -> Result<(), StoreError> {
        self.run(&format!("{sql}; COMMIT")).await?;
        self.in_transaction = false;
        Ok(())
    }

    async fn run(&mut self, sql: &str) -> Result<(), StoreError> {
        let Self { connection: Some(connection), until, is_settled, .. } = self else {
            return Err(Failure::Silent.store_error());
        };
        *is_settled = false;
        settle(timeout_at(*until, connection.run(sql)).await, is_settled).map_err(Failure::store_error)
    }

    /// Takes a new connection for one that is dead, and condemns those that rested longer.
    async fn replace(&mut self) -> Result<(), StoreError> {
        self.close();
        self.pool.condemn();
        self.connect().await
    }

    async fn connect(&mut self) -> Result<(), StoreError> {
        let opened = timeout_at(self.until, self.pool.tls.connect(&self.pool.config)).await;
        let opened = opened.map_err(|_| error::no_connection_in_time())?;
        self.connection = Some(opened.map_err(|error| Failure::Failed(error).store_error().not_applied())?);
        self.was_used = false;
        self.is_settled = true;
        Ok(())
    }

    /// Closes the connection, and tells the server if a statement is under way.
    fn close(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        // A statement that waits for a lock would keep its place on the server for as long as the lock is held.
        if !self.is_settled
            && let Ok(runtime) = Handle::try_current()
        {
            let cancel = self.pool.tls.clone().cancel(connection.cancel_token());
            runtime.spawn(timeout(CANCEL, cancel));
        }
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if !self.is_settled || self.in_transaction {
            self.close();
        } else if let Some(connection) = self.connection.take() {
            self.pool.resting().push(connection);
        }
    }
}

/// What an answer means, and whether the connection is free again.
fn settle<R>(
    answer: Result<Result<R, tokio_postgres::Error>, tokio::time::error::Elapsed>,
    is_settled: &mut bool,
) -> Result<R, Failure> {
    let answer = answer.map_err(|_| Failure::Silent)?.map_err(Failure::Failed);
    *is_settled = answer.as_ref().err().is_none_or(|failure| !failure.is_broken());
    answer
}
