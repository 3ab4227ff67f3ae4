//! What is cleared away, and what is not.
//!
//! A purge is about all sessions of a store. So that these cases disturb no others they work in the eighties, and
//! whatever of theirs must survive is kept for a century. One case cannot keep that rule, because it is about sessions
//! that were due once: it works later than the others, where only its own purge reaches.

use tokio::sync::Mutex;

use super::fixture::{DAY, Draft, Fixture, MINUTE, REGISTRATION, applied, are, ended, fields, head};
use crate::expiry::Lifetime;
use crate::store::{Ended, ExpiryChange, Head, Housekeeping, Incarnation, Key, Reply};

/// The purge of one of these cases can reach what another has just stored: they take turns.
static ALONE: Mutex<()> = Mutex::const_new(());

const YEAR: i64 = 365 * DAY;

/// So many years ago; expired sessions and headers are kept for an hour.
fn years_ago(fixture: &Fixture, years: i64) -> Fixture {
    let lifetime = Lifetime { retention: 60 * MINUTE, ..fixture.lifetime };
    Fixture { lifetime, ..fixture.after(-years * YEAR) }
}

fn long_ago(fixture: &Fixture) -> Fixture {
    years_ago(fixture, 40)
}

/// The same time, but what ended is kept for a century.
fn kept(fixture: &Fixture) -> Fixture {
    let lifetime = Lifetime { retention: 100 * YEAR, ..fixture.lifetime };
    Fixture { lifetime, ..fixture.clone() }
}

/// Purges in batches until nothing is left to remove; returns how much was removed.
async fn purge(fixture: &Fixture, limit: usize) -> u64 {
    let mut removed = 0;
    for _ in 0..10_000 {
        let purged = fixture.store.purge(limit, fixture.clock).await.expect("a store can be purged");
        assert!(purged.removed <= limit as u64, "a batch of at most {limit} removed {}", purged.removed);
        removed += purged.removed;
        if !purged.more {
            return removed;
        }
    }
    panic!("a purge comes to an end");
}

/// What is seen of a key after a purge.
pub(super) async fn purged(fixture: &Fixture, key: &Key) -> Option<Incarnation> {
    let _alone = ALONE.lock().await;
    purge(fixture, 100).await;
    fixture.absence(key).await
}

/// A session of each kind that leaves something behind: expired, emptied, destroyed, renewed away.
async fn ended_sessions(fixture: &Fixture, prefix: &str) -> Vec<(Key, Head)> {
    let key = |kind: &str| fixture.key(&format!("{prefix}.{kind}"));
    let expiring = fixture.idle_for(MINUTE);
    let mut ended = Vec::new();
    for kind in ["expired", "destroyed", "renewed", "emptied"] {
        let key = key(kind);
        ended.push((key.clone(), expiring.create(&key, &[("visits", "1"), ("theme", "dark")]).await));
    }
    fixture.destroy(&ended[1].0, &ended[1].1).await;
    let away = key("away");
    let renewal = expiring.change(&ended[2].1).renew(&away);
    let moved = head(applied(expiring.commit(&ended[2].0, &renewal).await));
    ended.push((away, moved));
    let emptying = expiring.change(&ended[3].1).unset("visits").unset("theme");
    applied(expiring.commit(&ended[3].0, &emptying).await);
    ended
}

/// What ended is purged when its retention is over, in bounded batches.
pub(super) async fn p09_what_ended_is_purged_after_its_retention(fixture: Fixture) {
    let _alone = ALONE.lock().await;
    let fixture = long_ago(&fixture);
    let over = ended_sessions(&fixture, "due").await;
    let later = fixture.after(5 * YEAR);
    purge(&later, 2).await;
    for (key, head) in over {
        assert_eq!(later.absence(&key).await, None, "nothing is left of {}", key.id());
        assert_eq!(ended(later.commit(&key, &later.change(&head).set("visits", "2")).await), Ended::Unknown);
    }
    assert_eq!(fixture.count().await, 0);
}

