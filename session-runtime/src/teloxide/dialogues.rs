//! Dialogues of teloxide itself, kept in sessions.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use teloxide::dispatching::dialogue::Storage;
use teloxide::types::ChatId;

use crate::error::Error;
use crate::sessions::Sessions;
use crate::store::Store;

/// The session of a dialogue, for [`Dialogues`] with settings of your own.
#[derive(crate::Session)]
#[session(crate = crate, name = "dialogue")]
pub struct KeptDialogue<D: Default + Clone + Serialize + DeserializeOwned + Send + Sync + 'static> {
    state: D,
}

impl<D: Default + Clone + Serialize + DeserializeOwned + Send + Sync + 'static> From<D> for KeptDialogue<D> {
    fn from(state: D) -> Self {
        Self { state }
    }
}

/// Keeps dialogues of teloxide in sessions: its `Storage`, on any store of this crate.
///
/// It takes the place of teloxide's own storages. A dialogue that nobody has begun, and one that is back where it began,
/// is at `D::default()` and is not stored; so `get_or_default`, and with it `dialogue::enter`, writes nothing for chats in
/// which nothing happens. An update of a dialogue to what it is already writes nothing either.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use session_runtime::MemoryStore;
/// use session_runtime::teloxide::Dialogues;
/// use teloxide::dispatching::dialogue::{Dialogue, Storage};
/// use teloxide::types::ChatId;
///
/// #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
/// enum State {
///     #[default]
///     Start,
///     AskedName,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), session_runtime::Error> {
/// let storage = Dialogues::<State>::new(MemoryStore::new());
/// let dialogue = Dialogue::new(storage, ChatId(7));
/// assert_eq!(dialogue.get_or_default().await?, State::Start); // one read, and nothing is written
/// dialogue.update(State::AskedName).await?;
/// dialogue.exit().await?;
/// # Ok(()) }
/// ```
///
/// What is new in comparison: `get_dialogue` always finds one. An update that is delivered twice is handled twice, since a
/// `Storage` is not told which update it works for; [`session`](super::session) is, and does not.
pub struct Dialogues<D: Default + Clone + Serialize + DeserializeOwned + Send + Sync + 'static> {
    sessions: Sessions<KeptDialogue<D>>,
}

impl<D: Default + Clone + Serialize + DeserializeOwned + Send + Sync + 'static> Dialogues<D> {
    /// Dialogues in `store`, under the name `dialogue`.
    #[must_use]
    pub fn new<S: Store>(store: S) -> Arc<Self> {
        Self::of(Sessions::new(store))
    }

    /// Dialogues with settings: another name, for a second type of dialogues in one store, or an expiry.
    ///
    /// ```
    /// # use std::time::Duration;
    /// use session_runtime::teloxide::Dialogues;
    /// use session_runtime::{Expiry, MemoryStore, Sessions};
    ///
    /// let sessions = Sessions::builder(MemoryStore::new())
    ///     .name("order")
    ///     .expiry(Expiry::AfterInactivity(Duration::from_secs(24 * 3600)))
    ///     .build();
    /// let storage = Dialogues::<u8>::of(sessions);
    /// # drop(storage);
    /// ```
    #[must_use]
    pub fn of(sessions: Sessions<KeptDialogue<D>>) -> Arc<Self> {
        Arc::new(Self { sessions })
    }
}

type Answer<R> = Pin<Box<dyn Future<Output = Result<R, Error>> + Send>>;

impl<D: Default + Clone + Serialize + DeserializeOwned + Send + Sync + 'static> Storage<D> for Dialogues<D> {
    type Error = Error;

    /// Removes a dialogue, if there is one.
    fn remove_dialogue(self: Arc<Self>, chat: ChatId) -> Answer<()> {
        Box::pin(async move { self.sessions.destroy(&chat.to_string()).await.map(drop) })
    }

    fn update_dialogue(self: Arc<Self>, chat: ChatId, state: D) -> Answer<()> {
        Box::pin(
            async move { self.sessions.update(&chat.to_string(), |kept| kept.edit().state().clone_from(&state)).await },
        )
    }

    /// The state of a dialogue, which is the initial one if none has begun.
    fn get_dialogue(self: Arc<Self>, chat: ChatId) -> Answer<Option<D>> {
        Box::pin(async move { Ok(Some(self.sessions.load(&chat.to_string()).await?.state.clone())) })
    }
}

impl<D: Default + Clone + Serialize + DeserializeOwned + Send + Sync + 'static> fmt::Debug for Dialogues<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialogues").field("sessions", &self.sessions).finish()
    }
}

/// Shows no value: it can be secret.
impl<D: Default + Clone + Serialize + DeserializeOwned + Send + Sync + 'static> fmt::Debug for KeptDialogue<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptDialogue").finish_non_exhaustive()
    }
}
