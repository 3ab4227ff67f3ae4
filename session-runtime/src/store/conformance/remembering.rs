//! Sessions with a sliding lifetime of their own.

use super::fixture::{DAY, Draft, Fixture, HOUR, MINUTE, SECOND, applied, head};
use crate::expiry::Timestamp;
use crate::store::{ExpiryChange, Found, Head, Key};

/// Sessions that end after half an hour, and one of them that is remembered for ten days.
async fn remembered(fixture: &Fixture, id: &str) -> (Fixture, Key, Head) {
    let fixture = fixture.idle_for(30 * MINUTE);
    let key = fixture.key(id);
    let creation = fixture.creation(None).set("user", "7").expiry(ExpiryChange::After(10 * DAY));
    let created = head(applied(fixture.commit(&key, &creation).await));
    (fixture, key, created)
}

/// How long a session has from now on, at this fixture's time.
async fn left(fixture: &Fixture, key: &Key) -> i64 {
    let loaded = fixture.load(key).await;
    let Found::Record(record) = loaded.found else { panic!("there is no session") };
    record.head.expires_at.expect("it expires").as_millis() - loaded.now.as_millis()
}

/// It is slid by loads and commits of every instance, whatever that is set to.
pub(super) async fn p09_a_lifetime_of_its_own_slides_on_every_instance(fixture: Fixture) {
    let forever = fixture.clone();
    let (fixture, key, created) = remembered(&fixture, "remembered").await;
    assert_eq!(created.sliding, Some(10 * DAY));
    assert_eq!(created.expires_at, Some(created.created_at.plus(10 * DAY)));
    assert_eq!(fixture.record(&key).await.head, created, "the answer tells what is stored");

    let loaded = fixture.after(9 * DAY).load(&key).await;
    assert!(loaded.touched);
    let instances = [fixture.idle_for(MINUTE), fixture.idle_for(90 * DAY), fixture.old_at(365 * DAY), forever];
    for (round, instance) in (1..).zip(instances) {
        let later = instance.after(9 * DAY + round * 3 * DAY);
        let before = later.record(&key).await.head;
        let changed = later.commit(&key, &later.change(&before).set("visits", round.to_string())).await;
        let changed = head(applied(changed));
        assert_eq!(changed.sliding, Some(10 * DAY));
        let left = left(&later, &key).await;
        assert!((10 * DAY - MINUTE..=10 * DAY).contains(&left), "{left} ms are left in round {round}");
        assert_eq!(later.record(&key).await.head, changed);
    }
}

/// A load touches it only when a share of its own lifetime has passed.
pub(super) async fn p09_a_lifetime_of_its_own_is_touched_by_its_share(fixture: Fixture) {
    let (fixture, key, created) = remembered(&fixture, "share").await;
    assert!(!fixture.after(23 * HOUR).load(&key).await.touched, "a tenth of ten days has not passed");
    let due = fixture.after(25 * HOUR).load(&key).await;
    assert!(due.touched);
    let Found::Record(touched) = due.found else { panic!("there is no session") };
    assert_eq!(touched.head.expires_at, Some(due.now.plus(10 * DAY)));
    assert_eq!((touched.head.revision, touched.head.sliding), (created.revision, Some(10 * DAY)));
    assert!(!fixture.after(25 * HOUR + SECOND).load(&key).await.touched);
    assert_eq!(fixture.after(12 * DAY).absence(&key).await, Some(created.incarnation), "it ends like any other");
}

/// A limit since the creation holds, whatever the activity.
pub(super) async fn p09_a_lifetime_of_its_own_ends_at_the_limit_since_the_creation(fixture: Fixture) {
    let (fixture, key, created) = remembered(&fixture.old_at(30 * DAY), "limit").await;
    assert_eq!(created.expires_at, Some(created.created_at.plus(10 * DAY)));
    let late = fixture.after(9 * DAY);
    late.load(&key).await;
    for days in [15, 22] {
        let later = fixture.after(days * DAY);
        let before = later.record(&key).await.head;
        let changed = head(applied(later.commit(&key, &later.change(&before).set("days", "1")).await));
        assert!(changed.expires_at <= Some(created.created_at.plus(30 * DAY)));
    }
    let last = fixture.after(22 * DAY).record(&key).await.head;
    assert_eq!(last.expires_at, Some(created.created_at.plus(30 * DAY)));
    assert!(!fixture.after(29 * DAY).load(&key).await.touched, "it cannot be moved any further");
    assert_eq!(fixture.after(30 * DAY).absence(&key).await, Some(created.incarnation));
}

