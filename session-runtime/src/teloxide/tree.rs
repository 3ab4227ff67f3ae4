//! Handlers for teloxide's trees: what lends sessions, and what branches on them.

use std::ops::ControlFlow;
use std::panic::Location;
use std::sync::Arc;

use teloxide::dispatching::UpdateHandler;
use teloxide::dptree::di::DependencyMap;
use teloxide::dptree::{self, HandlerSignature, Type};
use teloxide::types::Update;
use tracing::{Instrument, Span};

use super::error::ChatError;
use super::session::ChatSession;
use super::slot::{Closed, Slot};
use crate::codec::Codec;
use crate::session::Session;
use crate::sessions::{Once, Sessions, tell, update_span};
use crate::store::WorkId;

/// Gives what follows in the tree the session of each update, as [`ChatSession`]; `key` says whose that is, such as
/// [`by_chat`](super::by_chat). An update without a key is passed by, as by a filter.
///
/// What an update changed is committed when its handler has returned `Ok`, and forgotten if it returned `Err`, panicked,
/// or if no handler was found. It is known by the id of the update: delivered again, it is not done again. See
/// [the module](super).
///
/// Several types of sessions are several of these, in a chain.
///
/// ```
/// use session_runtime::teloxide::{ChatSession, by_chat, by_user, session};
/// use session_runtime::{MemoryStore, Session, Sessions};
/// use teloxide::dispatching::{UpdateFilterExt, UpdateHandler};
/// use teloxide::types::Update;
///
/// # #[derive(Session)]
/// # struct Chat { count: u32 }
/// # #[derive(Session)]
/// # struct User { seen: u32 }
/// type Failure = Box<dyn std::error::Error + Send + Sync>;
///
/// async fn count(chat: ChatSession<Chat>, user: ChatSession<User>) -> Result<(), Failure> {
///     *chat.get().await?.edit().count() += 1;
///     *user.get().await?.edit().seen() += 1;
///     Ok(())
/// }
///
/// let store = MemoryStore::new();
/// let (chats, users) = (Sessions::<Chat>::new(store.clone()), Sessions::<User>::new(store));
/// let tree: UpdateHandler<Failure> = Update::filter_message()
///     .chain(session(chats, by_chat))
///     .chain(session(users, by_user))
///     .endpoint(count);
/// # drop(tree);
/// ```
#[must_use]
#[track_caller]
pub fn session<T, C, E>(
    sessions: Sessions<T, C>,
    key: impl Fn(&Update) -> Option<String> + Send + Sync + 'static,
) -> UpdateHandler<E>
where
    T: Session + Sync,
    C: Codec,
    E: From<ChatError> + Send + Sync + 'static,
{
    lending(sessions, key, || None)
}

/// Like [`session`], but an update without a key fails with [`ChatError::NoKey`].
#[must_use]
#[track_caller]
pub fn required_session<T, C, E>(
    sessions: Sessions<T, C>,
    key: impl Fn(&Update) -> Option<String> + Send + Sync + 'static,
) -> UpdateHandler<E>
where
    T: Session + Sync,
    C: Codec,
    E: From<ChatError> + Send + Sync + 'static,
{
    lending(sessions, key, || Some(ChatError::NoKey))
}

#[track_caller]
fn lending<T, C, E>(
    sessions: Sessions<T, C>,
    key: impl Fn(&Update) -> Option<String> + Send + Sync + 'static,
    without_key: fn() -> Option<ChatError>,
) -> UpdateHandler<E>
where
    T: Session + Sync,
    C: Codec,
    E: From<ChatError> + Send + Sync + 'static,
{
    let run = move |before: DependencyMap, next: dptree::Cont<'static, Result<(), E>>| {
        let update: Arc<Update> = before.get();
        let span = update_span(sessions.name(), update.id.0);
        let outcome = span.clone();
        let slot = key(&update)
            .map(|key| Arc::new(Slot::new(sessions.clone(), key, WorkId::from(update.id.0))))
            .ok_or_else(without_key);
        async move {
            let slot = match slot {
                Ok(slot) => slot,
                Err(None) => return ControlFlow::Continue(before),
                Err(Some(error)) => return ControlFlow::Break(Err(error.into())),
            };
            let mut within = before.clone();
            within.insert(ChatSession { slot: slot.clone() });
            let ControlFlow::Break(result) = next(within).await else {
                tell(&outcome, "unhandled");
                leave(slot.close());
                return ControlFlow::Continue(before);
            };
            ControlFlow::Break(finish(&slot, result, &outcome).await)
        }
        .instrument(span)
    };
    dptree::from_fn(run, signature::<Update, ChatSession<T, C>>(Location::caller()))
}

