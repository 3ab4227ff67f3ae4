//! Dialogues, and chats in which nothing happens.

use session_examples::bot::BotApi;

use crate::chat::{Dialogue, calls, sessions, tree};
use crate::running::Running;

#[tokio::test(flavor = "multi_thread")]
async fn a_dialogue_goes_from_state_to_state_and_leaves_its_result() {
    let (api, (sessions, store)) = (BotApi::start().await.expect("a server"), sessions());
    let bot = Running::polling(&api, tree(sessions.clone()));
    for text in ["/name", "Ada", "36", "hello"] {
        api.say(7, text);
    }
    assert_eq!(api.texts(4).await, ["What is your name?", "How old are you?", "Ada is 36", "0 Some(36)"]);
    bot.stop().await;
    assert_eq!(calls(&store), ["load", "commit", "load", "commit", "load", "commit", "load"]);
    let chat = sessions.load("7").await.expect("a load");
    assert_eq!((chat.dialogue.clone(), chat.age), (Dialogue::Idle, Some(36)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dialogue_goes_on_after_the_bot_was_restarted() {
    let (api, (sessions, _)) = (BotApi::start().await.expect("a server"), sessions());
    for (count, text) in ["/name", "Ada", "36"].into_iter().enumerate() {
        let bot = Running::polling(&api, tree(sessions.clone()));
        api.say(7, text);
        api.texts(count + 1).await;
        bot.stop().await;
    }
    assert_eq!(api.replies()[2].text, "Ada is 36");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_chats_of_one_message_leave_nothing_in_the_store_and_cost_one_read_each() {
    let (api, (sessions, store)) = (BotApi::start().await.expect("a server"), sessions());
    for chat in 1..=1_000 {
        api.say(chat, "hello");
    }
    let bot = Running::polling(&api, tree(sessions.clone()));
    api.texts(1_000).await;
    bot.stop().await;
    // One of them, the first, looks for what instances agreed on; that is no session.
    assert_eq!(calls(&store), vec!["load"; 1_000]);
    assert_eq!(sessions.admin(store).count("chat").await.expect("a count"), 0);
}