/// It is taken back by the rule or by a date, and takes back a date.
pub(super) async fn p09_a_lifetime_of_its_own_can_be_taken_back(fixture: Fixture) {
    let (fixture, key, mut current) = remembered(&fixture, "back").await;
    let date = Timestamp::from_millis(current.created_at.as_millis() + 5 * DAY);
    for (change, sliding, fixed_end) in [
        (ExpiryChange::At(date), None, Some(date)),
        (ExpiryChange::After(DAY), Some(DAY), None),
        (ExpiryChange::Keep, Some(DAY), None),
        (ExpiryChange::ByRule, None, None),
        (ExpiryChange::Keep, None, None),
    ] {
        let commit = fixture.change(&current).set("n", format!("{change:?}")).expiry(change);
        current = head(applied(fixture.commit(&key, &commit).await));
        assert_eq!((current.sliding, current.fixed_end), (sliding, fixed_end), "after {change:?}");
        assert_eq!(fixture.record(&key).await.head, current);
        let repeated = applied(fixture.commit(&key, &commit).await);
        assert!(repeated.repeated);
        assert_eq!(head(repeated), current, "a lost answer tells of it too");
    }
    let left = left(&fixture, &key).await;
    assert!((29 * MINUTE..=30 * MINUTE).contains(&left), "the rule holds again, and {left} ms are left");
}

/// It goes along when the session moves, is emptied, or changes whatever the kind of the change; not with the key.
pub(super) async fn p09_a_lifetime_of_its_own_stays_with_its_session(fixture: Fixture) {
    let (fixture, key, created) = remembered(&fixture, "stays").await;
    let to = fixture.key("moved");
    let moved = head(applied(fixture.commit(&key, &fixture.change(&created).set("a", "1").renew(&to)).await));
    assert_eq!((moved.sliding, moved.expires_at.is_some()), (Some(10 * DAY), true));
    assert_eq!(fixture.record(&to).await.head, moved);
    let replaced = head(applied(fixture.commit(&to, &fixture.change(&moved).replace().set("b", "1")).await));
    let emptied = head(applied(fixture.commit(&to, &fixture.change(&replaced).unset("b")).await));
    assert_eq!((emptied.stored, emptied.sliding), (false, Some(10 * DAY)));
    let again = head(applied(fixture.commit(&to, &fixture.change(&emptied).set("b", "2")).await));
    assert_eq!(again.sliding, Some(10 * DAY));
    fixture.destroy(&to, &again).await;
    let next = head(applied(fixture.commit(&to, &fixture.creation(Some(again.incarnation)).set("b", "3")).await));
    assert_eq!(next.sliding, None, "the next session of the key has none");
}

/// A date that a handler set ends the session that it was set for, and not the next one of the key.
pub(super) async fn p09_a_date_of_its_own_stays_with_its_session(fixture: Fixture) {
    let fixture = fixture.idle_for(DAY);
    for end in ["destroyed", "renewed", "expired"] {
        let key = fixture.key(end);
        let created = fixture.create(&key, &[("a", "1")]).await;
        let date = created.created_at.plus(5 * DAY);
        let dated = fixture.change(&created).set("a", "2").expiry(ExpiryChange::At(date));
        let dated = head(applied(fixture.commit(&key, &dated).await));
        assert_eq!((dated.fixed_end, dated.expires_at), (Some(date), Some(date)));
        match end {
            "destroyed" => drop(fixture.destroy(&key, &dated).await),
            "renewed" => {
                let renewal = fixture.change(&dated).renew(&fixture.key("moved"));
                assert_eq!(head(applied(fixture.commit(&key, &renewal).await)).fixed_end, Some(date));
            }
            _ => {}
        }
        let later = fixture.after(6 * DAY);
        let creation = later.creation(Some(created.incarnation)).set("a", "3");
        let next = head(applied(later.commit(&key, &creation).await));
        assert_eq!((next.fixed_end, next.expires_at), (None, Some(next.created_at.plus(DAY))), "{end}");
    }
}
