//! A bot that moves in: its dialogues are in a storage of teloxide, and go on in sessions. The tests are beside this
//! folder.

use std::error::Error;
use std::fmt::{Debug, Display};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use session_runtime::Session;
use session_runtime::legacy::{Legacy, LegacyError, Old};
use session_runtime::teloxide::stored_dialogue;
use teloxide::dispatching::dialogue::{PostgresStorageError, RedisStorageError, SqliteStorageError, Storage};

/// Its variants are of each kind, which serializers write in ways of their own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Dialogue {
    #[default]
    Idle,
    AskedName,
    AskedAge {
        name: String,
        attempts: u8,
    },
    Ordered(Vec<(String, f64)>, Option<i64>),
}

/// A later build's, of which [`Dialogue`] does not know the last variant.
#[derive(Clone, Serialize, Deserialize)]
pub enum LaterDialogue {
    Idle,
    AskedName,
    AskedAge { name: String, attempts: u8 },
    Ordered(Vec<(String, f64)>, Option<i64>),
    Paid { at: u64 },
}

#[derive(Session)]
pub struct Chat {
    pub dialogue: Dialogue,
    pub count: u32,
}

/// Asks a storage for an hour.
pub fn legacy<S>(storage: Arc<S>) -> Legacy<Chat>
where
    S: Storage<Dialogue, Error: Refusal + Send> + Send + Sync + 'static,
{
    legacy_as(storage, |dialogue| Chat { dialogue, ..Chat::initial() })
}

/// The same for sessions that are made of a dialogue by `session`.
pub fn legacy_as<T, S>(storage: Arc<S>, session: fn(Dialogue) -> T) -> Legacy<T>
where
    T: 'static,
    S: Storage<Dialogue, Error: Refusal + Send> + Send + Sync + 'static,
{
    Legacy::until(SystemTime::now() + Duration::from_secs(3600), move |key| {
        let storage = storage.clone();
        async move {
            let dialogue = stored_dialogue(storage, &key).await.map_err(Refusal::told)?;
            Ok(dialogue.map(|dialogue| Old::new(session(dialogue))))
        }
    })
}

/// What a storage answers instead of a dialogue.
pub trait Refusal {
    /// As a load is told of it: what cannot be read is damaged, and all else may work later.
    fn told(self) -> LegacyError;
}

macro_rules! refusals {
    ($($error:ident)*) => {$(
        impl<E: Error + Display + Debug + Send + Sync + 'static> Refusal for $error<E> {
            fn told(self) -> LegacyError {
                match self {
                    Self::SerdeError(error) => LegacyError::damaged(error),
                    other => LegacyError::unavailable(other),
                }
            }
        }
    )*};
}

refusals!(PostgresStorageError RedisStorageError SqliteStorageError);