/// What ended stays known until its retention is over: handlers of it are refused with the reason.
pub(super) async fn p06_what_ended_is_kept_for_its_retention(fixture: Fixture) {
    let _alone = ALONE.lock().await;
    let fixture = kept(&long_ago(&fixture));
    let over = ended_sessions(&fixture, "kept").await;
    let later = fixture.after(5 * YEAR);
    purge(&later, 100).await;
    let reasons = [Ended::Expired, Ended::Destroyed, Ended::Renewed, Ended::Expired, Ended::Expired];
    for ((key, head), reason) in over.iter().zip(reasons) {
        assert_eq!(later.absence(key).await, Some(head.incarnation), "{} is known", key.id());
        let change = later.change(head).set("visits", "2");
        assert_eq!(ended(later.commit(key, &change).await), reason, "{} is known", key.id());
    }
}

/// What ended is kept for as long as anybody asked who changed the session, whoever ended it.
pub(super) async fn p06_what_ended_is_kept_for_the_longest_retention(fixture: Fixture) {
    let _alone = ALONE.lock().await;
    let short = long_ago(&fixture);
    let long = kept(&short);
    let mut over = Vec::new();
    for (kind, first, second) in [("first", &long, &short), ("second", &short, &long), ("mixed", &short, &long)] {
        for end in ["destroyed", "renewed", "emptied", "expired", "touched"] {
            for ends in ["never", "by the rule", "by its own"] {
                let expires = ends != "never";
                let living =
                    |fixture: &Fixture| if ends == "by the rule" { fixture.idle_for(MINUTE) } else { fixture.clone() };
                let (first, second) = (living(first), living(second));
                let key = fixture.key(&format!("{kind}.{end}.{ends}"));
                let creation = first.creation(None).set("visits", "1").set("theme", "dark");
                let own = if ends == "by its own" { ExpiryChange::After(MINUTE) } else { ExpiryChange::Keep };
                let created = head(applied(first.commit(&key, &creation.expiry(own)).await));
                let changed = second.change(&created).set("visits", "2");
                let changed = if kind == "mixed" { changed.unset("absent") } else { changed };
                let changed = head(applied(second.commit(&key, &changed).await));
                let again =
                    short.change(&changed).set("visits", "3").with(|commit| commit.lifetime = living(&short).lifetime);
                let changed = head(applied(short.commit(&key, &again).await));
                let change = living(&short).change(&changed);
                match end {
                    "destroyed" => drop(applied(short.commit(&key, &change.destroy()).await)),
                    "emptied" => {
                        let emptied = applied(short.commit(&key, &change.unset("visits").unset("theme")).await);
                        short.destroy(&key, &head(emptied)).await;
                    }
                    "renewed" => {
                        let to = fixture.key(&format!("{kind}.to.{ends}"));
                        let moved = head(applied(short.commit(&key, &change.renew(&to)).await));
                        short.destroy(&to, &moved).await;
                        over.push(to);
                    }
                    "touched" if expires => assert!(living(&short).after(MINUTE / 2).load(&key).await.touched),
                    _ if expires => {}
                    _ => continue,
                }
                over.push(key);
            }
        }
    }
    let later = short.after(5 * YEAR);
    purge(&later, 100).await;
    for key in over {
        assert!(later.absence(&key).await.is_some(), "`{}` is known", key.id());
    }
}

/// A purge removes no session that lives, whether or not it expires one day.
pub(super) async fn p09_a_purge_removes_no_living_session(fixture: Fixture) {
    let _alone = ALONE.lock().await;
    let fixture = long_ago(&fixture);
    let (lasting, expiring) = (fixture.key("lasting"), fixture.key("expiring"));
    let first = fixture.create(&lasting, &[("visits", "1")]).await;
    let limited = fixture.idle_for(100 * YEAR);
    let second = limited.create(&expiring, &[("visits", "1")]).await;

    let later = limited.after(5 * YEAR - DAY);
    purge(&later, 100).await;
    assert_eq!(fixture.record(&lasting).await.head.incarnation, first.incarnation);
    assert_eq!(later.record(&expiring).await.head.incarnation, second.incarnation);
    assert_eq!(fixture.listed(10).await, ["expiring", "lasting"]);
}

