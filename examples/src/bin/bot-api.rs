//! `bot-api`: a stand-in for Telegram on this machine, to talk to a bot of yours without a token.
//!
//! It prints the variables by which a bot finds it. Each line that you write is a message in chat 1, or in chat 7 if
//! `7:` stands before it; what the bot answers is printed. It runs until it is interrupted.

use std::future::pending;
use std::io;

use session_examples::bot::{BotApi, TOKEN};

#[tokio::main]
async fn main() -> io::Result<()> {
    let api = BotApi::start().await?;
    println!("export TELOXIDE_TOKEN={TOKEN} TELOXIDE_API_URL={}", api.url());
    tokio::spawn(show(api.clone()));
    // Waiting for a line holds up this task alone: the others have threads of their own.
    for line in io::stdin().lines() {
        let line = line?;
        let (chat, text) = message(&line);
        api.say(chat, text);
    }
    pending().await
}

/// In which chat a line is a message, and which.
fn message(line: &str) -> (i64, &str) {
    let named = line.split_once(':').and_then(|(chat, text)| Some((chat.parse().ok()?, text.trim())));
    named.unwrap_or((1, line))
}

/// Prints what the bot answers, as it does.
async fn show(api: BotApi) {
    for shown in 0.. {
        api.texts(shown + 1).await;
        let reply = &api.replies()[shown];
        println!("{}: {}", reply.chat, reply.text);
    }
}
