//! Many at once on PostgreSQL: nothing is lost, and nobody waits for ever.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use session_runtime::expiry::{ClockOffset, Lifetime};
use session_runtime::store::{
    Base, FieldValue, Found, Housekeeping, Key, PostgresOptions, PostgresStore, Reply, Store,
};
use session_tests::commits::{
    HALF_AN_HOUR, NOTHING, applied, at, destroying, key, living, load, record, renewing, set, value, write,
};

use super::{Place, partition};

#[tokio::test(flavor = "multi_thread")]
async fn p05_of_creators_at_once_one_creates_and_all_others_are_told_what_is_there() {
    let place = place!();
    let store = place.store().await;
    for round in 0..50 {
        let key = key(&format!("round {round}"));
        let mut creators = tokio::task::JoinSet::new();
        for creator in 0..8 {
            let (store, key) = (store.clone(), key.clone());
            let commit = write(NOTHING, vec![set(&format!("field {creator}"), "1")]);
            creators.spawn(async move { store.commit(&key, &commit).await });
        }
        let (mut created, mut told) = (0, 0);
        while let Some(reply) = creators.join_next().await {
            match reply.unwrap().unwrap() {
                Reply::Applied(_) => created += 1,
                Reply::Conflict(record) if record.fields.len() == 1 => told += 1,
                other => panic!("{other:?}"),
            }
        }
        assert_eq!((created, told), (1, 7));
    }
    place.clear().await;
}

