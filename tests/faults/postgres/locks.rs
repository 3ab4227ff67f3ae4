//! Who waits in PostgreSQL for a lock that another holds.

use std::time::Duration;

use session_runtime::expiry::{ClockOffset, Lifetime, Timestamp};
use session_runtime::store::{
    Base, Commit, Ended, Found, Housekeeping, Load, PostgresOptions, PostgresStore, RegisteredField, Registration,
    RegistrationId, Reply, Store, StoreError, StoreErrorKind,
};
use session_tests::commits::{HALF_AN_HOUR, NOTHING, key, living, load, record, set, unset, write};
use session_tests::postgres_server::{fresh_schema, shared};
use tokio::task::JoinHandle;
use tokio_postgres::Client;

use super::{apply, clear, create, found, open};

/// Waits until a statement waits for a lock in the schema of this client: other tests have theirs on the same server.
async fn somebody_waits(client: &Client) {
    while !is_anybody_waiting(client, "true").await {
        look_anew(client).await;
    }
}

/// Waits until one waits on a connection of its own: on others it waits for 50 ms at most.
async fn somebody_waits_alone(client: &Client) {
    while !is_anybody_waiting(client, "clock_timestamp() - query_start > interval '100 ms'").await {
        look_anew(client).await;
    }
}

async fn is_anybody_waiting(client: &Client, how: &str) -> bool {
    let sql = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND {how} AND pid <> pg_backend_pid() \
         AND (query LIKE '%.commit(%' OR query LIKE '%.touch(%' OR query LIKE '%.register(%' \
         OR query LIKE '%.withdraw(%' OR query LIKE '%UPDATE%.header%') AND position(current_schema() IN query) > 0"
    );
    client.query_one(&sql, &[]).await.unwrap().get::<_, i64>(0) > 0
}

/// Waits until what somebody does waits for a lock, or is done.
async fn waits_or_is_done<T>(client: &Client, task: &JoinHandle<T>) {
    while !task.is_finished() && !is_anybody_waiting(client, "true").await {
        look_anew(client).await;
    }
}

/// Within a transaction the server goes on showing what others did when they were first asked for.
async fn look_anew(client: &Client) {
    client.batch_execute("SELECT pg_stat_clear_snapshot()").await.unwrap();
}

/// Commits to the session `42` in a task of its own.
fn commits_elsewhere(store: &PostgresStore, commit: Commit) -> JoinHandle<Result<Reply, StoreError>> {
    let store = store.clone();
    tokio::spawn(async move { store.commit(&key("42"), &commit).await })
}

#[tokio::test]
async fn when_all_connections_are_in_use_the_next_operation_says_busy() {
    let (url, schema) = place!();
    let (_, mut client) = open(&url, &schema).await;
    let options = PostgresOptions::new(&url).schema(&schema).connections(1);
    let store = options.pool_timeout(Duration::from_millis(50)).build().unwrap();
    let head = create(&store, &key("42"), vec![set("a", "1")]).await;
    let lock = client.transaction().await.unwrap();
    lock.execute("SELECT FROM header FOR UPDATE", &[]).await.unwrap();
    let waiting = commits_elsewhere(&store, write((&head).into(), vec![set("a", "2")]));
    somebody_waits_alone(lock.client()).await;
    let error = store.load(&key("43"), load(HALF_AN_HOUR)).await.unwrap_err();
    assert_eq!((error.kind(), error.is_not_applied()), (StoreErrorKind::Busy, true));
    lock.rollback().await.unwrap();
    assert!(matches!(waiting.await.unwrap().unwrap(), Reply::Applied(_)));
    store.load(&key("43"), load(HALF_AN_HOUR)).await.unwrap();
    clear(&client, &schema).await;
}

#[tokio::test]
async fn a_handler_that_goes_away_leaves_nobody_its_answer_to_wait_for() {
    let (url, schema) = place!();
    let (_, mut client) = open(&url, &schema).await;
    // Whoever waited for that answer would do so until the test is given up.
    let options = PostgresOptions::new(&url).schema(&schema).connections(1);
    let store = options.response_timeout(Duration::from_secs(1000)).build().unwrap();
    let head = create(&store, &key("42"), vec![set("a", "1")]).await;
    let lock = client.transaction().await.unwrap();
    lock.execute("SELECT FROM header FOR UPDATE", &[]).await.unwrap();
    let waiting = commits_elsewhere(&store, write((&head).into(), vec![set("a", "2")]));
    somebody_waits_alone(lock.client()).await;
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    assert_eq!(found(&store, &key("42")).await.head, head);
    // The server is told, so its process does not wait for the lock any longer either.
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE $1";
    let query = format!("%UPDATE \"{schema}\".header%");
    look_anew(lock.client()).await;
    while lock.query_one(sql, &[&query]).await.unwrap().get::<_, i64>(0) > 0 {
        look_anew(lock.client()).await;
    }
    lock.rollback().await.unwrap();
    clear(&client, &schema).await;
}

