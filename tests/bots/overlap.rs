//! Updates of one chat at the same time, in one process and in two.

use session_examples::bot::BotApi;
use session_runtime::{MemoryStore, Once, Session, Sessions};
use teloxide::dispatching::{UpdateFilterExt, UpdateHandler};
use teloxide::prelude::*;

use crate::chat::{Chat, Done, Failure, sessions, tree};
use crate::running::Running;

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

/// Two processes behind a balancer: each has sessions of its own in one store.
async fn in_two_processes(tree: impl Fn(Sessions<Chat>) -> UpdateHandler<Failure>) -> u32 {
    let store = MemoryStore::new();
    let mut bots = Vec::new();
    for _ in 0..2 {
        let api = BotApi::start().await.expect("a server");
        let bot = Running::webhook(&api, tree(Sessions::new(store.clone()))).await;
        bots.push((api, bot));
    }
    for number in 0..100_u32 {
        // An update has one id, whichever process gets it.
        let (api, _) = &bots[number as usize % 2];
        api.say(7, "/count");
    }
    for (api, bot) in bots {
        api.texts(50).await;
        bot.stop().await;
    }
    Sessions::<Chat>::new(store).load("7").await.expect("a load").count
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_that_merge_are_all_kept_by_two_processes() {
    // The ids of the two stand-ins are the same, so nothing may go by them here.
    let tree = |sessions: Sessions<Chat>| -> UpdateHandler<Failure> {
        Update::filter_message().endpoint(move |bot: Bot, message: Message| {
            let sessions = sessions.clone();
            async move {
                let mut chat = sessions.load(&message.chat.id.to_string()).await?;
                *chat.edit().count() += 1;
                chat.commit().await?;
                bot.send_message(message.chat.id, "counted").await?;
                Ok::<_, Failure>(())
            }
        })
    };
    assert_eq!(in_two_processes(tree).await, 100);
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
