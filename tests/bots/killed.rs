//! A bot that is killed after it stored what an update changed, and before that was acknowledged.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use session_examples::bot::BotApi;
use session_runtime::Sessions;
use session_runtime::store::connect;
use session_runtime::teloxide::{ChatSession, by_chat, session};
use teloxide::dispatching::{UpdateFilterExt, UpdateHandler};
use teloxide::prelude::*;

use crate::chat::{Chat, Done, Failure};
use crate::place::{Open, Place, on_each_engine};

on_each_engine![an_update_is_stored_once_although_the_bot_was_killed_before_it_was_acknowledged];

/// Where a child finds the address of the stand-in, the URL of the store, and where to stop.
const ADDRESS: &str = "SESSION_TESTS_BOT_API";
const STORE: &str = "SESSION_TESTS_BOT_STORE";
const STOPS: &str = "SESSION_TESTS_BOT_STOPS";

/// A bot of its own process, which is killed when this ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The child is this test binary again, which runs this one test.
fn start(test: &str, api: &BotApi, place: &Place, stops: &str) -> Running {
    let (_, test) = test.split_once("::").expect("a path in this program");
    let child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(ADDRESS, api.url())
        .env(STORE, &place.url)
        .env(STOPS, stops)
        .stdout(Stdio::piped())
        .spawn();
    Running(child.expect("a child"))
}

/// Waits until the child says that it stands still, and kills it.
fn kill(mut child: Running) {
    let output = BufReader::new(child.0.stdout.take().expect("it is piped"));
    let stands = output.lines().map_while(Result::ok).any(|line| line.ends_with("stands still"));
    assert!(stands, "the child ended by itself");
}

async fn stand_still() -> ! {
    println!("stands still");
    std::future::pending().await
}

/// Counts, and answers with the message and the number.
async fn count(bot: Bot, message: Message, chat: ChatSession<Chat>) -> Done {
    let mut session = chat.get().await?;
    *session.edit().count() += 1;
    let stops = std::env::var(STOPS).unwrap_or_default();
    if stops == "before the commit" {
        stand_still().await;
    }
    session.commit().await?;
    if stops == "after the commit" {
        stand_still().await;
    }
    let answer = format!("{}: {}", message.text().unwrap_or_default(), session.count);
    bot.send_message(message.chat.id, answer).await?;
    Ok(())
}

async fn run_child(address: &str) {
    let url = std::env::var(STORE).expect("a URL");
    let sessions = Sessions::<Chat>::new(connect(&url).await.expect("a store"));
    let tree: UpdateHandler<Failure> = Update::filter_message().chain(session(sessions, by_chat)).endpoint(count);
    let bot = Bot::new(session_examples::bot::TOKEN).set_api_url(address.parse().expect("a URL"));
    Dispatcher::builder(bot, tree).build().dispatch().await;
}

async fn an_update_is_stored_once_although_the_bot_was_killed_before_it_was_acknowledged(open: Open, test: &str) {
    if let Ok(address) = std::env::var(ADDRESS) {
        return run_child(&address).await;
    }
    let Some(place) = open() else { return };
    let api = BotApi::start().await.expect("a server");
    // What a bot acknowledges before it dies does not arrive, so that the next one gets all updates again.
    api.lose_acknowledgements(true);

    // Killed before the commit, nothing is stored; killed after it, the delivery after that finds the update done.
    let kills = [("before the commit", 0), ("after the commit", 1), ("before the commit", 1), ("after the commit", 2)];
    for (number, (stops, stored)) in kills.into_iter().enumerate() {
        if number % 2 == 0 {
            api.say(7, "killed");
        }
        let child = start(test, &api, &place, stops);
        tokio::task::spawn_blocking(|| kill(child)).await.expect("it is killed");
        let sessions = Sessions::<Chat>::new(place.open().await);
        assert_eq!(sessions.load("7").await.expect("a load").count, stored, "{stops}");
        assert_eq!(api.replies(), [], "it had no time to answer");
    }

    // One that lives gets both updates for the third time, and one that is new.
    api.lose_acknowledgements(false);
    let last = api.say(7, "alive");
    let child = start(test, &api, &place, "");
    assert_eq!(api.texts(1).await, ["alive: 3"], "what was stored before a kill is not done again");
    api.acknowledged(last).await;
    drop(child);
    assert_eq!(api.replies().len(), 1);
}
