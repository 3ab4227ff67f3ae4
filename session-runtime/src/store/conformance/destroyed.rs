//! Sessions that were removed on purpose.

use super::scene::{Draft, Scene, applied, are, conflict, ended, fields, head};
use crate::store::{CommitId, Ended, Head};

/// A destroyed session is not there any more: neither loaded nor listed nor counted.
pub(super) async fn p06_a_destroyed_session_is_absent(scene: Scene) {
    let key = scene.key("destroyed");
    let created = scene.create(&key, &[("visits", "1")]).await;
    let answer = scene.destroy(&key, &created).await;
    assert!(answer.was_stored && !answer.is_stored && !answer.repeated, "{answer:?}");
    assert_eq!(answer.head, None, "no record is left");
    assert_eq!(scene.absence(&key).await, Some(created.incarnation), "the load sees which session ended");
    assert_eq!(scene.count().await, 0);
    assert_eq!(scene.listed(10).await, Vec::<String>::new());
}

/// A handler that was at work when the session was destroyed cannot bring it back.
pub(super) async fn p06_a_commit_in_flight_does_not_bring_it_back(scene: Scene) {
    let key = scene.key("logout");
    let created = scene.create(&key, &[("visits", "1"), ("user", "42")]).await;
    scene.destroy(&key, &created).await;

    let in_flight = scene.change(&created).set("visits", "2");
    assert_eq!(ended(scene.commit(&key, &in_flight).await), Ended::Destroyed);
    assert_eq!(ended(scene.commit(&key, &scene.change(&created).unset("visits")).await), Ended::Destroyed);
    assert_eq!(ended(scene.commit(&key, &scene.change(&created).replace().keep_empty()).await), Ended::Destroyed);
    assert_eq!(scene.absence(&key).await, Some(created.incarnation));
}

/// Nor when the key has been created anew since.
pub(super) async fn p06_a_commit_in_flight_does_not_reach_the_next_life(scene: Scene) {
    let key = scene.key("login");
    let created = scene.create(&key, &[("visits", "1"), ("user", "42")]).await;
    scene.destroy(&key, &created).await;
    let again = scene.creation(Some(created.incarnation)).set("user", "43");
    let again = head(applied(scene.commit(&key, &again).await));
    assert_ne!(again.incarnation, created.incarnation);

    assert_eq!(ended(scene.commit(&key, &scene.change(&created).set("visits", "2")).await), Ended::Destroyed);
    assert_eq!(ended(scene.commit(&key, &scene.change(&created).destroy()).await), Ended::Destroyed);
    let record = scene.record(&key).await;
    assert_eq!(record.head, again);
    assert_eq!(fields(&record), are(&[("user", "43")]));
}

/// Removal applies to any revision: what others changed in between goes too.
pub(super) async fn p06_a_stale_handler_can_destroy(scene: Scene) {
    let key = scene.key("stale");
    let created = scene.create(&key, &[("visits", "1")]).await;
    let changed = scene.change(&created).set("visits", "2");
    applied(scene.commit(&key, &changed).await);
    assert!(scene.destroy(&key, &created).await.was_stored);
    assert_eq!(scene.absence(&key).await, Some(created.incarnation));

    let other = Head { last_commit: CommitId::random(), ..scene.create(&scene.key("other"), &[("a", "1")]).await };
    scene.destroy(&scene.key("other"), &other).await;
    assert_eq!(scene.absence(&scene.key("other")).await, Some(other.incarnation));
}

/// A handler that saw the absence before this session destroys it too: it belongs to the same life.
pub(super) async fn p06_a_handler_that_saw_its_absence_can_destroy(scene: Scene) {
    let key = scene.key("absence");
    let created = scene.create(&key, &[("visits", "1")]).await;
    let answer = applied(scene.commit(&key, &scene.creation(None).destroy()).await);
    assert!(answer.was_stored && !answer.is_stored && answer.head.is_none());
    assert_eq!(scene.absence(&key).await, Some(created.incarnation));
}

/// But not one that saw another end.
pub(super) async fn p06_a_handler_of_another_life_cannot_destroy(scene: Scene) {
    let key = scene.key("stranger");
    let created = scene.create(&key, &[("visits", "1")]).await;
    scene.destroy(&key, &created).await;
    assert_eq!(ended(scene.commit(&key, &scene.creation(None).destroy()).await), Ended::Destroyed);

    let again = scene.creation(Some(created.incarnation)).set("visits", "1");
    let again = head(applied(scene.commit(&key, &again).await));
    assert_eq!(ended(scene.commit(&key, &scene.creation(None).destroy()).await), Ended::Destroyed);
    assert_eq!(scene.record(&key).await.head, again);
}

/// Destroying what was never stored leaves no trace.
pub(super) async fn p06_destroying_nothing_leaves_no_trace(scene: Scene) {
    let key = scene.key("nothing");
    let answer = applied(scene.commit(&key, &scene.creation(None).destroy()).await);
    assert!(!answer.was_stored && !answer.is_stored && answer.head.is_none() && !answer.repeated, "{answer:?}");
    assert_eq!(scene.absence(&key).await, None);
}

/// Destroying what a load saw as ended changes nothing.
pub(super) async fn p06_destroying_what_has_ended_changes_nothing(scene: Scene) {
    let key = scene.key("ended");
    let created = scene.create(&key, &[("visits", "1")]).await;
    scene.destroy(&key, &created).await;
    let answer = applied(scene.commit(&key, &scene.creation(Some(created.incarnation)).destroy()).await);
    assert!(!answer.was_stored && !answer.is_stored && answer.head.is_none());
    assert_eq!(scene.absence(&key).await, Some(created.incarnation));
}

/// Of two handlers that destroy, the second learns that it was done.
pub(super) async fn p06_a_second_destroy_is_told(scene: Scene) {
    let key = scene.key("twice");
    let created = scene.create(&key, &[("visits", "1")]).await;
    scene.destroy(&key, &created).await;
    assert_eq!(ended(scene.commit(&key, &scene.change(&created).destroy()).await), Ended::Destroyed);
}

/// A key can live, end and live again many times; each life has its own handlers.
pub(super) async fn p06_lives_do_not_mix(scene: Scene) {
    let key = scene.key("lives");
    let (mut saw, mut lives) = (None, Vec::new());
    for life in 0..5 {
        let creation = scene.creation(saw).set("life", life.to_string());
        let created = head(applied(scene.commit(&key, &creation).await));
        assert_eq!(created.revision, 1);
        for old in &lives {
            assert_eq!(ended(scene.commit(&key, &scene.change(old).set("life", "old")).await), Ended::Destroyed);
        }
        assert_eq!(fields(&scene.record(&key).await), are(&[("life", &life.to_string())]));
        let told = conflict(scene.commit(&key, &scene.creation(saw).set("life", "late")).await);
        assert_eq!(told.head, created);
        scene.destroy(&key, &created).await;
        lives.push(created);
        saw = scene.absence(&key).await;
        assert_eq!(saw, Some(created.incarnation));
    }
}
