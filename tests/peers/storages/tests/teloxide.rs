//! Dialogues that a storage of teloxide keeps go on in sessions in the same file or on the same server, whichever
//! serializer wrote them.

use std::fmt::Debug;
use std::sync::Arc;

use session_runtime::teloxide::{Dialogues, KeptDialogue, stored_dialogue};
use session_runtime::{Error, Outcome, PostgresStore, RedisStore, Sessions, SqliteStore, Store};
use session_storages::{Chat, Dialogue, LaterDialogue, Refusal, legacy};
use session_tests::postgres_server::{self, PostgresServer};
use session_tests::redis_server::{self, RedisServer};
use teloxide::dispatching::dialogue::serializer::{Bincode, Cbor, Json};
use teloxide::dispatching::dialogue::{PostgresStorage, RedisStorage, SqliteStorage, Storage};
use teloxide::types::ChatId;

/// A chat, a group and a supergroup.
const CHATS: [i64; 3] = [700, -500, -1_000_000_000_005];

fn dialogues() -> [Dialogue; 4] {
    let ordered = vec![("Tea, green".to_owned(), 2.5), ("Ä\0\n".to_owned(), -0.0)];
    [
        Dialogue::Idle,
        Dialogue::AskedName,
        Dialogue::AskedAge { name: "Ann".to_owned(), attempts: 200 },
        Dialogue::Ordered(ordered, Some(i64::MIN)),
    ]
}

async fn dialogues_go_on<S>(old: Arc<S>, store: impl Store)
where
    S: Storage<Dialogue, Error: Refusal + Send + Debug> + Send + Sync + 'static,
{
    let sessions = Sessions::builder(store).legacy(legacy(old.clone())).build();
    for (chat, dialogue) in CHATS.into_iter().flat_map(|chat| (chat..).zip(dialogues())) {
        let (chat, key) = (ChatId(chat), chat.to_string());
        old.clone().update_dialogue(chat, dialogue.clone()).await.expect("teloxide keeps it");
        let mut session = sessions.load(&key).await.expect("a load");
        assert_eq!((&session.dialogue, session.count), (&dialogue, 0));
        *session.edit().count() += 1;
        assert_eq!(session.commit().await.expect("a commit").outcome(), Outcome::Created);

        let kept = old.clone().get_dialogue(chat).await.expect("a look");
        assert_eq!(kept.as_ref(), Some(&dialogue), "the old one stays as it is");
        old.clone().remove_dialogue(chat).await.expect("teloxide removes it");
        let session = sessions.load(&key).await.expect("a load");
        assert_eq!((&session.dialogue, session.count), (&dialogue, 1), "it is here now");

        assert_eq!(sessions.destroy(&key).await.expect("an end"), Outcome::Removed);
        old.clone().update_dialogue(chat, Dialogue::AskedName).await.expect("teloxide keeps it");
        assert_eq!(
            sessions.load(&key).await.expect("a load").dialogue,
            Dialogue::Idle,
            "what ended does not come back"
        );
    }
    assert_eq!(stored_dialogue(old, "9").await.expect("a look"), None, "nobody has talked there");
    assert_eq!(sessions.load("9").await.expect("a load").dialogue, Dialogue::Idle);
}

/// A build that went back, or one that took a variant out.
async fn a_dialogue_that_cannot_be_read_is_refused_or_left_alone<S>(old: Arc<S>, store: impl Store)
where
    S: Storage<Dialogue, Error: Refusal + Send> + Storage<LaterDialogue, Error: Debug> + Send + Sync + 'static,
{
    let later = LaterDialogue::Paid { at: u64::MAX };
    Storage::<LaterDialogue>::update_dialogue(old.clone(), ChatId(7), later).await.expect("teloxide keeps it");
    let sessions = Sessions::builder(store.clone()).legacy(legacy(old.clone())).build();
    let error = sessions.load("7").await.expect_err("nobody can read it");
    assert!(matches!(error, Error::Legacy { .. }) && !error.is_transient(), "{error:?}");

    let skipping = Sessions::<Chat>::builder(store).legacy(legacy(old.clone()).skip_damaged()).build();
    assert_eq!(skipping.load("7").await.expect("a load").dialogue, Dialogue::Idle);
    let kept = Storage::<LaterDialogue>::get_dialogue(old, ChatId(7)).await.expect("a look");
    assert!(matches!(kept, Some(LaterDialogue::Paid { at: u64::MAX })), "the old one stays as it is");
}

