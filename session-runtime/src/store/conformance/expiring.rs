//! Sessions that end by themselves. The store's clock decides, and a case moves its own.

use super::scene::{DAY, Draft, MINUTE, SECOND, Scene, applied, are, conflict, ended, fields, head};
use crate::expiry::{Lifetime, Timestamp};
use crate::store::{Base, Ended, ExpiryChange, Found, Key};

/// A session ends when it was not used for the time to live, and a load then finds absence.
pub(super) async fn p09_a_session_ends_after_inactivity(scene: Scene) {
    let scene = scene.idle_for(30 * MINUTE);
    let key = scene.key("idle");
    let created = scene.create(&key, &[("visits", "1")]).await;
    assert_eq!(created.expires_at, Some(created.created_at.plus(30 * MINUTE)));
    assert!(scene.after(2 * MINUTE).record(&key).await.head.stored);

    let later = scene.after(30 * MINUTE);
    assert_eq!(later.absence(&key).await, Some(created.incarnation), "the load sees which session ended");
    assert_eq!(later.count().await, 0);
    assert_eq!(later.listed(10).await, Vec::<String>::new());
}

/// The clock can be moved both ways, and what one clock sees as ended another sees as it was.
pub(super) async fn p09_the_clock_moves_both_ways(scene: Scene) {
    let scene = scene.idle_for(30 * MINUTE);
    let key = scene.key("clock");
    let created = scene.create(&key, &[("visits", "1")]).await;
    assert_eq!(scene.after(31 * MINUTE).absence(&key).await, Some(created.incarnation));
    assert_eq!(scene.record(&key).await.head, created, "a load of an ended session changes nothing");
    assert_eq!(scene.after(-DAY).record(&key).await.head, created);
    let far = scene.after(-scene.clock.0 + DAY);
    assert_eq!(far.absence(&key).await, Some(created.incarnation), "also ahead of the engine's clock");
    let (before, after) = (scene.load(&key).await.now, scene.after(DAY).load(&key).await.now);
    let moved = after.as_millis() - before.as_millis();
    assert!((DAY..DAY + MINUTE).contains(&moved), "the clock is moved by a day, not by {moved} ms");
}

/// A load counts as activity, but is written only when a share of the time to live has passed.
pub(super) async fn p09_a_load_touches_only_when_due(scene: Scene) {
    let scene = scene.idle_for(30 * MINUTE);
    let key = scene.key("renewal");
    let created = scene.create(&key, &[("visits", "1")]).await;

    let early = scene.after(2 * MINUTE).load(&key).await;
    assert!(!early.touched, "three minutes have not passed");
    assert_eq!(record_head(early.found).expires_at, created.expires_at);

    let due = scene.after(4 * MINUTE).load(&key).await;
    assert!(due.touched);
    let touched = record_head(due.found);
    assert_eq!(touched.expires_at, Some(due.now.plus(30 * MINUTE)), "the answer shows the moved expiry");
    assert_eq!(scene.record(&key).await.head, touched, "and it is stored");

    let again = scene.after(4 * MINUTE + SECOND).load(&key).await;
    assert!(!again.touched, "it was touched just now");
    assert!(scene.after(33 * MINUTE).record(&key).await.head.stored, "it lives on after the first expiry");
}

fn record_head(found: Found) -> crate::store::Head {
    match found {
        Found::Record(record) => record.head,
        Found::Absent { saw } => panic!("a record was expected, but absence was found, after {saw:?}"),
    }
}

/// A renewal is not a change: it carries no data, and handlers at work are not disturbed.
pub(super) async fn p09_a_touch_disturbs_no_commit(scene: Scene) {
    let scene = scene.idle_for(30 * MINUTE);
    let key = scene.key("disturb");
    let created = scene.create(&key, &[("visits", "1")]).await;
    let later = scene.after(10 * MINUTE);
    let loaded = later.load(&key).await;
    assert!(loaded.touched);
    let touched = record_head(loaded.found);
    assert_eq!((touched.revision, touched.last_commit), (created.revision, created.last_commit));
    let change = later.change(&created).set("visits", "2");
    assert_eq!(head(applied(later.commit(&key, &change).await)).revision, 2);
    assert_eq!(fields(&later.record(&key).await), are(&[("visits", "2")]));
}

