//! This project: `session(..)` in the tree, and as the storage of teloxide's dialogues.

use std::sync::Arc;

use session_runtime::expiry::ClockOffset;
use session_runtime::store::{Housekeeping, LogStore};
use session_runtime::teloxide::{ChatSession, Dialogues, by_chat, session};
use session_runtime::{MemoryStore, Sessions};
use teloxide::dispatching::UpdateFilterExt;
use teloxide::dispatching::dialogue::Storage;
use teloxide::types::{Message, Update};

use super::own::{Kept, entered};
use super::{Bot, Effects, Failure, Held, Tree, act_of, id};
use crate::web::ours::{State, count_calls};
use crate::web::{Act, Calls, Counter, View};

/// Whose handlers ask for their session when they need it.
#[derive(Default)]
pub struct InTree {
    log: LogStore<MemoryStore>,
    effects: Effects,
}

impl Bot for InTree {
    fn name(&self) -> &'static str {
        "session-runtime, `session(..)`"
    }

    fn process(&self) -> Tree {
        let effects = self.effects.clone();
        let handler = move |message: Message, chat: ChatSession<State>| {
            let effects = effects.clone();
            async move {
                let act = act_of(&message);
                if act != Act::Untouched {
                    chat.get().await?.handle().carry_out(act);
                }
                effects.add();
                Ok::<_, Failure>(())
            }
        };
        let sessions = Sessions::<State>::new(self.log.clone());
        Update::filter_message().chain(session(sessions, by_chat)).endpoint(handler)
    }

    fn calls(&self) -> Calls {
        calls(&self.log)
    }

    fn effects(&self) -> &Effects {
        &self.effects
    }

    async fn held(&self, chats: usize) -> Held {
        let sessions = Sessions::<State>::new(self.log.clone());
        let mut visits = 0;
        for chat in 0..chats {
            visits += u64::from(sessions.load(&id(chat).to_string()).await.expect("loads").visits());
        }
        Held { records: records(&self.log, sessions.name()).await, visits }
    }
}

/// Teloxide's dialogues, handlers and tree, on our storage.
pub struct DropIn {
    log: LogStore<MemoryStore>,
    storage: Arc<Dialogues<Kept>>,
    effects: Effects,
}

impl DropIn {
    pub fn new() -> Self {
        let log = LogStore::new(MemoryStore::new());
        Self { storage: Dialogues::new(log.clone()), log, effects: Effects::default() }
    }
}

impl Bot for DropIn {
    fn name(&self) -> &'static str {
        "teloxide 0.17, on our `Dialogues`"
    }

    fn process(&self) -> Tree {
        entered(self.storage.clone(), &self.effects)
    }

    fn calls(&self) -> Calls {
        calls(&self.log)
    }

    fn effects(&self) -> &Effects {
        &self.effects
    }

    async fn held(&self, chats: usize) -> Held {
        let mut visits = 0;
        for chat in 0..chats {
            let kept = self.storage.clone().get_dialogue(id(chat)).await.expect("loads");
            visits += kept.map_or(0, |mut kept| u64::from(kept.visits()));
        }
        Held { records: records(&self.log, "dialogue").await, visits }
    }
}

fn calls(log: &LogStore<MemoryStore>) -> Calls {
    let counter = Counter::default();
    count_calls(log, &counter);
    counter.take()
}

async fn records(log: &LogStore<MemoryStore>, name: &str) -> u64 {
    log.count(name, ClockOffset::default()).await.expect("counts")
}
