//! Sessions whose ids are equal, because a program chose them so: nothing but name and key tells them apart.

use super::finding::Indexing;
use super::fixture::{Draft, Fixture, MINUTE, REGISTRATION, applied, are, conflict, fields, head};
use crate::store::{Head, Incarnation, Key};

/// Sessions beside the one that changes: under the same name, and under the same key of another name.
struct Beside {
    sessions: Vec<(Fixture, Key, Head)>,
}

impl Beside {
    /// They are as they were stored.
    async fn stay(&self, after: &str) {
        for (fixture, key, before) in &self.sessions {
            let record = fixture.record(key).await;
            assert_eq!((record.head, fields(&record)), (*before, are(&THEIRS)), "{key:?} after {after}");
            let found = fixture.found("user", b"8").await;
            assert_eq!(found.iter().filter(|id| *id == key.id()).count(), 1, "{key:?} after {after}: {found:?}");
        }
    }
}

const THEIRS: [(&str, &str); 3] = [("a", "their a"), ("b", "their b"), ("user", "8")];

/// Stores a session as this life.
async fn live(fixture: &Fixture, key: &Key, life: Incarnation, [a, b, user]: [(&str, &str); 3]) -> Head {
    let commit = fixture.creation(None).edit(|write| write.creates = life);
    let commit = commit.set(a.0, a.1).set(b.0, b.1).set_indexed(user.0, user.1.as_bytes());
    head(applied(fixture.commit(key, &commit).await))
}

/// Whatever is done to a session, those whose ids are equal stay as they are, and nothing of theirs is taken for its own.
pub(super) async fn p05_sessions_of_equal_ids_do_not_mix(fixture: Fixture) {
    let fixture = fixture.idle_for(10 * MINUTE);
    let other = fixture.named(format!("{}-twin", fixture.name));
    other.agree(1, REGISTRATION).await;
    let (life, key, to) = (Incarnation::random(), fixture.key("42"), fixture.key("to"));
    let created = live(&fixture, &key, life, [("a", "1"), ("b", "1"), ("user", "7")]).await;
    let mut beside = Beside { sessions: Vec::new() };
    for (fixture, id) in [(&fixture, "43"), (&other, "42"), (&other, "to"), (&other, "43")] {
        let key = fixture.key(id);
        let head = live(fixture, &key, life, THEIRS).await;
        beside.sessions.push((fixture.clone(), key, head));
    }
    beside.stay("all were stored").await;
    assert_eq!(fixture.found("user", b"7").await, ["42"]);

    let set = head(applied(fixture.commit(&key, &fixture.change(&created).set("a", "2")).await));
    beside.stay("a field was set").await;
    let mixed = fixture.change(&set).set("a", "3").set("c", "3").unset("b");
    let mixed = head(applied(fixture.commit(&key, &mixed).await));
    beside.stay("fields were set and removed").await;
    let mine = are(&[("a", "3"), ("c", "3"), ("user", "7")]);
    let stale = fixture.change(&created).set("a", "4");
    assert_eq!(fields(&conflict(fixture.commit(&key, &stale).await)), mine);
    assert_eq!(fields(&conflict(fixture.commit(&key, &stale.renew(&to)).await)), mine);
    let touched = fixture.after(5 * MINUTE).load(&key).await;
    assert!(touched.touched);
    assert_eq!(fields(&fixture.record(&key).await), mine);
    beside.stay("it was touched").await;

    let renewal = fixture.change(&mixed).set("a", "5").indexed("user", b"7").edit(|write| write.creates = life);
    let moved = head(applied(fixture.commit(&key, &renewal.renew(&to)).await));
    assert_eq!(fields(&fixture.record(&to).await), are(&[("a", "5"), ("c", "3"), ("user", "7")]));
    beside.stay("it was renewed").await;

    let emptied = fixture.change(&moved).unset("a").unset("c").unset("user");
    let emptied = applied(fixture.commit(&to, &emptied).await);
    assert!(!emptied.is_stored, "nothing is left of it");
    beside.stay("it was emptied").await;
    let again = fixture.change(&head(emptied)).set_indexed("user", b"7").unset("c");
    let again = head(applied(fixture.commit(&to, &again).await));
    let replaced = fixture.change(&again).set("d", "6").replace();
    let replaced = head(applied(fixture.commit(&to, &replaced).await));
    assert_eq!(fields(&fixture.record(&to).await), are(&[("d", "6")]));
    beside.stay("it was replaced").await;
    fixture.destroy(&to, &replaced).await;
    beside.stay("it was destroyed").await;
}

/// A life that has the ids of the one before begins without its fields, however that ended.
pub(super) async fn p06_a_new_life_of_the_same_ids_inherits_nothing(fixture: Fixture) {
    let limited = fixture.idle_for(MINUTE);
    for end in ["expired", "destroyed", "renewed", "renewed as new", "moved onto"] {
        let key = fixture.key(end);
        let created = limited.create(&key, &[("a", "1"), ("b", "1")]).await;
        let later = fixture.after(2 * MINUTE);
        let next = || later.creation(Some(created.incarnation)).edit(|write| write.creates = created.incarnation);
        match end {
            "destroyed" => drop(limited.destroy(&key, &created).await),
            "renewed" => {
                let away = fixture.key("away");
                let moved = head(applied(limited.commit(&key, &limited.change(&created).renew(&away)).await));
                limited.destroy(&away, &moved).await;
            }
            _ => {}
        }
        let mut there = key.clone();
        match end {
            "renewed as new" => {
                there = fixture.key("new");
                applied(later.commit(&key, &next().set("c", "2").renew(&there)).await);
            }
            "moved onto" => {
                let from = fixture.key("from");
                let creation = later.creation(None).edit(|write| write.creates = created.incarnation);
                let moving = head(applied(later.commit(&from, &creation.set("c", "2")).await));
                let renewal = later.change(&moving).edit(|write| write.creates = created.incarnation);
                applied(later.commit(&from, &renewal.renew(&key)).await);
            }
            _ => drop(applied(later.commit(&key, &next().set("c", "2")).await)),
        }
        assert_eq!(fields(&later.record(&there).await), are(&[("c", "2")]), "{end}");
    }
}
