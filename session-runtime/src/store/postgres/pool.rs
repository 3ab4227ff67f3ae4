//! Sends statements on the connections of a store.
//!
//! Statements that are short share connections: reads together, writes where there are not connections enough for
//! each. None of them waits long for a lock: a connection is opened with [`LOCK_TIMEOUT`], and what needs longer is sent
//! again on a connection of its own, where also everything else goes that can take its time.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use tokio_postgres::{Config, Row};

use super::super::StoreError;
use super::arguments::Value;
use super::connection::{BEGIN, Connection};
use super::error::{self, Failure};
use super::places::{Place, Places, Sharing, Used};
use super::sql::Sql;
use super::tls::Tls;

/// How long a statement waits for a lock while others may wait behind it, in milliseconds. Others hold one while their
/// commit is written to the disk.
pub(super) const LOCK_TIMEOUT: u32 = 50;

/// How long to wait for a sign of life, at most.
const SIGN_OF_LIFE: Duration = Duration::from_secs(1);

/// How often a statement is tried again that the server gave up for the sake of others.
const RETRIES: u32 = 8;

pub(super) struct Pool {
    config: Config,
    tls: Tls,
    places: Places,
    limits: Limits,
    /// Whether each statement has to ask for READ COMMITTED, because the database's default is another.
    isolates: AtomicBool,
}

/// Leaves out the configuration, which holds the password.
impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("places", &self.places).finish_non_exhaustive()
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

/// What the server answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) rows: Vec<Row>,
    /// Whether the statement was sent before, and may have been carried out then.
    pub(super) may_repeat: bool,
}

/// How a statement is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Under a name.
    Named,
    /// Under no name that a proxy would have to remember.
    Unnamed,
    /// In a transaction of its own, which waits for locks as long as it takes.
    Isolated,
}

impl Way {
    /// Who else may use the connection.
    fn sharing(self, sql: &Sql) -> Sharing {
        if self == Self::Named { sql.sharing } else { Sharing::Alone }
    }
}

impl Pool {
    pub(super) fn new(config: Config, tls: Tls, limits: Limits) -> Self {
        Self { config, tls, places: Places::new(limits.connections), limits, isolates: AtomicBool::new(false) }
    }

    /// Sends one statement.
    ///
    /// A connection that turns out to be dead is replaced, and the statement sent again on the new one.
    pub(super) async fn ask(&self, sql: &Sql, values: &[Value<'_>]) -> Result<Answer, StoreError> {
        let mut way = self.way();
        let mut lent = self.lend(way.sharing(sql)).await?;
        let (mut retries, mut may_repeat) = (RETRIES, false);
        loop {
            let failure = match lent.ask(way, sql, values).await {
                Ok(rows) => return Ok(Answer { rows, may_repeat }),
                Err(failure) => failure,
            };
            let next = if failure.is_of_lock() && way != Way::Isolated {
                way = Way::Isolated;
                Box::pin(lent.alone()).await
            } else if failure.is_given_up() && retries > 0 {
                retries -= 1;
                if failure.is_of_isolation() {
                    self.isolate();
                    way = Way::Isolated;
                }
                if way == Way::Isolated { Box::pin(lent.alone()).await } else { Ok(lent) }
            } else if failure.is_broken() && lent.was_used && sql.is_repeatable {
                may_repeat = true;
                Box::pin(lent.replaced(way.sharing(sql))).await
            } else {
                Err(failure.store_error())
            };
            lent = next.map_err(|error| if may_repeat { error.perhaps_applied() } else { error })?;
        }
    }

    /// A connection that was not used before.
    pub(super) async fn lend_new(&self) -> Result<Lent<'_>, StoreError> {
        let place = self.place(Sharing::Alone, Some(Instant::now()), self.pool_deadline()).await?;
        self.settle(place, Sharing::Alone, self.deadline()).await
    }

    /// From now on each statement asks for READ COMMITTED.
    pub(super) fn isolate(&self) {
        self.isolates.store(true, Ordering::Relaxed);
    }

    fn way(&self) -> Way {
        if self.isolates.load(Ordering::Relaxed) {
            Way::Isolated
        } else if self.limits.behind_pooler {
            Way::Unnamed
        } else {
            Way::Named
        }
    }

    fn deadline(&self) -> Instant {
        Instant::now() + self.limits.response_timeout
    }

    fn pool_deadline(&self) -> Instant {
        Instant::now() + self.limits.pool_timeout
    }