/// Whoever shares a connection with it waits for a moment, and it goes on waiting on a connection of its own.
#[tokio::test]
async fn a_commit_that_waits_for_a_lock_holds_up_nobody_else() {
    let (url, schema) = place!();
    let (_, mut client) = open(&url, &schema).await;
    let store = PostgresOptions::new(&url).schema(&schema).connections(2).build().unwrap();
    let head = create(&store, &key("42"), vec![set("a", "1")]).await;
    let mut other = create(&store, &key("43"), vec![set("a", "0")]).await;
    let lock = client.transaction().await.unwrap();
    lock.execute("SELECT FROM header WHERE key = '42' FOR UPDATE", &[]).await.unwrap();
    let waiting = commits_elsewhere(&store, write((&head).into(), vec![set("a", "2")]));
    somebody_waits(lock.client()).await;
    for round in 1..=20 {
        let mut loads = tokio::task::JoinSet::new();
        // More than one connection takes together.
        for _ in 0..40 {
            let store = store.clone();
            loads.spawn(async move { store.load(&key("43"), load(HALF_AN_HOUR)).await.unwrap() });
        }
        loads.join_all().await;
        other = apply(&store, &key("43"), &write((&other).into(), vec![set("a", round.to_string())])).await;
    }
    assert!(!waiting.is_finished());
    lock.rollback().await.unwrap();
    assert!(matches!(waiting.await.unwrap().unwrap(), Reply::Applied(_)));
    clear(&client, &schema).await;
}

/// Lets a session of this lifetime expire while a commit to it waits for a lock, which sets another one.
async fn expires_while_a_commit_waits(created: Lifetime, set_by_the_commit: Lifetime) {
    let (url, schema) = place!();
    let (store, mut client) = open(&url, &schema).await;
    let head = apply(&store, &key("42"), &living(write(NOTHING, vec![set("a", "1")]), created)).await;
    let lock = client.transaction().await.unwrap();
    lock.execute("SELECT FROM header FOR UPDATE", &[]).await.unwrap();
    let waiting = commits_elsewhere(&store, living(write((&head).into(), vec![set("a", "2")]), set_by_the_commit));
    somebody_waits(lock.client()).await;
    let untouched = Lifetime { touch_after: i64::MAX, ..created };
    while matches!(store.load(&key("42"), load(untouched)).await.unwrap().found, Found::Record(_)) {
        tokio::task::yield_now().await;
    }
    lock.rollback().await.unwrap();
    let reply = waiting.await.unwrap().unwrap();
    assert!(matches!(reply, Reply::Ended(Ended::Expired)), "{reply:?}");
    clear(&client, &schema).await;
}

#[tokio::test]
async fn p06_time_passes_while_a_commit_waits_for_a_lock() {
    let short = Lifetime { inactivity: Some(500), creation: None, touch_after: 50, retention: 60_000 };
    expires_while_a_commit_waits(short, HALF_AN_HOUR).await;
}

/// Longer than what the common kind of commit leaves to the rule.
#[tokio::test]
async fn p06_a_session_that_expires_while_its_commit_waits_is_not_written() {
    let short = Lifetime { inactivity: Some(1_500), creation: None, touch_after: i64::MAX, retention: 60_000 };
    expires_while_a_commit_waits(short, short).await;
}