/// Each with each serializer: `old` and `store` are in one file, or on one server, which is `place`.
macro_rules! on_each {
    ($($engine:ident)*) => {$(
        mod $engine {
            use super::*;

            on_each!($engine: json Json, cbor Cbor, bincode Bincode);
        }
    )*};
    ($engine:ident: $($module:ident $serializer:ident),*) => {$(
        mod $module {
            use super::*;

            #[tokio::test(flavor = "multi_thread")]
            async fn dialogues_go_on() {
                let Some((_place, old, store)) = super::super::$engine($serializer).await else { return };
                super::super::dialogues_go_on(old, store).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn a_dialogue_that_cannot_be_read_is_refused_or_left_alone() {
                let Some((_place, old, store)) = super::super::$engine($serializer).await else { return };
                super::super::a_dialogue_that_cannot_be_read_is_refused_or_left_alone(old, store).await;
            }
        }
    )*};
}

on_each!(sqlite redis postgres);

/// A storage of teloxide, and a store beside it.
type Both<P, O, S> = Option<(P, Arc<O>, S)>;

async fn sqlite<S>(serializer: S) -> Both<tempfile::TempDir, SqliteStorage<S>, SqliteStore> {
    let place = tempfile::tempdir().expect("a folder");
    let file = place.path().join("bot.db");
    let old = SqliteStorage::open(file.to_str().expect("text"), serializer).await.expect("teloxide's tables");
    let store = SqliteStore::open(file).await.expect("ours, in the same file");
    Some((place, old, store))
}

async fn redis<S>(serializer: S) -> Both<RedisServer, RedisStorage<S>, RedisStore> {
    let server = redis_server::is_available().then(|| RedisServer::start(&[]))?;
    let old = RedisStorage::open(&server.url(), serializer).await.expect("a pool");
    let store = RedisStore::open(server.url()).await.expect("a server");
    Some((server, old, store))
}

async fn postgres<S>(serializer: S) -> Both<PostgresServer, PostgresStorage<S>, PostgresStore> {
    let server = postgres_server::is_available().then(|| PostgresServer::start(&[]))?;
    let old = PostgresStorage::open(&server.url(), 2, serializer).await.expect("teloxide's table");
    let store = PostgresStore::open(server.url()).await.expect("a server");
    Some((server, old, store))
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_old_server_is_down_a_load_says_so_and_nothing_is_stored() {
    let Some((mut server, old, _)) = redis(Json).await else { return };
    old.clone().update_dialogue(ChatId(7), Dialogue::AskedName).await.expect("teloxide keeps it");
    let sessions = Sessions::builder(SqliteStore::memory().await.expect("memory")).legacy(legacy(old.clone())).build();
    server.kill9();
    let error = sessions.load("7").await.expect_err("nobody answers");
    assert!(matches!(error, Error::Legacy { .. }) && error.is_transient(), "{error:?}");
    server.restart();
    old.update_dialogue(ChatId(7), Dialogue::AskedName).await.expect("teloxide keeps it");
    assert_eq!(sessions.load("7").await.expect("a load").dialogue, Dialogue::AskedName);
}

/// For a bot that keeps its handlers and its `Dialogue`, and changes the storage alone.
#[tokio::test(flavor = "multi_thread")]
async fn one_storage_takes_the_place_of_another() {
    let Some((_place, old, store)) = sqlite(Cbor).await else { return };
    old.clone().update_dialogue(ChatId(7), Dialogue::AskedName).await.expect("teloxide keeps it");
    let legacy = session_storages::legacy_as(old, KeptDialogue::from);
    let new = Dialogues::<Dialogue>::of(Sessions::builder(store).legacy(legacy).build());
    let get = || new.clone().get_dialogue(ChatId(7));
    assert_eq!(get().await.expect("a load"), Some(Dialogue::AskedName));
    new.clone().remove_dialogue(ChatId(7)).await.expect("an end");
    assert_eq!(get().await.expect("a load"), Some(Dialogue::Idle), "it does not come back");
}
