//! What is cleared away, and what is not.
//!
//! A purge is about all sessions of a store. So that these cases disturb no others they play in the eighties, and
//! whatever of theirs must survive is kept for a century. One case cannot keep that rule, because it is about sessions
//! that were due once: it plays later than the others, where only its own purge reaches.

use super::scene::{DAY, Draft, MINUTE, Scene, applied, ended, head};
use crate::expiry::Lifetime;
use crate::store::{Ended, Head, Housekeeping, Key};

const YEAR: i64 = 365 * DAY;

/// So many years ago; expired sessions and headers are kept for an hour.
fn years_ago(scene: &Scene, years: i64) -> Scene {
    let lifetime = Lifetime { retention: 60 * MINUTE, ..scene.lifetime };
    Scene { lifetime, ..scene.after(-years * YEAR) }
}

fn long_ago(scene: &Scene) -> Scene {
    years_ago(scene, 40)
}

/// The same time, but what ended is kept for a century.
fn kept(scene: &Scene) -> Scene {
    let lifetime = Lifetime { retention: 100 * YEAR, ..scene.lifetime };
    Scene { lifetime, ..scene.clone() }
}

/// Purges in batches until nothing is left to remove; returns how much was removed.
async fn purge(scene: &Scene, limit: usize) -> u64 {
    let mut removed = 0;
    for _ in 0..10_000 {
        let purged = scene.store.purge(limit, scene.clock).await.expect("a store can be purged");
        assert!(purged.removed <= limit as u64, "a batch of at most {limit} removed {}", purged.removed);
        removed += purged.removed;
        if !purged.more {
            return removed;
        }
    }
    panic!("a purge comes to an end");
}

/// A session of each kind that leaves something behind: expired, emptied, destroyed, renewed away.
async fn ended_sessions(scene: &Scene, prefix: &str) -> Vec<(Key, Head)> {
    let key = |kind: &str| scene.key(&format!("{prefix}.{kind}"));
    let expiring = scene.idle_for(MINUTE);
    let mut ended = Vec::new();
    for kind in ["expired", "destroyed", "renewed", "emptied"] {
        let key = key(kind);
        ended.push((key.clone(), expiring.create(&key, &[("visits", "1"), ("theme", "dark")]).await));
    }
    scene.destroy(&ended[1].0, &ended[1].1).await;
    let away = key("away");
    let renewal = expiring.change(&ended[2].1).renew(&away);
    let moved = head(applied(expiring.commit(&ended[2].0, &renewal).await));
    ended.push((away, moved));
    let emptying = expiring.change(&ended[3].1).unset("visits").unset("theme");
    applied(expiring.commit(&ended[3].0, &emptying).await);
    ended
}

/// What ended is purged when its retention is over, in bounded batches.
pub(super) async fn p09_what_ended_is_purged_after_its_retention(scene: Scene) {
    let scene = long_ago(&scene);
    let over = ended_sessions(&scene, "due").await;
    let later = scene.after(5 * YEAR);
    purge(&later, 2).await;
    for (key, head) in over {
        assert_eq!(later.absence(&key).await, None, "nothing is left of {}", key.id());
        assert_eq!(ended(later.commit(&key, &later.change(&head).set("visits", "2")).await), Ended::Unknown);
    }
    assert_eq!(scene.count().await, 0);
}

/// What ended stays known until its retention is over: handlers of it are refused with the reason.
pub(super) async fn p06_what_ended_is_kept_for_its_retention(scene: Scene) {
    let scene = kept(&long_ago(&scene));
    let over = ended_sessions(&scene, "kept").await;
    let later = scene.after(5 * YEAR);
    purge(&later, 100).await;
    let reasons = [Ended::Expired, Ended::Destroyed, Ended::Renewed, Ended::Expired, Ended::Expired];
    for ((key, head), reason) in over.iter().zip(reasons) {
        assert_eq!(later.absence(key).await, Some(head.incarnation), "{} is known", key.id());
        let change = later.change(head).set("visits", "2");
        assert_eq!(ended(later.commit(key, &change).await), reason, "{} is known", key.id());
    }
}

/// A purge removes no session that lives, whether or not it expires one day.
pub(super) async fn p09_a_purge_removes_no_living_session(scene: Scene) {
    let scene = long_ago(&scene);
    let (lasting, expiring) = (scene.key("lasting"), scene.key("expiring"));
    let first = scene.create(&lasting, &[("visits", "1")]).await;
    let limited = scene.idle_for(100 * YEAR);
    let second = limited.create(&expiring, &[("visits", "1")]).await;

    let later = limited.after(5 * YEAR - DAY);
    purge(&later, 100).await;
    assert_eq!(scene.record(&lasting).await.head.incarnation, first.incarnation);
    assert_eq!(later.record(&expiring).await.head.incarnation, second.incarnation);
    assert_eq!(scene.listed(10).await, ["expiring", "lasting"]);
}

/// Sessions that were due once, and were touched, stored again or created anew since, are not purged.
pub(super) async fn p09_a_purge_goes_by_the_current_expiry(scene: Scene) {
    let scene = years_ago(&scene, 10);
    let idle = scene.idle_for(2 * YEAR);
    let touched = scene.key("touched");
    let first = idle.create(&touched, &[("visits", "1")]).await;
    assert!(idle.after(YEAR).load(&touched).await.touched);
    assert!(idle.after(2 * YEAR + YEAR / 2).load(&touched).await.touched);

    let again = scene.key("again");
    let old = scene.create(&again, &[("visits", "1")]).await;
    scene.destroy(&again, &old).await;
    let anew = scene.creation(Some(old.incarnation)).set("theme", "dark");
    let anew = head(applied(scene.commit(&again, &anew).await));

    let emptied = scene.key("emptied");
    let created = scene.create(&emptied, &[("visits", "1")]).await;
    let nothing = head(applied(scene.commit(&emptied, &scene.change(&created).unset("visits")).await));
    let stored = head(applied(scene.commit(&emptied, &scene.change(&nothing).set("visits", "2")).await));

    let (old, new) = (scene.key("old"), scene.key("new"));
    let target = scene.create(&new, &[("visits", "1")]).await;
    scene.destroy(&new, &target).await;
    let moving = scene.create(&old, &[("visits", "1")]).await;
    let moved = head(applied(scene.commit(&old, &scene.change(&moving).renew(&new)).await));

    let later = scene.after(4 * YEAR);
    purge(&later, 100).await;
    assert_eq!(idle.after(4 * YEAR).record(&touched).await.head.incarnation, first.incarnation);
    assert_eq!(later.record(&again).await.head, anew);
    assert_eq!(later.record(&emptied).await.head, stored);
    assert_eq!(later.record(&new).await.head, moved);
    assert_eq!(later.absence(&old).await, None);
}

/// A purge takes at most as much as it was asked to, and says whether more may be there.
pub(super) async fn p09_a_purge_is_bounded(scene: Scene) {
    let scene = long_ago(&scene);
    let keys: Vec<Key> = (0..12).map(|n| scene.key(&format!("many.{n}"))).collect();
    for key in &keys {
        let created = scene.create(key, &[("visits", "1")]).await;
        scene.destroy(key, &created).await;
    }
    let later = scene.after(5 * YEAR);
    purge(&later, 5).await;
    for key in &keys {
        assert_eq!(later.absence(key).await, None);
    }
    assert!(!later.store.purge(1_000, later.clock).await.expect("a store can be purged").more);
}
