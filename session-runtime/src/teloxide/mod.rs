//! Sessions in a bot, with [teloxide]: one chat, one small state, and most updates change nothing.
//!
//! A [`session`] in the tree, and handlers take a [`ChatSession`]:
//!
//! ```
//! use session_runtime::teloxide::{ChatSession, by_chat, session};
//! use session_runtime::{MemoryStore, Session, Sessions};
//! use teloxide::dispatching::{UpdateFilterExt, UpdateHandler};
//! use teloxide::types::{Message, Update};
//!
//! #[derive(Session)]
//! struct Chat {
//!     count: u32,
//! }
//!
//! type Failure = Box<dyn std::error::Error + Send + Sync>;
//!
//! async fn count(message: Message, chat: ChatSession<Chat>) -> Result<(), Failure> {
//!     if message.text() == Some("/count") {
//!         *chat.get().await?.edit().count() += 1;
//!     }
//!     Ok(())
//! }
//!
//! let sessions = Sessions::<Chat>::new(MemoryStore::new());
//! let tree: UpdateHandler<Failure> =
//!     Update::filter_message().chain(session(sessions, by_chat)).endpoint(count);
//! # drop(tree);
//! ```
//!
//! - The store is asked when a handler asks: once for each update. What changed is stored in one write after the handler
//!   has returned `Ok`, or nothing if nothing did. A chat in which nothing was changed leaves nothing in the store.
//! - What the handler did is forgotten if it returns `Err` or panics.
//! - [`part`] puts a part of the session into the tree to branch on. The state of a dialogue is a field like any other.
//! - [`Dialogues`] keeps dialogues of teloxide itself, as its `Storage`.
//! - [`follow_migration`] moves a group's session along when the group becomes a supergroup.
//!
//! # Updates that come twice
//!
//! After a crash or a timeout an update is delivered again. It is known by its id as long as its commit is among the last
//! eight of its session: then [`ChatSession::get`] is [`ChatError::DoneBefore`], the handler ends, and the update counts
//! as handled. So ask for the session before you send anything. An update that changed nothing is not remembered, and runs
//! again. What was sent is not taken back: a process that dies after it sent a message and before the commit sends it
//! again with the next delivery. [`Handle::commit_as`](crate::Handle::commit_as) says exactly what is promised.
//!
//! Sessions of several types are committed one after the other, the innermost first. Where a process dies in between, the
//! next delivery stops at the first that is done: what belongs together belongs into one session.
//!
//! [teloxide]: https://docs.rs/teloxide

mod dialogues;
mod error;
mod key;
mod lease;
mod legacy;
mod migrate;
mod session;
mod slot;
mod tree;

pub use dialogues::{Dialogues, KeptDialogue};
pub use error::ChatError;
pub use key::{by_chat, by_chat_and_user, by_topic, by_user};
pub use legacy::stored_dialogue;
pub use migrate::follow_migration;
pub use session::{ChatSession, LentSession};
pub use tree::{part, required_session, session};
