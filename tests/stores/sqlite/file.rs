//! What the file looks like.

use session_runtime::expiry::ClockOffset;
use session_runtime::store::{
    Action, Base, Change, Housekeeping, Key, Load, RegisteredField, Registration, RegistrationId, Reply, SqliteOptions,
    SqliteStore, Store, StoreErrorKind, Synchronous,
};

use session_tests::commits::{destroying, living, renewing};

use super::{ABSENT, FOREVER, MINUTE, NOW, Place, agree, applied, fields, key, load, record, transactions, write};

#[tokio::test]
async fn keys_and_values_come_back_exactly_after_the_file_was_closed() {
    let place = Place::new();
    let keys = ["42", "a\0b", "a\0", "{42}:1", "über 🦀", "' OR 1 = 1 --", "\u{ffff}", "\u{feff}x", &"k".repeat(512)];
    let values: [(&str, &[u8]); 7] = [
        ("a", b"1"),
        ("b.c", b"\"text\""),
        ("d", b""),
        ("e", b"\0"),
        ("f", b"nul\0inside"),
        ("g", b"\xff\xfe no text"),
        ("h", "\u{feff}\u{fffe}é".as_bytes()),
    ];
    let store = place.open().await;
    for id in keys {
        applied(store.commit(&key(id), &write(ABSENT, &values)).await.unwrap());
    }
    drop(store);

    let store = place.open().await;
    for id in keys {
        let expected: Vec<_> = values.iter().map(|(name, value)| ((*name).to_owned(), value.to_vec())).collect();
        assert_eq!(fields(&store, &key(id)).await, expected, "{id:?}");
    }
    let listed = store.keys("Visitor", None, 100, NOW).await.unwrap();
    let mut sorted = keys.to_vec();
    sorted.sort_unstable();
    assert_eq!(listed.keys.iter().map(Key::id).collect::<Vec<_>>(), sorted);
}

#[tokio::test]
async fn the_shell_shows_text_and_the_application_keeps_its_own_version() {
    let place = Place::new();
    let application = place.connection();
    application
        .execute_batch("CREATE TABLE orders (id); PRAGMA user_version = 12; PRAGMA application_id = 34")
        .unwrap();

    let store = place.open().await;
    store.commit(&key("42"), &write(ABSENT, &[("cart", b"[{\"sku\":\"A1\"}]"), ("raw", b"\xff")])).await.unwrap();

    let shown = "SELECT f.name || ' ' || typeof(f.value) || ' ' || s.state || ' ' || s.revision
                 FROM session_runtime_sessions s JOIN session_runtime_fields f ON f.session = s.id
                 WHERE s.name = 'Visitor' AND s.key = '42' ORDER BY f.name";
    let mut statement = application.prepare(shown).unwrap();
    let rows: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(rows, ["cart text stored 1", "raw blob stored 1"]);
    let sku = "SELECT json_extract(value, '$[0].sku') FROM session_runtime_fields WHERE name = 'cart'";
    assert_eq!(application.query_row(sku, [], |row| row.get::<_, String>(0)).unwrap(), "A1");

    // What is typed into the shell is read as text.
    application.execute("UPDATE session_runtime_fields SET value = 5 WHERE name = 'cart'", []).unwrap();
    assert_eq!(fields(&store, &key("42")).await[0], ("cart".to_owned(), b"5".to_vec()));

    let pragma = |name| application.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!((pragma("user_version"), pragma("application_id")), (12, 34));
}

#[tokio::test]
async fn a_small_change_and_a_renewal_write_a_few_pages_whatever_the_size_of_the_session() {
    let place = Place::new();
    let store = place.open().await;
    let large = vec![b'x'; 100_000];
    let created = write(ABSENT, &[("large", &large), ("small", b"1")]);
    let head = applied(store.commit(&key("42"), &created).await.unwrap()).head.unwrap();
    let before = transactions(&place.log()).len();

    let changed = write(Base::from(&head), &[("small", b"2")]);
    let head = applied(store.commit(&key("42"), &changed).await.unwrap()).head.unwrap();
    // The header's page and the field's.
    assert_eq!(transactions(&place.log())[before..], [2]);

    let to = key("43");
    let renew = renewing(write(Base::from(&head), &[("small", b"3")]), &to);
    applied(store.commit(&key("42"), &renew).await.unwrap());
    assert!(transactions(&place.log())[before + 1] <= 5, "{:?}", transactions(&place.log()));
    assert_eq!(fields(&store, &to).await, [("large".to_owned(), large), ("small".to_owned(), b"3".to_vec())]);
}

