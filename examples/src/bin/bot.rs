//! `bot [STORE]`: a bot with sessions. It takes its token from `TELOXIDE_TOKEN`, and the address of the Bot API, if that
//! is not Telegram's, from `TELOXIDE_API_URL`.
//!
//! The sessions are kept in the store with the URL STORE (`sqlite:sessions.db`, `redis://…`, `postgres://…`), or in
//! memory.
//!
//! `bot --demo` plays it in this process, against a stand-in for Telegram: without a token, and without a network.

use session_examples::bot::{Failure, demo, tree};
use session_runtime::{MemoryStore, Sessions, connect};
use teloxide::prelude::*;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let argument = std::env::args().nth(1);
    if argument.as_deref() == Some("--demo") {
        for line in demo(MemoryStore::new()).await? {
            println!("{line}");
        }
        return Ok(());
    }
    if std::env::var_os("TELOXIDE_TOKEN").is_none() {
        return Err("set TELOXIDE_TOKEN to the token that @BotFather gave you, or try `bot --demo`".into());
    }
    let store = connect(argument.as_deref().unwrap_or("memory:")).await?;
    let tree = tree(Sessions::new(store));
    Dispatcher::builder(Bot::from_env(), tree).enable_ctrlc_handler().build().dispatch().await;
    Ok(())
}
