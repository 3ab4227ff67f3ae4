//! Commits at the present time: stores may decide those sooner than the ones of a moved clock.

use std::time::{Duration, Instant};

use super::fixture::{DAY, Draft, Fixture, HOUR, REGISTRATION, applied, are, ended, fields, head};
use super::purging::purged;
use super::{creating, destroyed, emptied, lost, registering, renewing, writing};
use crate::expiry::{ClockOffset, Lifetime, Timestamp};
use crate::store::{Ended, ExpiryChange, Found, Load, Store};

/// The same sessions at the present time.
fn at_present(fixture: &Fixture) -> Fixture {
    Fixture { clock: ClockOffset(0), ..fixture.clone() }
}

/// What the store says that it is.
async fn now(fixture: &Fixture) -> Timestamp {
    let loaded = fixture.store.load(&fixture.key("nobody"), Load::look(fixture.clock)).await;
    loaded.expect("a session can be loaded").now
}

macro_rules! run {
    ($fixture:ident: $($case:path),* $(,)?) => {
        $({
            let own = at_present(&$fixture.named(format!("{}.{}", $fixture.name, stringify!($case))));
            own.agree(1, REGISTRATION).await;
            $case(own).await;
        })*
    };
}

/// What is promised of changes does not depend on the clock.
pub(super) async fn p04_changes_at_the_present_are_as_at_any_time(fixture: Fixture) {
    run! { fixture:
        creating::p01_a_new_session_is_stored_by_its_first_commit,
        creating::p06_a_new_life_inherits_nothing,
        writing::p04_a_change_touches_only_its_fields,
        writing::p04_removing_an_absent_field_is_harmless,
        writing::p04_changes_follow_each_other,
        writing::p05_a_stale_change_is_told_the_current_record,
        writing::p05_a_revision_from_the_future_conflicts,
        writing::p05_a_revision_that_came_round_again_conflicts,
        writing::p06_a_change_of_another_life_is_refused,
        writing::p11_unknown_fields_survive,
        registering::p10_nothing_is_acknowledged_without_its_registration,
        emptied::p01_an_emptied_session_can_be_stored_again,
        emptied::p05_a_stale_change_conflicts_with_an_emptied_session,
        emptied::p06_emptying_and_storing_again_is_no_way_back_for_stale_changes,
    }
}

/// What is promised of ends and of lost answers does not either.
pub(super) async fn p07_lost_answers_at_the_present_are_as_at_any_time(fixture: Fixture) {
    run! { fixture:
        lost::p07_a_repeated_change_is_applied_once,
        lost::p07_a_lost_answer_is_known_for_eight_commits,
        lost::p07_an_older_lost_answer_conflicts_from_afar,
        lost::p07_a_lost_creation_is_known_for_eight_commits,
        lost::p07_a_lost_commit_does_not_reach_the_next_life,
        destroyed::p06_a_commit_in_flight_does_not_bring_it_back,
        destroyed::p06_a_commit_in_flight_does_not_reach_the_next_life,
        renewing::p06_a_commit_in_flight_does_not_reach_a_renewed_session,
        renewing::p06_a_renewed_session_goes_on,
    }
}

/// A change moves the end by the rule that it comes with, from the store's time on.
pub(super) async fn p09_a_change_at_the_present_moves_the_end_by_its_rule(fixture: Fixture) {
    let fixture = at_present(&fixture);
    let rules = [
        (None, None),
        (Some(DAY), None),
        (None, Some(10 * DAY)),
        (Some(DAY), Some(10 * DAY)),
        (Some(10 * DAY), Some(DAY)),
        (Some(3 * DAY), Some(3 * DAY)),
    ];
    for (one, (inactivity, creation)) in rules.into_iter().enumerate() {
        for (other, first) in rules.into_iter().enumerate() {
            let key = fixture.key(&format!("{other}.{one}"));
            let lifetime =
                |(inactivity, creation)| Lifetime { inactivity, creation, touch_after: DAY, ..fixture.lifetime };
            let before = Fixture { lifetime: lifetime(first), ..fixture.clone() };
            let created = before.create(&key, &[("visits", "1")]).await;
            let fixture = Fixture { lifetime: lifetime((inactivity, creation)), ..fixture.clone() };
            let end = |now| fixture.lifetime.expires_at(created.created_at, None, now);
            let earliest = end(now(&fixture).await);
            let changed = head(applied(fixture.commit(&key, &fixture.change(&created).set("visits", "2")).await));
            let latest = end(now(&fixture).await);
            assert!(
                earliest <= changed.expires_at && changed.expires_at <= latest,
                "{first:?}, then {inactivity:?} and {creation:?}: {changed:?}"
            );
            assert_eq!(changed.created_at, created.created_at);
            assert_eq!(fixture.record(&key).await.head, changed);
        }
    }
}

