//! What happened, in the order in which it happened.

use std::fmt;

use session_runtime::Error;

use super::visitor::{Edits, REGISTER_NAMES, View};

/// All that happened from one seed, and the settings that decide what is right.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct History {
    pub seed: u64,
    pub settings: Settings,
    pub events: Vec<Event>,
}

/// What all instances are set to, but for those settings in which instances may differ.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// After how many milliseconds without activity a session ends.
    pub inactivity: Option<i64>,
    /// After how many milliseconds a session ends, whatever happens to it.
    pub creation: Option<i64>,
    /// Of each instance: how many milliseconds a load must move the end to be written.
    pub touch_after: Vec<i64>,
    /// Of each instance: its deadline in milliseconds.
    pub deadlines: Vec<u64>,
    /// Of each instance: how many milliseconds the headers of ended sessions are kept.
    pub retentions: Vec<u64>,
    pub instances: usize,
    pub handlers: usize,
    pub keys: usize,
    pub network: Network,
}

/// How bad the network is: in a hundred requests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Network {
    pub refused: u64,
    pub lost: u64,
    pub repeated: u64,
    pub late: u64,
    pub answer_lost: u64,
    /// How often the store stops and starts again.
    pub restarts: u64,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Event {
    /// Milliseconds since the history began.
    pub at: i64,
    pub what: What,
}

#[derive(Debug, PartialEq, Eq)]
pub enum What {
    /// A handler calls the toolkit.
    Called { call: usize, handler: usize, verb: Verb },
    /// The closure of an update ran on what it saw.
    Ran { call: usize, saw: View, made: View },
    /// A request leaves for the store, for the first time or again.
    Sent { call: usize, request: usize, again: bool },
    /// The store handles a request.
    Handled { request: usize, live: bool, done: Done },
    /// The answer to that reaches the toolkit.
    Answered { call: usize, request: usize, event: usize },
    /// The call is over.
    Returned { call: usize, answer: Answer },
    /// The store starts again: all that it handled from that event on is undone.
    Restarted { undone_from: Option<usize> },
    /// The store forgets headers whose time is over.
    Purged { key: usize },
}

/// What a handler wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verb {
    Load {
        key: usize,
    },
    Update {
        key: usize,
        change: Change,
    },
    /// Changes what is loaded and commits it. `shown` is what the session showed before.
    Commit {
        edits: Edits,
        shown: View,
    },
    Renew {
        to: usize,
        edits: Edits,
        shown: View,
    },
    Destroy,
}

/// What the closure of an update does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Adds a number to the tally, and perhaps sets a field.
    Add { number: u32, registers: [Option<u32>; 3] },
    /// Everything becomes initial.
    Clear,
}

/// What the store did about a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Done {
    Loaded {
        key: usize,
        view: View,
    },
    /// The toolkit looked, to learn what became of a request of its own.
    Looked {
        key: usize,
        view: View,
    },
    Wrote {
        key: usize,
        view: View,
    },
    Moved {
        key: usize,
        to: usize,
        to_live: bool,
        view: View,
    },
    Destroyed {
        key: usize,
    },
    /// There was nothing to destroy.
    Nothing {
        key: usize,
    },
    /// Something is there to destroy of which the handler did not know.
    Found {
        key: usize,
        view: View,
    },
    /// It was done before.
    Repeated {
        key: usize,
    },
    Conflict {
        key: usize,
        view: View,
    },
    Ended {
        key: usize,
    },
    Occupied {
        to: usize,
        to_live: bool,
    },
}

