//! Keys, names and values that nobody expects.

use super::fixture::{DAY, Draft, Fixture, MINUTE, applied, are, conflict, ended, fields, head};
use crate::expiry::{Lifetime, Timestamp};
use crate::store::{Base, CommitId, Ended, Head, Incarnation, Key, RegistrationId};

/// Keys that stores have tripped over. All are different, so all are different sessions.
pub(super) fn odd_keys() -> Vec<String> {
    let spaced = [" ", "  ", "a ", " a", "a b", "a  b"];
    let words = [
        "a A a\0 \0a \0 a\0b a\\0 a\\x00 a%00 \\ \\\\ % %% %25 * a* ? [a] [ ] .. a.b / a/b a#b # #head _ a_ ~ ^ | !",
        "{ } {} {a} {b}a {{a}} a{ }a{ : :: a:b a: :a a::b ' '' \" ` $1 $$ -- ; a;b x=y&z <a> a,b (a) @ + -",
        "0 00 1 1.0 01 -1 1e0 null NULL nil true \r\n \n \t a\nb \u{1} \u{7f}",
        "\u{e9} e\u{301} \u{df} ss \u{130} i \u{1f36a} \u{200b} \u{a0} \u{feff} \u{ffff} \u{10ffff}",
    ];
    // As long as a key may be, and different only at their ends.
    let long = ["x", "y"].map(|end| "k".repeat(Key::MAX_LEN - 1) + end);
    let longer = ["\u{e9}".repeat(Key::MAX_LEN / 2), "\0".repeat(Key::MAX_LEN), "\0".repeat(Key::MAX_LEN - 1)];
    let short = spaced.into_iter().chain(words.into_iter().flat_map(|line| line.split(' ')));
    short.map(str::to_owned).chain(long).chain(longer).collect()
}

/// Any string of 1 to 512 bytes is a key of its own, and comes back as it was from a listing.
pub(super) async fn p13_any_string_is_a_key_of_its_own(fixture: Fixture) {
    let mut ids = odd_keys();
    for id in &ids {
        let key = fixture.key(id);
        assert_eq!(fixture.absence(&key).await, None, "{id:?} is mixed up with another key");
        fixture.create(&key, &[("key", id)]).await;
    }
    for id in &ids {
        assert_eq!(fields(&fixture.record(&fixture.key(id)).await), are(&[("key", id)]), "{id:?}");
    }
    ids.sort();
    assert_eq!(fixture.count().await, ids.len() as u64);
    for limit in [3, 1_000] {
        assert_eq!(fixture.listed(limit).await, ids);
    }
}

/// All the operations take such keys.
pub(super) async fn p13_odd_keys_can_be_changed_moved_and_destroyed(fixture: Fixture) {
    for id in odd_keys() {
        let key = fixture.key(&id);
        let created = fixture.create(&key, &[("visits", "1")]).await;
        let changed = head(applied(fixture.commit(&key, &fixture.change(&created).set("visits", "2")).await));
        if id.len() < Key::MAX_LEN {
            let to = fixture.key(&format!("{id}\u{7}"));
            let moved = head(applied(fixture.commit(&key, &fixture.change(&changed).renew(&to)).await));
            assert_eq!(fields(&fixture.record(&to).await), are(&[("visits", "2")]), "{id:?}");
            assert!(fixture.destroy(&to, &moved).await.was_stored);
            assert_eq!(ended(fixture.commit(&key, &fixture.change(&changed).destroy()).await), Ended::Renewed);
        } else {
            assert!(fixture.destroy(&key, &changed).await.was_stored);
        }
        assert_eq!(fixture.absence(&key).await, Some(created.incarnation), "{id:?}");
    }
    assert_eq!(fixture.count().await, 0);
}

