//! One connection that all tasks share. What they send goes into one buffer and travels together; answers come in the
//! order of the commands, and each task takes its own apart.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWrite};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

use super::resp::{Cut, Garbled, Request, Value, values};
use super::stream::Socket;

/// How much is read at once.
const CHUNK: usize = 16 * 1024;

/// Answers up to this size are copied, so that a session that is kept does not keep a whole chunk.
const SMALL: usize = 4 * 1024;

#[derive(Debug, Clone)]
pub(super) struct Line(Arc<Holder>);

/// Gives the connection up with the last who holds it.
#[derive(Debug)]
struct Holder(Arc<Shared>);

impl Drop for Holder {
    fn drop(&mut self) {
        self.0.lose(Lost::Closed);
    }
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// What is to be sent.
    out: Vec<u8>,
    /// How many wait for answers to what is still to be sent.
    unsent: usize,
    /// Who waits for an answer, in order.
    waiting: VecDeque<Waiting>,
    /// How many of them wait for a script.
    scripts: usize,
    /// Wakes the task that reads and writes, when there is something to send.
    driver: Option<Waker>,
    lost: Option<Lost>,
}

#[derive(Debug)]
struct Waiting {
    answers: usize,
    is_script: bool,
    since: Instant,
    to: oneshot::Sender<Result<Bytes, Unanswered>>,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unanswered {
    /// The connection was lost before: nothing was sent.
    NotSent,
    /// It was lost since: what was sent may have been done.
    Lost(Lost),
}

/// How a connection was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lost {
    /// It was closed or reset.
    Closed,
    /// No answer came in time.
    Silent,
    /// The peer does not speak the protocol.
    Garbled,
}

impl Line {
    /// Drives this connection, in a task of its own, until it is lost or nobody holds it any more.
    pub(super) fn start(socket: Socket, patience: Duration) -> Self {
        let shared = Arc::new(Shared::default());
        let driver = Driver { shared: shared.clone(), socket, patience };
        tokio::spawn(driver.run());
        Self(Arc::new(Holder(shared)))
    }

    /// Whether this is the same connection.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// How many wait for answers, and how many of them for that of a script.
    pub(super) fn waiting(&self) -> (usize, usize) {
        let state = self.0.0.lock();
        (state.waiting.len(), state.scripts)
    }

    /// Gives the connection up: whoever waits for an answer learns that there is none.
    pub(super) fn condemn(&self) {
        self.0.0.lose(Lost::Closed);
    }