#[tokio::test]
async fn a_session_inherits_nothing_from_a_header_that_was_deleted_by_hand() {
    let place = Place::new();
    let store = place.open().await;
    store.commit(&key("42"), &write(ABSENT, &[("old", b"1")])).await.unwrap();
    place.connection().execute("DELETE FROM session_runtime_sessions", []).unwrap();

    store.commit(&key("43"), &write(ABSENT, &[("new", b"2")])).await.unwrap();
    assert_eq!(fields(&store, &key("43")).await, [("new".to_owned(), b"2".to_vec())]);
}

#[tokio::test]
async fn a_renewal_to_its_own_key_is_decided_like_any_other() {
    let store = SqliteStore::memory().await.unwrap();
    agree(&store).await;
    let key = key("42");
    let head = applied(store.commit(&key, &write(ABSENT, &[("a", b"1")])).await.unwrap()).head.unwrap();
    let renew = |base| renewing(write(base, &[("a", b"2")]), &key);
    assert!(matches!(store.commit(&key, &renew(Base::from(&head))).await.unwrap(), Reply::Occupied));

    let mut empty = write(Base::from(&head), &[]);
    if let Action::Write(write) = &mut empty.action {
        write.changes.push(Change { name: "a".into(), value: None });
    }
    let head = applied(store.commit(&key, &empty).await.unwrap()).head.unwrap();
    let moved = applied(store.commit(&key, &renew(Base::from(&head))).await.unwrap()).head.unwrap();
    assert_eq!(record(&store, &key).await.head, moved);
    assert_eq!(fields(&store, &key).await, [("a".to_owned(), b"2".to_vec())]);
}

#[tokio::test]
async fn a_purge_removes_what_is_over_in_batches_and_nothing_else() {
    let place = Place::new();
    let store = SqliteOptions::new(place.file()).synchronous(Synchronous::Off).open().await.unwrap();
    agree(&store).await;
    for id in 0..250 {
        let commit = living(write(ABSENT, &[("a", b"1")]), MINUTE);
        store.commit(&key(&id.to_string()), &commit).await.unwrap();
    }
    store.commit(&key("kept"), &write(ABSENT, &[("a", b"1")])).await.unwrap();

    let later = ClockOffset(61_000);
    let purge = async |limit, clock| {
        let purged = store.purge(limit, clock).await.unwrap();
        (purged.removed, purged.more)
    };
    assert_eq!(purge(1000, NOW).await, (0, false));
    assert_eq!(purge(120, later).await, (120, true));
    assert_eq!(purge(1000, later).await, (130, false));
    assert_eq!(fields(&store, &key("kept")).await.len(), 1);
    let left = "SELECT count(*) FROM session_runtime_fields";
    assert_eq!(place.connection().query_row(left, [], |row| row.get::<_, i64>(0)).unwrap(), 1);
}

#[tokio::test]
async fn registrations_keep_their_order_and_what_was_registered_first() {
    let place = Place::new();
    let field = |name: &str, initial: Option<&'static [u8]>| RegisteredField {
        name: name.into(),
        initial: initial.map(Into::into),
        sensitive: name == "secret",
    };
    let proposal = |id, fields: &[RegisteredField]| Registration {
        id: RegistrationId(id),
        name: "Shop".into(),
        version: 3,
        codec: "json".into(),
        fields: fields.to_vec(),
    };
    let store = place.open().await;
    let first = proposal(u64::MAX, &[field("z", Some(b"1")), field("secret", Some(b"\xff"))]);
    assert_eq!(store.register(&first).await.unwrap(), first);

    let second = proposal(2, &[field("z", Some(b"other")), field("a", None)]);
    let expected = Registration { fields: [&first.fields[..], &[field("a", None)]].concat(), ..first };
    assert_eq!(store.register(&second).await.unwrap(), expected);
    drop(store);

    let store = place.open().await;
    assert!(store.registrations().await.unwrap().found.contains(&expected));

    // One that is damaged is named, and does not hide the others.
    let damage = "INSERT INTO session_runtime_registered_fields VALUES ('Visitor', 2, 'a', 0, NULL, 'x')";
    place.connection().execute(damage, []).unwrap();
    let all = store.registrations().await.unwrap();
    let [damaged] = &all.damaged[..] else { panic!("{:?}", all.damaged) };
    assert_eq!((&*damaged.name, damaged.version, damaged.error.kind()), ("Visitor", 2, StoreErrorKind::Corrupt));
    assert!(all.found.contains(&expected) && all.found.len() == 2);
    assert_eq!(store.registration("Shop", 3).await.unwrap(), Some(expected));
    assert!(store.withdraw("Shop", 3).await.unwrap());
    assert!(!store.withdraw("Shop", 3).await.unwrap());
    assert_eq!(store.registration("Shop", 3).await.unwrap(), None);
    assert!(!load(&store, &key("42")).await.touched);
}