/// Sessions that were due once, and were touched, stored again or created anew since, are not purged.
pub(super) async fn p09_a_purge_goes_by_the_current_expiry(fixture: Fixture) {
    let _alone = ALONE.lock().await;
    let fixture = years_ago(&fixture, 10);
    let idle = fixture.idle_for(2 * YEAR);
    let touched = fixture.key("touched");
    let first = idle.create(&touched, &[("visits", "1")]).await;
    assert!(idle.after(YEAR).load(&touched).await.touched);
    assert!(idle.after(2 * YEAR + YEAR / 2).load(&touched).await.touched);

    let again = fixture.key("again");
    let old = fixture.create(&again, &[("visits", "1")]).await;
    fixture.destroy(&again, &old).await;
    let anew = fixture.creation(Some(old.incarnation)).set("theme", "dark");
    let anew = head(applied(fixture.commit(&again, &anew).await));

    let emptied = fixture.key("emptied");
    let created = fixture.create(&emptied, &[("visits", "1")]).await;
    let nothing = head(applied(fixture.commit(&emptied, &fixture.change(&created).unset("visits")).await));
    let stored = head(applied(fixture.commit(&emptied, &fixture.change(&nothing).set("visits", "2")).await));

    let (old, new) = (fixture.key("old"), fixture.key("new"));
    let target = fixture.create(&new, &[("visits", "1")]).await;
    fixture.destroy(&new, &target).await;
    let moving = fixture.create(&old, &[("visits", "1")]).await;
    let moved = head(applied(fixture.commit(&old, &fixture.change(&moving).renew(&new)).await));

    // What is over beside them has the same key, or the same name, and is looked at after them.
    let afterwards = fixture.after(3 * YEAR);
    let other = afterwards.named(format!("{}-other", fixture.name));
    other.agree(1, REGISTRATION).await;
    let twins = [&touched, &again, &emptied, &new].map(|key| (&other, other.key(key.id())));
    for (fixture, key) in twins.into_iter().chain([(&afterwards, fixture.key("beside"))]) {
        let created = fixture.create(&key, &[("visits", "1")]).await;
        fixture.destroy(&key, &created).await;
    }

    let later = fixture.after(4 * YEAR);
    purge(&later, 2).await;
    let lasting = idle.after(4 * YEAR).record(&touched).await;
    assert_eq!((lasting.head.incarnation, fields(&lasting)), (first.incarnation, are(&[("visits", "1")])));
    for (key, head, field) in [(&again, anew, ("theme", "dark")), (&emptied, stored, ("visits", "2"))] {
        let record = later.record(key).await;
        assert_eq!((record.head, fields(&record)), (head, are(&[field])), "`{}`", key.id());
    }
    let record = later.record(&new).await;
    assert_eq!((record.head, fields(&record)), (moved, are(&[("visits", "1")])));
    assert_eq!(later.absence(&old).await, None);
}

/// What was to end late and ends early is purged early, whatever brought its end closer.
pub(super) async fn p09_a_purge_goes_by_an_end_that_came_closer(fixture: Fixture) {
    let _alone = ALONE.lock().await;
    let fixture = long_ago(&fixture);
    let (long, short) = (fixture.idle_for(30 * YEAR), fixture.idle_for(MINUTE));
    let mut over = Vec::new();
    for how in ["set", "removed", "dated", "emptied", "destroyed", "renewed"] {
        let key = fixture.key(how);
        let created = long.create(&key, &[("visits", "1"), ("theme", "dark")]).await;
        let change = short.change(&created);
        let change = match how {
            "set" => change.set("visits", "2"),
            "removed" => change.unset("visits"),
            "dated" => change.expiry(ExpiryChange::At(created.created_at.plus(MINUTE))),
            "emptied" => change.unset("visits").unset("theme"),
            "destroyed" => change.destroy(),
            _ => change.renew(&fixture.key("to")),
        };
        applied(short.commit(&key, &change).await);
        over.push(key);
    }
    over.push(fixture.key("to"));
    // Over before it was committed.
    let passed = ExpiryChange::At(fixture.load(&fixture.key("nobody")).await.now.plus(-YEAR));
    for (id, to) in [("passed", None), ("passed and renewed", Some(fixture.key("passed")))] {
        let key = fixture.key(id);
        let change = long.change(&long.create(&key, &[("visits", "1")]).await).expiry(passed);
        let change = if let Some(to) = &to { change.renew(to) } else { change };
        applied(long.commit(&key, &change).await);
        purge(&fixture, 100).await;
        assert_eq!(fixture.absence(&to.unwrap_or(key)).await, None, "nothing is left of {id}");
    }

    // Where another was to be known for a century.
    let (anew, from, arrived) = (fixture.key("anew"), fixture.key("from"), fixture.key("arrived"));
    let known = kept(&fixture).create(&anew, &[("visits", "1")]).await;
    fixture.destroy(&anew, &known).await;
    applied(short.commit(&anew, &short.creation(Some(known.incarnation)).set("visits", "2")).await);
    let known = kept(&fixture).create(&arrived, &[("visits", "1")]).await;
    fixture.destroy(&arrived, &known).await;
    let moving = long.create(&from, &[("visits", "1")]).await;
    applied(short.commit(&from, &short.change(&moving).renew(&arrived)).await);
    over.extend([anew, from, arrived]);

    let later = fixture.after(5 * YEAR);
    purge(&later, 100).await;
    for key in over {
        assert_eq!(later.absence(&key).await, None, "nothing is left of {}", key.id());
    }
}

