//! One server: a connection to it is made when it is first needed, another one when many wait for answers, and new ones
//! when they were lost.

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::runtime::{Handle, Id};
use tokio::time::timeout;

use super::address::Login;
use super::line::{Line, Lost, Unanswered};
use super::resp::{Request, Value};
use super::socket::Place;
use super::tls::Tls;

/// How many connections a runtime has to one server. A second one lets the engine work while the answers of the first
/// are read; more of them split what would travel together.
const LINES: usize = 2;

/// How many it has while scripts are among what is sent. The engine then works about as long as its clients do, and a
/// third batch on its way keeps both from waiting for each other.
const LINES_WITH_SCRIPTS: usize = 3;

/// How many wait for answers on the quietest connection before another one is made.
const CROWD: usize = 4;

/// How to connect, to whichever server.
#[derive(Clone)]
pub(super) struct Access {
    pub(super) login: Login,
    pub(super) tls: Tls,
    pub(super) timeouts: Timeouts,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Timeouts {
    pub(super) connection: Duration,
    pub(super) response: Duration,
}

pub(super) struct Server {
    pub(super) place: Place,
    access: Arc<Access>,
    lines: Mutex<Vec<Open>>,
    /// Held by whoever connects; and why the last who did could not.
    connecting: tokio::sync::Mutex<Option<NoConnection>>,
    /// Counts the attempts to connect.
    attempts: AtomicU64,
}

/// A connection, as far as is known.
#[derive(Debug)]
struct Open {
    line: Line,
    /// In which it is driven.
    runtime: Id,
    /// Which attempt to connect made it.
    attempt: u64,
}

/// Why there is no connection. Nothing was sent.
#[derive(Debug, Clone)]
pub(super) enum NoConnection {
    TimedOut,
    Failed(Arc<io::Error>),
    /// The engine does not let us in, and says so.
    Refused(Bytes),
}

/// The login is left out.
impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access").field("timeouts", &self.timeouts).finish_non_exhaustive()
    }
}

/// Why a server did not answer.
#[derive(Debug)]
pub(super) enum Failure {
    NoConnection(NoConnection),
    /// The connection was lost after the request was sent, which may have been carried out.
    Lost(Lost),
}

impl Server {
    pub(super) fn new(place: Place, access: Arc<Access>) -> Self {
        let (lines, connecting) = (Mutex::default(), tokio::sync::Mutex::default());
        Self { place, access, lines, connecting, attempts: AtomicU64::new(0) }
    }

    /// Sends commands, and waits for their answers.
    pub(super) async fn send(&self, request: &Request) -> Result<Vec<Value>, Failure> {
        // A connection that was lost while nobody used it costs nothing but another one.
        for _ in 0..2 {
            let newest = self.attempts.load(Ordering::Acquire);
            let line = self.line(request.is_script).await.map_err(Failure::NoConnection)?;
            let unanswered = match line.send(request).await {
                Ok(values) => return Ok(values),
                Err(unanswered) => unanswered,
            };
            self.forget(&line, newest);
            if let Unanswered::Lost(lost) = unanswered {
                return Err(Failure::Lost(lost));
            }
        }
        Err(Failure::NoConnection(NoConnection::closed()))
    }

    /// Nobody takes a connection again that was lost, nor those made up to the attempt `newest`, which may have gone
    /// the same way. Whoever waits for answers on them goes on waiting.
    fn forget(&self, lost: &Line, newest: u64) {
        let runtime = Handle::current().id();
        let is_doubtful = |open: &Open| open.runtime == runtime && open.attempt <= newest;
        self.lines().retain(|open| !open.line.is(lost) && !is_doubtful(open));
    }

    /// Gives up all connections: the server has become another one.
    pub(super) fn condemn(&self) {
        for open in self.lines().drain(..) {
            open.line.condemn();
        }
    }

