//! Which fields the header keeps and which have rows: whatever a commit does, each is in one place and comes back.

use std::collections::BTreeMap;

use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use session_runtime::store::{Action, Base, Change, Commit, Head, IndexEntry, Key, PostgresStore, Store, Term};
use session_tests::commits::{HALF_AN_HOUR, NOTHING, applied, create, key, load, record, renewing, set, unset, write};
use tokio_postgres::Client;

use super::Place;

/// The fields that a session has in the header, and in rows of its life.
async fn places(client: &Client, id: &str) -> (Vec<String>, Vec<String>) {
    let kept = "SELECT jsonb_object_keys(fields) AS field FROM header WHERE key = $1 ORDER BY field";
    let rows = "SELECT f.field FROM header h JOIN field f USING (name, key, incarnation)
                WHERE h.key = $1 AND h.has_rows ORDER BY f.field";
    let mut names = Vec::new();
    for sql in [kept, rows] {
        let found = client.query(sql, &[&id.as_bytes()]).await.unwrap();
        names.push(found.iter().map(|row| row.get(0)).collect());
    }
    let rows = names.pop().unwrap();
    (names.pop().unwrap(), rows)
}

async fn fields(store: &PostgresStore, key: &Key) -> BTreeMap<String, Vec<u8>> {
    let found = record(store.load(key, load(HALF_AN_HOUR)).await.unwrap());
    let fields = found.fields.iter().map(|field| (field.name.to_string(), field.value.to_vec()));
    let sorted: BTreeMap<_, _> = fields.collect();
    assert_eq!(sorted.len(), found.fields.len(), "a field is in two places: {found:?}");
    sorted
}

async fn change(store: &PostgresStore, id: &str, head: &mut Head, changes: Vec<Change>) {
    let commit = write(Base::from(&*head), changes);
    *head = applied(store.commit(&key(id), &commit).await.unwrap()).head.unwrap();
}

fn indexed(mut commit: Commit, field: &str, value: &'static str) -> Commit {
    if let Action::Write(write) | Action::Renew { write, .. } = &mut commit.action {
        write.index.push(IndexEntry { field: field.into(), term: Term::of(value.as_bytes()) });
    }
    commit
}

const SMALL: [&[u8]; 5] = [b"1", b"\"dark\"", b"\xff\0", b"#\"\\", &[b'x'; 100]];
const LARGE: [&[u8]; 2] = [&[b'x'; 129], &[0; 64]];

#[tokio::test]
async fn a_small_value_is_in_the_header_and_a_large_one_in_a_row() {
    let place = place!();
    let (store, client) = (place.store().await, place.client().await);
    let is = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    for (number, small) in SMALL.into_iter().enumerate() {
        for (other, large) in LARGE.into_iter().enumerate() {
            let id = format!("{number} {other}");
            let mut head = create(&store, &key(&id), vec![set("a", small), set("b", large)]).await;
            assert_eq!(places(&client, &id).await, (is(&["a"]), is(&["b"])));
            // One becomes large, and then small again, which leaves it where it is.
            change(&store, &id, &mut head, vec![set("a", large)]).await;
            assert_eq!(places(&client, &id).await, (is(&[]), is(&["a", "b"])));
            change(&store, &id, &mut head, vec![set("a", small), set("c", small)]).await;
            assert_eq!(places(&client, &id).await, (is(&[]), is(&["a", "b", "c"])));
            change(&store, &id, &mut head, vec![set("d", small)]).await;
            assert_eq!(places(&client, &id).await, (is(&["d"]), is(&["a", "b", "c"])));
            // What had gone has no row that it would have to be looked for.
            change(&store, &id, &mut head, vec![unset("a"), unset("b"), unset("c")]).await;
            change(&store, &id, &mut head, vec![set("a", small)]).await;
            assert_eq!(places(&client, &id).await, (is(&["a", "d"]), is(&[])));
            let expected = [("a".to_owned(), small.to_vec()), ("d".to_owned(), small.to_vec())];
            assert_eq!(fields(&store, &key(&id)).await, BTreeMap::from(expected));
        }
    }
    place.clear().await;
}

