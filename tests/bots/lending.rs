//! How a session is lent within one update.

use std::ops::ControlFlow;
use std::sync::Arc;

use session_runtime::teloxide::{ChatSession, by_chat, part, session};
use session_runtime::{MessagePack, Sessions};
use teloxide::dispatching::UpdateHandler;
use teloxide::dptree;
use tokio::sync::Mutex;

use crate::chat::{Chat, Done, Failure, calls, sessions};
use crate::keys::update;

async fn run(tree: UpdateHandler<Failure>) -> Result<(), String> {
    match tree.dispatch(dptree::deps![update(1, 7, "hi")]).await {
        ControlFlow::Break(done) => done.map_err(|error| error.to_string()),
        ControlFlow::Continue(_) => Err("nobody".to_owned()),
    }
}

#[tokio::test]
async fn a_session_is_loaded_once_for_an_update_and_not_at_all_if_nobody_asks() {
    let (sessions, store) = sessions();
    let tree = || dptree::entry().chain(session(sessions.clone(), by_chat));
    assert_eq!(run(tree().endpoint(async |_: ChatSession<Chat>| Done::Ok(()))).await, Ok(()));
    assert_eq!(calls(&store), [""; 0]);
    let counting = dptree::filter_async(async |chat: ChatSession<Chat>| {
        let mut chat = chat.get().await.expect("it is free");
        *chat.edit().count() += 1;
        true
    });
    let reading = async |chat: ChatSession<Chat>, part: u32| {
        assert_eq!((chat.get().await?.count, part, chat.key()), (1, 0, "7"));
        Done::Ok(())
    };
    assert_eq!(run(tree().chain(part(|chat: &Chat| chat.count)).chain(counting).endpoint(reading)).await, Ok(()));
    assert_eq!(calls(&store), ["load", "commit"]);
}

#[tokio::test]
async fn one_place_has_the_session_at_a_time() {
    let (sessions, _) = sessions();
    let twice = async |chat: ChatSession<Chat>| {
        let _lent = chat.get().await?;
        chat.get().await?;
        Done::Ok(())
    };
    let told = run(dptree::entry().chain(session(sessions, by_chat)).endpoint(twice)).await;
    assert!(told.expect_err("it is lent").contains("lent already"));
}

#[tokio::test]
async fn a_session_that_is_kept_after_the_handler_is_not_stored_and_the_update_fails() {
    let (sessions, store) = sessions();
    let kept = Arc::new(Mutex::new(None));
    let keeper = kept.clone();
    let keeping = move |chat: ChatSession<Chat>| {
        let keeper = keeper.clone();
        async move {
            let mut lent = chat.get().await?;
            *lent.edit().count() += 1;
            *keeper.lock().await = Some((lent, chat));
            Done::Ok(())
        }
    };
    let told = run(dptree::entry().chain(session(sessions, by_chat)).endpoint(keeping)).await;
    assert!(told.expect_err("it is kept").contains("not given back"));
    let (lent, chat) = kept.lock().await.take().expect("it is kept");
    drop(lent);
    assert!(chat.get().await.expect_err("it is over").to_string().contains("has returned"));
    assert_eq!(calls(&store), ["load"]);
}

#[tokio::test]
async fn what_nobody_handles_stores_nothing() {
    let (sessions, store) = sessions();
    let counting = dptree::filter_async(async |chat: ChatSession<Chat>| {
        *chat.get().await.expect("it is free").edit().count() += 1;
        false
    });
    let tree = dptree::entry().chain(session(sessions, by_chat)).chain(counting).endpoint(async || Done::Ok(()));
    assert_eq!(run(tree).await, Err("nobody".to_owned()));
    assert_eq!(calls(&store), ["load"]);
}

#[tokio::test]
async fn what_a_handler_commits_is_stored_before_it_goes_on_and_later_changes_too() {
    let (sessions, store) = sessions();
    let other = sessions.clone();
    let committing = move |chat: ChatSession<Chat>| {
        let other = other.clone();
        async move {
            let mut chat = chat.get().await?;
            *chat.edit().count() += 1;
            assert!(chat.is_new());
            chat.commit().await?;
            assert_eq!(other.load("7").await?.count, 1);
            *chat.edit().age() = Some(36);
            Done::Ok(())
        }
    };
    let tree = dptree::entry().chain(session(sessions.clone(), by_chat)).endpoint(committing);
    assert_eq!(run(tree.clone()).await, Ok(()));
    assert_eq!(calls(&store), ["load", "commit", "load", "commit"]);
    assert_eq!(run(tree).await, Ok(()), "it is the same update");
    let chat = sessions.load("7").await.expect("a load");
    assert_eq!((chat.count, chat.age), (1, Some(36)));
}

#[tokio::test]
async fn a_handler_ends_a_session_or_sets_its_end() {
    let (sessions, store) = sessions();
    sessions.update("7", |chat| *chat.edit().count() = 3).await.expect("a commit");
    let remembering = async |chat: ChatSession<Chat>| {
        let mut chat = chat.get().await?;
        chat.handle().expire_after(std::time::Duration::from_secs(3600));
        Done::Ok(())
    };
    let forgetting = async |chat: ChatSession<Chat>| {
        chat.get().await?.destroy().await?;
        Done::Ok(())
    };
    let tree = || dptree::entry().chain(session(sessions.clone(), by_chat));
    assert_eq!(run(tree().endpoint(remembering)).await, Ok(()));
    assert!(sessions.load("7").await.expect("a load").expires_at().is_some());
    calls(&store);
    let delete = |message| update(message, 7, "hi");
    assert!(tree().endpoint(forgetting).dispatch(dptree::deps![delete(2)]).await.is_break());
    assert_eq!(calls(&store), ["load", "destroy"]);
    assert!(sessions.load("7").await.expect("a load").is_new());
}

#[tokio::test]
async fn sessions_in_another_encoding_are_lent_too() {
    let sessions = Sessions::<Chat>::builder(session_runtime::MemoryStore::new()).codec(MessagePack).build();
    let counting = async |chat: ChatSession<Chat, MessagePack>, count: u32| {
        *chat.get().await?.edit().count() = count + 1;
        Done::Ok(())
    };
    let tree = dptree::entry()
        .chain(session(sessions.clone(), by_chat))
        .chain(ChatSession::<Chat, MessagePack>::part(|chat| chat.count))
        .endpoint(counting);
    assert_eq!(run(tree).await, Ok(()));
    assert_eq!(sessions.load("7").await.expect("a load").count, 1);
}
