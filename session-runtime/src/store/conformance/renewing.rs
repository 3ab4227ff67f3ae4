//! Sessions that move to another key.

use super::fixture::{DAY, Draft, Fixture, MINUTE, applied, are, conflict, ended, fields, head};
use crate::store::{Ended, Reply};

/// All fields and the pending changes move in one step, and the old key is dead.
pub(super) async fn p06_a_renewed_session_lives_at_its_new_key_only(fixture: Fixture) {
    let (old, new) = (fixture.key("old"), fixture.key("new"));
    let created = fixture.create(&old, &[("visits", "1"), ("theme", "dark"), ("cart", "[]")]).await;
    let renewal = fixture.change(&created).set("visits", "2").unset("cart").renew(&new);
    let answer = applied(fixture.commit(&old, &renewal).await);
    assert!(answer.was_stored && answer.is_stored && !answer.repeated, "{answer:?}");

    assert_eq!(fixture.absence(&old).await, Some(created.incarnation));
    let record = fixture.record(&new).await;
    assert_eq!(Some(record.head), answer.head);
    assert_eq!((record.head.incarnation, record.head.revision), (renewal.written().creates, 1));
    assert_eq!((record.head.last_commit, record.head.created_at), (renewal.id, created.created_at));
    assert_eq!(fields(&record), are(&[("visits", "2"), ("theme", "dark")]));
    assert_eq!(fixture.listed(10).await, ["new"]);
    assert_eq!(fixture.count().await, 1);
}

/// The session goes on at the new key.
pub(super) async fn p06_a_renewed_session_goes_on(fixture: Fixture) {
    let (old, new) = (fixture.key("old"), fixture.key("new"));
    let created = fixture.create(&old, &[("visits", "1")]).await;
    let moved = head(applied(fixture.commit(&old, &fixture.change(&created).renew(&new)).await));
    let answer = applied(fixture.commit(&new, &fixture.change(&moved).set("theme", "dark")).await);
    assert_eq!(head(answer).revision, 2);
    assert_eq!(fields(&fixture.record(&new).await), are(&[("visits", "1"), ("theme", "dark")]));
}

/// A handler that was at work at the old key is refused, and nothing comes back to life there.
pub(super) async fn p06_a_commit_in_flight_does_not_reach_a_renewed_session(fixture: Fixture) {
    let (old, new) = (fixture.key("old"), fixture.key("new"));
    let created = fixture.create(&old, &[("visits", "1")]).await;
    applied(fixture.commit(&old, &fixture.change(&created).renew(&new)).await);

    assert_eq!(ended(fixture.commit(&old, &fixture.change(&created).set("visits", "2")).await), Ended::Renewed);
    assert_eq!(ended(fixture.commit(&old, &fixture.change(&created).destroy()).await), Ended::Renewed);
    let elsewhere = fixture.key("elsewhere");
    assert_eq!(ended(fixture.commit(&old, &fixture.change(&created).renew(&elsewhere)).await), Ended::Renewed);
    // One that saw the absence before the session is no better off.
    assert_eq!(ended(fixture.commit(&old, &fixture.creation(None).set("visits", "2")).await), Ended::Renewed);

    assert_eq!(fixture.absence(&old).await, Some(created.incarnation));
    assert_eq!(fixture.absence(&elsewhere).await, None);
    assert_eq!(fields(&fixture.record(&new).await), are(&[("visits", "1")]));
}

/// The old key can begin a new life, which has nothing to do with the session that moved away.
pub(super) async fn p06_the_old_key_can_live_again(fixture: Fixture) {
    let (old, new) = (fixture.key("old"), fixture.key("new"));
    let created = fixture.create(&old, &[("visits", "1")]).await;
    applied(fixture.commit(&old, &fixture.change(&created).renew(&new)).await);
    let saw = fixture.absence(&old).await;

    let again = fixture.creation(saw).set("theme", "light");
    applied(fixture.commit(&old, &again).await);
    assert_eq!(ended(fixture.commit(&old, &fixture.change(&created).set("visits", "2")).await), Ended::Replaced);
    assert_eq!(fields(&fixture.record(&old).await), are(&[("theme", "light")]));
    assert_eq!(fields(&fixture.record(&new).await), are(&[("visits", "1")]));
    assert_eq!(fixture.listed(10).await, ["new", "old"]);
}

