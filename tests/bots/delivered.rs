//! Updates that are delivered twice.

use std::ops::ControlFlow;

use session_examples::bot::BotApi;
use session_runtime::store::LogStore;
use session_runtime::teloxide::{ChatSession, by_chat, session};
use session_runtime::{MemoryStore, Sessions};
use teloxide::dispatching::{UpdateFilterExt, UpdateHandler};
use teloxide::dptree;
use teloxide::prelude::*;

use crate::chat::{Chat, Done, Failure, calls, sessions, tree};
use crate::keys::update;
use crate::running::Running;

#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_is_delivered_again_is_answered_and_stored_once_and_costs_one_read() {
    let (api, (sessions, store)) = (BotApi::start().await.expect("a server"), sessions());
    let bot = Running::webhook(&api, tree(sessions.clone())).await;
    let id = api.say(7, "/count");
    api.texts(1).await;
    for _ in 0..3 {
        api.deliver(id).await;
    }
    api.say(7, "/count");
    assert_eq!(api.texts(2).await, ["1", "2"]);
    bot.stop().await;
    assert_eq!(calls(&store), ["load", "commit", "load", "load", "load", "load", "commit"]);
    assert_eq!(sessions.load("7").await.expect("a load").count, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_eight_updates_that_changed_a_chat_are_known() {
    let (api, (sessions, _)) = (BotApi::start().await.expect("a server"), sessions());
    let bot = Running::webhook(&api, tree(sessions.clone())).await;
    let ids: Vec<_> = (0..8).map(|_| api.say(7, "/count")).collect();
    api.texts(8).await;
    for id in &ids {
        api.deliver(*id).await;
    }
    api.say(7, "how many?");
    assert_eq!(api.texts(9).await[8], "8 None");
    // Those were delivered in whatever order, so one of them is forgotten with the next.
    api.say(7, "/count");
    assert_eq!(api.texts(10).await[9], "9");
    for id in &ids {
        api.deliver(*id).await;
    }
    assert_eq!(api.texts(11).await[10], "10", "the ninth before is done again");
    bot.stop().await;
}

#[tokio::test]
async fn an_update_that_changed_nothing_runs_again() {
    let (sessions, store) = sessions();
    let reading = async |chat: ChatSession<Chat>| {
        chat.get().await?;
        Err::<(), Failure>("it ran".into())
    };
    let tree: UpdateHandler<Failure> = Update::filter_message().chain(session(sessions, by_chat)).endpoint(reading);
    for _ in 0..2 {
        assert!(matches!(tree.dispatch(dptree::deps![update(1, 7, "hi")]).await, ControlFlow::Break(Err(_))));
    }
    assert_eq!(calls(&store), ["load", "load"]);
}

#[tokio::test]
async fn of_two_deliveries_that_run_at_the_same_time_one_is_stored() {
    let store = LogStore::new(MemoryStore::new());
    let gate = std::sync::Arc::new(tokio::sync::Barrier::new(2));
    let tree = || -> UpdateHandler<Failure> {
        let gate = gate.clone();
        let counting = move |chat: ChatSession<Chat>| {
            let gate = gate.clone();
            async move {
                let mut chat = chat.get().await?;
                gate.wait().await;
                *chat.edit().count() += 1;
                Done::Ok(())
            }
        };
        // Each process has sessions of its own.
        Update::filter_message().chain(session(Sessions::<Chat>::new(store.clone()), by_chat)).endpoint(counting)
    };
    let (one, other) = (tree(), tree());
    let (first, second) = tokio::join!(
        one.dispatch(dptree::deps![update(1, 7, "hi")]),
        other.dispatch(dptree::deps![update(1, 7, "hi")])
    );
    assert!(matches!((first, second), (ControlFlow::Break(Ok(())), ControlFlow::Break(Ok(())))));
    assert_eq!(Sessions::<Chat>::new(store).load("7").await.expect("a load").count, 1);
}