/// What a handler is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Loaded {
        view: View,
    },
    Committed {
        overlapped: Vec<usize>,
        view: View,
    },
    Updated,
    Destroyed,
    Failed(Failure),
    /// The handler did not wait for the answer.
    Dropped,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// It may have been done or not.
    Store,
    OutcomeUnknown,
    Conflict,
    Ended,
    Occupied,
    Contended,
    /// None of the errors that these handlers can cause.
    Unexpected(String),
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        match error {
            Error::Store(_) => Self::Store,
            Error::OutcomeUnknown => Self::OutcomeUnknown,
            Error::Conflict { .. } => Self::Conflict,
            Error::Destroyed | Error::Renewed | Error::Expired => Self::Ended,
            Error::Occupied => Self::Occupied,
            Error::Contended => Self::Contended,
            error => Self::Unexpected(error.to_string()),
        }
    }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}: {:?}", self.seed, self.settings)?;
        for (at, event) in self.events.iter().enumerate() {
            writeln!(f, "{at:>4} {event}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>7} ms  ", self.at)?;
        match &self.what {
            What::Called { call, handler, verb } => write!(f, "call {call} by handler {handler}: {verb}"),
            What::Ran { call, saw, made } => write!(f, "call {call} ran on {saw} and made {made}"),
            What::Sent { call, request, again } => {
                write!(f, "call {call} sends request {request}{}", if *again { " again" } else { "" })
            }
            What::Handled { request, live, done } => {
                let there = if *live { "" } else { ", where nothing was" };
                write!(f, "    request {request}: the store {done}{there}")
            }
            What::Answered { call, request, event } => {
                write!(f, "call {call} has the answer to request {request}, of event {event}")
            }
            What::Returned { call, answer } => write!(f, "call {call} returns: {answer}"),
            What::Restarted { undone_from: None } => write!(f, "    the store starts again, as it was"),
            What::Restarted { undone_from: Some(event) } => {
                write!(f, "    the store starts again, as it was before event {event}")
            }
            What::Purged { key } => write!(f, "    key {key} is purged"),
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Load { key } => write!(f, "load key {key}"),
            Self::Update { key, change: Change::Clear } => write!(f, "update key {key}: clear everything"),
            Self::Update { key, change: Change::Add { number, registers } } => {
                write!(f, "update key {key}: count {number}{}", Registers(registers))
            }
            Self::Commit { edits, shown } => write!(f, "commit{edits} on {shown}"),
            Self::Renew { to, edits, shown } => write!(f, "renew to key {to}{edits} on {shown}"),
            Self::Destroy => write!(f, "destroy"),
        }
    }
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loaded { key, view } => write!(f, "reads key {key}: {view}"),
            Self::Looked { key, view } => write!(f, "shows key {key}: {view}"),
            Self::Wrote { key, view } => write!(f, "makes key {key} {view}"),
            Self::Moved { key, to, view, .. } => write!(f, "moves key {key} to key {to} as {view}"),
            Self::Destroyed { key } => write!(f, "destroys key {key}"),
            Self::Nothing { key } => write!(f, "finds nothing to destroy at key {key}"),
            Self::Found { key, view } => write!(f, "finds key {key} to destroy: {view}"),
            Self::Repeated { key } => write!(f, "did this to key {key} before"),
            Self::Conflict { key, view } => write!(f, "refuses: key {key} has changed to {view}"),
            Self::Ended { key } => write!(f, "refuses: the session of key {key} has ended"),
            Self::Occupied { to, .. } => write!(f, "refuses: key {to} holds a session"),
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loaded { view } => write!(f, "{view}"),
            Self::Committed { overlapped, view } => {
                write!(f, "done, shows {view}")?;
                overlapped.iter().try_for_each(|&field| write!(f, ", overwrote {}", REGISTER_NAMES[field]))
            }
            Self::Updated => write!(f, "done"),
            Self::Destroyed => write!(f, "ended"),
            Self::Failed(failure) => write!(f, "failed: {failure:?}"),
            Self::Dropped => write!(f, "not waited for"),
        }
    }
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { registers, log, tally } = self;
        write!(f, "{registers:?} log {log:?} tally {tally:?}")
    }
}

impl fmt::Display for Edits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Registers(&self.registers))?;
        self.logged.map_or(Ok(()), |number| write!(f, " log {number}"))
    }
}

struct Registers<'a>(&'a [Option<u32>; 3]);

impl fmt::Display for Registers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in REGISTER_NAMES.iter().zip(self.0) {
            value.map_or(Ok(()), |value| write!(f, " {name}={value}"))?;
        }
        Ok(())
    }
}