/// What becomes of an update whose handler has returned.
async fn finish<T, C, E>(slot: &Slot<T, C>, result: Result<(), E>, span: &Span) -> Result<(), E>
where
    T: Session,
    C: Codec,
    E: From<ChatError>,
{
    match (slot.close(), result) {
        // The handler ended because of that, or without having been any the wiser.
        (Closed::DoneBefore, _) => {
            tell(span, "done before");
            tracing::debug!("an update that was delivered before is done already");
            Ok(())
        }
        (Closed::Nothing, result) => {
            tell(span, "unasked");
            result
        }
        (Closed::Kept, result) => {
            tell(span, "kept");
            result.and(Err(ChatError::Kept.into()))
        }
        (Closed::Lease(mut lease), Ok(())) => {
            let done = lease.commit().await;
            lease.discard();
            match done {
                Ok(Once::Done(committed)) => {
                    tell(span, committed.outcome().word());
                    Ok(())
                }
                Ok(Once::DoneBefore) => {
                    tell(span, "done before");
                    tracing::debug!("another delivery of an update was faster, so nothing is stored of this one");
                    Ok(())
                }
                Err(error) => {
                    tell(span, "failed");
                    Err(ChatError::Session(error).into())
                }
            }
        }
        (closed, Err(error)) => {
            tell(span, "discarded");
            leave(closed);
            Err(error)
        }
    }
}

/// Forgets what is not committed.
fn leave<T: Session, C: Codec>(closed: Closed<T, C>) {
    if let Closed::Lease(lease) = closed {
        lease.discard();
    }
}

/// Puts a part of the session into the tree, to branch on: the state of a dialogue, for example.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use session_runtime::teloxide::{ChatSession, by_chat, part, session};
/// use session_runtime::{MemoryStore, Session, Sessions};
/// use teloxide::dispatching::{UpdateFilterExt, UpdateHandler};
/// use teloxide::dptree::case;
/// use teloxide::types::{Message, Update};
///
/// #[derive(Session)]
/// struct Chat {
///     dialogue: Dialogue,
///     age: Option<u8>,
/// }
///
/// #[derive(Clone, Default, Serialize, Deserialize)]
/// enum Dialogue {
///     #[default]
///     Idle,
///     AskedAge { name: String },
/// }
///
/// type Failure = Box<dyn std::error::Error + Send + Sync>;
///
/// async fn age(message: Message, name: String, chat: ChatSession<Chat>) -> Result<(), Failure> {
///     let mut chat = chat.get().await?;
///     *chat.edit().age() = message.text().and_then(|text| text.parse().ok());
///     *chat.edit().dialogue() = Dialogue::Idle;
///     println!("{name} is {:?}", chat.age);
///     Ok(())
/// }
///
/// let sessions = Sessions::<Chat>::new(MemoryStore::new());
/// let tree: UpdateHandler<Failure> = Update::filter_message()
///     .chain(session(sessions, by_chat))
///     .chain(part(|chat: &Chat| chat.dialogue.clone()))
///     .branch(case![Dialogue::AskedAge { name }].endpoint(age));
/// # drop(tree);
/// ```
///
/// The session is loaded for it, so an update that was done before ends here. Sessions in another encoding than JSON have
/// [`ChatSession::part`].
#[must_use]
#[track_caller]
pub fn part<T, P, E>(part: impl Fn(&T) -> P + Send + Sync + 'static) -> UpdateHandler<E>
where
    T: Session + Sync,
    P: Send + Sync + 'static,
    E: From<ChatError> + Send + Sync + 'static,
{
    ChatSession::<T>::part(part)
}

impl<T: Session + Sync, C: Codec> ChatSession<T, C> {
    /// Puts a part of the session into the tree: see [`part`].
    #[must_use]
    #[track_caller]
    pub fn part<P, E>(part: impl Fn(&T) -> P + Send + Sync + 'static) -> UpdateHandler<E>
    where
        P: Send + Sync + 'static,
        E: From<ChatError> + Send + Sync + 'static,
    {
        let part = Arc::new(part);
        let run = move |before: DependencyMap, next: dptree::Cont<'static, Result<(), E>>| {
            let part = part.clone();
            async move {
                let session: Arc<Self> = before.get();
                let part = match session.get().await {
                    Ok(lent) => part(&lent),
                    Err(error) => return ControlFlow::Break(Err(error.into())),
                };
                let mut within = before.clone();
                within.insert(part);
                match next(within).await {
                    ControlFlow::Continue(_) => ControlFlow::Continue(before),
                    done @ ControlFlow::Break(_) => done,
                }
            }
        };
        dptree::from_fn(run, signature::<Self, P>(Location::caller()))
    }
}

/// What a handler takes and gives, by which teloxide checks the tree before the bot starts.
fn signature<Takes: 'static, Gives: 'static>(caller: &'static Location<'static>) -> HandlerSignature {
    HandlerSignature::Other {
        obligations: [(Type::of::<Takes>(), caller)].into(),
        guaranteed_outcomes: [Type::of::<Gives>()].into(),
        conditional_outcomes: [].into(),
        continues: true,
    }
}
