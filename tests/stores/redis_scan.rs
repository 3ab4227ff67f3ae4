//! What looks at all keys of Redis: it costs no more looks than it must, since a store can have millions.

use session_runtime::expiry::ClockOffset;
use session_runtime::store::{Housekeeping, Purged, RedisStore, Store};
use session_tests::commits::{FOREVER, HALF_AN_HOUR, NOTHING, agree, applied, create, key, living, set, write};
use session_tests::redis_server::{RedisServer, is_available};

use crate::redis::commands;
use crate::redis_index::login;

/// A server of the test's own, and a store on it.
async fn start() -> Option<(RedisServer, RedisStore)> {
    if !is_available() {
        return None;
    }
    let server = RedisServer::start(&["appendonly no"]);
    let store = RedisStore::open(server.url()).await.unwrap();
    agree(&store).await;
    Some((server, store))
}

#[tokio::test]
async fn a_part_of_a_listing_asks_little_of_the_keys_that_are_not_in_it() {
    let Some((server, store)) = start().await else { return };
    for number in 0..2000 {
        create(&store, &key(&format!("{number:04}")), vec![set("a", "1")]).await;
    }
    let _ = commands(&server);
    let first = store.keys("Visitor", None, 10, ClockOffset(0)).await.unwrap();
    assert!(first.keys.iter().map(|key| key.id().to_owned()).eq((0..10).map(|number| format!("{number:04}"))));
    // The first step of the engine brings about 500 keys; of the others hardly any can be among the first ten.
    assert!(commands(&server)["hmget"] < 1000);

    let last = store.keys("Visitor", None, 1990, ClockOffset(0)).await.unwrap().next;
    let _ = commands(&server);
    assert_eq!(store.keys("Visitor", last, 100, ClockOffset(0)).await.unwrap().keys.len(), 10);
    assert_eq!(commands(&server)["hmget"], 10, "what was listed before is not looked at again");
}

#[tokio::test]
async fn a_purge_in_many_parts_looks_at_the_index_once() {
    let Some((server, store)) = start().await else { return };
    for number in 0..25 {
        let commit = living(login(NOTHING, "7"), HALF_AN_HOUR);
        applied(store.commit(&key(&number.to_string()), &commit).await.unwrap());
    }
    let _ = commands(&server);
    let tomorrow = ClockOffset(26 * 3_600_000);
    for (removed, more) in [(10, true), (10, true), (5, false)] {
        assert_eq!(store.purge(10, tomorrow).await.unwrap(), Purged { removed, more });
    }
    assert_eq!(commands(&server)["scan"], 4, "one for each part, and one for the index");
}

/// Whoever looks for what is over sees it a while before it is removed: the script looks again.
#[tokio::test]
async fn p09_what_lives_by_then_is_not_removed_by_a_purge() {
    let Some((server, store)) = start().await else { return };
    let lasting = living(write(NOTHING, vec![set("a", "1")]), FOREVER);
    let _ = applied(store.commit(&key("lasting"), &lasting).await.unwrap());
    create(&store, &key("living"), vec![set("a", "1")]).await;
    let script = [
        include_str!("../../session-runtime/src/store/redis/header.lua"),
        include_str!("../../session-runtime/src/store/redis/purge.lua"),
    ]
    .concat();
    let purged = |id: &str, offset: &str| {
        let key = format!("session:Visitor:{id}");
        let answer = server.command(&[b"EVAL", script.as_bytes(), b"1", key.as_bytes(), offset.as_bytes()]);
        String::from_utf8(answer).unwrap()
    };
    let (kept, removed) = (":0\r\n", ":1\r\n");
    for offset in ["0", "1800000", "5300000"] {
        for id in ["nobody", "lasting", "living"] {
            assert_eq!(purged(id, offset), kept, "{id} {offset} ms later");
        }
    }
    assert_eq!(purged("lasting", "5500000"), kept);
    assert_eq!(purged("living", "5500000"), removed);
    assert_eq!(purged("living", "5500000"), kept, "it is gone");
}