/// A key that holds a session is not taken over: nothing changes at either key.
pub(super) async fn p06_a_session_does_not_move_onto_another(fixture: Fixture) {
    let (old, new) = (fixture.key("old"), fixture.key("new"));
    let created = fixture.create(&old, &[("visits", "1")]).await;
    let other = fixture.create(&new, &[("theme", "dark")]).await;

    let renewal = fixture.change(&created).set("visits", "2").renew(&new);
    assert!(matches!(fixture.commit(&old, &renewal).await, Reply::Occupied));
    let (mine, theirs) = (fixture.record(&old).await, fixture.record(&new).await);
    assert_eq!((mine.head, fields(&mine)), (created, are(&[("visits", "1")])));
    assert_eq!((theirs.head, fields(&theirs)), (other, are(&[("theme", "dark")])));

    // The refused commit left nothing: the same change can be made in place.
    applied(fixture.commit(&old, &fixture.change(&created).set("visits", "2")).await);
}

/// A session does not move onto itself.
pub(super) async fn p06_a_session_does_not_move_onto_itself(fixture: Fixture) {
    let key = fixture.key("same");
    let created = fixture.create(&key, &[("visits", "1")]).await;
    assert!(matches!(fixture.commit(&key, &fixture.change(&created).renew(&key)).await, Reply::Occupied));
    assert_eq!(fixture.record(&key).await.head, created);
}

/// The header of a destroyed session is no obstacle; handlers of the destroyed one stay refused.
pub(super) async fn p06_a_session_moves_over_a_destroyed_one(fixture: Fixture) {
    let (old, new) = (fixture.key("old"), fixture.key("new"));
    let dead = fixture.create(&new, &[("secret", "s"), ("theme", "dark")]).await;
    fixture.destroy(&new, &dead).await;
    let created = fixture.create(&old, &[("visits", "1")]).await;
    assert!(applied(fixture.commit(&old, &fixture.change(&created).renew(&new)).await).is_stored);

    assert_eq!(fields(&fixture.record(&new).await), are(&[("visits", "1")]));
    assert_eq!(ended(fixture.commit(&new, &fixture.change(&dead).set("theme", "light")).await), Ended::Replaced);
    // Nor does a handler that saw the destroyed one belong to the session that moved there.
    let late = fixture.creation(Some(dead.incarnation)).set("theme", "light");
    assert_eq!(ended(fixture.commit(&new, &late).await), Ended::Replaced);
}

/// Nor is the header of an emptied session.
pub(super) async fn p06_a_session_moves_over_an_emptied_one(fixture: Fixture) {
    let (old, new) = (fixture.key("old"), fixture.key("new"));
    let other = fixture.create(&new, &[("theme", "dark")]).await;
    let emptied = head(applied(fixture.commit(&new, &fixture.change(&other).unset("theme")).await));
    let created = fixture.create(&old, &[("visits", "1")]).await;
    assert!(applied(fixture.commit(&old, &fixture.change(&created).renew(&new)).await).is_stored);

    assert_eq!(fields(&fixture.record(&new).await), are(&[("visits", "1")]));
    assert_eq!(ended(fixture.commit(&new, &fixture.change(&emptied).set("theme", "light")).await), Ended::Replaced);
}

/// Nor is a session that has expired; nothing of it is mixed in.
pub(super) async fn p06_a_session_moves_over_an_expired_one(fixture: Fixture) {
    let later = fixture.after(2 * DAY);
    for how in ["stored", "replaced", "new"] {
        let (old, new) = (fixture.key(&format!("old.{how}")), fixture.key(&format!("new.{how}")));
        fixture.idle_for(DAY).create(&new, &[("secret", "s")]).await;
        let renewal = match how {
            "stored" => later.change(&later.create(&old, &[("visits", "1")]).await),
            "replaced" => later.change(&later.create(&old, &[("theme", "dark")]).await).set("visits", "1").replace(),
            _ => later.creation(None).set("visits", "1"),
        };
        assert!(applied(later.commit(&old, &renewal.renew(&new)).await).is_stored);
        assert_eq!(fields(&later.record(&new).await), are(&[("visits", "1")]), "{how}");
    }
}

/// A handler that found the new key free before does not write into the session that moved there.
pub(super) async fn p06_a_handler_of_the_new_key_does_not_join_the_session_that_moved_there(fixture: Fixture) {
    let (old, new) = (fixture.key("old"), fixture.key("new"));
    assert_eq!(fixture.absence(&new).await, None);
    let in_flight = fixture.creation(None).set("theme", "light");
    let created = fixture.create(&old, &[("visits", "1")]).await;
    applied(fixture.commit(&old, &fixture.change(&created).renew(&new)).await);

    assert_eq!(ended(fixture.commit(&new, &in_flight).await), Ended::Replaced);
    assert_eq!(ended(fixture.commit(&new, &fixture.creation(None).destroy()).await), Ended::Replaced);
    assert_eq!(fields(&fixture.record(&new).await), are(&[("visits", "1")]));
}

