use std::fmt::{self, Write};
use std::sync::{Arc, Mutex, Once, PoisonError};

use tracing::field::{Field, Visit};
use tracing::subscriber::{DefaultGuard, Interest, Subscriber};
use tracing::{Event, Metadata, span};

/// Everything that is logged, as text, whatever its level.
#[derive(Debug, Clone, Default)]
pub struct Events {
    lines: Arc<Mutex<Vec<String>>>,
}

impl Events {
    /// Collects what this thread logs until the guard is dropped.
    #[must_use]
    pub fn capture() -> (Self, DefaultGuard) {
        leave_open();
        let events = Self::default();
        (events.clone(), tracing::subscriber::set_default(events))
    }

    /// Takes the lines since the last time: the level, then each field.
    #[must_use]
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.lines.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes the lines since the last time, and keeps the warnings.
    #[must_use]
    pub fn take_warnings(&self) -> Vec<String> {
        self.take().into_iter().filter(|line| line.starts_with("WARN")).collect()
    }

    fn add(&self, metadata: &Metadata<'_>, record: impl FnOnce(&mut Line)) {
        let mut line = Line(format!("{} {}", metadata.level(), metadata.name()));
        record(&mut line);
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).push(line.0);
    }
}

/// Lets threads listen that begin to after others came to the place of an event or a span.
pub(crate) fn leave_open() {
    static ONCE: Once = Once::new();
    // It fails where a test chose another one, which is as good.
    ONCE.call_once(|| drop(tracing::subscriber::set_global_default(Undecided)));
}

/// Wants nothing, and leaves open whether it will. Where nobody has said so, a thread that comes to the place of an event
/// first can settle for all others that nobody wants it, although one begins to listen just then.
struct Undecided;

impl Subscriber for Undecided {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, _: &Metadata<'_>) -> bool {
        false
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a string cannot fail.
        let _ = write!(self.0, " {field}={value:?}");
    }
}

impl Subscriber for Events {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        self.add(span.metadata(), |line| span.record(line));
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        let mut line = Line("record".to_owned());
        values.record(&mut line);
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).push(line.0);
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        self.add(event.metadata(), |line| event.record(line));
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}