    /// Sends commands, and waits for their answers.
    pub(super) async fn send(&self, request: &Request) -> Result<Vec<Value>, Unanswered> {
        let shared = &self.0.0;
        let (to, answers) = oneshot::channel();
        let driver = {
            let mut state = shared.lock();
            if state.lost.is_some() {
                return Err(Unanswered::NotSent);
            }
            state.out.extend_from_slice(&request.bytes);
            state.unsent += 1;
            state.scripts += usize::from(request.is_script);
            let Request { commands: answers, is_script, .. } = *request;
            state.waiting.push_back(Waiting { answers, is_script, since: Instant::now(), to });
            state.driver.take()
        };
        if let Some(driver) = driver {
            driver.wake();
        }
        let answers = answers.await.unwrap_or(Err(Unanswered::Lost(Lost::Closed)))?;
        values(answers, request.commands).map_err(|Garbled| {
            shared.lose(Lost::Garbled);
            Unanswered::Lost(Lost::Garbled)
        })
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lose(&self, lost: Lost) {
        let (waiting, unsent, driver) = {
            let mut state = self.lock();
            state.lost.get_or_insert(lost);
            state.scripts = 0;
            (std::mem::take(&mut state.waiting), std::mem::take(&mut state.unsent), state.driver.take())
        };
        let sent = waiting.len().saturating_sub(unsent);
        for (at, Waiting { to, .. }) in waiting.into_iter().enumerate() {
            let _ = to.send(Err(if at < sent { Unanswered::Lost(lost) } else { Unanswered::NotSent }));
        }
        if let Some(driver) = driver {
            driver.wake();
        }
    }
}

/// What reads and writes.
struct Driver {
    shared: Arc<Shared>,
    socket: Socket,
    patience: Duration,
}

/// When the runtime ends before the connection does, the driver is dropped; nobody may wait for it then.
impl Drop for Driver {
    fn drop(&mut self) {
        self.shared.lose(Lost::Closed);
    }
}

/// What is being written.
#[derive(Default)]
struct Writing {
    bytes: Vec<u8>,
    written: usize,
    /// Whether others were let go first.
    gave_way: bool,
    /// How many waited at once lately.
    crowd: usize,
    flushed: bool,
}

impl Driver {
    async fn run(mut self) {
        let (mut reading, mut writing) = (Reading::default(), Writing::default());
        let mut watch = pin!(sleep(self.patience));
        let lost = poll_fn(|context| {
            // Answers first: who gets one may have more to send.
            while let Poll::Ready(read) = reading.poll(&mut self.socket, &self.shared, context) {
                if let Err(lost) = read {
                    return Poll::Ready(lost);
                }
            }
            if let Poll::Ready(Err(lost)) = writing.poll(&mut self.socket, &self.shared, context) {
                return Poll::Ready(lost);
            }
            while watch.as_mut().poll(context).is_ready() {
                // Answers come in order, so the oldest tells for all.
                let oldest = self.shared.lock().waiting.front().map_or_else(Instant::now, |front| front.since);
                if oldest.elapsed() >= self.patience {
                    return Poll::Ready(Lost::Silent);
                }
                watch.as_mut().reset(oldest + self.patience);
            }
            Poll::Pending
        });
        let lost = lost.await;
        self.shared.lose(lost);
    }
}

#[derive(Default)]
struct Reading {
    input: BytesMut,
    cut: Cut,
    ready: Vec<(oneshot::Sender<Result<Bytes, Unanswered>>, Bytes)>,
}

impl Reading {
    /// Reads what has come, and hands out the answers that are complete.
    fn poll(&mut self, socket: &mut Socket, shared: &Shared, context: &mut Context<'_>) -> Poll<Result<(), Lost>> {
        self.input.reserve(CHUNK / 2);
        match ready!(pin!(socket.read_buf(&mut self.input)).poll(context)) {
            Ok(1..) => {}
            Ok(0) | Err(_) => return Poll::Ready(Err(Lost::Closed)),
        }
        {
            let mut state = shared.lock();
            if let Some(lost) = state.lost {
                return Poll::Ready(Err(lost));
            }
            while !self.input.is_empty() {
                // What nobody asked for is not our protocol.
                let Some(front) = state.waiting.front() else { return Poll::Ready(Err(Lost::Garbled)) };
                match self.cut.end(&self.input, front.answers) {
                    Ok(Some(end)) => {
                        let Some(Waiting { to, is_script, .. }) = state.waiting.pop_front() else { break };
                        state.scripts -= usize::from(is_script);
                        let answers = self.input.split_to(end);
                        let answers = if end <= SMALL { Bytes::copy_from_slice(&answers) } else { answers.freeze() };
                        self.ready.push((to, answers));
                    }
                    Ok(None) => break,
                    Err(Garbled) => return Poll::Ready(Err(Lost::Garbled)),
                }
            }
        }
        for (to, answers) in self.ready.drain(..) {
            // Whoever asked may have gone.
            let _ = to.send(Ok(answers));
        }
        Poll::Ready(Ok(()))
    }
}

impl Writing {
    /// Writes what there is to write.
    fn poll(&mut self, socket: &mut Socket, shared: &Shared, context: &mut Context<'_>) -> Poll<Result<(), Lost>> {
        loop {
            let mut state = shared.lock();
            if let Some(lost) = state.lost {
                return Poll::Ready(Err(lost));
            }
            if self.written == self.bytes.len() {
                if state.out.is_empty() {
                    self.gave_way = false;
                    state.driver = Some(context.waker().clone());
                    drop(state);
                    if !self.flushed {
                        self.flushed = ready!(Pin::new(socket).poll_flush(context)).map_err(|_| Lost::Closed).is_ok();
                    }
                    return Poll::Pending;
                }
                if !self.gave_way && self.crowd > 1 {
                    // Others that are about to send something go first, so that it travels together.
                    self.gave_way = true;
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                self.bytes.clear();
                std::mem::swap(&mut self.bytes, &mut state.out);
                state.unsent = 0;
                self.crowd = state.waiting.len().max(self.crowd - self.crowd.div_ceil(8));
                (self.written, self.gave_way, self.flushed) = (0, false, false);
            }
            drop(state);
            let rest = self.bytes.get(self.written..).unwrap_or_default();
            match Pin::new(&mut *socket).poll_write(context, rest) {
                Poll::Ready(Ok(written @ 1..)) => self.written += written,
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(Err(Lost::Closed)),
                Poll::Pending => {
                    // A peer that takes nothing can still be given up.
                    shared.lock().driver = Some(context.waker().clone());
                    return Poll::Pending;
                }
            }
        }
    }
}
