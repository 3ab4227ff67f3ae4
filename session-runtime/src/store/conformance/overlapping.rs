//! Requests that overlap, in processes of their own.

use std::time::{Duration, SystemTime};

use super::fixture::{DAY, Draft, Fixture, applied, are};
use super::racing::drop_after;
use super::visiting::{VisitorField, committing, load, loading, with_a_visitor};
use crate::{Absence, Error, Outcome};

/// Requests that change different fields both survive, which costs the later one a second commit.
pub(super) async fn p05_requests_that_change_different_fields_both_survive(fixture: Fixture) {
    let id = fixture.id("42");
    let (first, second) = (with_a_visitor(&fixture, &id).await, fixture.visitors());
    let (mut one, mut other) = (load(&first, &id).await, load(&second, &id).await);
    *one.edit().visits() = 5;
    *other.edit().theme() = String::from("dark");
    one.commit().await.expect("a commit");
    assert_eq!(other.commit().await.expect("a commit").outcome(), Outcome::Updated);
    assert_eq!((other.visits, other.theme.as_str()), (5, "dark"), "the later one sees both");
    let commit = committing(&id, &[("theme", r#""dark""#)], &[]);
    assert_eq!(second.calls(), [loading(&id), commit.clone(), commit]);
    let all = [("visits", "5"), ("cart", r#"["tea"]"#), ("theme", r#""dark""#)];
    assert_eq!(fixture.stored(&id).await, are(&all));
}

/// So do two requests that both begin with a new session.
pub(super) async fn p05_first_requests_that_change_different_fields_both_survive(fixture: Fixture) {
    let id = fixture.id("42");
    let (first, second) = (fixture.visitors(), fixture.visitors());
    let (mut one, mut other) = (load(&first, &id).await, load(&second, &id).await);
    *one.edit().visits() = 5;
    *other.edit().theme() = String::from("dark");
    assert_eq!(one.commit().await.expect("a commit").outcome(), Outcome::Created);
    assert_eq!(other.commit().await.expect("a commit").outcome(), Outcome::Updated);
    assert_eq!(fixture.stored(&id).await, are(&[("visits", "5"), ("theme", r#""dark""#)]));
}

/// A commit that finds a field changed by others wins, and says so; the fields of others and merged ones are not named.
pub(super) async fn p05_a_commit_tells_which_fields_of_others_it_overwrote(fixture: Fixture) {
    let id = fixture.id("42");
    let sessions = with_a_visitor(&fixture, &id).await;
    let (mut mine, mut theirs) = (load(&sessions, &id).await, load(&fixture.visitors(), &id).await);
    *theirs.edit().visits() += 1;
    *theirs.edit().likes() += 1;
    "dark".clone_into(theirs.edit().theme());
    assert!(theirs.commit().await.expect("a commit").overlapped().is_empty(), "nobody came in between");

    *mine.edit().visits() += 1;
    *mine.edit().likes() += 1;
    mine.edit().cart().push("milk".to_owned());
    let committed = mine.commit().await.expect("a commit");
    let overlapped: Vec<_> = committed.overlapped().iter().collect();
    assert_eq!(overlapped, [VisitorField::Visits], "both set it to three, and one visit is lost");
    assert_eq!((mine.likes, mine.theme.as_str()), (2, "dark"));
    assert_eq!(sessions.stats().fields_overlapped, 1);
}

/// A slow reader erases nothing that a writer stored meanwhile, not even if it borrowed everything for change.
pub(super) async fn p05_a_slow_reader_erases_nothing(fixture: Fixture) {
    let id = fixture.id("42");
    let (first, second) = (with_a_visitor(&fixture, &id).await, fixture.visitors());
    let (mut reader, mut writer) = (load(&first, &id).await, load(&second, &id).await);
    *writer.edit().visits() = 9;
    *writer.edit().theme() = String::from("dark");
    writer.edit().cart().clear();
    writer.commit().await.expect("a commit");
    reader.edit_all();
    assert_eq!(reader.commit().await.expect("a commit").outcome(), Outcome::Unchanged);
    assert_eq!(first.calls(), [loading(&id)]);
    assert_eq!(fixture.stored(&id).await, are(&[("visits", "9"), ("theme", r#""dark""#)]));
}

/// A field that both changed is the later one's as a whole: its value is not mixed with the earlier one.
pub(super) async fn p05_a_value_is_never_mixed_from_two(fixture: Fixture) {
    let id = fixture.id("42");
    let (first, second) = (with_a_visitor(&fixture, &id).await, fixture.visitors());
    let (mut one, mut other) = (load(&first, &id).await, load(&second, &id).await);
    one.edit().cart().push("milk".to_owned());
    *other.edit().cart() = vec!["coffee".to_owned()];
    one.commit().await.expect("a commit");
    other.commit().await.expect("a commit");
    assert_eq!(fixture.stored(&id).await, are(&[("visits", "2"), ("cart", r#"["coffee"]"#)]));
}

/// A logout while a request is in flight stays one: the request fails, and not a field of it is stored.
pub(super) async fn p06_a_request_in_flight_does_not_undo_a_logout(fixture: Fixture) {
    let id = fixture.id("42");
    let (first, second) = (with_a_visitor(&fixture, &id).await, fixture.visitors());
    let (mut in_flight, mut logout) = (load(&first, &id).await, load(&second, &id).await);
    *in_flight.edit().visits() += 1;
    assert_eq!(logout.destroy().await.expect("a removal"), Outcome::Removed);
    for _ in 0..2 {
        assert!(matches!(in_flight.commit().await, Err(Error::Destroyed)));
        fixture.is_not_stored(&id).await;
    }
    // Nor does it reach whoever comes to that key next.
    let mut next = load(&second, &id).await;
    assert!(next.is_new() && next.visits == 0 && next.cart.is_empty());
    *next.edit().theme() = String::from("dark");
    assert_eq!(next.commit().await.expect("a commit").outcome(), Outcome::Created);
    assert!(matches!(in_flight.commit().await, Err(Error::Destroyed)));
    in_flight.discard();
    assert_eq!(fixture.stored(&id).await, are(&[("theme", r#""dark""#)]));
}

/// A logout that began before there was a session ends the one that another request stored meanwhile.
pub(super) async fn p06_a_logout_ends_a_session_that_it_did_not_see(fixture: Fixture) {
    let id = fixture.id("42");
    let (first, second) = (fixture.visitors(), fixture.visitors());
    let (mut logout, mut login) = (load(&first, &id).await, load(&second, &id).await);
    *login.edit().visits() = 1;
    login.commit().await.expect("a commit");
    assert_eq!(logout.destroy().await.expect("a removal"), Outcome::Removed);
    fixture.is_not_stored(&id).await;
    *login.edit().visits() = 2;
    assert!(matches!(login.commit().await, Err(Error::Destroyed)));
    login.discard();
}

/// A logout that knows nothing but the key ends the session, at any revision and in any life of the key.
pub(super) async fn p06_a_logout_by_key_ends_whatever_is_there(fixture: Fixture) {
    let id = fixture.id("42");
    let sessions = fixture.visitors();
    assert_eq!(sessions.destroy(&id).await.expect("nothing to do"), Outcome::Unchanged);
    for _ in 0..2 {
        let other = with_a_visitor(&fixture, &id).await;
        let mut in_flight = load(&other, &id).await;
        *in_flight.edit().visits() += 1;
        assert_eq!(sessions.destroy(&id).await.expect("a removal"), Outcome::Removed);
        assert_eq!(sessions.destroy(&id).await.expect("nothing to do"), Outcome::Unchanged);
        assert!(matches!(in_flight.commit().await, Err(Error::Destroyed)));
        in_flight.discard();
        fixture.is_not_stored(&id).await;
        assert_eq!(load(&sessions, &id).await.absence(), Some(Absence::Destroyed));
    }
}

/// A session that was started for a fresh key is created, and never changes or ends one that is there.
pub(super) async fn p06_a_started_session_replaces_no_other(fixture: Fixture) {
    let id = fixture.id("42");
    let sessions = fixture.visitors();
    let start = async || {
        let mut visitor = sessions.start(&id).await.expect("a session");
        *visitor.edit().visits() += 7;
        visitor
    };
    let (mut first, mut second, mut third) = (start().await, start().await, start().await);
    assert_eq!(first.absence(), Some(Absence::Never));
    assert_eq!(first.commit().await.expect("a commit").outcome(), Outcome::Created);
    assert_eq!(first.absence(), None);
    for _ in 0..2 {
        assert!(matches!(second.commit().await, Err(Error::Occupied)));
    }
    assert_eq!(second.destroy().await.expect("nothing of its own"), Outcome::Unchanged);
    *first.edit().visits() += 1;
    assert_eq!(first.commit().await.expect("a commit").outcome(), Outcome::Updated);
    assert_eq!(load(&sessions, &id).await.visits, 8);

    assert_eq!(first.destroy().await.expect("a removal"), Outcome::Removed);
    assert!(matches!(third.commit().await, Err(Error::Destroyed)), "its key is not fresh any more");
    third.discard();
    fixture.is_not_stored(&id).await;
}

/// Committing a started session again, since nobody knows what became of it, creates it once.
pub(super) async fn p07_a_started_session_whose_answer_is_lost_is_created_once(fixture: Fixture) {
    let sessions = fixture.visitors();
    for polls in [0, 1, 2, 3, 5, 8, 13, 50, 200, 1_000] {
        let id = fixture.id(&format!("dropped.{polls}"));
        let mut visitor = sessions.start(&id).await.expect("a session");
        *visitor.edit().visits() += 1;
        drop_after(polls, visitor.commit()).await;
        *visitor.edit().visits() += 1;
        visitor.commit().await.expect("a commit");
        assert_eq!(load(&sessions, &id).await.visits, 2, "after {polls} polls");
    }
}

/// A request that began before there was a session does not store one after a logout.
pub(super) async fn p06_a_first_request_in_flight_does_not_undo_a_logout(fixture: Fixture) {
    let id = fixture.id("42");
    let first = fixture.visitors();
    let mut in_flight = load(&first, &id).await;
    *in_flight.edit().visits() += 1;
    let second = with_a_visitor(&fixture, &id).await;
    load(&second, &id).await.destroy().await.expect("a removal");
    assert!(matches!(in_flight.commit().await, Err(Error::Destroyed)));
    in_flight.discard();
    fixture.is_not_stored(&id).await;
}

/// A renewal while a request is in flight leaves the old key dead, and the request's changes nowhere.
pub(super) async fn p06_a_request_in_flight_does_not_revive_a_renewed_key(fixture: Fixture) {
    let (old, new) = (fixture.id("old"), fixture.id("new"));
    let (first, second) = (with_a_visitor(&fixture, &old).await, fixture.visitors());
    let (mut in_flight, mut login) = (load(&first, &old).await, load(&second, &old).await);
    *in_flight.edit().visits() += 1;
    *login.edit().theme() = String::from("dark");
    login.renew(&new).await.expect("a renewal");
    assert!(matches!(in_flight.commit().await, Err(Error::Renewed)));
    in_flight.discard();
    fixture.is_not_stored(&old).await;
    let all = are(&[("visits", "2"), ("cart", r#"["tea"]"#), ("theme", r#""dark""#)]);
    assert_eq!(fixture.stored(&new).await, all);
    *login.edit().visits() = 3;
    login.commit().await.expect("the renewed session goes on at its new key");
    assert_eq!(load(&first, &new).await.visits, 3);
}

/// A renewal sees what others committed before it.
pub(super) async fn p05_a_renewal_takes_along_what_others_stored(fixture: Fixture) {
    let (old, new) = (fixture.id("old"), fixture.id("new"));
    let (first, second) = (with_a_visitor(&fixture, &old).await, fixture.visitors());
    let mut login = load(&first, &old).await;
    second.update(&old, |visitor| *visitor.edit().visits() = 9).await.expect("a commit");
    *login.edit().theme() = String::from("dark");
    login.renew(&new).await.expect("a renewal");
    let all = [("visits", "9"), ("cart", r#"["tea"]"#), ("theme", r#""dark""#)];
    assert_eq!(fixture.stored(&new).await, are(&all));
}

/// A change of a session that ended by itself leaves no session of one field.
pub(super) async fn p06_a_request_in_flight_does_not_outlive_its_session(fixture: Fixture) {
    let id = fixture.id("42");
    let (first, second) = (with_a_visitor(&fixture, &id).await, fixture.visitors());
    let (mut in_flight, mut other) = (load(&first, &id).await, load(&second, &id).await);
    let past = SystemTime::now() - Duration::from_millis((30 * DAY).unsigned_abs());
    other.expire_at(past);
    other.commit().await.expect("a commit");
    *in_flight.edit().visits() += 1;
    assert!(matches!(in_flight.commit().await, Err(Error::Expired)));
    in_flight.discard();
    fixture.is_not_stored(&id).await;
}

/// A load that fails never becomes an empty session: it is an error, and what is stored stays.
pub(super) async fn p11_a_load_that_fails_is_no_empty_session(fixture: Fixture) {
    let behind = fixture.behind();
    // Whatever another program may have left there: a value that is none, or another version.
    for (case, id) in ["value", "version"].map(|case| (case, fixture.id(case))) {
        let sessions = with_a_visitor(&fixture, &id).await;
        let key = behind.key(&id);
        let before = behind.record(&key).await.head;
        let value = if case == "value" { "many" } else { "3" };
        let version = if case == "version" { before.version + 1 } else { before.version };
        if case == "version" {
            behind.agree(version, before.registration).await;
        }
        let change = behind.change(&before).set("visits", value).edit(|write| {
            write.version = version;
            write.registration = before.registration;
        });
        applied(behind.commit(&key, &change).await);

        let stored = behind.record(&key).await;
        let fails = |error: &Error| match error {
            Error::Decode { field, .. } => case == "value" && **field == *"visits",
            Error::NewerVersion { .. } => case == "version",
            _ => false,
        };
        let error = sessions.load(&id).await.map(drop).expect_err("it cannot be read");
        assert!(fails(&error), "{case}: {error}");
        let error = sessions.update(&id, |visitor| *visitor.edit().likes() += 1).await.expect_err("nor changed");
        assert!(fails(&error), "{case}: {error}");
        assert_eq!(sessions.calls(), [loading(&id), loading(&id)], "{case}: nothing is written");
        let after = behind.record(&key).await;
        assert_eq!((after.head, fixture.stored(&id).await), (stored.head, super::fixture::fields(&stored)), "{case}");
    }
}

/// What a handler changes is its own until it commits: no other handler sees it, and nothing is stored of it.
pub(super) async fn p07_changes_are_not_shared_before_the_commit(fixture: Fixture) {
    let id = fixture.id("42");
    let sessions = with_a_visitor(&fixture, &id).await;
    let mut one = load(&sessions, &id).await;
    let other = load(&sessions, &id).await;
    one.edit().cart().push("milk".to_owned());
    one.edit_all().theme.push_str("er");
    assert_eq!((other.cart.len(), other.theme.as_str()), (1, "light"));
    assert_eq!(load(&sessions, &id).await.cart.len(), 1);
    one.discard();
    let later = load(&sessions, &id).await;
    assert_eq!((later.cart.len(), later.theme.as_str()), (1, "light"));
    assert_eq!(fixture.stored(&id).await, are(&[("visits", "2"), ("cart", r#"["tea"]"#)]));
}
