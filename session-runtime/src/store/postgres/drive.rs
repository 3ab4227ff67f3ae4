//! Moves the bytes of a connection. Whoever waits alone for an answer fetches it, with no task in between, which spares
//! two switches of tasks, often of threads, for each statement. Where several wait, a task of the connection's own moves
//! the bytes of all: none of them depends on another that is not polled any more.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use tokio::task::AbortHandle;
use tokio_postgres::Error;

/// What reads and writes for a client; done when the connection is closed.
pub(super) type Line = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// A connection that is moved. It is closed with this.
pub(super) struct Drive {
    moved: Arc<Moved>,
    task: AbortHandle,
}

impl Drop for Drive {
    fn drop(&mut self) {
        self.task.abort();
        let closed = lock(&self.moved.line).take();
        drop(closed);
    }
}

struct Moved {
    /// There until it is closed.
    line: Mutex<Option<Line>>,
    bell: Arc<Bell>,
    /// Rings the bell.
    waker: Waker,
}

/// Calls whoever is to move the bytes.
#[derive(Default)]
struct Bell {
    /// Whether there may be something to move.
    is_due: AtomicBool,
    /// How many wait for answers.
    waiting: AtomicUsize,
    /// Whether the only one who waits looks after it just now.
    is_attended: AtomicBool,
    /// Wakes the only one who waits.
    only: Mutex<Option<Waker>>,
    /// Wakes the task.
    task: Mutex<Option<Waker>>,
}

impl Drive {
    /// Moves this line from now on, in the runtime that runs this.
    pub(super) fn new(line: Line) -> Self {
        let bell = Arc::new(Bell { is_due: AtomicBool::new(true), ..Bell::default() });
        let moved = Arc::new(Moved { line: Mutex::new(Some(line)), waker: bell.clone().into(), bell });
        let task = tokio::spawn({
            let moved = moved.clone();
            poll_fn(move |context| moved.poll_for_all(context))
        });
        Self { moved, task: task.abort_handle() }
    }

    /// Takes note of what has arrived.
    pub(super) fn look(&self) {
        self.moved.advance_if_due();
    }

    /// Waits for an answer while bytes are moved.
    pub(super) async fn wait_for<R>(&self, answer: impl Future<Output = R>) -> R {
        let (moved, bell) = (&*self.moved, &*self.moved.bell);
        let _waiting = Waiting::new(bell);
        let mut answer = pin!(answer);
        poll_fn(|context| {
            if bell.waiting.load(SeqCst) > 1 {
                let polled = answer.as_mut().poll(context);
                bell.call_if_due();
                return polled;
            }
            bell.is_attended.store(true, SeqCst);
            // What has arrived, then whoever waits for it, then what that one sends.
            moved.advance_if_due();
            let polled = answer.as_mut().poll(context);
            if polled.is_pending() {
                keep(&bell.only, context.waker());
                moved.advance_if_due();
            }
            bell.is_attended.store(false, SeqCst);
            bell.call_if_due();
            polled
        })
        .await
    }
}

impl Moved {
    fn advance_if_due(&self) {
        if !self.bell.is_due.load(SeqCst) {
            return;
        }
        let mut line = lock(&self.line);
        self.bell.is_due.store(false, SeqCst);
        if line.as_mut().is_some_and(|line| line.as_mut().poll(&mut Context::from_waker(&self.waker)).is_ready()) {
            *line = None;
        }
    }

    /// What the task of the connection does, until it is closed.
    fn poll_for_all(&self, context: &mut Context<'_>) -> Poll<()> {
        keep(&self.bell.task, context.waker());
        if self.bell.is_attended.load(SeqCst) {
            // Whoever attends to it calls again if there is more to do.
            return Poll::Pending;
        }
        self.advance_if_due();
        if lock(&self.line).is_none() { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.is_due.store(true, SeqCst);
        if !self.is_attended.load(SeqCst) {
            self.call();
        }
    }
}

impl Bell {
    fn call_if_due(&self) {
        if self.is_due.load(SeqCst) {
            self.call();
        }
    }

    fn call(&self) {
        let only = if self.waiting.load(SeqCst) == 1 { lock(&self.only).take() } else { None };
        if let Some(only) = only {
            only.wake();
        } else if let Some(task) = &*lock(&self.task) {
            task.wake_by_ref();
        }
    }
}

/// That somebody waits.
struct Waiting<'a>(&'a Bell);

impl<'a> Waiting<'a> {
    fn new(bell: &'a Bell) -> Self {
        bell.waiting.fetch_add(1, SeqCst);
        Self(bell)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let Self(bell) = *self;
        // Who remains alone says so when it is polled; till then the task is called.
        *lock(&bell.only) = None;
        bell.waiting.fetch_sub(1, SeqCst);
        // A call that this one was given is for somebody else now.
        bell.call_if_due();
    }
}

fn keep(place: &Mutex<Option<Waker>>, waker: &Waker) {
    let mut kept = lock(place);
    if !kept.as_ref().is_some_and(|kept| kept.will_wake(waker)) {
        *kept = Some(waker.clone());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
