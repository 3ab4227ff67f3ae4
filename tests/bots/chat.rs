//! A session, and a bot that does one thing for each command.

use serde::{Deserialize, Serialize};
use session_runtime::store::{Call, LogStore};
use session_runtime::teloxide::{ChatSession, by_chat, part, session};
use session_runtime::{MemoryStore, Session, Sessions, merge};
use teloxide::dispatching::{UpdateFilterExt, UpdateHandler};
use teloxide::dptree::case;
use teloxide::prelude::*;

#[derive(Session)]
#[session(name = "chat")]
pub(crate) struct Chat {
    #[session(merge = merge::add)]
    pub(crate) count: u32,
    pub(crate) dialogue: Dialogue,
    pub(crate) age: Option<u8>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) enum Dialogue {
    #[default]
    Idle,
    AskedName,
    AskedAge {
        name: String,
    },
}

pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;
pub(crate) type Done = Result<(), Failure>;
pub(crate) type TestStore = LogStore<MemoryStore>;

pub(crate) fn tree(sessions: Sessions<Chat>) -> UpdateHandler<Failure> {
    Update::filter_message()
        .chain(session(sessions, by_chat))
        .chain(part(|chat: &Chat| chat.dialogue.clone()))
        .branch(case![Dialogue::AskedName].endpoint(name))
        .branch(case![Dialogue::AskedAge { name }].endpoint(age))
        .endpoint(idle)
}

async fn idle(bot: Bot, message: Message, chat: ChatSession<Chat>) -> Done {
    let mut session = chat.get().await?;
    let answer = match message.text() {
        Some("/count") => {
            *session.edit().count() += 1;
            format!("{}", session.count)
        }
        Some("/name") => {
            *session.edit().dialogue() = Dialogue::AskedName;
            "What is your name?".to_owned()
        }
        Some("/fail") => {
            *session.edit().count() += 100;
            return Err("told to".into());
        }
        _ => format!("{} {:?}", session.count, session.age),
    };
    bot.send_message(message.chat.id, answer).await?;
    Ok(())
}

async fn name(bot: Bot, message: Message, chat: ChatSession<Chat>) -> Done {
    let name = message.text().unwrap_or_default().to_owned();
    *chat.get().await?.edit().dialogue() = Dialogue::AskedAge { name };
    bot.send_message(message.chat.id, "How old are you?").await?;
    Ok(())
}

async fn age(bot: Bot, message: Message, name: String, chat: ChatSession<Chat>) -> Done {
    let mut session = chat.get().await?;
    *session.edit().age() = message.text().and_then(|text| text.parse().ok());
    *session.edit().dialogue() = Dialogue::Idle;
    bot.send_message(message.chat.id, format!("{name} is {}", session.age.unwrap_or_default())).await?;
    Ok(())
}

pub(crate) fn sessions() -> (Sessions<Chat>, TestStore) {
    let store = LogStore::new(MemoryStore::new());
    (Sessions::new(store.clone()), store)
}

/// The calls to a store since the last time, but for those of the agreement on initial values.
pub(crate) fn calls(store: &TestStore) -> Vec<&'static str> {
    let words = |call: Call| match call {
        Call::Load { .. } => Some("load"),
        Call::Commit { .. } => Some("commit"),
        Call::Destroy { .. } => Some("destroy"),
        _ => None,
    };
    store.take().into_iter().filter_map(words).collect()
}
