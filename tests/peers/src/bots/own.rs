//! Teloxide's own dialogues, in its own storage.

use std::fmt::Debug;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use teloxide::dispatching::UpdateFilterExt;
use teloxide::dispatching::dialogue::{self, Dialogue, InMemStorage, InMemStorageError, Storage};
use teloxide::dptree;
use teloxide::types::{ChatId, Message, Update};

use super::{Bot, Effects, Failure, Held, Tree, act_of, id};
use crate::web::{Act, Calls, Counter, View};

/// The state of a dialogue.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Kept {
    visits: u32,
    theme: String,
}

impl Default for Kept {
    fn default() -> Self {
        Self { visits: 0, theme: "light".to_owned() }
    }
}

impl View for Kept {
    fn visits(&mut self) -> u32 {
        self.visits
    }

    fn set_visits(&mut self, visits: u32) {
        self.visits = visits;
    }

    fn set_theme(&mut self, theme: &str) {
        theme.clone_into(&mut self.theme);
    }

    fn remove_absent(&mut self) {}
}

/// As teloxide's examples have it: the dialogue is entered before a handler is chosen.
pub fn entered<S>(storage: Arc<S>, effects: &Effects) -> Tree
where
    S: Storage<Kept, Error: Debug + std::error::Error + Send + Sync> + Send + Sync + 'static,
{
    let effects = effects.clone();
    let handler = move |message: Message, dialogue: Dialogue<Kept, S>, mut kept: Kept| {
        let effects = effects.clone();
        async move {
            let act = act_of(&message);
            kept.carry_out(act);
            if act == Act::Change {
                dialogue.update(kept).await?;
            }
            effects.add();
            Ok::<_, Failure>(())
        }
    };
    Update::filter_message()
        .chain(dptree::map(move || storage.clone()))
        .chain(dialogue::enter::<Update, S, Kept, _>())
        .endpoint(handler)
}

/// Without `enter`: a handler asks for the state when it needs it.
fn asked(storage: Arc<Counting>, effects: &Effects) -> Tree {
    let effects = effects.clone();
    let handler = move |message: Message| {
        let (effects, dialogue) = (effects.clone(), Dialogue::new(storage.clone(), message.chat.id));
        async move {
            let act = act_of(&message);
            if act != Act::Untouched {
                let mut kept: Kept = dialogue.get_or_default().await?;
                kept.carry_out(act);
                if act == Act::Change {
                    dialogue.update(kept).await?;
                }
            }
            effects.add();
            Ok::<_, Failure>(())
        }
    };
    Update::filter_message().endpoint(handler)
}

/// `InMemStorage`, which counts its calls.
pub struct Counting {
    inner: Arc<InMemStorage<Kept>>,
    counter: Counter,
}

impl Storage<Kept> for Counting {
    type Error = InMemStorageError;

    fn remove_dialogue(self: Arc<Self>, chat: ChatId) -> BoxFuture<'static, Result<(), InMemStorageError>> {
        self.counter.count('D', 0);
        self.inner.clone().remove_dialogue(chat)
    }

    fn update_dialogue(self: Arc<Self>, chat: ChatId, kept: Kept) -> BoxFuture<'static, Result<(), InMemStorageError>> {
        self.counter.count('S', serde_json::to_vec(&kept).map_or(0, |bytes| bytes.len()));
        self.inner.clone().update_dialogue(chat, kept)
    }

    fn get_dialogue(self: Arc<Self>, chat: ChatId) -> BoxFuture<'static, Result<Option<Kept>, InMemStorageError>> {
        self.counter.count('L', 0);
        self.inner.clone().get_dialogue(chat)
    }
}

pub struct Own {
    name: &'static str,
    tree: fn(Arc<Counting>, &Effects) -> Tree,
    storage: Arc<Counting>,
    effects: Effects,
}

impl Own {
    pub fn entered() -> Self {
        Self::new("teloxide 0.17, `dialogue::enter`", entered)
    }

    pub fn asked() -> Self {
        Self::new("teloxide 0.17, `get_or_default` when needed", asked)
    }

    fn new(name: &'static str, tree: fn(Arc<Counting>, &Effects) -> Tree) -> Self {
        let storage = Counting { inner: InMemStorage::new(), counter: Counter::default() };
        Self { name, tree, storage: Arc::new(storage), effects: Effects::default() }
    }
}

impl Bot for Own {
    fn name(&self) -> &'static str {
        self.name
    }

    fn process(&self) -> Tree {
        (self.tree)(self.storage.clone(), &self.effects)
    }

    fn calls(&self) -> Calls {
        self.storage.counter.take()
    }

    fn effects(&self) -> &Effects {
        &self.effects
    }

    async fn held(&self, chats: usize) -> Held {
        let mut held = Held::default();
        for chat in 0..chats {
            if let Some(kept) = self.storage.inner.clone().get_dialogue(id(chat)).await.expect("in memory") {
                held.records += 1;
                held.visits += u64::from(kept.visits);
            }
        }
        held
    }
}
