//! Groups that become supergroups, which have another id.

use std::ops::ControlFlow;
use std::panic::Location;
use std::sync::Arc;

use teloxide::dispatching::UpdateHandler;
use teloxide::dptree::di::DependencyMap;
use teloxide::dptree::{self, HandlerSignature, Type};
use teloxide::types::{ChatId, Update, UpdateKind};

use super::error::ChatError;
use crate::codec::Codec;
use crate::error::Error;
use crate::session::Session;
use crate::sessions::Sessions;

/// Moves the session of a group along when the group becomes a supergroup and gets another id: one line, before the
/// [`session`](super::session) whose key is [`by_chat`](super::by_chat).
///
/// ```
/// use session_runtime::teloxide::{by_chat, follow_migration, session};
/// use session_runtime::{MemoryStore, Session, Sessions};
/// use teloxide::dispatching::{UpdateFilterExt, UpdateHandler};
/// use teloxide::types::Update;
///
/// # #[derive(Session)]
/// # struct Chat { count: u32 }
/// type Failure = Box<dyn std::error::Error + Send + Sync>;
///
/// let sessions = Sessions::<Chat>::new(MemoryStore::new());
/// let tree: UpdateHandler<Failure> = Update::filter_message()
///     .chain(follow_migration(sessions.clone()))
///     .chain(session(sessions, by_chat));
/// # drop(tree);
/// ```
///
/// Telegram tells of it twice, in the old chat and in the new one; whichever comes first moves the session, and the other
/// finds it moved. Other updates cost nothing. Updates of the old chat that are in flight store nothing any more: their
/// commits are [`Error::Renewed`]. If the supergroup has a session already, the update fails with [`Error::Occupied`], and
/// both sessions stay as they are.
#[must_use]
#[track_caller]
pub fn follow_migration<T, C, E>(sessions: Sessions<T, C>) -> UpdateHandler<E>
where
    T: Session + Sync,
    C: Codec,
    E: From<ChatError> + Send + Sync + 'static,
{
    let run = move |before: DependencyMap, next: dptree::Cont<'static, Result<(), E>>| {
        let sessions = sessions.clone();
        async move {
            let update: Arc<Update> = before.get();
            if let Some((from, to)) = migration(&update)
                && let Err(error) = follow(&sessions, from, to).await
            {
                return ControlFlow::Break(Err(ChatError::Session(error).into()));
            }
            next(before).await
        }
    };
    let signature = HandlerSignature::Other {
        obligations: [(Type::of::<Update>(), Location::caller())].into(),
        guaranteed_outcomes: [].into(),
        conditional_outcomes: [].into(),
        continues: true,
    };
    dptree::from_fn(run, signature)
}

async fn follow<T: Session, C: Codec>(sessions: &Sessions<T, C>, from: ChatId, to: ChatId) -> Result<(), Error> {
    let mut group = sessions.load(&from.to_string()).await?;
    if group.is_new() && !group.is_moved_in() {
        return Ok(());
    }
    match group.renew(&to.to_string()).await {
        // The other word of it was faster.
        Ok(_) | Err(Error::Renewed) => Ok(()),
        Err(error) => Err(error),
    }
}

/// From which chat to which, if an update tells of that.
fn migration(update: &Update) -> Option<(ChatId, ChatId)> {
    let UpdateKind::Message(message) = &update.kind else { return None };
    let here = message.chat.id;
    let to = message.migrate_to_chat_id().map(|to| (here, *to));
    to.or_else(|| message.migrate_from_chat_id().map(|from| (*from, here)))
}
