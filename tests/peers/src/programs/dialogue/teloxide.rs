use teloxide::dispatching::DefaultKey;
use teloxide::dispatching::dialogue::{self, InMemStorage};
use teloxide::prelude::*;

#[derive(Clone, Default)]
enum State {
    #[default]
    Start,
    AskedName,
    AskedAge {
        name: String,
    },
}

type Storage = InMemStorage<State>;
type Chat = Dialogue<State, Storage>;
type Failure = Box<dyn std::error::Error + Send + Sync>;
type Done = Result<(), Failure>;

async fn start(bot: Bot, message: Message, chat: Chat) -> Done {
    chat.update(State::AskedName).await?;
    bot.send_message(message.chat.id, "What is your name?").await?;
    Ok(())
}

async fn name(bot: Bot, message: Message, chat: Chat) -> Done {
    let name = message.text().ok_or("a name is text")?.to_owned();
    chat.update(State::AskedAge { name }).await?;
    bot.send_message(message.chat.id, "How old are you?").await?;
    Ok(())
}

async fn age(bot: Bot, message: Message, chat: Chat, name: String) -> Done {
    let age: u8 = message.text().ok_or("an age is text")?.parse()?;
    chat.exit().await?;
    bot.send_message(message.chat.id, format!("{name} is {age}.")).await?;
    Ok(())
}

pub fn dispatcher(bot: Bot) -> Dispatcher<Bot, Failure, DefaultKey> {
    let tree = Update::filter_message()
        .chain(dialogue::enter::<Update, Storage, State, _>())
        .branch(dptree::case![State::AskedName].endpoint(name))
        .branch(dptree::case![State::AskedAge { name }].endpoint(age))
        .endpoint(start);
    Dispatcher::builder(bot, tree).dependencies(dptree::deps![Storage::new()]).build()
}
