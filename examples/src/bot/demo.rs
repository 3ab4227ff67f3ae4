//! The bot on the stand-in for Telegram, in this process.

use session_runtime::Sessions;
use session_runtime::store::Store;
use teloxide::prelude::*;
use teloxide::update_listeners::polling_default;

use super::{BotApi, Chat, Failure, Running, TOKEN, tree};

/// What two chats write.
const SAID: [(i64, &str); 9] = [
    (7, "hello"),
    (7, "/count"),
    (7, "/count"),
    (7, "/settings"),
    (7, "Rust"),
    (7, "9"),
    (8, "hello"),
    (7, "hello"),
    (7, "/stats"),
];

/// Plays what two chats write and what the bot answers, as lines.
///
/// # Errors
/// When no port is free, or the store fails.
pub async fn demo<S: Store>(store: S) -> Result<Vec<String>, Failure> {
    let api = BotApi::start().await?;
    let bot = Bot::new(TOKEN).set_api_url(api.url().parse()?);
    let sessions = Sessions::<Chat>::new(store);
    let dispatcher = Dispatcher::builder(bot.clone(), tree(sessions.clone())).build();
    let running = Running::start(dispatcher, polling_default(bot).await);

    let mut lines = Vec::new();
    let mut last = 0;
    for (number, (chat, text)) in SAID.into_iter().enumerate() {
        lines.push(format!("{chat}: {text}"));
        last = api.say(chat, text);
        let answers = api.texts(number + 1).await;
        lines.push(format!("   {}", answers[number]));
    }
    api.acknowledged(last).await;
    running.stop().await?;
    let known = sessions.load("8").await?;
    lines.push(format!(
        "Of chat 8, which only said hello, {}.",
        if known.is_new() { "nothing is stored" } else { "something is stored" }
    ));
    Ok(lines)
}