    fn lines(&self) -> MutexGuard<'_, Vec<Open>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection of this runtime on which the fewest wait, and whether another one would help.
    fn quietest(&self, runtime: Id, is_script: bool) -> Option<(Line, bool)> {
        let most = |is_mixed| if is_mixed { LINES_WITH_SCRIPTS } else { LINES };
        let lines = self.lines();
        let (mut count, mut is_mixed, mut quietest) = (0, is_script, None);
        for open in lines.iter().filter(|open| open.runtime == runtime) {
            let (waiting, scripts) = open.line.waiting();
            is_mixed |= scripts > 0;
            if count < most(is_mixed) && quietest.is_none_or(|(least, _)| waiting < least) {
                quietest = Some((waiting, &open.line));
            }
            count += 1;
        }
        let (waiting, line) = quietest?;
        Some((line.clone(), waiting >= CROWD && count < most(is_mixed)))
    }

    async fn line(&self, is_script: bool) -> Result<Line, NoConnection> {
        let runtime = Handle::current().id();
        if let Some((line, is_crowded)) = self.quietest(runtime, is_script) {
            return Ok(if is_crowded { self.another(runtime).await.unwrap_or(line) } else { line });
        }
        let attempts = self.attempts.load(Ordering::Acquire);
        let mut failure = self.connecting.lock().await;
        if let Some((line, _)) = self.quietest(runtime, is_script) {
            return Ok(line);
        }
        // Whoever waited for an attempt that failed does not wait for another one.
        if self.attempts.load(Ordering::Acquire) != attempts
            && let Some(failure) = &*failure
        {
            return Err(failure.clone());
        }
        let connected = self.open(runtime).await;
        *failure = connected.as_ref().err().cloned();
        connected
    }

    /// One more connection, unless somebody else makes one or the last attempt failed.
    async fn another(&self, runtime: Id) -> Option<Line> {
        let mut failure = self.connecting.try_lock().ok().filter(|failure| failure.is_none())?;
        let connected = self.open(runtime).await;
        *failure = connected.as_ref().err().cloned();
        connected.ok()
    }

    async fn open(&self, runtime: Id) -> Result<Line, NoConnection> {
        let connected = timeout(self.access.timeouts.connection, self.connect()).await;
        let connected = connected.unwrap_or(Err(NoConnection::TimedOut));
        let attempt = self.attempts.fetch_add(1, Ordering::AcqRel) + 1;
        let line = connected?;
        self.lines().push(Open { line: line.clone(), runtime, attempt });
        Ok(line)
    }

    async fn connect(&self) -> Result<Line, NoConnection> {
        let Access { login, tls, timeouts } = &*self.access;
        let socket = self.place.connect(tls).await.map_err(|error| NoConnection::Failed(Arc::new(error)))?;
        let line = Line::start(socket, timeouts.response);
        let mut request = Request::default();
        match (&login.user, &login.password) {
            (Some(user), Some(password)) => request.add(&[b"AUTH", user.as_bytes(), password.as_bytes()]),
            (None, Some(password)) => request.add(&[b"AUTH", password.as_bytes()]),
            (_, None) => {}
        }
        if login.database != 0 {
            request.add(&[b"SELECT", login.database.to_string().as_bytes()]);
        }
        if request.commands == 0 {
            // A server that has too many clients says so with its first answer only.
            request.add(&[b"PING"]);
        }
        let answers = line.send(&request).await.map_err(|unanswered| match unanswered {
            Unanswered::Lost(Lost::Silent) => NoConnection::TimedOut,
            _ => NoConnection::closed(),
        })?;
        if let Some(text) = answers.iter().find_map(Value::error) {
            return Err(NoConnection::Refused(Bytes::copy_from_slice(text)));
        }
        Ok(line)
    }
}

impl NoConnection {
    fn closed() -> Self {
        Self::Failed(Arc::new(io::Error::from(io::ErrorKind::ConnectionReset)))
    }
}

/// The login is left out.
impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("place", &self.place).finish_non_exhaustive()
    }
}
