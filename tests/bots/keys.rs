//! Whose session an update belongs to.

use std::ops::ControlFlow;

use serde_json::{Value, json};
use session_runtime::teloxide::{ChatSession, by_chat, by_chat_and_user, by_topic, by_user, required_session, session};
use session_runtime::{MemoryStore, Session, Sessions};
use teloxide::dispatching::UpdateHandler;
use teloxide::dptree;
use teloxide::prelude::*;

use crate::chat::{Chat, Done, Failure, sessions};

pub(crate) fn any_update(content: &Value) -> Update {
    serde_json::from_str(&content.to_string()).expect("an update")
}

fn message(chat: i64, user: u64) -> Value {
    json!({
        "message_id": 1, "date": 1, "chat": { "id": chat, "type": "supergroup", "title": "Friends" },
        "from": { "id": user, "is_bot": false, "first_name": "Ada" }, "text": "hi"
    })
}

pub(crate) fn update(id: u32, chat: i64, text: &str) -> Update {
    let mut message = message(chat, 7);
    message["text"] = text.into();
    any_update(&json!({ "update_id": id, "message": message }))
}

fn inline_query() -> Update {
    any_update(&json!({ "update_id": 1, "inline_query": {
        "id": "1", "from": { "id": 7, "is_bot": false, "first_name": "Ada" }, "query": "tea", "offset": ""
    } }))
}

#[test]
fn keys_are_by_chat_by_user_by_both_and_by_topic() {
    let plain = any_update(&json!({ "update_id": 1, "message": message(-100, 7) }));
    let mut topic = message(-100, 7);
    (topic["message_thread_id"], topic["is_topic_message"]) = (4.into(), true.into());
    let pressed = any_update(&json!({ "update_id": 1, "callback_query": {
        "id": "1", "from": { "id": 8, "is_bot": false, "first_name": "Eve" }, "message": topic, "chat_instance": "1",
        "data": "yes"
    } }));
    let in_topic = any_update(&json!({ "update_id": 1, "message": topic }));
    let keys = |update: &Update| {
        [by_chat, by_user, by_chat_and_user, by_topic].map(|key| key(update).unwrap_or_else(|| "none".to_owned()))
    };
    assert_eq!(keys(&plain), ["-100", "7", "-100/7", "-100"]);
    assert_eq!(keys(&in_topic), ["-100", "7", "-100/7", "-100/4"]);
    assert_eq!(keys(&pressed), ["-100", "8", "-100/8", "-100/4"]);
    assert_eq!(keys(&inline_query()), ["none", "7", "none", "none"]);
}

async fn count(chat: ChatSession<Chat>) -> Done {
    *chat.get().await?.edit().count() += 1;
    Ok(())
}

#[tokio::test]
async fn an_update_without_a_key_is_passed_by_or_fails_as_told() {
    let (sessions, _) = sessions();
    let skips: UpdateHandler<Failure> = dptree::entry()
        .branch(session(sessions.clone(), by_chat).endpoint(count))
        .branch(dptree::endpoint(async || Err::<(), Failure>("passed by".into())));
    let fails: UpdateHandler<Failure> = dptree::entry().chain(required_session(sessions, by_chat)).endpoint(count);
    for (tree, told) in [(skips, "passed by"), (fails, "this update has no key of a session")] {
        let ControlFlow::Break(Err(error)) = tree.dispatch(dptree::deps![inline_query()]).await else {
            panic!("an error");
        };
        assert_eq!(error.to_string(), told);
        assert!(matches!(tree.dispatch(dptree::deps![update(1, 7, "hi")]).await, ControlFlow::Break(Ok(()))));
    }
}

#[derive(Session)]
#[session(name = "user")]
struct User {
    seen: u32,
}

#[tokio::test]
async fn a_tree_has_sessions_of_several_types_by_keys_of_their_own() {
    let store = MemoryStore::new();
    let (chats, users) = (Sessions::<Chat>::new(store.clone()), Sessions::<User>::new(store));
    let by_first_letter = |update: &Update| match &update.kind {
        teloxide::types::UpdateKind::Message(message) => message.text()?.get(..1).map(str::to_owned),
        _ => None,
    };
    let tree: UpdateHandler<Failure> = dptree::entry()
        .chain(session(chats.clone(), by_first_letter))
        .chain(session(users.clone(), by_user))
        .endpoint(async |chat: ChatSession<Chat>, user: ChatSession<User>| {
            *chat.get().await?.edit().count() += 1;
            *user.get().await?.edit().seen() += 1;
            Ok::<_, Failure>(())
        });
    for (id, text) in [(1, "apple"), (2, "pear"), (3, "plum")] {
        assert!(tree.dispatch(dptree::deps![update(id, -100, text)]).await.is_break());
    }
    assert_eq!(users.load("7").await.expect("a load").seen, 3);
    assert_eq!(chats.load("p").await.expect("a load").count, 2);
}

#[test]
#[should_panic(expected = "ChatSession<bots::chat::Chat>")]
fn a_tree_without_the_session_that_a_handler_takes_is_refused_before_the_bot_starts() {
    let tree: UpdateHandler<Failure> = Update::filter_message().endpoint(count);
    let _ = Dispatcher::builder(Bot::new("token"), tree).build();
}

#[test]
fn a_tree_with_the_sessions_that_its_handlers_take_is_accepted() {
    let (sessions, _) = sessions();
    let _ = Dispatcher::builder(Bot::new("token"), crate::chat::tree(sessions)).build();
}