/// A commit counts as activity.
pub(super) async fn p09_a_commit_moves_the_expiry(scene: Scene) {
    let scene = scene.idle_for(30 * MINUTE);
    let key = scene.key("active");
    let created = scene.create(&key, &[("visits", "1")]).await;
    let later = scene.after(SECOND);
    let before = later.load(&key).await.now;
    let changed = head(applied(later.commit(&key, &later.change(&created).set("visits", "2")).await));
    let after = later.load(&key).await.now;
    let expires_at = changed.expires_at.expect("it expires");
    assert!(before.plus(30 * MINUTE) <= expires_at && expires_at <= after.plus(30 * MINUTE));
    assert_eq!(changed.created_at, created.created_at);
}

/// A session of a rule that only knows its creation is never touched.
pub(super) async fn p09_a_session_ends_after_its_creation(scene: Scene) {
    let scene = scene.old_at(DAY);
    let key = scene.key("old");
    let created = scene.create(&key, &[("visits", "1")]).await;
    assert_eq!(created.expires_at, Some(created.created_at.plus(DAY)));

    let later = scene.after(DAY - MINUTE);
    let loaded = later.load(&key).await;
    assert!(!loaded.touched, "activity does not lengthen it");
    let changed = head(applied(later.commit(&key, &later.change(&created).set("visits", "2")).await));
    assert_eq!(changed.expires_at, created.expires_at, "nor do commits");
    assert_eq!(scene.after(DAY).absence(&key).await, Some(created.incarnation));
}

/// With both rules the earlier one counts.
pub(super) async fn p09_a_session_ends_at_the_earlier_of_two_rules(scene: Scene) {
    let scene = scene.old_at(50 * MINUTE).idle_for(30 * MINUTE);
    let key = scene.key("either");
    let created = scene.create(&key, &[("visits", "1")]).await;
    assert_eq!(created.expires_at, Some(created.created_at.plus(30 * MINUTE)));

    let later = scene.after(25 * MINUTE).load(&key).await;
    assert!(later.touched);
    assert_eq!(record_head(later.found).expires_at, Some(created.created_at.plus(50 * MINUTE)));
    assert!(!scene.after(45 * MINUTE).load(&key).await.touched, "it cannot be moved any further");
    assert_eq!(scene.after(50 * MINUTE).absence(&key).await, Some(created.incarnation));
}

/// A date that a handler sets replaces the rule, also for loads, until it is cleared.
pub(super) async fn p09_a_date_set_by_a_handler_replaces_the_rule(scene: Scene) {
    let scene = scene.idle_for(30 * MINUTE);
    let key = scene.key("until");
    let created = scene.create(&key, &[("visits", "1")]).await;
    let until = created.created_at.plus(DAY);
    let set = head(applied(scene.commit(&key, &scene.change(&created).expiry(ExpiryChange::At(until))).await));
    assert_eq!((set.fixed_end, set.expires_at), (Some(until), Some(until)));

    let later = scene.after(5 * 60 * MINUTE);
    let loaded = later.load(&key).await;
    assert!(!loaded.touched, "activity does not move a date");
    assert_eq!(record_head(loaded.found), set);
    let kept = head(applied(later.commit(&key, &later.change(&set).set("visits", "2")).await));
    assert_eq!(
        (kept.fixed_end, kept.expires_at),
        (Some(until), Some(until)),
        "a commit that is silent about it keeps it"
    );
    assert_eq!(scene.after(DAY).absence(&key).await, Some(created.incarnation));

    let cleared = head(applied(later.commit(&key, &later.change(&kept).expiry(ExpiryChange::ByRule)).await));
    assert_eq!(cleared.fixed_end, None);
    let expires_at = cleared.expires_at.expect("the rule counts again");
    assert!(expires_at < until && expires_at >= created.created_at.plus(5 * 60 * MINUTE));
}

