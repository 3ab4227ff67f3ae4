//! Sessions that end by themselves. The store's clock decides, and a case moves its own.

use super::fixture::{DAY, Draft, Fixture, MINUTE, SECOND, applied, are, conflict, ended, fields, head};
use crate::expiry::{Lifetime, Timestamp};
use crate::store::{Base, Commit, Ended, ExpiryChange, Found, Key};

/// A session ends when it was not used for the time to live, and a load then finds absence.
pub(super) async fn p09_a_session_ends_after_inactivity(fixture: Fixture) {
    let fixture = fixture.idle_for(30 * MINUTE);
    let key = fixture.key("idle");
    let created = fixture.create(&key, &[("visits", "1")]).await;
    assert_eq!(created.expires_at, Some(created.created_at.plus(30 * MINUTE)));
    assert!(fixture.after(2 * MINUTE).record(&key).await.head.stored);
    assert_eq!((fixture.count().await, fixture.listed(10).await), (1, vec![String::from("idle")]));

    let later = fixture.after(30 * MINUTE);
    assert_eq!(later.absence(&key).await, Some(created.incarnation), "the load sees which session ended");
    assert_eq!(later.count().await, 0);
    assert_eq!(later.listed(10).await, Vec::<String>::new());
}

/// The clock can be moved both ways, and what one clock sees as ended another sees as it was.
pub(super) async fn p09_the_clock_moves_both_ways(fixture: Fixture) {
    let fixture = fixture.idle_for(30 * MINUTE);
    let key = fixture.key("clock");
    let created = fixture.create(&key, &[("visits", "1")]).await;
    assert_eq!(fixture.after(31 * MINUTE).absence(&key).await, Some(created.incarnation));
    assert_eq!(fixture.record(&key).await.head, created, "a load of an ended session changes nothing");
    assert_eq!(fixture.after(-DAY).record(&key).await.head, created);
    let far = fixture.after(-fixture.clock.0 + DAY);
    assert_eq!(far.absence(&key).await, Some(created.incarnation), "also ahead of the engine's clock");
    let (before, after) = (fixture.load(&key).await.now, fixture.after(DAY).load(&key).await.now);
    let moved = after.as_millis() - before.as_millis();
    assert!((DAY..DAY + MINUTE).contains(&moved), "the clock is moved by a day, not by {moved} ms");
}

/// A load counts as activity, but is written only when a share of the time to live has passed.
pub(super) async fn p09_a_load_touches_only_when_due(fixture: Fixture) {
    let fixture = fixture.idle_for(30 * MINUTE);
    let key = fixture.key("renewal");
    let created = fixture.create(&key, &[("visits", "1")]).await;

    let early = fixture.after(2 * MINUTE).load(&key).await;
    assert!(!early.touched, "three minutes have not passed");
    assert_eq!(record_head(early.found).expires_at, created.expires_at);

    let due = fixture.after(4 * MINUTE).load(&key).await;
    assert!(due.touched);
    let touched = record_head(due.found);
    assert_eq!(touched.expires_at, Some(due.now.plus(30 * MINUTE)), "the answer shows the moved expiry");
    assert_eq!(fixture.record(&key).await.head, touched, "and it is stored");

    let again = fixture.after(4 * MINUTE + SECOND).load(&key).await;
    assert!(!again.touched, "it was touched just now");
    assert!(fixture.after(33 * MINUTE).record(&key).await.head.stored, "it lives on after the first expiry");
}

fn record_head(found: Found) -> crate::store::Head {
    match found {
        Found::Record(record) => record.head,
        Found::Absent { saw } => panic!("a record was expected, but absence was found, after {saw:?}"),
    }
}

/// A renewal is not a change: it carries no data, and handlers at work are not disturbed.
pub(super) async fn p09_a_touch_disturbs_no_commit(fixture: Fixture) {
    let fixture = fixture.idle_for(30 * MINUTE);
    let key = fixture.key("disturb");
    let created = fixture.create(&key, &[("visits", "1")]).await;
    let later = fixture.after(10 * MINUTE);
    let loaded = later.load(&key).await;
    assert!(loaded.touched);
    let touched = record_head(loaded.found);
    assert_eq!((touched.revision, touched.last_commit), (created.revision, created.last_commit));
    let change = later.change(&created).set("visits", "2");
    assert_eq!(head(applied(later.commit(&key, &change).await)).revision, 2);
    assert_eq!(fields(&later.record(&key).await), are(&[("visits", "2")]));
}

