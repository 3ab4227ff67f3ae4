//! This project, as a handler uses it: load, carry out, commit, unless the handler failed.

use session_runtime::store::{Call, LogStore};
use session_runtime::{Handle, MemoryStore, Session, Sessions};

use super::{Act, Counter, View, Web};

#[derive(Session)]
pub struct State {
    visits: u32,
    #[session(initial = "light".to_owned())]
    theme: String,
    coupon: Option<String>,
}

pub struct Ours {
    log: LogStore<MemoryStore>,
    sessions: Sessions<State>,
    counter: Counter,
}

impl Ours {
    pub fn new() -> Self {
        let log = LogStore::new(MemoryStore::new());
        let sessions = Sessions::builder(log.clone()).build();
        Self { log, sessions, counter: Counter::default() }
    }
}

/// Takes the calls from a log.
pub fn count_calls(log: &LogStore<MemoryStore>, counter: &Counter) {
    for call in log.take() {
        match call {
            Call::Load { touched, .. } => counter.count(if touched { 'T' } else { 'L' }, 0),
            Call::Commit { set, .. } => {
                let bytes = set.iter().map(|(name, value)| name.len() + value.len()).sum();
                counter.count(if set.is_empty() { 'D' } else { 'S' }, bytes);
            }
            _ => counter.count('D', 0),
        }
    }
}

impl Web for Ours {
    fn name(&self) -> &'static str {
        "session-runtime"
    }

    async fn request(&mut self, client: usize, act: Act) {
        // A handler that does not use its session does not load it.
        if act != Act::Untouched {
            let mut session = self.sessions.load(&client.to_string()).await.expect("loads");
            session.carry_out(act);
            if act == Act::Fail {
                session.discard();
            } else {
                session.commit().await.expect("commits");
            }
        }
        count_calls(&self.log, &self.counter);
    }

    fn counter(&self) -> &Counter {
        &self.counter
    }
}

impl View for Handle<State> {
    fn visits(&mut self) -> u32 {
        self.visits
    }

    fn set_visits(&mut self, visits: u32) {
        *self.edit().visits() = visits;
    }

    fn set_theme(&mut self, theme: &str) {
        theme.clone_into(self.edit().theme());
    }

    fn remove_absent(&mut self) {
        *self.edit().coupon() = None;
    }
}
