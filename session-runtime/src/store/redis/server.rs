//! One server: its connection is made when it is first needed, and made anew when it was lost.

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
    /// One connection for each runtime, in which it is driven.
    lines: Mutex<Vec<(Id, Line)>>,
    /// Held by whoever connects; and why the last who did could not.
    connecting: tokio::sync::Mutex<Option<NoConnection>>,
    /// Counts the attempts to connect.
    attempts: AtomicU64,
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
            let line = self.line().await.map_err(Failure::NoConnection)?;
            let unanswered = match line.send(request).await {
                Ok(values) => return Ok(values),
                Err(unanswered) => unanswered,
            };
            self.lines().retain(|(_, known)| !known.is(&line));
            if let Unanswered::Lost(lost) = unanswered {
                return Err(Failure::Lost(lost));
            }
        }
        Err(Failure::NoConnection(NoConnection::closed()))
    }

    /// Gives up all connections: the server has become another one.
    pub(super) fn condemn(&self) {
        for (_, line) in self.lines().drain(..) {
            line.condemn();
        }
    }

    fn lines(&self) -> MutexGuard<'_, Vec<(Id, Line)>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn current(&self, runtime: Id) -> Option<Line> {
        self.lines().iter().find(|(id, _)| *id == runtime).map(|(_, line)| line.clone())
    }

    async fn line(&self) -> Result<Line, NoConnection> {
        let runtime = Handle::current().id();
        if let Some(line) = self.current(runtime) {
            return Ok(line);
        }
        let attempts = self.attempts.load(Ordering::Acquire);
        let mut failure = self.connecting.lock().await;
        if let Some(line) = self.current(runtime) {
            return Ok(line);
        }
        // Whoever waited for an attempt that failed does not wait for another one.
        if self.attempts.load(Ordering::Acquire) != attempts
            && let Some(failure) = &*failure
        {
            return Err(failure.clone());
        }
        let connected = timeout(self.access.timeouts.connection, self.connect()).await;
        let connected = connected.unwrap_or(Err(NoConnection::TimedOut));
        self.attempts.fetch_add(1, Ordering::Release);
        *failure = connected.as_ref().err().cloned();
        let line = connected?;
        self.lines().push((runtime, line.clone()));
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
        if request.commands > 0 {
            let answers = line.send(&request).await.map_err(|_| NoConnection::closed())?;
            if let Some(text) = answers.iter().find_map(Value::error) {
                return Err(NoConnection::Refused(Bytes::copy_from_slice(text)));
            }
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
