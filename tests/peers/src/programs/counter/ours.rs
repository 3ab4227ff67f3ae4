use session_runtime::teloxide::{ChatSession, by_chat, session};
use session_runtime::{MemoryStore, Session, Sessions, merge};
use teloxide::dispatching::DefaultKey;
use teloxide::prelude::*;

#[derive(Session)]
struct Chat {
    #[session(merge = merge::add)]
    count: u32,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

async fn count(bot: Bot, message: Message, chat: ChatSession<Chat>) -> Result<(), Failure> {
    let mut chat = chat.get().await?;
    if message.text() == Some("/count") {
        *chat.edit().count() += 1;
    }
    bot.send_message(message.chat.id, chat.count.to_string()).await?;
    Ok(())
}

pub fn dispatcher(bot: Bot) -> Dispatcher<Bot, Failure, DefaultKey> {
    let sessions = Sessions::<Chat>::new(MemoryStore::new());
    let tree = Update::filter_message().chain(session(sessions, by_chat)).endpoint(count);
    Dispatcher::builder(bot, tree).build()
}
