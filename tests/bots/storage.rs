//! Dialogues of teloxide itself, in sessions.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use session_examples::bot::BotApi;
use session_runtime::store::LogStore;
use session_runtime::teloxide::{Dialogues, KeptDialogue};
use session_runtime::{MemoryStore, Sessions, SqliteStore};
use teloxide::dispatching::dialogue::{self, Storage};
use teloxide::dispatching::{UpdateFilterExt, UpdateHandler};
use teloxide::dptree::case;
use teloxide::prelude::*;

use crate::chat::{Done, Failure, TestStore, calls};
use crate::running::Running;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
enum Order {
    #[default]
    Start,
    Size,
    Done {
        size: u8,
    },
}

type Ordering = Dialogue<Order, Dialogues<Order>>;

fn storage() -> (Arc<Dialogues<Order>>, TestStore) {
    let store = LogStore::new(MemoryStore::new());
    (Dialogues::new(store.clone()), store)
}

async fn start(bot: Bot, dialogue: Ordering, message: Message) -> Done {
    if message.text() == Some("/order") {
        dialogue.update(Order::Size).await?;
    }
    bot.send_message(message.chat.id, "Which size?").await?;
    Ok(())
}

async fn size(bot: Bot, dialogue: Ordering, message: Message) -> Done {
    let size = message.text().and_then(|text| text.parse().ok()).ok_or("no size")?;
    dialogue.update(Order::Done { size }).await?;
    bot.send_message(message.chat.id, "Done").await?;
    Ok(())
}

async fn done(bot: Bot, dialogue: Ordering, message: Message, size: u8) -> Done {
    dialogue.exit().await?;
    bot.send_message(message.chat.id, format!("Size {size} is on its way")).await?;
    Ok(())
}

/// As a user of teloxide writes it.
fn tree() -> UpdateHandler<Failure> {
    dialogue::enter::<Update, Dialogues<Order>, Order, _>().chain(
        Update::filter_message()
            .branch(case![Order::Start].endpoint(start))
            .branch(case![Order::Size].endpoint(size))
            .branch(case![Order::Done { size }].endpoint(done)),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dialogue_of_teloxide_goes_on_in_a_session() {
    let (api, (storage, store)) = (BotApi::start().await.expect("a server"), storage());
    let with_storage = dptree::map(move || storage.clone());
    let bot = Running::polling(&api, dptree::entry().chain(with_storage).chain(tree()));
    for chat in 1..=100 {
        api.say(chat, "hello");
    }
    api.texts(100).await;
    assert_eq!(calls(&store), vec!["load"; 100], "a hello writes nothing");
    for text in ["/order", "3", "thanks"] {
        api.say(7, text);
    }
    assert_eq!(api.texts(103).await[100..], ["Which size?", "Done", "Size 3 is on its way"]);
    bot.stop().await;
    assert_eq!(
        Sessions::<KeptDialogue<Order>>::new(store.clone()).admin(store).count("dialogue").await.expect("a count"),
        0
    );
}

#[tokio::test]
async fn a_dialogue_is_updated_removed_and_found_again() {
    let (storage, store) = storage();
    let chat = ChatId(7);
    let get = || storage.clone().get_dialogue(chat);
    assert_eq!(get().await.expect("a load"), Some(Order::Start));
    storage.clone().remove_dialogue(chat).await.expect("nothing is there to remove");
    storage.clone().update_dialogue(chat, Order::Start).await.expect("nothing to store");
    assert_eq!(calls(&store), ["load", "load", "load"]);
    storage.clone().update_dialogue(chat, Order::Size).await.expect("a commit");
    storage.clone().update_dialogue(chat, Order::Size).await.expect("the same again");
    assert_eq!(calls(&store), ["load", "commit", "load"]);
    assert_eq!(get().await.expect("a load"), Some(Order::Size));
    storage.clone().remove_dialogue(chat).await.expect("a removal");
    assert_eq!(get().await.expect("a load"), Some(Order::Start));
}

#[tokio::test]
async fn a_dialogue_goes_on_after_a_restart_and_dialogues_of_another_name_are_others() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let open = async || SqliteStore::open(folder.path().join("dialogues.db")).await.expect("a store");
    Dialogues::<Order>::new(open().await).update_dialogue(ChatId(7), Order::Size).await.expect("a commit");
    let again = Dialogues::<Order>::new(open().await).get_dialogue(ChatId(7)).await.expect("a load");
    assert_eq!(again, Some(Order::Size));
    let others = Dialogues::<Order>::of(Sessions::builder(open().await).name("other").build());
    assert_eq!(others.get_dialogue(ChatId(7)).await.expect("a load"), Some(Order::Start));
}