/// A commit counts as activity.
pub(super) async fn p09_a_commit_moves_the_expiry(fixture: Fixture) {
    let fixture = fixture.idle_for(30 * MINUTE);
    let key = fixture.key("active");
    let created = fixture.create(&key, &[("visits", "1")]).await;
    let later = fixture.after(SECOND);
    let before = later.load(&key).await.now;
    let changed = head(applied(later.commit(&key, &later.change(&created).set("visits", "2")).await));
    let after = later.load(&key).await.now;
    let expires_at = changed.expires_at.expect("it expires");
    assert!(before.plus(30 * MINUTE) <= expires_at && expires_at <= after.plus(30 * MINUTE));
    assert_eq!(changed.created_at, created.created_at);
}

/// A session of a rule that only knows its creation is never touched.
pub(super) async fn p09_a_session_ends_after_its_creation(fixture: Fixture) {
    let fixture = fixture.old_at(DAY);
    let key = fixture.key("old");
    let created = fixture.create(&key, &[("visits", "1")]).await;
    assert_eq!(created.expires_at, Some(created.created_at.plus(DAY)));

    let later = fixture.after(DAY - MINUTE);
    let loaded = later.load(&key).await;
    assert!(!loaded.touched, "activity does not lengthen it");
    let changed = head(applied(later.commit(&key, &later.change(&created).set("visits", "2")).await));
    assert_eq!(changed.expires_at, created.expires_at, "nor do commits");
    assert_eq!(fixture.after(DAY).absence(&key).await, Some(created.incarnation));
}

/// With both rules the earlier one counts.
pub(super) async fn p09_a_session_ends_at_the_earlier_of_two_rules(fixture: Fixture) {
    let fixture = fixture.old_at(50 * MINUTE).idle_for(30 * MINUTE);
    let key = fixture.key("either");
    let created = fixture.create(&key, &[("visits", "1")]).await;
    assert_eq!(created.expires_at, Some(created.created_at.plus(30 * MINUTE)));

    let later = fixture.after(25 * MINUTE).load(&key).await;
    assert!(later.touched);
    assert_eq!(record_head(later.found).expires_at, Some(created.created_at.plus(50 * MINUTE)));
    assert!(!fixture.after(45 * MINUTE).load(&key).await.touched, "it cannot be moved any further");
    assert_eq!(fixture.after(50 * MINUTE).absence(&key).await, Some(created.incarnation));
}

/// A date that a handler sets replaces the rule, also for loads, until it is cleared.
pub(super) async fn p09_a_date_set_by_a_handler_replaces_the_rule(fixture: Fixture) {
    let fixture = fixture.idle_for(30 * MINUTE);
    let key = fixture.key("until");
    let created = fixture.create(&key, &[("visits", "1")]).await;
    let until = created.created_at.plus(DAY);
    let set = head(applied(fixture.commit(&key, &fixture.change(&created).expiry(ExpiryChange::At(until))).await));
    assert_eq!((set.fixed_end, set.expires_at), (Some(until), Some(until)));

    let later = fixture.after(5 * 60 * MINUTE);
    let loaded = later.load(&key).await;
    assert!(!loaded.touched, "activity does not move a date");
    assert_eq!(record_head(loaded.found), set);
    let kept = head(applied(later.commit(&key, &later.change(&set).set("visits", "2")).await));
    assert_eq!(
        (kept.fixed_end, kept.expires_at),
        (Some(until), Some(until)),
        "a commit that is silent about it keeps it"
    );
    assert_eq!(fixture.after(DAY).absence(&key).await, Some(created.incarnation));

    let cleared = head(applied(later.commit(&key, &later.change(&kept).expiry(ExpiryChange::ByRule)).await));
    assert_eq!(cleared.fixed_end, None);
    let expires_at = cleared.expires_at.expect("the rule counts again");
    assert!(expires_at < until && expires_at >= created.created_at.plus(5 * 60 * MINUTE));
}