    async fn lend(&self, sharing: Sharing) -> Result<Lent<'_>, StoreError> {
        let place = match self.places.try_take(sharing) {
            Some(place) => place,
            None => self.place(sharing, None, self.pool_deadline()).await?,
        };
        self.settle(place, sharing, self.deadline()).await
    }

    /// Waits for a place until then.
    async fn place(
        &self,
        sharing: Sharing,
        later_than: Option<Instant>,
        until: Instant,
    ) -> Result<Place<'_>, StoreError> {
        timeout_at(until, self.places.take(sharing, later_than)).await.map_err(|_| error::all_in_use())
    }

    /// Sees to it that there is a connection that lives.
    async fn settle<'a>(
        &'a self,
        mut place: Place<'a>,
        sharing: Sharing,
        until: Instant,
    ) -> Result<Lent<'a>, StoreError> {
        let (used, was_used) = loop {
            match place {
                Place::Vacant(vacant) => {
                    let opened = timeout_at(until, Box::pin(Connection::open(&self.tls, &self.config))).await;
                    let opened = opened.map_err(|_| error::no_connection_in_time())?;
                    let opened = opened.map_err(|error| Failure::Failed(error).store_error().not_applied())?;
                    break (vacant.fill(opened, sharing), false);
                }
                Place::Used(mut used) => {
                    if !used.has_rested || is_alive(&used.connection, until).await {
                        if sharing != Sharing::Alone {
                            used.share();
                        }
                        break (used, true);
                    }
                    let now = Instant::now();
                    used.retire();
                    self.places.condemn(now);
                    place = self.place(sharing, Some(now), until).await?;
                }
            }
        };
        Ok(Lent { used, pool: self, until, was_used, is_settled: true, in_transaction: false })
    }
}

async fn is_alive(connection: &Connection, until: Instant) -> bool {
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
/// If its user goes away before the answer is there, nobody is to use it after that: the next user would wait for that
/// answer first.
pub(super) struct Lent<'a> {
    used: Used<'a>,
    pool: &'a Pool,
    /// When its user stops waiting.
    until: Instant,
    /// Whether it was opened for somebody else, so that it can have died meanwhile.
    was_used: bool,
    is_settled: bool,
    in_transaction: bool,
}

impl Lent<'_> {
    /// Sends one statement; its rows are the answer.
    async fn ask(&mut self, way: Way, sql: &Sql, values: &[Value<'_>]) -> Result<Vec<Row>, Failure> {
        // A connection that can be dead leaves time for another one.
        let until = if self.was_used { halfway(self.until) } else { self.until };
        self.is_settled = false;
        let connection = &self.used.connection;
        let answer = match way {
            Way::Named => timeout_at(until, connection.named(sql, values)).await,
            Way::Unnamed => timeout_at(until, connection.unnamed(&sql.text, values)).await,
            Way::Isolated => timeout_at(until, Box::pin(connection.isolated(&sql.text, values))).await,
        };
        self.settle(answer)
    }

    /// Sends a statement that is sent once.
    pub(super) async fn ask_once(&mut self, sql: &str, values: &[Value<'_>]) -> Result<Vec<Row>, StoreError> {
        self.is_settled = false;
        let connection = &self.used.connection;
        let answer = if self.in_transaction {
            timeout_at(self.until, connection.unnamed(sql, values)).await
        } else {
            timeout_at(self.until, Box::pin(connection.isolated(sql, values))).await
        };
        self.settle(answer).map_err(Failure::store_error)
    }

    /// Begins a transaction with these statements. Only [`Lent::commit`] ends it well.
    pub(super) async fn begin(&mut self, sql: &str) -> Result<(), StoreError> {
        self.in_transaction = true;
        self.run(&format!("{BEGIN}; {sql}")).await
    }

    /// Runs these statements and commits.
    pub(super) async fn commit(&mut self, sql: &str) -> Result<(), StoreError> {
        self.run(&format!("{sql}; COMMIT")).await?;
        self.in_transaction = false;
        Ok(())
    }

    async fn run(&mut self, sql: &str) -> Result<(), StoreError> {
        self.is_settled = false;
        let answer = timeout_at(self.until, self.used.connection.run(sql)).await;
        self.settle(answer).map_err(Failure::store_error)
    }

    /// A connection that nobody else uses, for the rest of the time.
    async fn alone(self) -> Result<Self, StoreError> {
        if self.used.is_alone() {
            return Ok(self);
        }
        let (pool, until) = (self.pool, self.until);
        drop(self);
        let place = pool.place(Sharing::Alone, None, until).await?;
        pool.settle(place, Sharing::Alone, until).await
    }

    /// A newer connection for one that is dead, for the rest of the time. Condemns those that rest and are older.
    async fn replaced(self, sharing: Sharing) -> Result<Self, StoreError> {
        let (pool, until, now) = (self.pool, self.until, Instant::now());
        self.used.retire();
        drop(self);
        pool.places.condemn(now);
        let place = pool.place(sharing, Some(now), until).await?;
        // It is replaced once.
        let mut lent = pool.settle(place, sharing, until).await?;
        lent.was_used = false;
        Ok(lent)
    }

    /// What an answer means, and whether nothing of it is missing.
    fn settle<R>(
        &mut self,
        answer: Result<Result<R, tokio_postgres::Error>, tokio::time::error::Elapsed>,
    ) -> Result<R, Failure> {
        let answer = answer.map_err(|_| Failure::Silent)?.map_err(Failure::Failed);
        self.is_settled = answer.as_ref().err().is_none_or(|failure| !failure.is_broken());
        answer
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if !self.is_settled {
            self.used.connection.abandon();
        }
        if !self.is_settled || self.in_transaction {
            self.used.retire();
        }
    }
}
