//! Updates of one chat at the same time, in one process and in two.

use std::sync::Arc;

use session_examples::bot::BotApi;
use session_runtime::teloxide::{ChatSession, LentSession, by_chat, session};
use session_runtime::{MemoryStore, Once, Session, Sessions};
use teloxide::dispatching::{UpdateFilterExt, UpdateHandler};
use teloxide::prelude::*;
use tokio::sync::Barrier;

use crate::chat::{Chat, Dialogue, Done, Failure, sessions, tree};
use crate::place::{Open, on_each_engine};
use crate::running::Running;

on_each_engine![
    what_two_bots_change_in_one_chat_at_the_same_time_is_all_kept,
    updates_of_one_chat_that_two_bots_get_all_count,
];

#[tokio::test(flavor = "multi_thread")]
async fn fifty_updates_of_one_chat_at_the_same_time_all_count() {
    let (api, (sessions, _)) = (BotApi::start().await.expect("a server"), sessions());
    for _ in 0..50 {
        api.say(7, "/count");
    }
    let bot = Running::concurrent(&api, tree(sessions.clone()));
    api.texts(50).await;
    bot.stop().await;
    assert_eq!(sessions.load("7").await.expect("a load").count, 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn updates_of_a_chat_that_take_turns_see_each_other() {
    let (api, (sessions, _)) = (BotApi::start().await.expect("a server"), sessions());
    for _ in 0..50 {
        api.say(7, "/count");
    }
    let bot = Running::polling(&api, tree(sessions));
    let expected: Vec<_> = (1..=50).map(|count| count.to_string()).collect();
    assert_eq!(api.texts(50).await, expected);
    bot.stop().await;
}

/// Two processes behind a balancer. An update has one id, whichever of them gets it.
async fn two_bots(trees: [UpdateHandler<Failure>; 2]) -> Vec<(BotApi, Running)> {
    let mut bots = Vec::new();
    for (first, tree) in [1, 1001].into_iter().zip(trees) {
        let api = BotApi::start_from(first).await.expect("a server");
        let bot = Running::webhook(&api, tree).await;
        bots.push((api, bot));
    }
    bots
}

/// A handler that waits until the other bot's has the session too, counts, and changes a field that the other does not.
fn overlapping(
    sessions: Sessions<Chat>,
    together: &Arc<Barrier>,
    change: fn(&mut LentSession<Chat>, &str),
) -> UpdateHandler<Failure> {
    let together = together.clone();
    let handler = move |bot: Bot, message: Message, chat: ChatSession<Chat>| {
        let together = together.clone();
        async move {
            let mut chat = chat.get().await?;
            together.wait().await;
            *chat.edit().count() += 1;
            change(&mut chat, message.text().unwrap_or_default());
            bot.send_message(message.chat.id, "done").await?;
            Done::Ok(())
        }
    };
    Update::filter_message().chain(session(sessions, by_chat)).endpoint(handler)
}

async fn what_two_bots_change_in_one_chat_at_the_same_time_is_all_kept(open: Open, _: &str) {
    let Some(place) = open() else { return };
    let together = Arc::new(Barrier::new(2));
    let bots = two_bots([
        overlapping(Sessions::new(place.open().await), &together, |chat, text| *chat.edit().age() = text.parse().ok()),
        overlapping(Sessions::new(place.open().await), &together, |chat, text| {
            *chat.edit().dialogue() = Dialogue::AskedAge { name: text.to_owned() };
        }),
    ])
    .await;
    // Of a chat that is new, and of one that is stored.
    for number in 1..=3 {
        for (api, _) in &bots {
            api.say(7, &number.to_string());
        }
        for (api, _) in &bots {
            api.texts(number).await;
        }
    }
    for (_, bot) in bots {
        bot.stop().await;
    }
    let chat = Sessions::<Chat>::new(place.open().await).load("7").await.expect("a load");
    let name = Dialogue::AskedAge { name: "3".to_owned() };
    assert_eq!((chat.count, chat.age, &chat.dialogue), (6, Some(3), &name));
}

async fn updates_of_one_chat_that_two_bots_get_all_count(open: Open, _: &str) {
    let Some(place) = open() else { return };
    let bots = two_bots([tree(Sessions::new(place.open().await)), tree(Sessions::new(place.open().await))]).await;
    for _ in 0..50 {
        for (api, _) in &bots {
            api.say(7, "/count");
        }
    }
    for (api, bot) in bots {
        api.texts(50).await;
        bot.stop().await;
    }
    assert_eq!(Sessions::<Chat>::new(place.open().await).load("7").await.expect("a load").count, 100);
}

#[derive(Session)]
#[session(name = "stock")]
struct Stock {
    #[session(initial = 30)]
    left: u32,
}

/// Takes what is left, as far as it goes.
async fn take(sessions: Sessions<Stock>, update: Update, bot: Bot) -> Done {
    let taken = sessions.update_as("all", update.id.0, |stock| {
        let left = stock.left.checked_sub(1);
        left.inspect(|left| *stock.edit().left() = *left).is_some()
    });
    if let Once::Done(taken) = taken.await? {
        bot.send_message(update.chat().ok_or("no chat")?.id, if taken { "taken" } else { "sold out" }).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_two_bots_take_from_one_stock_is_taken_once() {
    let (api, store) = (BotApi::start().await.expect("a server"), MemoryStore::new());
    let tree = || -> UpdateHandler<Failure> {
        let stock = Sessions::<Stock>::new(store.clone());
        Update::filter_message().endpoint(move |update: Update, bot: Bot| take(stock.clone(), update, bot))
    };
    let first = Running::webhook(&api, tree()).await;
    let ids: Vec<_> = (0..50).map(|chat| api.say(chat % 5 + 1, "take")).collect();
    api.texts(50).await;
    // All of it comes again, to the other bot.
    let second = Running::webhook(&api, tree()).await;
    for id in ids {
        api.deliver(id).await;
    }
    // The stock remembers the last eight, which are not answered again; to the others it has nothing to give.
    api.texts(50 + 42).await;
    assert_eq!(api.replies().iter().filter(|reply| reply.text == "taken").count(), 30);
    first.stop().await;
    second.stop().await;
    assert_eq!(api.replies().len(), 50 + 42);
    assert_eq!(Sessions::<Stock>::new(store).load("all").await.expect("a load").left, 0);
}
