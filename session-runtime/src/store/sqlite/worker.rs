//! The threads that talk to SQLite, and the queues in front of them.

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::SqliteOptions;
use super::error::{self, Failure};
use super::file::OpenFile;
use super::schema::{self, Role};
use crate::store::{StoreError, StoreErrorKind};

/// How many jobs share a transaction at most. One flush to disk carries them all.
const BATCH: usize = 64;

/// Work for a connection, inside a transaction. It may run more than once: a transaction that fails is rolled back.
pub(super) trait Job: Send {
    fn run(&mut self, connection: &Connection) -> error::Result<()>;

    /// Whether anyone still waits for the answer.
    fn is_awaited(&self) -> bool;

    /// Answers; `Ok` only after the transaction was committed.
    fn finish(self: Box<Self>, outcome: Result<(), StoreError>);
}

/// A closure and the channel for its answer.
struct Task<T, F> {
    work: F,
    done: Option<T>,
    answer: oneshot::Sender<Result<T, StoreError>>,
}

impl<T: Send, F: FnMut(&Connection) -> error::Result<T> + Send> Job for Task<T, F> {
    fn run(&mut self, connection: &Connection) -> error::Result<()> {
        self.done = Some((self.work)(connection)?);
        Ok(())
    }

    fn is_awaited(&self) -> bool {
        !self.answer.is_closed()
    }

    fn finish(self: Box<Self>, outcome: Result<(), StoreError>) {
        let answer = match (outcome, self.done) {
            (Ok(()), Some(done)) => Ok(done),
            (Ok(()), None) => return,
            (Err(error), _) => Err(error),
        };
        // Who does not wait any longer has lost an answer, which the next commit settles.
        drop(self.answer.send(answer));
    }
}

/// Threads of one role. Dropping them finishes what waits, and closes their connections.
#[derive(Debug)]
pub(super) struct Workers {
    queue: Arc<Queue>,
    threads: Vec<JoinHandle<()>>,
    /// Whether other connections can open the same database.
    pub(super) is_shared: bool,
}

impl Workers {
    /// Starts threads, and waits until each has opened its connection.
    pub(super) async fn start(count: usize, options: &SqliteOptions, role: Role) -> Result<Self, StoreError> {
        let mut workers = Self { queue: Arc::default(), threads: Vec::new(), is_shared: false };
        for _ in 0..count {
            let (options, queue) = (options.clone(), workers.queue.clone());
            let (opened, is_open) = oneshot::channel();
            let work = move || match schema::connect(&options, role) {
                Ok(connection) => {
                    let is_shared = schema::is_shared(&connection);
                    let worker = Worker::new(connection, options, role);
                    drop(opened.send(Ok(is_shared)));
                    worker.work(&queue);
                }
                Err(failure) => drop(opened.send(Err(failure))),
            };
            let thread = thread::Builder::new().name("session-sqlite".to_owned()).spawn(work).map_err(|error| {
                StoreError::new(StoreErrorKind::Unavailable, "the system starts no more threads").with_source(error)
            })?;
            workers.threads.push(thread);
            workers.is_shared = is_open.await.map_err(|_| ended())??;
        }
        Ok(workers)
    }

    /// Has `work` done inside a transaction.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnMut(&Connection) -> error::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.queue.push(Box::new(Task { work, done: None, answer }));
        answered.await.map_err(|_| ended())?
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.queue.close();
        for thread in self.threads.drain(..) {
            // The last handle may be dropped by whatever an answer woke up, on the thread that answered.
            if thread.thread().id() != thread::current().id() {
                // A panic in there has closed the queue, so it is known already.
                drop(thread.join());
            }
        }
    }
}

/// The answer of a thread that is no more.
fn ended() -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, "the thread that serves the SQLite database has ended; open it anew")
}

/// Jobs that wait for a thread.
#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
}

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<Box<dyn Job>>,
    closed: bool,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue").field("waiting", &self.lock().jobs.len()).finish_non_exhaustive()
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a job; after [`Queue::close`] it is dropped, which tells the one who waits for it.
    fn push(&self, job: Box<dyn Job>) {
        let mut waiting = self.lock();
        if !waiting.closed {
            waiting.jobs.push_back(job);
            drop(waiting);
            self.arrived.notify_one();
        }
    }

    /// Waits for jobs, and takes at most `most` of them. None are left after the end.
    fn take(&self, most: usize) -> Vec<Box<dyn Job>> {
        let mut waiting = self
            .arrived
            .wait_while(self.lock(), |waiting| waiting.jobs.is_empty() && !waiting.closed)
            .unwrap_or_else(PoisonError::into_inner);
        let taken = waiting.jobs.len().min(most);
        waiting.jobs.drain(..taken).collect()
    }

    fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_all();
    }
}

/// Closes a queue when its thread ends, also by a panic, so that nobody waits for it forever.
struct CloseAtEnd<'a>(&'a Queue);

impl Drop for CloseAtEnd<'_> {
    fn drop(&mut self) {
        self.0.close();
        let abandoned = std::mem::take(&mut self.0.lock().jobs);
        drop(abandoned);
    }
}