/// A value is any bytes, and comes back as it was.
pub(super) async fn p13_values_are_opaque(fixture: Fixture) {
    let key = fixture.key("values");
    let every_byte: Vec<u8> = (0..=255).collect();
    let values: [(&str, Vec<u8>); 12] = [
        ("empty", Vec::new()),
        ("nul", vec![0]),
        ("nuls", vec![0; 300]),
        ("every", every_byte),
        ("not_utf8", vec![0xff, 0xfe, 0xc3, 0x28, 0xed, 0xa0, 0x80]),
        ("json", br#"{"a":[1,2.5,null,"x"]}"#.to_vec()),
        ("number", b"00012".to_vec()),
        ("float", b"1e400".to_vec()),
        ("sql", b"'); DROP TABLE sessions; --".to_vec()),
        ("crlf", b"\r\n$-1\r\n".to_vec()),
        ("escape", br"\x41\101\u0041\\".to_vec()),
        ("word", b"NULL".to_vec()),
    ];
    let creation = values.iter().fold(fixture.creation(None), |commit, (name, value)| commit.set(name, value));
    applied(fixture.commit(&key, &creation).await);
    let record = fixture.record(&key).await;
    assert_eq!(record.fields.len(), values.len());
    for (name, value) in &values {
        let found = record.fields.iter().find(|field| *field.name == **name).map(|field| &field.value[..]);
        assert_eq!(found, Some(&value[..]), "{name}");
    }
}

/// An empty value is stored: it is not the same as no value.
pub(super) async fn p13_an_empty_value_is_a_value(fixture: Fixture) {
    let key = fixture.key("empty");
    let created = fixture.create(&key, &[("note", "")]).await;
    assert!(created.stored);
    assert_eq!(fields(&fixture.record(&key).await), are(&[("note", "")]));
    assert!(!applied(fixture.commit(&key, &fixture.change(&created).unset("note")).await).is_stored);
}

/// A value of a mebibyte is stored, changed and moved like any other, beside small ones.
pub(super) async fn p13_large_values_are_stored(fixture: Fixture) {
    let (key, new) = (fixture.key("large"), fixture.key("moved"));
    let large: Vec<u8> = (0..1_048_576_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let creation = fixture.creation(None).set("large", &large).set("small", "1");
    let created = head(applied(fixture.commit(&key, &creation).await));
    let changed = head(applied(fixture.commit(&key, &fixture.change(&created).set("small", "2")).await));
    applied(fixture.commit(&key, &fixture.change(&changed).renew(&new)).await);
    let record = fixture.record(&new).await;
    let value = |name: &str| record.fields.iter().find(|field| *field.name == *name).map(|field| field.value.clone());
    assert!(value("large").as_deref() == Some(&large[..]), "the large value came back changed");
    assert_eq!(value("small"), Some("2".into()));
}

/// A field name is any dotted string up to 255 bytes; names are told apart byte by byte.
pub(super) async fn p13_field_names_are_told_apart(fixture: Fixture) {
    let key = fixture.key("names");
    let words = [
        "a A a.b a.b.c a_b a-b a' a\"b a:b a{b} a% a* a#b 0 00 1.0 null ok err \u{e9} e\u{301} \u{1f36a}",
        "type select key name value field head header id revision commits",
    ];
    let spaced = [" a", "a b"].map(str::to_owned);
    let long = ["x", "y"].map(|end| "n".repeat(254) + end);
    let words = words.into_iter().flat_map(|line| line.split(' ')).map(str::to_owned);
    let names: Vec<String> = words.chain(spaced).chain(long).collect();
    let creation = names.iter().fold(fixture.creation(None), |commit, name| commit.set(name, name));
    let created = head(applied(fixture.commit(&key, &creation).await));
    let expected: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), name.as_str())).collect();
    assert_eq!(fields(&fixture.record(&key).await), are(&expected));

    let change = names.iter().skip(1).fold(fixture.change(&created), |commit, name| commit.unset(name));
    applied(fixture.commit(&key, &change).await);
    assert_eq!(fields(&fixture.record(&key).await), are(&[("a", "a")]));
}

/// Ids are any 64 bits, and zero is one of them.
pub(super) async fn p13_ids_are_any_64_bits(fixture: Fixture) {
    let extremes = [0, 1, 255, 1 << 53, (1 << 53) + 1, i64::MAX as u64, 1 << 63, u64::MAX - 1, u64::MAX];
    for (n, id) in extremes.into_iter().enumerate() {
        let key = fixture.key(&format!("id.{n}"));
        fixture.agree(u32::MAX, RegistrationId(id)).await;
        let creation =
            fixture.creation(None).set("visits", "1").with(|commit| commit.id = CommitId(id)).edit(|write| {
                write.creates = Incarnation(id);
                write.registration = RegistrationId(id);
                write.version = u32::MAX;
            });
        let created = head(applied(fixture.commit(&key, &creation).await));
        let record = fixture.record(&key).await;
        assert_eq!(record.head, created);
        let ids = (created.incarnation, created.last_commit, created.registration, created.version);
        assert_eq!(ids, (Incarnation(id), CommitId(id), RegistrationId(id), u32::MAX));

        let again = applied(fixture.commit(&key, &creation).await);
        assert!(again.repeated, "commit {id:#x} is known");
        let changed = head(applied(fixture.commit(&key, &fixture.change(&created).set("visits", "2")).await));
        fixture.destroy(&key, &changed).await;
        assert_eq!(fixture.absence(&key).await, Some(Incarnation(id)), "incarnation {id:#x} is known");
        let later = fixture.after(DAY);
        let anew = later.creation(Some(Incarnation(id))).set("visits", "3");
        assert!(applied(later.commit(&key, &anew).await).is_stored);
    }
}

