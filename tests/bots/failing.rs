//! Handlers that fail.

use std::ops::ControlFlow;

use session_examples::bot::BotApi;
use session_runtime::teloxide::{ChatSession, by_chat, session};
use session_runtime::{Error, Sessions};
use teloxide::dispatching::{UpdateFilterExt, UpdateHandler};
use teloxide::dptree;
use teloxide::prelude::*;

use crate::chat::{Chat, Done, Failure, calls, sessions, tree};
use crate::keys::update;
use crate::running::Running;

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_fails_stores_nothing_and_its_error_is_told() {
    let (api, (sessions, store)) = (BotApi::start().await.expect("a server"), sessions());
    let mut bot = Running::polling(&api, tree(sessions.clone()));
    api.say(7, "/fail");
    assert_eq!(bot.error().await, "told to");
    assert_eq!(calls(&store), ["load"]);
    api.say(7, "/count");
    assert_eq!(api.texts(1).await, ["1"]);
    bot.stop().await;
}

fn with(sessions: Sessions<Chat>, handler: fn(ChatSession<Chat>) -> Panics) -> UpdateHandler<Failure> {
    Update::filter_message().chain(session(sessions, by_chat)).endpoint(handler)
}

type Panics = std::pin::Pin<Box<dyn Future<Output = Done> + Send>>;

#[tokio::test]
async fn a_handler_that_panics_stores_nothing() {
    let (sessions, store) = sessions();
    let tree = with(sessions, |chat| {
        Box::pin(async move {
            *chat.get().await?.edit().count() += 1;
            panic!("told to");
        })
    });
    let task = tokio::spawn(async move { tree.dispatch(dptree::deps![update(1, 7, "hi")]).await.is_break() });
    assert!(task.await.expect_err("it panics").is_panic());
    assert_eq!(calls(&store), ["load"]);
}

#[tokio::test]
async fn a_handler_that_is_dropped_stores_nothing() {
    let (sessions, store) = sessions();
    let tree = with(sessions, |chat| {
        Box::pin(async move {
            *chat.get().await?.edit().count() += 1;
            std::future::pending().await
        })
    });
    {
        let mut run = std::pin::pin!(tree.dispatch(dptree::deps![update(1, 7, "hi")]));
        assert!(session_tests::begin(run.as_mut()).is_pending());
    }
    assert_eq!(calls(&store), ["load"]);
}

#[tokio::test]
async fn a_session_that_ended_meanwhile_is_told_as_the_handler_s_error() {
    let (sessions, _) = sessions();
    sessions.update("7", |chat| *chat.edit().count() = 1).await.expect("a commit");
    let ending = sessions.clone();
    let tree: UpdateHandler<Failure> =
        Update::filter_message().chain(session(sessions, by_chat)).endpoint(move |chat: ChatSession<Chat>| {
            let ending = ending.clone();
            async move {
                let mut chat = chat.get().await?;
                ending.destroy("7").await?;
                *chat.edit().count() += 1;
                Ok::<_, Failure>(())
            }
        });
    let ControlFlow::Break(Err(error)) = tree.dispatch(dptree::deps![update(1, 7, "hi")]).await else {
        panic!("nothing was stored");
    };
    assert_eq!(error.to_string(), Error::Destroyed.to_string());
}
