//! Groups that become supergroups.

use std::ops::ControlFlow;

use serde_json::json;
use session_examples::bot::BotApi;
use session_runtime::Sessions;
use session_runtime::teloxide::{ChatSession, by_chat, follow_migration, session};
use teloxide::dispatching::UpdateHandler;
use teloxide::dptree;
use teloxide::prelude::*;

use crate::chat::{Chat, Done, Failure, calls, sessions, tree};
use crate::keys::any_update;
use crate::running::Running;

const GROUP: i64 = -5;
const SUPERGROUP: i64 = -1_000_000_000_005;

fn moving(sessions: &Sessions<Chat>) -> UpdateHandler<Failure> {
    dptree::entry().chain(follow_migration(sessions.clone())).chain(tree(sessions.clone()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_keeps_its_session_when_it_becomes_a_supergroup_whichever_word_of_it_comes_first() {
    for is_old_first in [true, false] {
        let (api, (sessions, store)) = (BotApi::start().await.expect("a server"), sessions());
        let bot = Running::polling(&api, moving(&sessions));
        api.say(GROUP, "/count");
        api.texts(1).await;
        let words = [
            (GROUP, json!({ "migrate_to_chat_id": SUPERGROUP })),
            (SUPERGROUP, json!({ "migrate_from_chat_id": GROUP })),
        ];
        let words = if is_old_first {
            words
        } else {
            let [one, other] = words;
            [other, one]
        };
        for (chat, word) in words {
            let answers = api.replies().len();
            api.message(chat, word);
            api.texts(answers + 1).await;
        }
        let answers = api.replies().len();
        api.say(SUPERGROUP, "/count");
        assert_eq!(api.texts(answers + 1).await[answers], "2");
        bot.stop().await;
        calls(&store);
        assert!(sessions.load(&GROUP.to_string()).await.expect("a load").is_new());
        assert_eq!(sessions.load(&SUPERGROUP.to_string()).await.expect("a load").count, 2);
    }
}

#[tokio::test]
async fn other_updates_cost_nothing_and_a_group_without_a_session_one_read() {
    let (sessions, store) = sessions();
    let tree: UpdateHandler<Failure> = dptree::entry()
        .chain(follow_migration(sessions.clone()))
        .chain(session(sessions.clone(), by_chat))
        .endpoint(async |_: ChatSession<Chat>| Done::Ok(()));
    assert!(tree.dispatch(dptree::deps![crate::keys::update(1, 7, "hi")]).await.is_break());
    assert_eq!(calls(&store), [""; 0]);
    assert!(tree.dispatch(dptree::deps![word()]).await.is_break());
    assert_eq!(calls(&store), ["load"]);
}

fn word() -> Update {
    any_update(&json!({ "update_id": 2, "message": {
        "message_id": 1, "date": 1, "chat": { "id": GROUP, "type": "group", "title": "Friends" },
        "from": { "id": 7, "is_bot": false, "first_name": "Ada" }, "migrate_to_chat_id": SUPERGROUP
    } }))
}

#[tokio::test]
async fn a_supergroup_that_has_a_session_keeps_it_and_the_update_fails() {
    let (sessions, _) = sessions();
    for (chat, count) in [(GROUP, 1), (SUPERGROUP, 10)] {
        sessions.update(&chat.to_string(), |chat| *chat.edit().count() = count).await.expect("a commit");
    }
    let ControlFlow::Break(Err(error)) = moving(&sessions).dispatch(dptree::deps![word()]).await else {
        panic!("it is occupied");
    };
    assert!(error.to_string().contains("holds a session already"), "{error}");
    assert_eq!(sessions.load(&GROUP.to_string()).await.expect("a load").count, 1);
    assert_eq!(sessions.load(&SUPERGROUP.to_string()).await.expect("a load").count, 10);
}