/// A date can be set by the first commit, and without any rule.
pub(super) async fn p09_a_first_commit_can_set_a_date(fixture: Fixture) {
    let key = fixture.key("dated");
    let until = fixture.load(&key).await.now.plus(DAY);
    let creation = fixture.creation(None).set("visits", "1").expiry(ExpiryChange::At(until));
    let created = head(applied(fixture.commit(&key, &creation).await));
    assert_eq!((created.fixed_end, created.expires_at), (Some(until), Some(until)));
    assert_eq!(fixture.record(&key).await.head, created);
    assert!(fixture.after(DAY - MINUTE).record(&key).await.head.stored);
    assert_eq!(fixture.after(DAY).absence(&key).await, Some(created.incarnation));
}

/// A date is kept by a renewal to another key.
pub(super) async fn p09_a_date_moves_with_the_session(fixture: Fixture) {
    let fixture = fixture.idle_for(30 * MINUTE);
    let (old, new) = (fixture.key("old"), fixture.key("new"));
    let created = fixture.create(&old, &[("visits", "1")]).await;
    let until = created.created_at.plus(DAY);
    let set = head(applied(fixture.commit(&old, &fixture.change(&created).expiry(ExpiryChange::At(until))).await));
    applied(fixture.commit(&old, &fixture.change(&set).renew(&new)).await);
    let moved = fixture.record(&new).await.head;
    assert_eq!((moved.fixed_end, moved.expires_at), (Some(until), Some(until)));
}

/// A load never brings an expiry closer and never gives one to a session that has none; the next commit does.
pub(super) async fn p09_a_load_never_brings_the_expiry_closer(fixture: Fixture) {
    let key = fixture.key("shorter");
    let lasting = fixture.create(&key, &[("visits", "1")]).await;
    assert_eq!(lasting.expires_at, None);
    let long = fixture.idle_for(DAY);
    assert!(!long.load(&key).await.touched, "it has no expiry");
    let limited = head(applied(long.commit(&key, &long.change(&lasting).set("visits", "2")).await));
    assert!(limited.expires_at.is_some());

    let short = fixture.idle_for(MINUTE);
    assert!(!short.load(&key).await.touched);
    let current = short.record(&key).await.head;
    let shortened = head(applied(short.commit(&key, &short.change(&current).set("visits", "3")).await));
    assert!(shortened.expires_at < limited.expires_at);
}

/// A load of a build whose sessions do not end takes the expiry away.
pub(super) async fn p09_a_load_can_take_the_expiry_away(fixture: Fixture) {
    let key = fixture.key("lasting");
    fixture.idle_for(30 * MINUTE).create(&key, &[("visits", "1")]).await;
    let loaded = fixture.load(&key).await;
    assert!(loaded.touched);
    assert_eq!(record_head(loaded.found).expires_at, None);
    assert!(fixture.after(DAY).record(&key).await.head.stored);
}

/// A commit based on a session that has expired since is refused and stores nothing, whatever it does.
pub(super) async fn p06_a_commit_after_expiry_stores_nothing(fixture: Fixture) {
    let fixture = fixture.idle_for(30 * MINUTE);
    let (key, new) = (fixture.key("expired"), fixture.key("new"));
    let created = fixture.create(&key, &[("visits", "1")]).await;
    let later = fixture.after(30 * MINUTE);
    let base = || later.change(&created);
    for commit in [base().set("visits", "2"), base().unset("visits"), base().destroy(), base().renew(&new)] {
        assert_eq!(ended(later.commit(&key, &commit).await), Ended::Expired);
    }
    let far = created.created_at.plus(DAY);
    assert_eq!(
        ended(later.commit(&key, &base().expiry(ExpiryChange::At(far))).await),
        Ended::Expired,
        "nor is its date put off"
    );
    assert_eq!(later.absence(&key).await, Some(created.incarnation));
    assert_eq!(later.absence(&new).await, None);
    assert_eq!(fixture.record(&key).await.head, created, "the record is as it was");
}

/// A handler that loaded the key as new before that session lived does not write over its end.
pub(super) async fn p06_a_first_commit_does_not_pass_an_expiry_that_it_did_not_see(fixture: Fixture) {
    let fixture = fixture.idle_for(30 * MINUTE);
    let key = fixture.key("unseen");
    let in_flight = fixture.creation(None).set("visits", "2").with(|commit| commit.clock.0 += DAY);
    let created = fixture.create(&key, &[("visits", "1")]).await;
    assert_eq!(ended(fixture.commit(&key, &in_flight).await), Ended::Expired);
    assert_eq!(fixture.after(DAY).absence(&key).await, Some(created.incarnation));
}

