//! Changes of stored sessions.

use super::fixture::{Draft, Fixture, applied, are, conflict, ended, fields, head};
use crate::store::{Base, CommitId, Ended, Incarnation, RegistrationId};

/// A change of the current record is applied: these fields, and no others.
pub(super) async fn p04_a_change_touches_only_its_fields(fixture: Fixture) {
    let key = fixture.key("change");
    let created = fixture.create(&key, &[("visits", "1"), ("theme", "dark"), ("cart", "[]")]).await;
    let change = fixture.change(&created).set("visits", "2").set("language", "de").unset("cart");
    let answer = applied(fixture.commit(&key, &change).await);
    assert!(answer.was_stored && answer.is_stored && !answer.repeated, "{answer:?}");

    let record = fixture.record(&key).await;
    assert_eq!(Some(record.head), answer.head);
    assert_eq!(fields(&record), are(&[("visits", "2"), ("theme", "dark"), ("language", "de")]));
    assert_eq!(record.head.incarnation, created.incarnation);
    assert_eq!(record.head.revision, 2);
    assert_eq!(record.head.last_commit, change.id);
    assert_eq!(record.head.created_at, created.created_at);
}

/// Removing a field that is not stored is a change like any other.
pub(super) async fn p04_removing_an_absent_field_is_harmless(fixture: Fixture) {
    let key = fixture.key("unset");
    let created = fixture.create(&key, &[("visits", "1")]).await;
    let answer = applied(fixture.commit(&key, &fixture.change(&created).unset("theme")).await);
    assert!(answer.is_stored);
    assert_eq!(head(answer).revision, 2);
    assert_eq!(fields(&fixture.record(&key).await), are(&[("visits", "1")]));
}

/// Each commit raises the revision by one, and later commits build on it.
pub(super) async fn p04_changes_follow_each_other(fixture: Fixture) {
    let key = fixture.key("many");
    let mut current = fixture.create(&key, &[("visits", "0")]).await;
    for visits in 1..=20 {
        let change = fixture.change(&current).set("visits", visits.to_string());
        current = head(applied(fixture.commit(&key, &change).await));
        assert_eq!((current.revision, current.last_commit), (visits + 1, change.id));
    }
    assert_eq!(fields(&fixture.record(&key).await), are(&[("visits", "20")]));
}

/// Two hundred fields are set in one commit, and removed in one.
pub(super) async fn p04_two_hundred_fields_are_one_commit(fixture: Fixture) {
    let key = fixture.key("wide");
    let names: Vec<String> = (0..200).map(|n| format!("part.{n}.of_a_rather_long_name")).collect();
    let wide = names.iter().fold(fixture.creation(None).set("kept", "yes"), |commit, name| commit.set(name, name));
    let created = head(applied(fixture.commit(&key, &wide).await));
    let mut expected: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), name.as_str())).collect();
    expected.push(("kept", "yes"));
    assert_eq!(fields(&fixture.record(&key).await), are(&expected));

    let narrow = names.iter().fold(fixture.change(&created), |commit, name| commit.unset(name));
    assert!(applied(fixture.commit(&key, &narrow).await).is_stored);
    assert_eq!(fields(&fixture.record(&key).await), are(&[("kept", "yes")]));
}

/// A change that was based on an older revision is not applied, and is told the whole current record.
pub(super) async fn p05_a_stale_change_is_told_the_current_record(fixture: Fixture) {
    let key = fixture.key("stale");
    let created = fixture.create(&key, &[("visits", "1"), ("theme", "dark")]).await;
    let theirs = fixture.change(&created).set("visits", "2").set("language", "de");
    let current = head(applied(fixture.commit(&key, &theirs).await));

    let mine = fixture.change(&created).set("theme", "light");
    let told = conflict(fixture.commit(&key, &mine).await);
    assert_eq!(told.head, current);
    assert_eq!(fields(&told), are(&[("visits", "2"), ("theme", "dark"), ("language", "de")]));
    let record = fixture.record(&key).await;
    assert_eq!((record.head, fields(&record)), (current, fields(&told)), "a conflict changes nothing");

    // Rebased on what it was told, it is applied, and both changes are there.
    let rebased = fixture.change(&told.head).set("theme", "light");
    applied(fixture.commit(&key, &rebased).await);
    let both = are(&[("visits", "2"), ("theme", "light"), ("language", "de")]);
    assert_eq!(fields(&fixture.record(&key).await), both);
}

