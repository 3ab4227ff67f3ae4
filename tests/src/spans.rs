use std::collections::HashMap;
use std::fmt::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{DefaultGuard, Subscriber};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

use crate::events::leave_open;

/// The spans that a thread opens, as the tree that they are.
#[derive(Debug, Clone, Default)]
pub struct Spans {
    grown: Arc<Mutex<Grown>>,
}

#[derive(Debug, Default)]
struct Grown {
    spans: Vec<Span>,
    /// Where those are that are open.
    places: HashMap<Id, usize>,
}

#[derive(Debug)]
struct Span {
    parent: Option<usize>,
    line: String,
}

impl Spans {
    /// Collects the spans of the sessions that this thread opens, whatever their level, until the guard is dropped.
    #[must_use]
    pub fn capture() -> (Self, DefaultGuard) {
        leave_open();
        let spans = Self::default();
        (spans.clone(), tracing::subscriber::set_default(Registry::default().with(spans)))
    }

    /// Takes the spans since the last time: each a line with its name and fields, two spaces further in than the span
    /// that it is in. Hashes of keys, which differ from process to process, are left out.
    #[allow(clippy::must_use_candidate, reason = "some are taken only to be done with them")]
    pub fn take(&self) -> Vec<String> {
        let Grown { spans, .. } = std::mem::take(&mut *self.grown());
        let mut lines = Vec::new();
        below(None, "", &spans, &mut lines);
        lines
    }

    fn grown(&self) -> MutexGuard<'_, Grown> {
        self.grown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn below(parent: Option<usize>, margin: &str, spans: &[Span], lines: &mut Vec<String>) {
    for (place, span) in spans.iter().enumerate().filter(|(_, span)| span.parent == parent) {
        lines.push(format!("{margin}{}", span.line));
        below(Some(place), &format!("{margin}  "), spans, lines);
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Spans {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if !attributes.metadata().target().starts_with("session_runtime") {
            return;
        }
        let mut line = attributes.metadata().name().to_owned();
        attributes.record(&mut Line(&mut line));
        let mut grown = self.grown();
        let above = context.span(id).and_then(|span| span.parent()).map(|span| span.id());
        let parent = above.and_then(|id| grown.places.get(&id).copied());
        let place = grown.spans.len();
        grown.spans.push(Span { parent, line });
        grown.places.insert(id.clone(), place);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        let mut grown = self.grown();
        if let Some(place) = grown.places.get(id).copied() {
            values.record(&mut Line(&mut grown.spans[place].line));
        }
    }

    fn on_close(&self, id: Id, _: Context<'_, S>) {
        self.grown().places.remove(&id);
    }
}

/// Writes the fields behind a name.
struct Line<'a>(&'a mut String);

impl Visit for Line<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() != "key" {
            // Writing to a string cannot fail.
            let _ = write!(self.0, " {field}={value:?}");
        }
    }
}