/// A handler that saw the end of a session by a clock that was ahead does not write over it while it lives.
pub(super) async fn p06_a_first_commit_does_not_pass_a_session_whose_end_was_seen_too_early(fixture: Fixture) {
    let fixture = fixture.idle_for(30 * MINUTE);
    let (key, new) = (fixture.key("early"), fixture.key("new"));
    let created = fixture.create(&key, &[("visits", "1")]).await;
    let ahead = fixture.after(DAY);
    let saw = ahead.absence(&key).await;
    assert_eq!(saw, Some(created.incarnation));
    let creation = || fixture.creation(saw);
    for commit in [creation().set("visits", "2"), creation().destroy(), creation().set("visits", "2").renew(&new)] {
        assert_eq!(ended(fixture.commit(&key, &commit).await), Ended::Replaced);
    }
    let record = fixture.record(&key).await;
    assert_eq!((record.head, fields(&record)), (created, are(&[("visits", "1")])), "it goes on as it was");
    assert_eq!(fixture.absence(&new).await, None);
}

/// An expired session is absence for the next visitor: a new life begins with nothing of the old one.
pub(super) async fn p06_a_new_life_begins_over_an_expired_session(fixture: Fixture) {
    let fixture = fixture.idle_for(30 * MINUTE);
    let key = fixture.key("again");
    let old = fixture.create(&key, &[("visits", "1"), ("secret", "s")]).await;
    let later = fixture.after(DAY);
    let saw = later.absence(&key).await;
    let answer = applied(later.commit(&key, &later.creation(saw).set("theme", "dark")).await);
    assert!(!answer.was_stored && answer.is_stored, "{answer:?}");
    let record = later.record(&key).await;
    assert_eq!(record.head.revision, 1);
    assert!(record.head.created_at >= old.created_at.plus(DAY - MINUTE));
    assert_eq!(fields(&record), are(&[("theme", "dark")]));

    assert_eq!(ended(later.commit(&key, &later.change(&old).set("visits", "2")).await), Ended::Replaced);
    let late = conflict(later.commit(&key, &later.creation(saw).set("visits", "1")).await);
    assert_eq!(late.head, record.head);
}

/// A session that was loaded as new and is not stored ends by the same rule.
pub(super) async fn p09_an_unstored_session_ends_too(fixture: Fixture) {
    let key = fixture.key("visitor");
    let loaded = fixture.load(&key).await;
    let base = |until| Base::Absent { saw: None, valid_until: Some(until) };
    let valid = |until| fixture.based_on(base(until)).set("visits", "1");
    let over = valid(loaded.now);
    assert_eq!(ended(fixture.commit(&key, &over).await), Ended::Expired);
    assert_eq!(ended(fixture.commit(&key, &over.destroy()).await), Ended::Expired);
    assert_eq!(fixture.absence(&key).await, None, "a refused commit leaves no trace");
    assert!(applied(fixture.commit(&key, &valid(loaded.now.plus(DAY))).await).is_stored);
}

/// What others stored before it ended is the same session, also for a handler that takes longer.
pub(super) async fn p09_a_session_that_others_stored_in_time_goes_on(fixture: Fixture) {
    for end in ["none", "destroyed", "renewed"] {
        let key = fixture.key(end);
        let until = fixture.load(&key).await.now.plus(30 * MINUTE);
        let slow = fixture.based_on(Base::Absent { saw: None, valid_until: Some(until) }).set("theme", "dark");
        let created = fixture.create(&key, &[("visits", "1")]).await;
        let later = fixture.after(DAY);
        let moving = later.change(&created).renew(&fixture.key("elsewhere"));
        match end {
            "destroyed" => assert!(later.destroy(&key, &created).await.was_stored),
            "renewed" => assert!(applied(later.commit(&key, &moving).await).was_stored),
            _ => {}
        }
        for late in [slow.clone(), slow.clone().destroy(), slow.renew(&fixture.key("target"))] {
            let reply = later.commit(&key, &Commit { clock: later.clock, ..late }).await;
            match end {
                "destroyed" => assert_eq!(ended(reply), Ended::Destroyed),
                "renewed" => assert_eq!(ended(reply), Ended::Renewed),
                _ => assert_eq!(conflict(reply).head, created),
            }
        }
    }
}