/// An end that a handler chose goes on, also when a change comes with a rule.
pub(super) async fn p09_an_end_of_its_own_goes_on_at_the_present(fixture: Fixture) {
    let fixture = at_present(&fixture).idle_for(2 * DAY);
    let date = now(&fixture).await.plus(5 * DAY);
    for (id, end) in [("date", ExpiryChange::At(date)), ("sliding", ExpiryChange::After(9 * DAY))] {
        // Chosen when the session begins, or later.
        for begins in [true, false] {
            let key = fixture.key(&format!("{id}.{begins}"));
            let creation = fixture.creation(None).set("visits", "1");
            let creation = if begins { creation.expiry(end) } else { creation };
            let mut current = head(applied(fixture.commit(&key, &creation).await));
            if !begins {
                let chosen = fixture.change(&current).set("visits", "1.5").expiry(end);
                current = head(applied(fixture.commit(&key, &chosen).await));
            }
            let chosen = match end {
                ExpiryChange::At(date) => (Some(date), None),
                _ => (None, Some(9 * DAY)),
            };
            assert_eq!((current.fixed_end, current.sliding), chosen, "{id}");
            for visits in ["2", "3"] {
                let earliest = now(&fixture).await;
                let next = head(applied(fixture.commit(&key, &fixture.change(&current).set("visits", visits)).await));
                assert_eq!((next.fixed_end, next.sliding), (current.fixed_end, current.sliding), "{id}");
                let range = match end {
                    ExpiryChange::At(date) => date..=date,
                    _ => earliest.plus(9 * DAY)..=now(&fixture).await.plus(9 * DAY),
                };
                assert!(next.expires_at.is_some_and(|end| range.contains(&end)), "{id}: {next:?}, not {range:?}");
                assert_eq!(fixture.record(&key).await.head, next);
                current = next;
            }
        }
    }
}

/// What is kept longer because one asked for it stays so long, also after changes that would keep it less long.
pub(super) async fn p06_what_ended_is_kept_for_the_longest_retention_at_the_present(fixture: Fixture) {
    let present = at_present(&fixture).idle_for(DAY);
    let short = Fixture { lifetime: Lifetime { retention: HOUR, ..present.lifetime }, ..present.clone() };
    for (id, order) in [("first", [&present, &short, &short]), ("second", [&short, &present, &short])] {
        for keeps in [false, true] {
            let key = fixture.key(&format!("{id}.{keeps}"));
            let created = order[0].create(&key, &[("visits", "1")]).await;
            let mut current = created;
            for changing in &order[1..] {
                let lifetime =
                    if keeps { changing.lifetime } else { Lifetime { inactivity: None, ..changing.lifetime } };
                let changing = Fixture { lifetime, ..(*changing).clone() };
                let change = changing.change(&current).set("visits", "2");
                current = head(applied(changing.commit(&key, &change).await));
            }
            short.destroy(&key, &current).await;
            assert_eq!(purged(&short.after(2 * HOUR), &key).await, Some(created.incarnation), "{id} keeps it");
        }
    }
}

/// A change of a session whose header is to be kept for ever is stored as any other.
pub(super) async fn p13_a_header_that_is_kept_for_ever_is_harmless_at_the_present(fixture: Fixture) {
    let fixture = at_present(&fixture).idle_for(DAY);
    let kept = Fixture { lifetime: Lifetime { retention: i64::MAX / 4, ..fixture.lifetime }, ..fixture.clone() };
    let key = fixture.key("kept");
    let created = kept.create(&key, &[("visits", "1")]).await;
    let changed = head(applied(fixture.commit(&key, &fixture.change(&created).set("visits", "2")).await));
    let again = head(applied(kept.commit(&key, &kept.change(&changed).set("visits", "3")).await));
    assert_eq!(fields(&fixture.record(&key).await), are(&[("visits", "3")]));
    assert_eq!(again.revision, 3);
}

/// A change that comes after the end stores nothing.
pub(super) async fn p06_a_change_at_the_present_after_the_end_stores_nothing(fixture: Fixture) {
    let fixture = at_present(&fixture).idle_for(20);
    let key = fixture.key("short");
    let created = fixture.create(&key, &[("visits", "1")]).await;
    let started = Instant::now();
    let look = || fixture.store.load(&key, Load::look(fixture.clock));
    while let Found::Record(_) = look().await.expect("a session can be loaded").found {
        assert!(started.elapsed() < Duration::from_secs(60), "a session ends by the store's own clock");
        tokio::task::yield_now().await;
    }
    assert_eq!(ended(fixture.commit(&key, &fixture.change(&created).set("visits", "2")).await), Ended::Expired);
    assert_eq!(fixture.absence(&key).await, Some(created.incarnation));
}