#[tokio::test]
async fn p05_a_load_that_waits_to_move_the_end_goes_by_what_it_waited_for() {
    let (url, schema) = place!();
    let (store, mut client) = open(&url, &schema).await;
    let another_load = "expires_at = expires_at + 3600000";
    let a_commit_that_fixes_the_end = "fixed_end = expires_at, revision = 2, commits = 1 || commits";
    for meanwhile in [another_load, a_commit_that_fixes_the_end] {
        let key = key(meanwhile);
        create(&store, &key, vec![set("a", "1")]).await;
        let lock = client.transaction().await.unwrap();
        let moved = format!("UPDATE header SET {meanwhile} WHERE key = $1 RETURNING expires_at");
        let end: i64 = lock.query_one(&moved, &[&key.id().as_bytes()]).await.unwrap().get(0);
        let waiting = tokio::spawn({
            let (store, key) = (store.clone(), key.clone());
            async move { store.load(&key, Load::touch(HALF_AN_HOUR, ClockOffset(10 * 60_000))).await.unwrap() }
        });
        somebody_waits(lock.client()).await;
        lock.commit().await.unwrap();
        let loaded = waiting.await.unwrap();
        assert!(!loaded.touched, "{meanwhile}");
        let ends = [record(loaded), found(&store, &key).await].map(|record| record.head.expires_at);
        assert_eq!(ends, [Some(Timestamp::from_millis(end)); 2], "{meanwhile}");
    }
    clear(&client, &schema).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commits_that_change_the_same_fields_in_other_orders_never_deadlock() {
    let (url, schema) = place!();
    let (store, client) = open(&url, &schema).await;
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..8 {
        let store = store.clone();
        writers.spawn(async move {
            let mut done = 0;
            let mut base: Base = NOTHING;
            while done < 40 {
                let mut changes = vec![set("a", "1"), set("b", "2"), unset("c"), set("d", "4")];
                if writer % 2 == 0 {
                    changes.reverse();
                }
                match store.commit(&key("42"), &write(base, changes)).await.unwrap() {
                    Reply::Applied(applied) => {
                        done += 1;
                        base = (&applied.head.unwrap()).into();
                    }
                    Reply::Conflict(record) => base = (&record.head).into(),
                    other => panic!("{other:?}"),
                }
            }
        });
    }
    writers.join_all().await;
    assert_eq!(found(&store, &key("42")).await.head.revision, 320);
    clear(&client, &schema).await;
}

/// What is registered under this name: how many registrations, and how many fields of one.
async fn registered(client: &Client) -> (i64, i64) {
    let sql = "SELECT (SELECT count(*) FROM registration WHERE name = 'Agreed'), \
               (SELECT count(*) FROM registered_field WHERE name = 'Agreed')";
    let row = client.query_one(sql, &[]).await.unwrap();
    (row.get(0), row.get(1))
}

fn agreed(fields: &[&str]) -> Registration {
    let field = |name: &&str| RegisteredField { name: (*name).into(), initial: Some("1".into()), sensitive: false };
    let fields = fields.iter().map(field).collect();
    Registration { id: RegistrationId(1), name: "Agreed".into(), version: 1, codec: "json".into(), fields }
}

const LOCKS: &str = "SELECT FROM registration WHERE name = 'Agreed' FOR UPDATE";

/// Lets somebody wait who wants what is registered while another, who has done the first, does the second and commits.
async fn behind<T: Send + 'static>(
    client: &mut Client,
    another_did: &str,
    waits: impl Future<Output = T> + Send + 'static,
    another_does: &str,
) -> T {
    let lock = client.transaction().await.unwrap();
    lock.batch_execute(another_did).await.unwrap();
    let waiting = tokio::spawn(waits);
    waits_or_is_done(lock.client(), &waiting).await;
    lock.batch_execute(another_does).await.unwrap();
    lock.commit().await.unwrap();
    waiting.await.unwrap()
}

#[tokio::test]
async fn p10_who_registers_while_another_withdraws_registers_anew() {
    let (url, schema) = place!();
    let (store, mut client) = open(&url, &schema).await;
    store.register(&agreed(&["visits"])).await.unwrap();
    let withdraws =
        "DELETE FROM registered_field WHERE name = 'Agreed'; DELETE FROM registration WHERE name = 'Agreed'";
    let registering = Box::pin(async move { store.register(&agreed(&["visits", "theme"])).await.unwrap() });
    assert_eq!(behind(&mut client, LOCKS, registering, withdraws).await.fields.len(), 2);
    assert_eq!(registered(&client).await, (1, 2));
    clear(&client, &schema).await;
}

#[tokio::test]
async fn p10_who_registers_while_another_does_so_too_agrees_with_that() {
    let (url, schema) = place!();
    let (store, mut client) = open(&url, &schema).await;
    let registers = "INSERT INTO registration VALUES ('Agreed', 1, 7, 'json'); \
                     INSERT INTO registered_field VALUES ('Agreed', 1, 'theme', 1, 'light', false)";
    let registering = Box::pin(async move { store.register(&agreed(&["visits", "theme"])).await.unwrap() });
    let told = behind(&mut client, registers, registering, "").await;
    let fields: Vec<_> = told.fields.iter().map(|field| (&*field.name, field.initial.as_deref())).collect();
    assert_eq!((told.id, fields), (RegistrationId(7), vec![("theme", Some(&b"light"[..])), ("visits", Some(b"1"))]));
    assert_eq!(registered(&client).await, (1, 2));
    clear(&client, &schema).await;
}

#[tokio::test]
async fn p10_who_withdraws_while_another_registers_leaves_nothing_of_it() {
    let (url, schema) = place!();
    let (store, mut client) = open(&url, &schema).await;
    store.register(&agreed(&["visits"])).await.unwrap();
    let registers = "INSERT INTO registered_field SELECT name, version, 'theme', 2, initial, false \
                     FROM registered_field WHERE name = 'Agreed'";
    let withdrawing = Box::pin(async move { store.withdraw("Agreed", 1).await.unwrap() });
    assert!(behind(&mut client, LOCKS, withdrawing, registers).await);
    assert_eq!(registered(&client).await, (0, 0));
    clear(&client, &schema).await;
}