/// A renewal is bound to its base: a stale one is told the current record, and nothing moves.
pub(super) async fn p05_a_stale_renewal_conflicts(fixture: Fixture) {
    let (old, new) = (fixture.key("old"), fixture.key("new"));
    let created = fixture.create(&old, &[("visits", "1")]).await;
    let current = head(applied(fixture.commit(&old, &fixture.change(&created).set("visits", "2")).await));
    let told = conflict(fixture.commit(&old, &fixture.change(&created).renew(&new)).await);
    assert_eq!((told.head, fields(&told)), (current, are(&[("visits", "2")])));
    assert_eq!(fixture.absence(&new).await, None);

    applied(fixture.commit(&old, &fixture.change(&told.head).renew(&new)).await);
    assert_eq!(fields(&fixture.record(&new).await), are(&[("visits", "2")]));
}

/// A conflict comes before an occupied key: the handler learns first what it is working on.
pub(super) async fn p05_a_stale_renewal_onto_a_session_conflicts(fixture: Fixture) {
    let (old, new) = (fixture.key("old"), fixture.key("new"));
    fixture.create(&new, &[("theme", "dark")]).await;
    let created = fixture.create(&old, &[("visits", "1")]).await;
    applied(fixture.commit(&old, &fixture.change(&created).set("visits", "2")).await);
    conflict(fixture.commit(&old, &fixture.change(&created).renew(&new)).await);
}

/// A session that was not stored yet is stored at its new key, and its old key is dead as well.
pub(super) async fn p06_a_new_session_can_be_renewed(fixture: Fixture) {
    let (old, new) = (fixture.key("old"), fixture.key("new"));
    let renewal = fixture.creation(None).set("user", "42").renew(&new);
    let answer = applied(fixture.commit(&old, &renewal).await);
    assert!(!answer.was_stored && answer.is_stored, "{answer:?}");
    let record = fixture.record(&new).await;
    assert_eq!((Some(record.head), fields(&record)), (answer.head, are(&[("user", "42")])));

    // A request that came with the old key at the same time cannot store anything there.
    assert!(fixture.absence(&old).await.is_some());
    assert_eq!(ended(fixture.commit(&old, &fixture.creation(None).set("visits", "1")).await), Ended::Renewed);
}

/// What is not stored is no obstacle to itself: a renewal onto the same key stores it there.
pub(super) async fn p06_what_is_not_stored_can_be_renewed_onto_its_own_key(fixture: Fixture) {
    let fixture = fixture.idle_for(MINUTE);
    let key = fixture.key("same");
    let new = applied(fixture.commit(&key, &fixture.creation(None).set("a", "1").renew(&key)).await);
    assert!(!new.was_stored && new.is_stored, "{new:?}");
    let record = fixture.record(&key).await;
    assert_eq!((Some(record.head), fields(&record)), (new.head, are(&[("a", "1")])));

    let emptied = applied(fixture.commit(&key, &fixture.change(&record.head).unset("a")).await);
    let renewal = fixture.change(&head(emptied)).set("b", "2").renew(&key);
    let again = applied(fixture.commit(&key, &renewal).await);
    assert!(!again.was_stored && again.is_stored, "{again:?}");
    let record = fixture.record(&key).await;
    assert_eq!((Some(record.head), fields(&record)), (again.head, are(&[("b", "2")])));

    let later = fixture.after(2 * MINUTE);
    let renewal = later.creation(Some(record.head.incarnation)).set("c", "3").renew(&key);
    let next = applied(later.commit(&key, &renewal).await);
    assert!(!next.was_stored && next.is_stored, "{next:?}");
    let record = later.record(&key).await;
    assert_eq!((Some(record.head), fields(&record)), (next.head, are(&[("c", "3")])));
}

/// A renewal says whether a session was stored before it.
pub(super) async fn p06_a_renewal_tells_whether_a_session_was_stored(fixture: Fixture) {
    let fixture = fixture.idle_for(MINUTE);
    for (id, was_stored) in [("stored", true), ("emptied", false), ("expired", false)] {
        let (key, to) = (fixture.key(id), fixture.key(&format!("{id} moved")));
        let created = fixture.create(&key, &[("a", "1")]).await;
        let later = fixture.after(2 * MINUTE);
        let (fixture, renewal) = match id {
            "stored" => (&fixture, fixture.change(&created)),
            "emptied" => {
                let emptied = fixture.commit(&key, &fixture.change(&created).unset("a")).await;
                (&fixture, fixture.change(&head(applied(emptied))))
            }
            _ => (&later, later.creation(Some(created.incarnation))),
        };
        let renewed = applied(fixture.commit(&key, &renewal.set("b", "2").renew(&to)).await);
        assert_eq!((renewed.was_stored, renewed.is_stored), (was_stored, true), "{id}");
    }
}

