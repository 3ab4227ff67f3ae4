//! Contenders, wherever they run.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime;

use crate::{Figures, drive};

/// A session library on a store, or the store's own commands sent by hand.
///
/// A failure ends the benchmark: figures of work that was not done are worth nothing.
pub trait Contender: Send + Sync + 'static {
    /// A session that was loaded before.
    type Held: Send;

    /// Stores a session with so many bytes of notes.
    fn fill(&self, key: u32, notes: usize) -> impl Future<Output = ()> + Send;
    /// A request that looks at the session.
    fn read(&self, key: u32) -> impl Future<Output = ()> + Send;
    /// A request that loads the session, changes one small field and saves.
    fn change(&self, key: u32) -> impl Future<Output = ()> + Send;
    /// Loads a session and keeps it.
    fn hold(&self, key: u32) -> impl Future<Output = Self::Held> + Send;
    /// Changes one small field of a session that is held, and saves.
    fn write(&self, held: &mut Self::Held) -> impl Future<Output = ()> + Send;
}

/// What tasks do, over and over.
#[derive(Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Stores each of the keys once, with so many bytes of notes.
    Fill(usize),
    Read,
    Change,
    /// Each task changes one session that it loaded before.
    Write,
    /// Five reads to three changes, of keys that follow Zipf's law.
    Mix,
}

impl Verb {
    pub fn name(self) -> &'static str {
        match self {
            Self::Fill(_) => "fill",
            Self::Read => "read",
            Self::Change => "change",
            Self::Write => "write only",
            Self::Mix => "mix",
        }
    }
}

/// A load: so many tasks use these keys for so long.
#[derive(Serialize, Deserialize, Debug, Clone)]
pub struct Load {
    pub verb: Verb,
    pub keys: Range<u32>,
    pub tasks: u32,
    pub duration: Duration,
}

/// A contender that can be given loads.
pub trait Side {
    fn name(&self) -> &str;
    fn run(&mut self, load: &Load) -> Figures;
}

/// A contender of this process.
pub struct Local<C> {
    name: String,
    contender: Arc<C>,
    runtime: Arc<Runtime>,
}

impl<C: Contender> Local<C> {
    pub fn boxed(name: impl Into<String>, contender: C, runtime: &Arc<Runtime>) -> Box<dyn Side> {
        Box::new(Self { name: name.into(), contender: Arc::new(contender), runtime: runtime.clone() })
    }
}

impl<C: Contender> Side for Local<C> {
    fn name(&self) -> &str {
        &self.name
    }

    fn run(&mut self, load: &Load) -> Figures {
        self.runtime.block_on(drive(&self.contender, load))
    }
}

/// The processor time that this process has used.
pub fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