/// A first commit whose id nobody sent is not taken for a repeated one, whatever the store keeps for "no id".
pub(super) async fn p13_an_id_of_zero_is_not_taken_for_known(fixture: Fixture) {
    let key = fixture.key("zero");
    let created = fixture.create(&key, &[("visits", "1")]).await;
    let zero = fixture.change(&created).set("visits", "2").with(|commit| commit.id = CommitId(0));
    assert!(!applied(fixture.commit(&key, &zero).await).repeated);
    let record = fixture.record(&key).await;
    assert_eq!((record.head.revision, fields(&record)), (2, are(&[("visits", "2")])));
    // An incarnation of zero is no absence of one.
    let end = fixture.key("end");
    let unborn = fixture.creation(None).set("visits", "1").edit(|write| write.creates = Incarnation(0));
    let zero = head(applied(fixture.commit(&end, &unborn).await));
    fixture.destroy(&end, &zero).await;
    assert_eq!(ended(fixture.commit(&end, &fixture.creation(None).set("visits", "2")).await), Ended::Destroyed);
}

/// Durations, dates and revisions can be any numbers: no sum of them damages a session, also for those who go on with it
/// and are set otherwise.
pub(super) async fn p13_numbers_without_end_are_harmless(fixture: Fixture) {
    let usual = fixture.idle_for(30 * MINUTE);
    for most in [0, 1 << 50, (1 << 53) + 1, 1 << 60, i64::MAX] {
        let long = most.max(MINUTE);
        let lifetime = Lifetime { inactivity: Some(long), creation: Some(long), touch_after: long, retention: most };
        let endless = Fixture { lifetime, ..fixture.clone() };
        let [key, to] = ["key", "moved"].map(|id| fixture.key(&format!("{id} {most}")));
        let created = endless.create(&key, &[("visits", "1")]).await;
        assert_eq!(endless.record(&key).await.head, created);
        let changed = head(applied(usual.commit(&key, &usual.change(&created).set("visits", "2")).await));
        assert_eq!(usual.record(&key).await.head, changed);
        let changed = head(applied(endless.commit(&key, &endless.change(&changed).set("visits", "3")).await));
        assert_eq!(endless.record(&key).await.head, changed);
        let moved = head(applied(endless.commit(&key, &endless.change(&changed).renew(&to)).await));
        assert_eq!(usual.record(&to).await.head.revision, moved.revision);
        assert_eq!(fields(&usual.record(&to).await), are(&[("visits", "3")]));
        usual.destroy(&to, &moved).await;
        assert_eq!(fixture.absence(&to).await, Some(moved.incarnation));
        assert_eq!(fixture.absence(&key).await, Some(created.incarnation));
    }

    let key = fixture.key("valid");
    let valid = |until| Base::Absent { saw: None, valid_until: Some(Timestamp::from_millis(until)) };
    let creation = |until| fixture.based_on(valid(until)).set("visits", "1");
    assert_eq!(ended(fixture.commit(&key, &creation(i64::MIN)).await), Ended::Expired);
    let created = head(applied(fixture.commit(&key, &creation(i64::MAX)).await));
    for revision in [0, 2, 1 << 48, 1 << 53, 1 << 60, i64::MAX as u64, 1 << 63, u64::MAX] {
        let Head { incarnation, last_commit, .. } = created;
        let stale = fixture.based_on(Base::Record { incarnation, revision, last_commit }).set("visits", "2");
        assert_eq!(conflict(fixture.commit(&key, &stale).await).head, created, "revision {revision}");
    }
}