/// A new session without differences stays unstored when it is renewed.
pub(super) async fn p01_a_renewal_without_differences_stores_no_session(fixture: Fixture) {
    let (old, new) = (fixture.key("old"), fixture.key("new"));
    let answer = applied(fixture.commit(&old, &fixture.creation(None).renew(&new)).await);
    assert!(!answer.was_stored && !answer.is_stored, "{answer:?}");
    assert!(!head(answer).stored);
    assert_eq!(fixture.count().await, 0);

    let answer = applied(fixture.commit(&new, &fixture.change(&head(answer)).set("visits", "1")).await);
    assert!(answer.is_stored);
    assert_eq!(fixture.listed(10).await, ["new"]);
}

/// A renewal whose pending changes empty the session moves an emptied one.
pub(super) async fn p01_a_renewal_can_empty_the_session(fixture: Fixture) {
    let (old, new) = (fixture.key("old"), fixture.key("new"));
    let created = fixture.create(&old, &[("visits", "1")]).await;
    let answer = applied(fixture.commit(&old, &fixture.change(&created).unset("visits").renew(&new)).await);
    assert!(answer.was_stored && !answer.is_stored, "{answer:?}");
    let record = fixture.record(&new).await;
    assert!(!record.head.stored && record.fields.is_empty());
    assert_eq!(fixture.count().await, 0);
}

/// A session that is always stored moves without fields.
pub(super) async fn p01_a_session_that_is_always_stored_moves_without_fields(fixture: Fixture) {
    let (old, new) = (fixture.key("old"), fixture.key("new"));
    let created = head(applied(fixture.commit(&old, &fixture.creation(None).keep_empty()).await));
    let answer = applied(fixture.commit(&old, &fixture.change(&created).renew(&new).keep_empty()).await);
    assert!(answer.was_stored && answer.is_stored, "{answer:?}");
    assert!(fixture.record(&new).await.head.stored);
}

/// A renewal that is sent again, because its answer was lost, is done once and answered.
pub(super) async fn p07_a_repeated_renewal_is_answered(fixture: Fixture) {
    let (old, new) = (fixture.key("old"), fixture.key("new"));
    let created = fixture.create(&old, &[("visits", "1")]).await;
    let renewal = fixture.change(&created).set("visits", "2").renew(&new);
    let first = head(applied(fixture.commit(&old, &renewal).await));
    let again = applied(fixture.commit(&old, &renewal).await);
    assert!(again.repeated && again.was_stored && again.is_stored, "{again:?}");
    let again = head(again);
    assert_eq!((again.incarnation, again.revision, again.last_commit), (first.incarnation, 1, first.last_commit));

    // The answer is a base to go on from.
    applied(fixture.commit(&new, &fixture.change(&again).set("theme", "dark")).await);
    assert!(applied(fixture.commit(&old, &renewal).await).repeated, "also after the session went on");
    assert_eq!(fields(&fixture.record(&new).await), are(&[("visits", "2"), ("theme", "dark")]));
}

/// A session can move on and on; each key that it left stays dead.
pub(super) async fn p06_a_session_can_move_many_times(fixture: Fixture) {
    let mut key = fixture.key("at.0");
    let mut current = fixture.create(&key, &[("visits", "1")]).await;
    for step in 1..=5 {
        let to = fixture.key(&format!("at.{step}"));
        let before = current;
        current = head(applied(fixture.commit(&key, &fixture.change(&before).renew(&to)).await));
        assert_eq!(ended(fixture.commit(&key, &fixture.change(&before).set("visits", "2")).await), Ended::Renewed);
        key = to;
    }
    assert_eq!(fixture.listed(10).await, ["at.5"]);
    assert_eq!(fields(&fixture.record(&key).await), are(&[("visits", "1")]));
}

/// A renewal of a new session that no field differs in is answered as before, whether or not it is stored.
pub(super) async fn p07_a_repeated_renewal_of_a_session_without_fields_is_answered(fixture: Fixture) {
    for is_stored in [false, true] {
        let (old, new) = (fixture.key(&format!("old.{is_stored}")), fixture.key(&format!("new.{is_stored}")));
        let renewal = fixture.creation(None).renew(&new);
        let renewal = if is_stored { renewal.keep_empty() } else { renewal };
        let first = applied(fixture.commit(&old, &renewal).await);
        let again = applied(fixture.commit(&old, &renewal).await);
        assert_eq!((again.is_stored, again.repeated), (is_stored, true));
        assert_eq!((again.head, first.is_stored), (first.head, is_stored));
    }
}
