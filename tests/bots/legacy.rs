//! Dialogues that one of teloxide's own storages keeps, and that go on in sessions.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use session_examples::bot::BotApi;
use session_runtime::legacy::{Legacy, LegacyError, Old};
use session_runtime::store::LogStore;
use session_runtime::teloxide::{Dialogues, KeptDialogue, follow_migration, stored_dialogue};
use session_runtime::{MemoryStore, Session as _, Sessions};
use teloxide::dispatching::dialogue::{InMemStorage, Storage};
use teloxide::prelude::*;

use crate::chat::{Chat, Dialogue, TestStore, calls, tree};
use crate::running::Running;

type OldStorage = InMemStorage<Dialogue>;

/// Asked for an hour. A session of type `T` is made of a dialogue by `old`.
fn legacy<T: 'static>(storage: &Arc<OldStorage>, old: fn(Dialogue) -> T) -> Legacy<T> {
    let storage = storage.clone();
    Legacy::until(SystemTime::now() + Duration::from_secs(3600), move |key| {
        let storage = storage.clone();
        async move {
            let dialogue = stored_dialogue(storage, &key).await.map_err(LegacyError::unavailable)?;
            Ok(dialogue.map(|dialogue| Old::new(old(dialogue))))
        }
    })
}

async fn old_storage(chat: i64) -> Arc<OldStorage> {
    let storage = OldStorage::new();
    let asked = Dialogue::AskedAge { name: "Ann".to_owned() };
    storage.clone().update_dialogue(ChatId(chat), asked).await.expect("it is kept");
    storage
}

fn sessions(storage: &Arc<OldStorage>) -> (Sessions<Chat>, TestStore) {
    let store = LogStore::new(MemoryStore::new());
    let legacy = legacy(storage, |dialogue| Chat { dialogue, ..Chat::initial() });
    (Sessions::builder(store.clone()).legacy(legacy).build(), store)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dialogue_of_teloxide_goes_on_where_it_was() {
    let (api, storage) = (BotApi::start().await.expect("a server"), old_storage(7).await);
    let (sessions, store) = sessions(&storage);
    let bot = Running::polling(&api, tree(sessions.clone()));
    api.say(7, "30");
    assert_eq!(api.texts(1).await, ["Ann is 30"]);
    api.say(7, "hello");
    assert_eq!(api.texts(2).await[1], "0 Some(30)", "it is not asked for again, though the dialogue is idle here");
    api.say(8, "/count");
    assert_eq!(api.texts(3).await[2], "1");
    bot.stop().await;
    assert_eq!(calls(&store), ["load", "commit", "load", "load", "commit"]);
    let kept = storage.get_dialogue(ChatId(7)).await.expect("a look");
    assert_eq!(kept, Some(Dialogue::AskedAge { name: "Ann".to_owned() }), "the old one stays as it is");
}

/// A handler that only reads stores what was taken over, and one that fails does not.
#[tokio::test(flavor = "multi_thread")]
async fn a_dialogue_is_stored_by_the_first_handler_that_succeeds() {
    let (api, storage) = (BotApi::start().await.expect("a server"), OldStorage::new());
    storage.clone().update_dialogue(ChatId(7), Dialogue::Idle).await.expect("it is kept");
    let store = LogStore::new(MemoryStore::new());
    let legacy = legacy(&storage, |dialogue| Chat { dialogue, age: Some(30), ..Chat::initial() });
    let sessions = Sessions::builder(store.clone()).legacy(legacy).build();
    let mut bot = Running::polling(&api, tree(sessions));
    api.say(7, "/fail");
    bot.error().await;
    assert_eq!(calls(&store), ["load"]);
    for asked in 1..=2 {
        api.say(7, "hello");
        assert_eq!(api.texts(asked).await[asked - 1], "0 Some(30)");
    }
    bot.stop().await;
    assert_eq!(calls(&store), ["load", "commit", "load"]);
}

#[tokio::test]
async fn a_group_that_becomes_a_supergroup_takes_its_old_dialogue_along() {
    let (api, storage) = (BotApi::start().await.expect("a server"), old_storage(-5).await);
    let (sessions, _) = sessions(&storage);
    let bot = Running::polling(&api, dptree::entry().chain(follow_migration(sessions.clone())).chain(tree(sessions)));
    api.message(-5, serde_json::json!({ "migrate_to_chat_id": -1_000_000_000_005_i64 }));
    api.texts(1).await;
    api.say(-1_000_000_000_005, "30");
    assert_eq!(api.texts(2).await[1], "Ann is 30");
    bot.stop().await;
}

/// The keys of topics and users are no ids of chats.
#[tokio::test]
async fn a_key_that_is_no_chat_has_no_old_dialogue() {
    let storage = old_storage(7).await;
    for key in ["7/4", "", "x", "99999999999999999999"] {
        assert_eq!(stored_dialogue(storage.clone(), key).await.expect("a look"), None);
    }
}

#[tokio::test]
async fn dialogues_go_on_from_one_storage_to_the_other() {
    let old = old_storage(7).await;
    let store = LogStore::new(MemoryStore::new());
    let sessions = Sessions::builder(store.clone()).legacy(legacy(&old, KeptDialogue::from)).build();
    let storage = Dialogues::<Dialogue>::of(sessions);
    let get = || storage.clone().get_dialogue(ChatId(7));
    assert_eq!(get().await.expect("a load"), Some(Dialogue::AskedAge { name: "Ann".to_owned() }));
    storage.clone().update_dialogue(ChatId(7), Dialogue::AskedName).await.expect("a commit");
    assert_eq!(get().await.expect("a load"), Some(Dialogue::AskedName));
    storage.clone().remove_dialogue(ChatId(7)).await.expect("an end");
    assert_eq!(get().await.expect("a load"), Some(Dialogue::Idle), "it does not come back");
    assert_eq!(calls(&store), ["load", "load", "commit", "load", "load", "destroy", "load"]);
}