/// Adds one to the field `visits`, however often others come in between.
async fn count_a_visit(store: &PostgresStore, key: &Key) {
    let number = |bytes: Option<FieldValue>| -> u64 {
        bytes.map_or(0, |bytes| std::str::from_utf8(&bytes).unwrap().parse().unwrap())
    };
    let loaded = store.load(key, load(HALF_AN_HOUR)).await.unwrap();
    let (mut base, mut visits) = match loaded.found {
        Found::Record(record) => (Base::from(&record.head), number(value(&record, "visits"))),
        Found::Absent { saw } => (Base::Absent { saw: saw.map(|past| past.incarnation), valid_until: None }, 0),
    };
    loop {
        let commit = write(base, vec![set("visits", (visits + 1).to_string())]);
        match store.commit(key, &commit).await.unwrap() {
            Reply::Applied(_) => return,
            Reply::Conflict(record) => (base, visits) = ((&record.head).into(), number(value(&record, "visits"))),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p05_eight_writers_of_one_key_lose_nothing() {
    let place = place!();
    let store = place.store().await;
    let key = key("chat");
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (store, key) = (store.clone(), key.clone());
        writers.spawn(async move {
            for _ in 0..50 {
                count_a_visit(&store, &key).await;
            }
        });
    }
    writers.join_all().await;
    let found = record(store.load(&key, load(HALF_AN_HOUR)).await.unwrap());
    assert_eq!(value(&found, "visits").unwrap(), "400");
    assert_eq!(found.head.revision, 400);
    place.clear().await;
}

/// More commit at any time than there are connections, so that none of those is ever at rest.
#[tokio::test(flavor = "multi_thread")]
async fn p12_whoever_wants_a_connection_alone_or_a_new_one_gets_it_while_all_are_busy() {
    let place = place!();
    place.store().await;
    let named = format!("{}?application_name={}", place.url, place.schema);
    let store = PostgresOptions::new(named).schema(&place.schema).connections(2).build().unwrap();
    let is_over = Arc::new(AtomicBool::new(false));
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..16 {
        let (store, is_over, key) = (store.clone(), is_over.clone(), key(&format!("writer {writer}")));
        writers.spawn(async move {
            while !is_over.load(Ordering::Relaxed) {
                // All but the first conflict, and those are refused whose connections are killed again and again.
                let _ = store.commit(&key, &write(NOTHING, vec![set("a", "1")])).await;
            }
        });
    }
    let client = place.client().await;
    for _ in 0..10 {
        store.prepare().await.unwrap();
        // A connection that turns out to be dead is replaced, also for whoever wants one alone.
        let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1 LIMIT 1";
        client.execute(kill, &[&place.schema]).await.unwrap();
        store.keys("Visitor", None, 10, ClockOffset(0)).await.unwrap();
    }
    is_over.store(true, Ordering::Relaxed);
    writers.join_all().await;
    place.clear().await;
}

/// Behind a pooler each has a connection alone for as long as it asks.
#[tokio::test(flavor = "multi_thread")]
async fn p12_all_who_wait_for_a_connection_have_their_turn() {
    const ROUNDS: usize = 100;
    let place = place!();
    place.store().await;
    let store = place.options().connections(1).behind_pooler(true).build().unwrap();
    let turns: Arc<[AtomicUsize; 8]> = Arc::default();
    let mut readers = tokio::task::JoinSet::new();
    for reader in 0..turns.len() {
        let (store, turns, key) = (store.clone(), turns.clone(), key("chat"));
        readers.spawn(async move {
            while turns.iter().all(|turns| turns.load(Ordering::Relaxed) < ROUNDS) {
                store.load(&key, load(HALF_AN_HOUR)).await.unwrap();
                turns[reader].fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    readers.join_all().await;
    let least = turns.iter().map(|turns| turns.load(Ordering::Relaxed)).min();
    assert!(least > Some(ROUNDS / 2), "{turns:?}");
    place.clear().await;
}

/// They share it then: nobody waits until another one has its answer.
#[tokio::test(flavor = "multi_thread")]
async fn p12_all_who_waited_for_a_connection_use_it_as_soon_as_it_may_be_shared() {
    const READERS: usize = 4;
    let place = place!();
    place.store().await;
    let store = place.options().connections(1).build().unwrap();
    store.load(&key("chat"), load(HALF_AN_HOUR)).await.unwrap();
    let mut client = place.client().await;
    let mut have_shared = false;
    // For how short a time they do is for the scheduler to say, so that a look at it may come too late.
    for _ in 0..100 {
        let lock = client.transaction().await.unwrap();
        lock.batch_execute("LOCK TABLE registration").await.unwrap();
        // Whoever lists them has the connection alone.
        let alone = tokio::spawn({
            let store = store.clone();
            async move { store.registrations().await.map(drop) }
        });
        while !shows(&store, "users: [1]") {
            tokio::task::yield_now().await;
        }
        let mut readers = tokio::task::JoinSet::new();
        for _ in 0..READERS {
            let store = store.clone();
            readers.spawn(async move { store.load(&key("chat"), load(HALF_AN_HOUR)).await.map(drop) });
        }
        while !shows(&store, &format!("waiting: {READERS}")) {
            tokio::task::yield_now().await;
        }
        lock.rollback().await.unwrap();
        while !shows(&store, "users: [0]") {
            have_shared |= (2..=READERS).any(|users| shows(&store, &format!("users: [{users}]")));
        }
        alone.await.unwrap().unwrap();
        while let Some(read) = readers.join_next().await {
            read.unwrap().unwrap();
        }
        if have_shared {
            break;
        }
    }
    assert!(have_shared, "they used it one after the other");
    place.clear().await;
}

/// What is large is worth a process of the server's of its own.
#[tokio::test(flavor = "multi_thread")]
async fn reads_go_together_on_one_connection_until_they_are_large() {
    let place = place!();
    place.store().await;
    for (size, are_together) in [(1_000, true), (100_000, false)] {
        let store = place.options().build().unwrap();
        let key = key(&format!("{size} bytes"));
        let _ = applied(store.commit(&key, &write(NOTHING, vec![set("a", "1".repeat(size))])).await.unwrap());
        let mut readers = tokio::task::JoinSet::new();
        for _ in 0..20 {
            let (store, key) = (store.clone(), key.clone());
            readers.spawn(async move {
                for _ in 0..20 {
                    store.load(&key, load(HALF_AN_HOUR)).await.unwrap();
                }
            });
        }
        readers.join_all().await;
        assert_eq!(shows(&store, "users: [0]"), are_together, "{size} bytes: {store:?}");
    }
    place.clear().await;
}

fn shows(store: &PostgresStore, what: &str) -> bool {
    format!("{store:?}").contains(what)
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_move_to_each_others_keys_never_wait_for_each_other() {
    let place = place!();
    move_to_each_others_keys(&place).await;
    place.clear().await;
}

/// Where an update of a key would move the row to another partition, and fail for those who wait for it.
#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_move_between_partitions_never_wait_for_each_other() {
    let place = place!();
    partition(&place).await;
    move_to_each_others_keys(&place).await;
    place.clear().await;
}

async fn move_to_each_others_keys(place: &Place) {
    let store = place.store().await;
    let mut movers = tokio::task::JoinSet::new();
    for mover in 0..8 {
        let store = store.clone();
        movers.spawn(async move {
            let mut moved = 0;
            for step in 0..60 {
                let (from, to) = if (mover + step) % 2 == 0 { ("a", "b") } else { ("b", "a") };
                let loaded = store.load(&key(from), load(HALF_AN_HOUR)).await.unwrap();
                let base = match loaded.found {
                    Found::Record(record) => (&record.head).into(),
                    Found::Absent { saw } => Base::Absent { saw: saw.map(|past| past.incarnation), valid_until: None },
                };
                let commit = write(base, vec![set("a", "1")]);
                let commit = if step % 7 == 0 { destroying(commit) } else { renewing(commit, &key(to)) };
                // An error would be a deadlock that the server noticed.
                moved += u32::from(matches!(store.commit(&key(from), &commit).await.unwrap(), Reply::Applied(_)));
            }
            moved
        });
    }
    assert!(movers.join_all().await.into_iter().sum::<u32>() > 0);
}

const SHORT: Lifetime = Lifetime { inactivity: Some(1_000), creation: None, touch_after: 100, retention: 1_000 };

#[tokio::test]
async fn a_purge_passes_by_sessions_in_use_and_no_commit_waits_for_it() {
    let place = place!();
    let store = place.store().await;
    for number in 0..450 {
        let commit = living(write(NOTHING, vec![set("a", "1".repeat(200))]), SHORT);
        let _ = applied(store.commit(&key(&format!("{number:03}")), &commit).await.unwrap());
    }
    let lasting = living(write(NOTHING, vec![set("a", "1".repeat(200))]), SHORT);
    let head = applied(store.commit(&key("lasting"), &lasting).await.unwrap()).head.unwrap();
    let lasting = at(write((&head).into(), vec![]), ClockOffset(900));
    let _ = applied(store.commit(&key("lasting"), &lasting).await.unwrap());

    // One session is locked by a transaction that does not end, and so is one that has the key of another.
    let mut client = place.client().await;
    let twin = "CREATE TEMPORARY TABLE twin AS SELECT * FROM header WHERE key = '008';
                UPDATE twin SET name = 'Twin', due = NULL; INSERT INTO header SELECT * FROM twin";
    client.batch_execute(twin).await.unwrap();
    let lock = client.transaction().await.unwrap();
    lock.execute("SELECT FROM header WHERE key = '007' OR name = 'Twin' FOR UPDATE", &[]).await.unwrap();
    let later = ClockOffset(60_000);
    let purged = store.purge(300, later).await.unwrap();
    assert_eq!((purged.removed, purged.more), (300, true));
    let purged = store.purge(300, later).await.unwrap();
    assert_eq!((purged.removed, purged.more), (149, false));
    lock.rollback().await.unwrap();

    let purged = store.purge(300, later).await.unwrap();
    assert_eq!((purged.removed, purged.more), (1, false));
    assert_eq!(store.count("Visitor", ClockOffset(0)).await.unwrap(), 1, "the session that was in use later");
    let left: i64 = client.query_one("SELECT count(*) FROM field", &[]).await.unwrap().get(0);
    assert_eq!(left, 1, "no field is left behind");
    place.clear().await;
}
