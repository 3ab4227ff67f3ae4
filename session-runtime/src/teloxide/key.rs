//! Whose session an update belongs to.

use teloxide::types::{Message, Update, UpdateKind};

/// A session for each chat: `"-100123"`. Updates that come from no chat, such as inline queries, have none.
#[must_use]
pub fn by_chat(update: &Update) -> Option<String> {
    update.chat().map(|chat| chat.id.to_string())
}

/// A session for each user, in whatever chat: `"7"`. Updates that no user caused have none.
#[must_use]
pub fn by_user(update: &Update) -> Option<String> {
    update.from().map(|user| user.id.to_string())
}

/// A session for each user in each chat: `"-100123/7"`.
#[must_use]
pub fn by_chat_and_user(update: &Update) -> Option<String> {
    Some(format!("{}/{}", by_chat(update)?, by_user(update)?))
}

/// A session for each topic of a forum: `"-100123/4"`. What is outside of topics shares that of its chat.
#[must_use]
pub fn by_topic(update: &Update) -> Option<String> {
    let chat = by_chat(update)?;
    let thread = message(update).filter(|message| message.is_topic_message).and_then(|message| message.thread_id);
    Some(thread.map_or_else(|| chat.clone(), |thread| format!("{chat}/{thread}")))
}

/// The message that an update brings, or whose button was pressed.
fn message(update: &Update) -> Option<&Message> {
    match &update.kind {
        UpdateKind::Message(message)
        | UpdateKind::EditedMessage(message)
        | UpdateKind::ChannelPost(message)
        | UpdateKind::EditedChannelPost(message)
        | UpdateKind::BusinessMessage(message)
        | UpdateKind::EditedBusinessMessage(message) => Some(message),
        UpdateKind::CallbackQuery(query) => query.regular_message(),
        _ => None,
    }
}
