//! A live panel: what each request asked of the store, and what was saved.
//!
//! The store is wrapped ([`Watched`]), and each request has a tape of its own ([`Tape`]) on which its calls are noted,
//! whatever other requests do at the same time. What is shown are names of fields and sizes, and no values.

mod tape;
#[cfg(test)]
mod tests;
mod view;
mod watched;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::Response;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{Stream, stream};
use serde::Deserialize;
use tokio::sync::watch;

pub use tape::{Fate, Loading, Tape};
pub(super) use view::{counted, panel};
pub use watched::Watched;

/// How many requests are kept.
const KEPT: usize = 50;

/// What was seen of the last requests, and of all. Clones are the same one.
#[derive(Debug, Clone, Default)]
pub struct Panel {
    seen: Arc<Mutex<Seen>>,
    /// How many requests were seen, for those who wait for more.
    count: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Seen {
    last: VecDeque<Entry>,
    totals: Totals,
}

/// A request that was answered, or whose client is gone.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its number, counted from one.
    pub number: u64,
    /// Its method.
    pub method: Method,
    /// Its path.
    pub path: String,
    /// The status of the response; `None` if the client did not wait for it.
    pub status: Option<u16>,
    /// What it asked of the store.
    pub tape: Tape,
}

/// What all requests cost, and what they would have cost if each had written its whole session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// The requests.
    pub requests: u64,
    /// Those that loaded a session.
    pub loads: u64,
    /// The writes of sessions.
    pub writes: u64,
    /// The bytes of the fields in them.
    pub bytes: u64,
    /// The writes if each request had written its session.
    pub always_writes: u64,
    /// The bytes if each had written all fields of it.
    pub always_bytes: u64,
}

impl Totals {
    fn add(&mut self, tape: &Tape) {
        self.requests += 1;
        self.loads += u64::from(tape.loaded != Loading::NotAsked);
        self.writes += tape.writes;
        self.bytes += tape.bytes;
        // Who writes always writes once, at the end, what is there then.
        self.always_writes += 1;
        self.always_bytes += tape.whole();
    }

    /// The writes that were avoided.
    #[must_use]
    pub fn writes_avoided(&self) -> u64 {
        self.always_writes.saturating_sub(self.writes)
    }

    /// The bytes that were avoided.
    #[must_use]
    pub fn bytes_avoided(&self) -> u64 {
        self.always_bytes.saturating_sub(self.bytes)
    }
}

impl Panel {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last requests, at most 50 and the earliest first, and what all cost.
    #[must_use]
    pub fn snapshot(&self) -> (Vec<Entry>, Totals) {
        self.seen().after(0)
    }

    /// Adds a request that has come to its end.
    fn add(&self, method: Method, path: String, status: Option<u16>, tape: Tape) {
        let mut seen = self.seen();
        seen.totals.add(&tape);
        let number = seen.totals.requests;
        if seen.last.len() == KEPT {
            seen.last.pop_front();
        }
        seen.last.push_back(Entry { number, method, path, status, tape });
        drop(seen);
        self.count.send_replace(number);
    }

    /// The requests after a number, the earliest first, with the totals; waits until there is one.
    async fn after(&self, number: u64) -> (Vec<Entry>, Totals) {
        let mut count = self.count.subscribe();
        // The page is of a shop before this one, which counted for itself.
        let number = if number > *count.borrow() { 0 } else { number };
        // It cannot be closed: the sender is here.
        let _ = count.wait_for(|count| *count > number).await;
        self.seen().after(number)
    }
}

impl Seen {
    fn after(&self, number: u64) -> (Vec<Entry>, Totals) {
        (self.last.iter().filter(|entry| entry.number > number).cloned().collect(), self.totals)
    }
}

/// A request under way. It is added to the panel when it is dropped, so also when its client is gone.
struct UnderWay {
    panel: Panel,
    method: Method,
    path: String,
    status: Option<u16>,
    tape: watched::SharedTape,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let tape = std::mem::take(&mut *self.tape.lock().unwrap_or_else(PoisonError::into_inner));
        self.panel.add(self.method.clone(), std::mem::take(&mut self.path), self.status, tape);
    }
}

/// A middleware that adds each request to the panel. Its place is outside of the layer of the sessions, which commits
/// after the handler.
pub(super) async fn watch(State(panel): State<Panel>, request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let tape = watched::SharedTape::default();
    let mut under_way = UnderWay { panel, method, path, status: None, tape: tape.clone() };
    let response = watched::on(tape, next.run(request)).await;
    under_way.status = Some(response.status().as_u16());
    response
}

/// From where on a page wants to be told.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Since {
    after: u64,
}

/// What happens from now on, as server-sent events: a page shows what was there, and asks for what comes after it.
pub(super) async fn events(
    State(panel): State<Panel>,
    Query(Since { after }): Query<Since>,
    headers: HeaderMap,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    // A browser whose connection broke tells with the next one what it had.
    let had = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    let after = had.unwrap_or(after);
    let events = stream::unfold((panel, after), async |(panel, after)| {
        let (entries, totals) = panel.after(after).await;
        let last = entries.last().map_or(after, |entry| entry.number);
        Some((Ok(view::event(&entries, &totals, last)), (panel, last)))
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}