/// What others stored after it ended is another one.
pub(super) async fn p09_a_session_that_others_stored_too_late_is_another(fixture: Fixture) {
    let key = fixture.key("late");
    let created = fixture.create(&key, &[("visits", "1")]).await;
    let slow = |until| fixture.based_on(Base::Absent { saw: None, valid_until: Some(until) }).set("theme", "dark");
    for late in [slow(created.created_at), slow(created.created_at).destroy(), slow(created.created_at.plus(-DAY))] {
        assert_eq!(ended(fixture.commit(&key, &late).await), Ended::Expired);
    }
    assert_eq!(conflict(fixture.commit(&key, &slow(created.created_at.plus(1))).await).head, created);
    fixture.destroy(&key, &created).await;
    assert_eq!(ended(fixture.commit(&key, &slow(created.created_at)).await), Ended::Expired);
    assert_eq!(ended(fixture.commit(&key, &slow(created.created_at.plus(1))).await), Ended::Destroyed);
}

/// An emptied session ends as well, and what ended is not stored again.
pub(super) async fn p06_an_emptied_session_expires(fixture: Fixture) {
    let fixture = fixture.idle_for(30 * MINUTE);
    let key = fixture.key("emptied");
    let created = fixture.create(&key, &[("visits", "1")]).await;
    let emptied = head(applied(fixture.commit(&key, &fixture.change(&created).unset("visits")).await));
    assert!(fixture.after(4 * MINUTE).load(&key).await.touched, "loading it counts as activity");
    let later = fixture.after(DAY);
    assert_eq!(later.absence(&key).await, Some(created.incarnation));
    assert_eq!(ended(later.commit(&key, &later.change(&emptied).set("visits", "2")).await), Ended::Expired);
}

/// A lost answer can still be asked for when the session has expired since.
pub(super) async fn p07_a_lost_answer_is_known_after_expiry(fixture: Fixture) {
    let fixture = fixture.idle_for(30 * MINUTE);
    let key = fixture.key("lost");
    let created = fixture.create(&key, &[("visits", "1")]).await;
    let mut lost = fixture.change(&created).set("visits", "2");
    applied(fixture.commit(&key, &lost).await);
    lost.clock.0 += DAY;
    let again = applied(fixture.commit(&key, &lost).await);
    assert!(again.repeated && !again.is_stored, "it was applied, and nothing is stored now: {again:?}");
}

/// The longest durations and dates are taken as they are.
pub(super) async fn p13_times_without_end_are_harmless(fixture: Fixture) {
    let lifetime = Lifetime { inactivity: Some(i64::MAX / 4), ..fixture.lifetime };
    let fixture = Fixture { lifetime, ..fixture };
    let key: Key = fixture.key("eternal");
    let created = fixture.create(&key, &[("visits", "1")]).await;
    assert!(fixture.after(DAY).record(&key).await.head.stored);
    let year_9999 = Timestamp::from_millis(253_402_300_799_999);
    assert!(created.expires_at > Some(year_9999));

    let dated =
        head(applied(fixture.commit(&key, &fixture.change(&created).expiry(ExpiryChange::At(year_9999))).await));
    assert_eq!((dated.fixed_end, dated.expires_at), (Some(year_9999), Some(year_9999)));
    assert_eq!(fixture.record(&key).await.head, dated);
    let end = ExpiryChange::At(Timestamp::from_millis(i64::MAX));
    let endless = head(applied(fixture.commit(&key, &fixture.change(&dated).expiry(end)).await));
    assert!(endless.fixed_end > Some(year_9999));
    let past = ExpiryChange::At(Timestamp::from_millis(-1));
    applied(fixture.commit(&key, &fixture.change(&endless).expiry(past)).await);
    fixture.absence(&key).await; // A date before 1970 has passed.
    let long_past = ExpiryChange::At(Timestamp::from_millis(-year_9999.as_millis()));
    let key = fixture.key("long past");
    applied(fixture.commit(&key, &fixture.creation(None).set("visits", "1").expiry(long_past)).await);
    fixture.absence(&key).await;
}
