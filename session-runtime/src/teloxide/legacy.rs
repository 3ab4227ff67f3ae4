use std::sync::Arc;

use teloxide::dispatching::dialogue::Storage;
use teloxide::types::ChatId;

/// The dialogue that one of teloxide's own storages keeps of a chat, for [moving in](crate::legacy): whatever the storage
/// and its serializer.
///
/// ```
/// use std::time::{Duration, SystemTime};
///
/// use serde::{Deserialize, Serialize};
/// use session_runtime::legacy::{Legacy, LegacyError, Old};
/// use session_runtime::teloxide::stored_dialogue;
/// use session_runtime::{MemoryStore, Session, Sessions};
/// use teloxide::dispatching::dialogue::InMemStorage;
///
/// #[derive(Session)]
/// struct Chat {
///     dialogue: Dialogue,
///     count: u32,
/// }
///
/// #[derive(Clone, Default, Serialize, Deserialize)]
/// enum Dialogue {
///     #[default]
///     Idle,
///     AskedAge { name: String },
/// }
///
/// let storage = InMemStorage::<Dialogue>::new();
/// let in_a_month = SystemTime::now() + Duration::from_secs(30 * 24 * 3600);
/// let legacy = Legacy::until(in_a_month, move |key| {
///     let storage = storage.clone();
///     async move {
///         let dialogue = stored_dialogue(storage, &key).await.map_err(LegacyError::unavailable)?;
///         Ok(dialogue.map(|dialogue| Old::new(Chat { dialogue, ..Chat::initial() })))
///     }
/// });
/// let sessions = Sessions::<Chat>::builder(MemoryStore::new()).legacy(legacy).build();
/// # drop(sessions);
/// ```
///
/// The key is that of [`by_chat`](super::by_chat). A key that is no chat's id has no dialogue, and the storage is not
/// asked.
///
/// # Errors
/// Those of the storage.
pub async fn stored_dialogue<D, S: Storage<D> + ?Sized>(storage: Arc<S>, key: &str) -> Result<Option<D>, S::Error> {
    match key.parse() {
        Ok(chat) => storage.get_dialogue(ChatId(chat)).await,
        Err(_) => Ok(None),
    }
}