/// A thread's connection.
struct Worker {
    connection: Connection,
    options: SqliteOptions,
    role: Role,
    file: OpenFile,
    /// Whether the disk was full the last time, and the log could not be moved into the database since.
    is_full: Cell<bool>,
}

/// Where a transaction failed.
enum Stop {
    /// It did not begin.
    Begin(Failure),
    /// This job failed, and with it perhaps the transaction.
    Job(usize, Failure),
    /// It may be committed or not, as far as a crash can tell.
    Commit(Failure),
}

impl Stop {
    fn is_full(&self) -> bool {
        let (Self::Begin(failure) | Self::Job(_, failure) | Self::Commit(failure)) = self;
        failure.is_full()
    }
}

impl Worker {
    fn new(connection: Connection, options: SqliteOptions, role: Role) -> Self {
        let file = OpenFile::at_the_path_of(&connection);
        Self { connection, options, role, file, is_full: Cell::new(false) }
    }

    fn work(mut self, queue: &Queue) {
        let _close = CloseAtEnd(queue);
        let most = match self.role {
            Role::Reader => 1,
            Role::Writer => BATCH,
        };
        loop {
            let mut jobs = queue.take(most);
            if jobs.is_empty() {
                break;
            }
            if self.role == Role::Reader {
                jobs.retain(|job| job.is_awaited());
            }
            self.run(jobs, true);
        }
    }

    /// Runs jobs in one transaction, without those that fail. `untried` tells that none was tried to commit before.
    fn run(&mut self, mut jobs: Vec<Box<dyn Job>>, mut untried: bool) {
        let error = |failure: Failure, untried: bool| {
            let error = StoreError::from(failure);
            if untried { error.not_applied() } else { error }
        };
        if let Err(failure) = self.follow_the_file() {
            return jobs.into_iter().for_each(|job| job.finish(Err(error(failure.clone(), untried))));
        }
        // Once for these jobs: what does not fit then does not fit.
        let mut made_room = self.is_full.get();
        if made_room {
            self.make_room();
        }
        while !jobs.is_empty() {
            let stop = self.attempt(&mut jobs);
            if !self.connection.is_autocommit() {
                // If this fails, so does the next BEGIN, and says so.
                drop(self.connection.execute_batch("ROLLBACK"));
            }
            if !made_room && stop.as_ref().is_err_and(Stop::is_full) {
                made_room = true;
                self.is_full.set(true);
                if matches!(stop, Err(Stop::Commit(_))) {
                    untried = false;
                }
                if self.make_room() {
                    continue;
                }
            }
            match stop {
                Ok(()) => return jobs.into_iter().for_each(|job| job.finish(Ok(()))),
                Err(Stop::Begin(failure)) => {
                    return jobs.into_iter().for_each(|job| job.finish(Err(error(failure.clone(), untried))));
                }
                // What the others did was rolled back with it, so they run again.
                Err(Stop::Job(index, failure)) => jobs.remove(index).finish(Err(error(failure, untried))),
                Err(Stop::Commit(failure)) if jobs.len() == 1 => {
                    return jobs.into_iter().for_each(|job| job.finish(Err(failure.clone().into())));
                }
                // One of them may be to blame, by its size for example: the others shall not pay for it.
                Err(Stop::Commit(_)) => return jobs.into_iter().for_each(|job| self.run(vec![job], false)),
            }
        }
    }

    /// Turns to the file that has taken the place of the open one: what is written to that one nobody ever reads.
    fn follow_the_file(&mut self) -> error::Result<()> {
        if OpenFile::at_the_path_of(&self.connection) != self.file {
            self.connection = schema::reconnect(&self.options, self.role)?;
            self.file = OpenFile::at_the_path_of(&self.connection);
            tracing::warn!("another file has taken the place of the SQLite database");
        }
        Ok(())
    }

    /// Moves the write-ahead log into the database and gives its room back, if that is possible. SQLite does so by
    /// itself only after a transaction that succeeds, and on a full disk none does. It comes before the next change,
    /// which else lengthens the log by the room that moving it needs.
    fn make_room(&self) -> bool {
        // The first column tells whether others still read from the log.
        let moved = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0));
        self.is_full.set(moved != Ok(false));
        !self.is_full.get()
    }

    fn attempt(&self, jobs: &mut [Box<dyn Job>]) -> Result<(), Stop> {
        let execute = |sql| -> error::Result<()> {
            self.connection.prepare_cached(sql)?.execute([])?;
            Ok(())
        };
        // A writer that begins as a reader can find that it may not go on; a reader sees one moment until it ends.
        let begin = match self.role {
            Role::Reader => "BEGIN",
            Role::Writer => "BEGIN IMMEDIATE",
        };
        execute(begin).map_err(Stop::Begin)?;
        for (index, job) in jobs.iter_mut().enumerate() {
            job.run(&self.connection).map_err(|failure| Stop::Job(index, failure))?;
        }
        execute("COMMIT").map_err(Stop::Commit)
    }
}