/// Rows of other sessions, and of another life of the key, are no reason to look for a field in a row.
#[tokio::test]
async fn a_small_field_is_in_the_header_whatever_rows_others_have() {
    let place = place!();
    let (store, client) = (place.store().await, place.client().await);
    create(&store, &key("other"), vec![set("a", LARGE[0]), set("b", LARGE[0])]).await;
    let mut head = create(&store, &key("own"), vec![set("large", LARGE[0])]).await;
    let left = "INSERT INTO field SELECT 'Other', h.key, h.incarnation, 'a', '' FROM header h WHERE key = 'own';
                INSERT INTO field SELECT h.name, h.key, h.incarnation + 1, 'a', '' FROM header h WHERE key = 'own';
                INSERT INTO field SELECT o.name, o.key, h.incarnation, 'a', '' FROM header h, header o
                    WHERE h.key = 'own' AND o.key = 'other';
                INSERT INTO field SELECT name, key, incarnation, replace(field, 'a', 'b'), value FROM field
                    WHERE field = 'a' ON CONFLICT DO NOTHING";
    client.batch_execute(left).await.unwrap();
    // By the statement of the common kind, and by the function, which also removes.
    change(&store, "own", &mut head, vec![set("a", "1")]).await;
    change(&store, "own", &mut head, vec![set("b", "1"), unset("nothing")]).await;
    assert_eq!(places(&client, "own").await, (vec!["a".to_owned(), "b".to_owned()], vec!["large".to_owned()]));
    place.clear().await;
}

#[tokio::test]
async fn p04_a_header_takes_no_more_fields_than_it_has_room_for() {
    let place = place!();
    let (store, client) = (place.store().await, place.client().await);
    let names: Vec<String> = (10..60).map(|number| format!("field {number}")).collect();
    let all = || names.iter().map(|name| set(name, "12345678")).collect::<Vec<_>>();
    let bytes = "SELECT pg_column_size(fields) FROM header WHERE key = $1";

    let mut head = create(&store, &key("bit by bit"), vec![set("first", "1")]).await;
    for change in all() {
        self::change(&store, "bit by bit", &mut head, vec![change]).await;
    }
    create(&store, &key("at once"), all()).await;
    let mut kept = Vec::new();
    for id in ["bit by bit", "at once"] {
        let size: i32 = client.query_one(bytes, &[&id.as_bytes()]).await.unwrap().get(0);
        assert!(size <= 256, "{size}");
        assert!(fields(&store, &key(id)).await.len() >= names.len());
        kept.push(places(&client, id).await.0.len());
    }
    assert!(kept[0] >= 8 && kept[1] == 0, "{kept:?}");

    // Whether it can grow is asked each time: one that cannot gets a row.
    for name in &names {
        change(&store, "bit by bit", &mut head, vec![set(name, "x".repeat(100))]).await;
        let size: i32 = client.query_one(bytes, &[&"bit by bit".as_bytes()]).await.unwrap().get(0);
        assert!(size <= 256, "{size}");
    }
    assert_eq!(fields(&store, &key("bit by bit")).await.len(), names.len() + 1);
    place.clear().await;
}