/// A date can be set by the first commit, and without any rule.
pub(super) async fn p09_a_first_commit_can_set_a_date(scene: Scene) {
    let key = scene.key("dated");
    let until = scene.load(&key).await.now.plus(DAY);
    let creation = scene.creation(None).set("visits", "1").expiry(ExpiryChange::At(until));
    let created = head(applied(scene.commit(&key, &creation).await));
    assert_eq!((created.fixed_end, created.expires_at), (Some(until), Some(until)));
    assert_eq!(scene.record(&key).await.head, created);
    assert!(scene.after(DAY - MINUTE).record(&key).await.head.stored);
    assert_eq!(scene.after(DAY).absence(&key).await, Some(created.incarnation));
}

/// A date is kept by a renewal to another key.
pub(super) async fn p09_a_date_moves_with_the_session(scene: Scene) {
    let scene = scene.idle_for(30 * MINUTE);
    let (old, new) = (scene.key("old"), scene.key("new"));
    let created = scene.create(&old, &[("visits", "1")]).await;
    let until = created.created_at.plus(DAY);
    let set = head(applied(scene.commit(&old, &scene.change(&created).expiry(ExpiryChange::At(until))).await));
    applied(scene.commit(&old, &scene.change(&set).renew(&new)).await);
    let moved = scene.record(&new).await.head;
    assert_eq!((moved.fixed_end, moved.expires_at), (Some(until), Some(until)));
}

/// A load never brings an expiry closer and never gives one to a session that has none; the next commit does.
pub(super) async fn p09_a_load_never_brings_the_expiry_closer(scene: Scene) {
    let key = scene.key("shorter");
    let lasting = scene.create(&key, &[("visits", "1")]).await;
    assert_eq!(lasting.expires_at, None);
    let long = scene.idle_for(DAY);
    assert!(!long.load(&key).await.touched, "it has no expiry");
    let limited = head(applied(long.commit(&key, &long.change(&lasting).set("visits", "2")).await));
    assert!(limited.expires_at.is_some());

    let short = scene.idle_for(MINUTE);
    assert!(!short.load(&key).await.touched);
    let current = short.record(&key).await.head;
    let shortened = head(applied(short.commit(&key, &short.change(&current).set("visits", "3")).await));
    assert!(shortened.expires_at < limited.expires_at);
}

/// A load of a build whose sessions do not end takes the expiry away.
pub(super) async fn p09_a_load_can_take_the_expiry_away(scene: Scene) {
    let key = scene.key("lasting");
    scene.idle_for(30 * MINUTE).create(&key, &[("visits", "1")]).await;
    let loaded = scene.load(&key).await;
    assert!(loaded.touched);
    assert_eq!(record_head(loaded.found).expires_at, None);
    assert!(scene.after(DAY).record(&key).await.head.stored);
}

/// A commit based on a session that has expired since is refused and stores nothing, whatever it does.
pub(super) async fn p06_a_commit_after_expiry_stores_nothing(scene: Scene) {
    let scene = scene.idle_for(30 * MINUTE);
    let (key, new) = (scene.key("expired"), scene.key("new"));
    let created = scene.create(&key, &[("visits", "1")]).await;
    let later = scene.after(30 * MINUTE);
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
    assert_eq!(scene.record(&key).await.head, created, "the record is as it was");
}

/// A handler that loaded the key as new before that session lived does not write over its end.
pub(super) async fn p06_a_first_commit_does_not_pass_an_expiry_that_it_did_not_see(scene: Scene) {
    let scene = scene.idle_for(30 * MINUTE);
    let key = scene.key("unseen");
    let in_flight = scene.creation(None).set("visits", "2").with(|commit| commit.clock.0 += DAY);
    let created = scene.create(&key, &[("visits", "1")]).await;
    assert_eq!(ended(scene.commit(&key, &in_flight).await), Ended::Expired);
    assert_eq!(scene.after(DAY).absence(&key).await, Some(created.incarnation));
}

