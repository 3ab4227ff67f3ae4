//! The tree of spans of an update: its session's handler, in it the verbs, and in those the calls to the store.

use std::ops::ControlFlow;

use session_runtime::teloxide::{ChatSession, by_chat, session};
use session_tests::Spans;
use teloxide::dispatching::UpdateHandler;
use teloxide::dptree;

use crate::chat::{Chat, Done, Failure, sessions};
use crate::keys::update;

/// The spans of an update with this id.
async fn spans(tree: &UpdateHandler<Failure>, id: u32) -> Vec<String> {
    let (spans, _guard) = Spans::capture();
    let _done: ControlFlow<_, _> = tree.dispatch(dptree::deps![update(id, 7, "hi")]).await;
    spans.take()
}

fn lending(endpoint: UpdateHandler<Failure>) -> UpdateHandler<Failure> {
    dptree::entry().chain(session(sessions().0, by_chat)).branch(endpoint)
}

#[tokio::test]
async fn an_update_that_changes_its_session_shows_a_load_and_a_commit() {
    let count = dptree::endpoint(async |chat: ChatSession<Chat>| {
        *chat.get().await?.edit().count() += 1;
        Done::Ok(())
    });
    let tree = lending(count);
    spans(&tree, 1).await;
    let second = [
        "session_update session=chat update=2 outcome=updated",
        "  session_verb verb=load session=chat touched=false outcome=known",
        "    session_store operation=load session=chat",
        "  session_verb verb=commit session=chat fields=1 attempts=1 conflicts=0 outcome=updated",
        "    session_store operation=commit session=chat",
    ];
    assert_eq!(spans(&tree, 2).await, second);
    let again = [
        "session_update session=chat update=2 outcome=done before",
        "  session_verb verb=load session=chat touched=false outcome=known",
        "    session_store operation=load session=chat",
    ];
    assert_eq!(spans(&tree, 2).await, again);
}

#[tokio::test]
async fn an_update_says_what_became_of_its_session() {
    let fail = async |chat: ChatSession<Chat>| {
        *chat.get().await?.edit().count() += 1;
        Done::Err("told to".into())
    };
    let read = async |chat: ChatSession<Chat>| {
        chat.get().await?;
        Done::Ok(())
    };
    for (handler, outcome) in [
        (dptree::endpoint(async || Done::Ok(())), "unasked"),
        (dptree::filter(|| false).endpoint(async || Done::Ok(())), "unhandled"),
        (dptree::endpoint(read), "unchanged"),
        (dptree::endpoint(fail), "discarded"),
    ] {
        let spans = spans(&lending(handler), 1).await;
        assert_eq!(spans[0], format!("session_update session=chat update=1 outcome={outcome}"));
    }
}
