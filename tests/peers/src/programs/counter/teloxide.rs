use teloxide::dispatching::DefaultKey;
use teloxide::dispatching::dialogue::{self, InMemStorage};
use teloxide::prelude::*;

type Storage = InMemStorage<u32>;
type Chat = Dialogue<u32, Storage>;
type Failure = Box<dyn std::error::Error + Send + Sync>;

async fn count(bot: Bot, message: Message, chat: Chat, mut count: u32) -> Result<(), Failure> {
    if message.text() == Some("/count") {
        count += 1;
        chat.update(count).await?;
    }
    bot.send_message(message.chat.id, count.to_string()).await?;
    Ok(())
}

pub fn dispatcher(bot: Bot) -> Dispatcher<Bot, Failure, DefaultKey> {
    let tree = Update::filter_message().chain(dialogue::enter::<Update, Storage, u32, _>()).endpoint(count);
    Dispatcher::builder(bot, tree).dependencies(dptree::deps![Storage::new()]).build()
}