/// What is over is purged with its fields, and nothing of the sessions whose key, name or ids are the same.
pub(super) async fn p09_a_purge_takes_nothing_of_other_keys_and_names(fixture: Fixture) {
    let _alone = ALONE.lock().await;
    let fixture = long_ago(&fixture);
    let other = fixture.named(format!("{}-other", fixture.name));
    other.agree(1, REGISTRATION).await;
    let over = fixture.key("42");
    let created = fixture.idle_for(MINUTE).create(&over, &[("visits", "1"), ("theme", "dark")]).await;
    let mut beside = Vec::new();
    for (fixture, id) in [(&fixture, "43"), (&other, "42"), (&other, "43")] {
        let (key, limited) = (fixture.key(id), fixture.idle_for(100 * YEAR));
        let creation = limited.creation(None).edit(|write| write.creates = created.incarnation);
        applied(limited.commit(&key, &creation.set("visits", "2").set("theme", "light")).await);
        beside.push((limited, key));
    }
    purge(&fixture.after(5 * YEAR), 100).await;
    assert_eq!(fixture.absence(&over).await, None);
    for (fixture, key) in beside {
        assert_eq!(fields(&fixture.record(&key).await), are(&[("visits", "2"), ("theme", "light")]), "of {key:?}");
    }
    // A life that has the ids of the one before finds nothing of it.
    let creation = fixture.creation(None).edit(|write| write.creates = created.incarnation);
    applied(fixture.commit(&over, &creation.set("visits", "3")).await);
    assert_eq!(fields(&fixture.record(&over).await), are(&[("visits", "3")]));
}

/// A purge takes at most as much as it was asked to, and says whether more may be there.
pub(super) async fn p09_a_purge_is_bounded(fixture: Fixture) {
    let _alone = ALONE.lock().await;
    let fixture = long_ago(&fixture);
    // Some have the same key under another name.
    let other = fixture.named(format!("{}-other", fixture.name));
    other.agree(1, REGISTRATION).await;
    let keys: Vec<Key> =
        (0..12).map(|n| if n % 2 == 0 { &fixture } else { &other }.key(&format!("many.{}", n / 2))).collect();
    for key in &keys {
        let created = fixture.create(key, &[("visits", "1")]).await;
        fixture.destroy(key, &created).await;
    }
    let later = fixture.after(5 * YEAR);
    purge(&later, 5).await;
    for key in &keys {
        assert_eq!(later.absence(key).await, None);
    }
    assert!(!later.store.purge(1_000, later.clock).await.expect("a store can be purged").more);
}

/// A life that begins while a purge clears away the one before it is left alone.
pub(super) async fn p09_a_purge_takes_nothing_of_a_life_that_begins_meanwhile(fixture: Fixture) {
    let _alone = ALONE.lock().await;
    let fixture = long_ago(&fixture);
    let later = kept(&fixture.after(5 * YEAR));
    for round in 0..4 {
        let keys: Vec<Key> = (0..25).map(|n| fixture.key(&format!("again.{round}.{n}"))).collect();
        for key in &keys {
            let created = fixture.create(key, &[("visits", "1")]).await;
            fixture.destroy(key, &created).await;
        }
        let purger = {
            let later = later.clone();
            tokio::spawn(async move { purge(&later, 1_000).await })
        };
        for key in &keys {
            loop {
                let saw = later.absence(key).await;
                // The purge can come in between; then the absence is another one.
                let reply = later.commit(key, &later.creation(saw).set("visits", "2")).await;
                if !matches!(reply, Reply::Ended(_)) {
                    applied(reply);
                    break;
                }
            }
        }
        purger.await.expect("a purge ends well");
        for key in &keys {
            assert_eq!(fields(&later.record(key).await), are(&[("visits", "2")]), "{} lives", key.id());
        }
    }
}
