//! Session libraries as a bot meets them: in a tree of teloxide, on a store in memory that counts its calls.

pub mod own;
pub mod sessions;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};
use serde_json::json;
use teloxide::dispatching::UpdateHandler;
use teloxide::dptree;
use teloxide::types::{ChatId, Message, Update};

use crate::web::{Act, Calls};

pub type Failure = Box<dyn std::error::Error + Send + Sync>;
pub type Tree = UpdateHandler<Failure>;

/// A library in a bot.
pub trait Bot {
    fn name(&self) -> &'static str;
    /// The tree of a process that starts. All processes of a bot share its store.
    fn process(&self) -> Tree;
    /// The calls to the store since the last time.
    fn calls(&self) -> Calls;
    /// How often a handler had what it needs, and would have sent a message.
    fn effects(&self) -> &Effects;
    /// What the store holds of the first chats.
    async fn held(&self, chats: usize) -> Held;
}

#[derive(Debug, Clone, Default)]
pub struct Effects(Arc<AtomicU64>);

impl Effects {
    fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Serialize, Deserialize, Debug, Clone, Copy, Default)]
pub struct Held {
    pub records: u64,
    /// The visits of all chats together.
    pub visits: u64,
}

/// The id of a chat that is known by its number.
fn id(chat: usize) -> ChatId {
    ChatId(i64::try_from(chat).expect("few chats") + 1)
}

/// Delivers an update of a chat: a message that says what its handler is to do.
pub async fn deliver(tree: &Tree, update: usize, chat: usize, act: Act) {
    let id = id(chat).0;
    let update = json!({ "update_id": update, "message": {
        "message_id": update, "date": 1, "chat": { "id": id, "type": "private", "first_name": "Ada" },
        "from": { "id": id, "is_bot": false, "first_name": "Ada" }, "text": json!(act).to_string()
    } });
    let update: Update = serde_json::from_str(&update.to_string()).expect("an update");
    match tree.dispatch(dptree::deps![update]).await {
        ControlFlow::Break(Ok(())) => {}
        ControlFlow::Break(Err(error)) => panic!("a handler failed: {error}"),
        ControlFlow::Continue(_) => panic!("no handler"),
    }
}

fn act_of(message: &Message) -> Act {
    message.text().and_then(|text| serde_json::from_str(text).ok()).expect("an act")
}
