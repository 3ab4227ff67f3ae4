//! What stays in the tables of what has ended.

use session_runtime::expiry::{ClockOffset, Lifetime};
use session_runtime::store::{
    Action, Base, Commit, Head, Housekeeping, IndexEntry, Load, PostgresStore, Record, Reply, Store, Term,
};
use session_tests::commits::{
    FOREVER, HALF_AN_HOUR, NOTHING, applied, at, create, destroying, key, living, load, record, renewing, set, unset,
    write,
};
use tokio_postgres::Client;

use super::Place;

/// The names of the fields that stand in the header of a key and in the table of fields, there of whatever life.
async fn fields(client: &Client, id: &str) -> Vec<String> {
    let sql = "SELECT jsonb_object_keys(fields) AS field FROM header WHERE key = $1
               UNION ALL SELECT field FROM field WHERE key = $1 ORDER BY field";
    client.query(sql, &[&id.as_bytes()]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

/// Stores a session that expires in half an hour.
async fn created(store: &PostgresStore, id: &str) -> Head {
    create(store, &key(id), vec![set("a", "1"), set("b", large("2"))]).await
}

/// What has a row of its own.
fn large(digit: &str) -> String {
    digit.repeat(200)
}

async fn commit(store: &PostgresStore, id: &str, commit: Commit) -> Head {
    applied(store.commit(&key(id), &commit).await.unwrap()).head.unwrap_or_else(|| panic!("`{id}` leaves a header"))
}

const TOMORROW: ClockOffset = ClockOffset(86_400_000);

#[tokio::test]
async fn what_has_ended_leaves_no_field_behind() {
    let place = place!();
    let (store, client) = (place.store().await, place.client().await);

    let head = created(&store, "destroyed").await;
    let destruction = destroying(write((&head).into(), vec![]));
    assert!(applied(store.commit(&key("destroyed"), &destruction).await.unwrap()).was_stored);
    assert_eq!(fields(&client, "destroyed").await, [""; 0]);

    let head = created(&store, "emptied").await;
    commit(&store, "emptied", write((&head).into(), vec![unset("a"), unset("b")])).await;
    assert_eq!(fields(&client, "emptied").await, [""; 0]);

    let head = created(&store, "replaced").await;
    let mut replacing = write((&head).into(), vec![set("c", "3"), set("d", large("4"))]);
    if let Action::Write(write) = &mut replacing.action {
        write.replace = true;
    }
    commit(&store, "replaced", replacing).await;
    assert_eq!(fields(&client, "replaced").await, ["c", "d"]);

    // Where a session expired, another begins, or moves away, or arrives.
    let after = |head: &Head| Base::Absent { saw: Some(head.incarnation), valid_until: None };
    let head = created(&store, "expired").await;
    commit(&store, "expired", at(write(after(&head), vec![set("c", "3")]), TOMORROW)).await;
    assert_eq!(fields(&client, "expired").await, ["c"]);

    let head = created(&store, "from").await;
    let moving = at(write(after(&head), vec![set("c", "3")]), TOMORROW);
    commit(&store, "from", renewing(moving, &key("away"))).await;
    assert_eq!(fields(&client, "from").await, [""; 0]);
    assert_eq!(fields(&client, "away").await, ["c"]);

    created(&store, "to").await;
    let lasting =
        living(write(NOTHING, vec![set("c", "3"), set("d", large("4")), set("e", large("5")), set("f", "6")]), FOREVER);
    let head = commit(&store, "lasting", lasting).await;
    let moving = at(living(write((&head).into(), vec![unset("d"), unset("f")]), FOREVER), TOMORROW);
    commit(&store, "lasting", renewing(moving, &key("to"))).await;
    assert_eq!(fields(&client, "lasting").await, [""; 0]);
    assert_eq!(fields(&client, "to").await, ["c", "e"]);
    place.clear().await;
}

/// By a program that knows of no index: the others find it on.
#[tokio::test]
async fn a_field_that_moves_takes_along_what_it_is_found_by() {
    let place = place!();
    let store = place.store().await;
    let mut indexed = write(NOTHING, vec![set("user", "7"), set("a", "1")]);
    if let Action::Write(write) = &mut indexed.action {
        write.index.push(IndexEntry { field: "user".into(), term: Term::of(b"7") });
    }
    let head = commit(&store, "here", indexed).await;
    commit(&store, "here", renewing(write((&head).into(), vec![set("a", "2")]), &key("there"))).await;
    assert_eq!(super::found_in_pages(&store, "user", "7").await, [key("there")]);
    place.clear().await;
}

/// By commits of the common kind, which leave alone the time at which a key is looked at.
#[tokio::test]
async fn a_session_that_begins_to_expire_is_purged_after_the_longest_retention() {
    let place = place!();
    let (store, client) = (place.store().await, place.client().await);
    let head = commit(&store, "lasting", living(write(NOTHING, vec![set("a", "1")]), FOREVER)).await;
    let head = commit(&store, "lasting", write((&head).into(), vec![set("a", "2")])).await;
    let longer = Lifetime { retention: 36_000_000, ..HALF_AN_HOUR };
    let head = commit(&store, "lasting", living(write((&head).into(), vec![set("a", "3")]), longer)).await;
    let kept = "SELECT retained_until FROM header WHERE key = 'lasting'";
    let kept: i64 = client.query_one(kept, &[]).await.unwrap().get(0);
    assert_eq!(kept, head.expires_at.unwrap().as_millis() + 36_000_000);
    assert_eq!(store.purge(10, ClockOffset(1_800_000 + 7_200_000)).await.unwrap().removed, 0);
    assert_eq!(store.purge(10, TOMORROW).await.unwrap().removed, 1);
    place.clear().await;
}

#[tokio::test]
async fn fields_that_another_life_left_are_never_seen_and_fill_no_session() {
    let place = place!();
    let (store, client) = (place.store().await, place.client().await);
    let head = create(&store, &key("1"), vec![set("a", large("1"))]).await;
    // Of another life of either key, and of a key beside them.
    let left = "INSERT INTO field SELECT name, k::bytea, incarnation + 1, 'old', value, 'term'
                FROM field, unnest(ARRAY['1', '2', '3']) AS k";
    client.batch_execute(left).await.unwrap();
    let fields = |record: Record| {
        let mut names: Vec<_> = record.fields.iter().map(|field| field.name.to_string()).collect();
        names.sort();
        names
    };

    assert_eq!(super::found_in_pages(&store, "old", "term").await, []);
    let later = ClockOffset(10 * 60_000);
    let touched = store.load(&key("1"), Load::touch(HALF_AN_HOUR, later)).await.unwrap();
    assert!(touched.touched);
    assert_eq!(fields(record(touched)), ["a"]);
    assert_eq!(fields(record(store.load(&key("1"), Load::look(later)).await.unwrap())), ["a"]);
    let Base::Record { incarnation, last_commit, .. } = Base::from(&head) else { unreachable!() };
    let stale = || Base::Record { incarnation, revision: 9, last_commit };
    let renewal = |base| renewing(write(base, vec![set("b", "2")]), &key("2"));
    for conflict in [write(stale(), vec![set("b", "2")]), renewal(stale())] {
        let Reply::Conflict(found) = store.commit(&key("1"), &conflict).await.unwrap() else { panic!("it is stale") };
        assert_eq!(fields(found), ["a"]);
    }

    // It can have a field of that name itself, and change it, and remove it.
    let mut head = head;
    for value in ["2".to_owned(), large("3"), "4".to_owned()] {
        let both = write(Base::from(&head), vec![set("old", value.clone()), unset("nothing")]);
        head = applied(store.commit(&key("1"), &both).await.unwrap()).head.unwrap();
        let found = record(store.load(&key("1"), Load::look(later)).await.unwrap());
        assert_eq!(session_tests::commits::value(&found, "old").unwrap(), value.as_bytes());
        assert_eq!(fields(found), ["a", "old"]);
    }
    let without = write(Base::from(&head), vec![unset("old"), set("a", "2")]);
    head = applied(store.commit(&key("1"), &without).await.unwrap()).head.unwrap();
    assert_eq!(fields(record(store.load(&key("1"), Load::look(later)).await.unwrap())), ["a"]);
    let row = "SELECT value FROM field WHERE key = '1' AND field = 'old'";
    assert_eq!(
        client.query_one(row, &[]).await.unwrap().get::<_, &[u8]>(0),
        large("1").as_bytes(),
        "what was left is as it was"
    );

    let emptied = applied(store.commit(&key("1"), &write(Base::from(&head), vec![unset("a")])).await.unwrap());
    assert!(!emptied.is_stored, "no field of this life is left");
    let again = write(Base::from(&emptied.head.unwrap()), vec![set("c", "3")]);
    let head = applied(store.commit(&key("1"), &again).await.unwrap()).head.unwrap();
    applied(store.commit(&key("1"), &renewal(Base::from(&head))).await.unwrap());
    assert_eq!(fields(record(store.load(&key("2"), load(HALF_AN_HOUR)).await.unwrap())), ["b", "c"]);
    let beside = client.query_one("SELECT count(*) FROM field WHERE key = '3'", &[]).await.unwrap();
    assert_eq!(beside.get::<_, i64>(0), 1, "what is beside them is left alone");
    place.clear().await;
}
