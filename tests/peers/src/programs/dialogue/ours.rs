use serde::{Deserialize, Serialize};
use session_runtime::teloxide::{ChatSession, by_chat, part, session};
use session_runtime::{MemoryStore, Session, Sessions};
use teloxide::dispatching::DefaultKey;
use teloxide::prelude::*;

#[derive(Session)]
struct Chat {
    dialogue: State,
}

#[derive(Clone, Default, Serialize, Deserialize)]
enum State {
    #[default]
    Start,
    AskedName,
    AskedAge {
        name: String,
    },
}

type Failure = Box<dyn std::error::Error + Send + Sync>;
type Done = Result<(), Failure>;

async fn start(bot: Bot, message: Message, chat: ChatSession<Chat>) -> Done {
    *chat.get().await?.edit().dialogue() = State::AskedName;
    bot.send_message(message.chat.id, "What is your name?").await?;
    Ok(())
}

async fn name(bot: Bot, message: Message, chat: ChatSession<Chat>) -> Done {
    let name = message.text().ok_or("a name is text")?.to_owned();
    *chat.get().await?.edit().dialogue() = State::AskedAge { name };
    bot.send_message(message.chat.id, "How old are you?").await?;
    Ok(())
}

async fn age(bot: Bot, message: Message, chat: ChatSession<Chat>, name: String) -> Done {
    let age: u8 = message.text().ok_or("an age is text")?.parse()?;
    *chat.get().await?.edit().dialogue() = State::Start;
    bot.send_message(message.chat.id, format!("{name} is {age}.")).await?;
    Ok(())
}

pub fn dispatcher(bot: Bot) -> Dispatcher<Bot, Failure, DefaultKey> {
    let sessions = Sessions::<Chat>::new(MemoryStore::new());
    let tree = Update::filter_message()
        .chain(session(sessions, by_chat))
        .chain(part(|chat: &Chat| chat.dialogue.clone()))
        .branch(dptree::case![State::AskedName].endpoint(name))
        .branch(dptree::case![State::AskedAge { name }].endpoint(age))
        .endpoint(start);
    Dispatcher::builder(bot, tree).build()
}