/// By a program that learned of the index later.
#[tokio::test]
async fn a_small_field_that_an_index_finds_has_a_row() {
    let place = place!();
    let (store, client) = (place.store().await, place.client().await);
    let head = create(&store, &key("moves"), vec![set("user", "7"), set("a", "1")]).await;
    let renewal = indexed(renewing(write((&head).into(), vec![set("a", "2")]), &key("moved")), "user", "7");
    let mut head = applied(store.commit(&key("moves"), &renewal).await.unwrap()).head.unwrap();
    assert_eq!(super::found_in_pages(&store, "user", "7").await, [key("moved")]);
    assert_eq!(places(&client, "moved").await, (vec!["a".to_owned()], vec!["user".to_owned()]));

    for value in ["8", "9"] {
        let commit = indexed(write(Base::from(&head), vec![set("user", value), set("a", value)]), "user", value);
        head = applied(store.commit(&key("moved"), &commit).await.unwrap()).head.unwrap();
        assert_eq!(super::found_in_pages(&store, "user", value).await, [key("moved")]);
        assert_eq!(places(&client, "moved").await, (vec!["a".to_owned()], vec!["user".to_owned()]));
    }
    // Set by a program that knows of no index, it is not found any more.
    change(&store, "moved", &mut head, vec![set("user", "10")]).await;
    assert_eq!(super::found_in_pages(&store, "user", "9").await, []);

    let mut head = create(&store, &key("stays"), vec![set("user", "7")]).await;
    assert_eq!(places(&client, "stays").await.0, ["user"]);
    let commit = indexed(write(Base::from(&head), vec![set("user", "7")]), "user", "7");
    head = applied(store.commit(&key("stays"), &commit).await.unwrap()).head.unwrap();
    assert_eq!(super::found_in_pages(&store, "user", "7").await, [key("stays")]);
    change(&store, "stays", &mut head, vec![unset("user"), set("a", "1")]).await;
    assert_eq!(super::found_in_pages(&store, "user", "7").await, []);
    assert_eq!(fields(&store, &key("stays")).await.len(), 1);
    place.clear().await;
}

/// Commits of all kinds, one after another, against a map.
#[tokio::test]
async fn whatever_is_committed_comes_back_from_one_place() {
    let place = place!();
    let (store, client) = (place.store().await, place.client().await);
    let names = ["a", "b", "c", "d", "a name that takes some of the room", "another name that takes a lot of it"];
    for seed in 0..20 {
        let mut random = SmallRng::seed_from_u64(seed);
        let mut id = format!("{seed}");
        let mut expected: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        let mut base = NOTHING;
        for step in 0..40 {
            let mut changes: BTreeMap<&str, Option<Vec<u8>>> = BTreeMap::new();
            for _ in 0..random.random_range(1..4) {
                let value = match random.random_range(0..10) {
                    0..6 => Some(SMALL.choose(&mut random).unwrap().to_vec()),
                    6..8 => Some(LARGE.choose(&mut random).unwrap().to_vec()),
                    _ => None,
                };
                changes.insert(names.choose(&mut random).unwrap(), value);
            }
            let mut commit = write(base, Vec::new());
            let to = format!("{id}'");
            let replaces = random.random_range(0..12) == 0;
            let is_found = changes.get("d").is_some_and(Option::is_some) && random.random_bool(0.5);
            if let Action::Write(write) = &mut commit.action {
                write.replace = replaces;
                write.changes = changes
                    .iter()
                    .map(|(name, value)| Change { name: (*name).into(), value: value.clone().map(Into::into) })
                    .collect();
            }
            if is_found {
                commit = indexed(commit, "d", "found");
            }
            if random.random_range(0..12) == 0 {
                commit = renewing(commit, &key(&to));
            }
            let head = applied(store.commit(&key(&id), &commit).await.unwrap()).head.unwrap();
            if matches!(commit.action, Action::Renew { .. }) {
                assert_eq!(places(&client, &id).await, (vec![], vec![]), "seed {seed}, step {step}: left behind");
                id = to;
            }
            base = Base::from(&head);

            if replaces {
                expected.clear();
            }
            for (name, value) in changes {
                match value {
                    Some(value) => expected.insert(name.to_owned(), value),
                    None => expected.remove(name),
                };
            }
            assert_eq!(head.stored, !expected.is_empty(), "seed {seed}, step {step}: {commit:?}");
            if head.stored {
                assert_eq!(fields(&store, &key(&id)).await, expected, "seed {seed}, step {step}: {commit:?}");
            }
            let (kept, rows) = places(&client, &id).await;
            assert_eq!(kept.len() + rows.len(), expected.len(), "seed {seed}, step {step}: {kept:?} {rows:?}");
        }
    }
    place.clear().await;
}