/// A revision that is ahead of the record's is as stale as one behind.
pub(super) async fn p05_a_revision_from_the_future_conflicts(fixture: Fixture) {
    let key = fixture.key("ahead");
    let created = fixture.create(&key, &[("visits", "1")]).await;
    let ahead = crate::store::Head { revision: 2, ..created };
    assert_eq!(conflict(fixture.commit(&key, &fixture.change(&ahead).set("visits", "2")).await).head, created);
}

/// A revision number that came round again, after an engine lost some commits, is told apart by its last commit.
pub(super) async fn p05_a_revision_that_came_round_again_conflicts(fixture: Fixture) {
    let key = fixture.key("round");
    let created = fixture.create(&key, &[("visits", "1")]).await;
    let lost = crate::store::Head { last_commit: CommitId::random(), ..created };
    let told = conflict(fixture.commit(&key, &fixture.change(&lost).set("visits", "2")).await);
    assert_eq!(told.head, created);
    assert_eq!(fields(&fixture.record(&key).await), are(&[("visits", "1")]));
}

/// A change of another life of the key is refused, whatever its revision.
pub(super) async fn p06_a_change_of_another_life_is_refused(fixture: Fixture) {
    let key = fixture.key("other");
    let created = fixture.create(&key, &[("visits", "1")]).await;
    let other = crate::store::Head { incarnation: Incarnation::random(), ..created };
    assert_eq!(ended(fixture.commit(&key, &fixture.change(&other).set("visits", "2")).await), Ended::Replaced);
    assert_eq!(ended(fixture.commit(&key, &fixture.change(&other).destroy()).await), Ended::Replaced);
    assert_eq!(fixture.record(&key).await.head, created);
}

/// Fields of other builds are just fields: they survive commits that do not name them.
pub(super) async fn p11_unknown_fields_survive(fixture: Fixture) {
    let key = fixture.key("unknown");
    let created = fixture.create(&key, &[("visits", "1"), ("from.a.newer.build", "\u{1f36a}")]).await;
    applied(fixture.commit(&key, &fixture.change(&created).set("visits", "2")).await);
    let expected = are(&[("visits", "2"), ("from.a.newer.build", "\u{1f36a}")]);
    assert_eq!(fields(&fixture.record(&key).await), expected);
}

/// A migrated session replaces all that was stored, and the record says which version wrote it.
pub(super) async fn p11_a_migrated_session_replaces_all_fields(fixture: Fixture) {
    let key = fixture.key("migrated");
    let created = fixture.create(&key, &[("visits", "1"), ("old", "x"), ("older", "y")]).await;
    fixture.agree(2, RegistrationId(8)).await;
    let migration = fixture.change(&created).set("visits", "2").set("new", "z").replace().edit(|write| {
        write.version = 2;
        write.registration = RegistrationId(8);
    });
    let answer = applied(fixture.commit(&key, &migration).await);
    assert!(answer.was_stored && answer.is_stored);

    let record = fixture.record(&key).await;
    assert_eq!(fields(&record), are(&[("visits", "2"), ("new", "z")]));
    assert_eq!((record.head.version, record.head.registration), (2, RegistrationId(8)));
    assert_eq!((record.head.incarnation, record.head.revision), (created.incarnation, 2));
}

/// A migration is bound to its base like any other change.
pub(super) async fn p11_a_stale_migration_replaces_nothing(fixture: Fixture) {
    let key = fixture.key("migrating");
    let created = fixture.create(&key, &[("visits", "1"), ("old", "x")]).await;
    let current = head(applied(fixture.commit(&key, &fixture.change(&created).set("visits", "2")).await));
    let told = conflict(fixture.commit(&key, &fixture.change(&created).set("new", "z").replace()).await);
    assert_eq!(told.head, current);
    assert_eq!(fields(&fixture.record(&key).await), are(&[("visits", "2"), ("old", "x")]));
}

/// The version and the agreement that a record names are those of its last commit.
pub(super) async fn p11_a_record_names_the_version_of_its_last_commit(fixture: Fixture) {
    let key = fixture.key("version");
    let created = fixture.create(&key, &[("visits", "1")]).await;
    assert_eq!((created.version, created.registration), (1, RegistrationId(7)));
    fixture.agree(3, RegistrationId(9)).await;
    let newer = fixture.change(&created).set("visits", "2").edit(|write| {
        write.version = 3;
        write.registration = RegistrationId(9);
    });
    applied(fixture.commit(&key, &newer).await);
    let head = fixture.record(&key).await.head;
    assert_eq!((head.version, head.registration), (3, RegistrationId(9)));
    assert_ne!(Base::from(&head), Base::from(&created));
}