/// An expired session is absence for the next visitor: a new life begins with nothing of the old one.
pub(super) async fn p06_a_new_life_begins_over_an_expired_session(scene: Scene) {
    let scene = scene.idle_for(30 * MINUTE);
    let key = scene.key("again");
    let old = scene.create(&key, &[("visits", "1"), ("secret", "s")]).await;
    let later = scene.after(DAY);
    let saw = later.absence(&key).await;
    let answer = applied(later.commit(&key, &later.creation(saw).set("theme", "dark")).await);
    assert!(!answer.was_stored && answer.is_stored, "{answer:?}");
    let record = later.record(&key).await;
    assert_eq!(record.head.revision, 1);
    assert!(record.head.created_at >= old.created_at.plus(DAY - MINUTE));
    assert_eq!(fields(&record), are(&[("theme", "dark")]));

    assert_eq!(ended(later.commit(&key, &later.change(&old).set("visits", "2")).await), Ended::Destroyed);
    let late = conflict(later.commit(&key, &later.creation(saw).set("visits", "1")).await);
    assert_eq!(late.head, record.head);
}

/// A session that was loaded as new and is not stored ends by the same rule.
pub(super) async fn p09_an_unstored_session_ends_too(scene: Scene) {
    let key = scene.key("visitor");
    let loaded = scene.load(&key).await;
    let base = |until| Base::Absent { saw: None, valid_until: Some(until) };
    let valid = |until| scene.based_on(base(until)).set("visits", "1");
    let over = valid(loaded.now);
    assert_eq!(ended(scene.commit(&key, &over).await), Ended::Expired);
    assert_eq!(ended(scene.commit(&key, &over.destroy()).await), Ended::Expired);
    assert_eq!(scene.absence(&key).await, None, "a refused commit leaves no trace");
    assert!(applied(scene.commit(&key, &valid(loaded.now.plus(DAY))).await).is_stored);
}

/// An emptied session ends as well, and what ended is not stored again.
pub(super) async fn p06_an_emptied_session_expires(scene: Scene) {
    let scene = scene.idle_for(30 * MINUTE);
    let key = scene.key("emptied");
    let created = scene.create(&key, &[("visits", "1")]).await;
    let emptied = head(applied(scene.commit(&key, &scene.change(&created).unset("visits")).await));
    assert!(scene.after(4 * MINUTE).load(&key).await.touched, "loading it counts as activity");
    let later = scene.after(DAY);
    assert_eq!(later.absence(&key).await, Some(created.incarnation));
    assert_eq!(ended(later.commit(&key, &later.change(&emptied).set("visits", "2")).await), Ended::Expired);
}

/// A lost answer can still be asked for when the session has expired since.
pub(super) async fn p07_a_lost_answer_is_known_after_expiry(scene: Scene) {
    let scene = scene.idle_for(30 * MINUTE);
    let key = scene.key("lost");
    let created = scene.create(&key, &[("visits", "1")]).await;
    let mut lost = scene.change(&created).set("visits", "2");
    applied(scene.commit(&key, &lost).await);
    lost.clock.0 += DAY;
    let again = applied(scene.commit(&key, &lost).await);
    assert!(again.repeated && !again.is_stored, "it was applied, and nothing is stored now: {again:?}");
}

/// The longest durations and dates are taken as they are.
pub(super) async fn p13_times_without_end_are_harmless(scene: Scene) {
    let lifetime = Lifetime { inactivity: Some(i64::MAX / 4), ..scene.lifetime };
    let scene = Scene { lifetime, ..scene };
    let key: Key = scene.key("eternal");
    let created = scene.create(&key, &[("visits", "1")]).await;
    assert!(scene.after(DAY).record(&key).await.head.stored);
    let year_9999 = Timestamp::from_millis(253_402_300_799_999);
    assert!(created.expires_at > Some(year_9999));

    let dated = head(applied(scene.commit(&key, &scene.change(&created).expiry(ExpiryChange::At(year_9999))).await));
    assert_eq!((dated.fixed_end, dated.expires_at), (Some(year_9999), Some(year_9999)));
    assert_eq!(scene.record(&key).await.head, dated);
    let end = ExpiryChange::At(Timestamp::from_millis(i64::MAX));
    let endless = head(applied(scene.commit(&key, &scene.change(&dated).expiry(end)).await));
    assert!(endless.fixed_end > Some(year_9999));
    let past = ExpiryChange::At(Timestamp::from_millis(-1));
    applied(scene.commit(&key, &scene.change(&endless).expiry(past)).await);
    scene.absence(&key).await; // A date before 1970 has passed.
}