#[tokio::test]
async fn p10_sessions_go_on_when_all_tables_were_emptied_under_them() {
    let place = Place::new();
    let empty = || async {
        let tables = "DELETE FROM session_runtime_sessions; DELETE FROM session_runtime_fields; \
                      DELETE FROM session_runtime_registrations; DELETE FROM session_runtime_registered_fields";
        place.connection().execute_batch(tables).unwrap();
    };
    session_tests::emptied_under_running_sessions(place.open().await, empty).await;
}

#[tokio::test]
async fn p10_sessions_go_on_when_an_older_file_took_the_place_of_theirs() {
    for readers in [0, 2] {
        let place = Place::new();
        let backup = place.0.path().join("backup.db");
        let store = SqliteOptions::new(place.file()).readers(readers).open().await.unwrap();
        let save = || async {
            let _ = std::fs::remove_file(&backup);
            place.connection().execute("VACUUM INTO ?1", [backup.to_str().unwrap()]).unwrap();
        };
        let restore = || async {
            let copy = place.0.path().join("copy.db");
            std::fs::copy(&backup, &copy).unwrap();
            std::fs::remove_file(place.log()).unwrap();
            std::fs::remove_file(place.0.path().join("sessions.db-shm")).unwrap();
            std::fs::rename(&copy, place.file()).unwrap();
        };
        session_tests::restored_under_running_sessions(store, save, restore).await;
    }
}

#[tokio::test]
async fn p10_sessions_go_on_when_the_file_was_removed_under_them() {
    let place = Place::new();
    let remove = || async {
        for file in [place.log(), place.0.path().join("sessions.db-shm"), place.file()] {
            std::fs::remove_file(file).unwrap();
        }
    };
    session_tests::emptied_under_running_sessions(place.open().await, remove).await;

    // A program that makes no file says that there is none.
    let place = Place::new();
    drop(place.open().await);
    let existing = SqliteOptions::new(place.file()).existing_only().open().await.unwrap();
    std::fs::remove_file(place.file()).unwrap();
    let error = existing.commit(&key("1"), &write(ABSENT, &[("a", b"1")])).await.unwrap_err();
    assert_eq!((error.kind(), error.is_not_applied()), (StoreErrorKind::Unavailable, true), "{error:?}");
    let error = existing.load(&key("1"), Load::touch(FOREVER, NOW)).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error:?}");
}

#[tokio::test]
async fn an_ended_session_leaves_its_header_and_nothing_of_its_fields() {
    let place = Place::new();
    let store = place.open().await;
    let rows = || {
        let count = "SELECT count(*) FROM session_runtime_fields";
        place.connection().query_row(count, [], |row| row.get::<_, i64>(0)).unwrap()
    };
    let values: [(&str, &[u8]); 2] = [("a", b"1"), ("b", b"2")];
    let mut head = applied(store.commit(&key("42"), &write(ABSENT, &values)).await.unwrap()).head.unwrap();
    for to in ["43", "44"] {
        let renewal = renewing(write(Base::from(&head), &[("c", b"3")]), &key(to));
        head = applied(store.commit(&key(if to == "43" { "42" } else { "43" }), &renewal).await.unwrap()).head.unwrap();
        assert_eq!(rows(), 3);
    }
    applied(store.commit(&key("44"), &destroying(write(Base::from(&head), &[]))).await.unwrap());
    assert_eq!(rows(), 0);
}
