//! A bot with sessions: a counter, a dialogue about settings, a summary, and a way to forget it all; and a stand-in for
//! Telegram, so that it can be seen without a token.

mod api;
mod demo;
mod running;
mod webhook;

use serde::{Deserialize, Serialize};
use session_runtime::teloxide::{ChatSession, by_chat, follow_migration, part, session};
use session_runtime::{Session, Sessions, merge};
use teloxide::dispatching::{UpdateFilterExt, UpdateHandler};
use teloxide::dptree;
use teloxide::prelude::*;

pub use api::{BotApi, Reply, TOKEN};
pub use demo::demo;
pub use running::Running;

/// What the bot knows of a chat.
#[derive(Debug, Session)]
pub struct Chat {
    /// How often `/count` was sent. Two at once are two.
    #[session(merge = merge::add)]
    count: u32,
    /// Where the dialogue is.
    dialogue: Dialogue,
    language: Option<String>,
    /// At which hour the bot may write.
    hour: Option<u8>,
}

/// What the bot waits for.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
enum Dialogue {
    #[default]
    Nothing,
    Language,
    Hour {
        language: String,
    },
}

/// What can go wrong in a handler.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

type Done = Result<(), Failure>;

/// What the bot does with an update.
#[must_use]
pub fn tree(sessions: Sessions<Chat>) -> UpdateHandler<Failure> {
    Update::filter_message()
        .chain(follow_migration(sessions.clone()))
        .chain(session(sessions.clone(), by_chat))
        .chain(part(|chat: &Chat| chat.dialogue.clone()))
        .branch(dptree::case![Dialogue::Language].endpoint(language))
        .branch(dptree::case![Dialogue::Hour { language }].endpoint(hour))
        .endpoint(move |bot: Bot, message: Message, chat: ChatSession<Chat>| {
            command(bot, message, chat, sessions.clone())
        })
}

async fn command(bot: Bot, message: Message, chat: ChatSession<Chat>, sessions: Sessions<Chat>) -> Done {
    let mut session = chat.get().await?;
    let answer = match message.text() {
        Some("/count") => {
            *session.edit().count() += 1;
            format!("That is {}.", session.count)
        }
        Some("/settings") => {
            *session.edit().dialogue() = Dialogue::Language;
            "Which language do you speak?".to_owned()
        }
        Some("/forget") => {
            session.destroy().await?;
            "I know nothing of you any more.".to_owned()
        }
        Some("/stats") => {
            let stats = sessions.stats();
            format!(
                "{} reads, {} writes since I run.",
                stats.loads,
                stats.commits_created + stats.commits_updated + stats.commits_removed
            )
        }
        _ => match (&session.language, session.hour) {
            (Some(language), Some(hour)) => {
                format!("You counted to {}, and speak {language} at {hour}.", session.count)
            }
            _ => "Send /count, /settings, /forget or /stats.".to_owned(),
        },
    };
    bot.send_message(message.chat.id, answer).await?;
    Ok(())
}

async fn language(bot: Bot, message: Message, chat: ChatSession<Chat>) -> Done {
    let language = message.text().ok_or("a language is a word")?.to_owned();
    *chat.get().await?.edit().dialogue() = Dialogue::Hour { language };
    bot.send_message(message.chat.id, "At which hour may I write to you?").await?;
    Ok(())
}

async fn hour(bot: Bot, message: Message, language: String, chat: ChatSession<Chat>) -> Done {
    let Some(hour) = message.text().and_then(|text| text.parse().ok()).filter(|hour| *hour < 24) else {
        bot.send_message(message.chat.id, "An hour is a number below 24.").await?;
        return Ok(());
    };
    let mut session = chat.get().await?;
    *session.edit().hour() = Some(hour);
    *session.edit().language() = Some(language);
    *session.edit().dialogue() = Dialogue::Nothing;
    bot.send_message(message.chat.id, "I keep that in mind.").await?;
    Ok(())
}
