//! Handlers that overlap.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use super::fixture::{DAY, Draft, Fixture, applied, are, fields, head};
use crate::expiry::Lifetime;
use crate::store::{Base, Commit, Ended, Found, Head, Incarnation, Key, Record, Reply};

/// How long a handler tries before the store is taken to be at fault.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a handler works on: absence or a record.
async fn found(fixture: &Fixture, key: &Key) -> (Base, u64) {
    match fixture.load(key).await.found {
        Found::Absent { saw } => (Base::Absent { saw: saw.map(|past| past.incarnation), valid_until: None }, 0),
        Found::Record(record) => (Base::from(&record.head), number(&record, "visits")),
    }
}

fn number(record: &Record, name: &str) -> u64 {
    let field = record.fields.iter().find(|field| *field.name == *name);
    field.and_then(|field| std::str::from_utf8(&field.value).ok()?.parse().ok()).unwrap_or(0)
}

/// Adds one to `visits`, again on the record that it was told when others were faster.
async fn count_up(fixture: &Fixture, key: &Key) -> Head {
    let (started, (mut base, mut visits)) = (Instant::now(), found(fixture, key).await);
    while started.elapsed() < PATIENCE {
        let change = fixture.based_on(base).set("visits", (visits + 1).to_string());
        match fixture.commit(key, &change).await {
            Reply::Applied(applied) => return head(applied),
            Reply::Conflict(record) => (base, visits) = (Base::from(&record.head), number(&record, "visits")),
            other => panic!("the counter is there, but the answer was {other:?}"),
        }
    }
    panic!("a commit on what the store answered must be applied at last");
}

async fn join(handlers: Vec<tokio::task::JoinHandle<()>>) {
    for handler in handlers {
        handler.await.expect("a handler ends well");
    }
}

/// Many handlers that count in one field, each again after a conflict, count exactly.
pub(super) async fn p05_a_counter_of_many_handlers_is_exact(fixture: Fixture) {
    const HANDLERS: u64 = 16;
    const TIMES: u64 = 8;
    let key = fixture.key("counter");
    let handler = |_| {
        let (fixture, key) = (fixture.clone(), key.clone());
        tokio::spawn(async move {
            for _ in 0..TIMES {
                count_up(&fixture, &key).await;
            }
        })
    };
    join((0..HANDLERS).map(handler).collect()).await;
    let record = fixture.record(&key).await;
    assert_eq!(number(&record, "visits"), HANDLERS * TIMES);
    assert_eq!(record.head.revision, HANDLERS * TIMES, "each was applied once");
}

/// Handlers that write different fields all survive.
pub(super) async fn p05_writers_of_different_fields_all_survive(fixture: Fixture) {
    let key = fixture.key("fields");
    let names: Vec<String> = (0..12).map(|n| format!("field.{n:02}")).collect();
    let handler = |name: &String| {
        let (fixture, key, name) = (fixture.clone(), key.clone(), name.clone());
        tokio::spawn(async move {
            let (mut base, _) = found(&fixture, &key).await;
            for round in 0..5 {
                loop {
                    match fixture.commit(&key, &fixture.based_on(base).set(&name, round.to_string())).await {
                        Reply::Applied(applied) => break base = Base::from(&head(applied)),
                        Reply::Conflict(record) => base = Base::from(&record.head),
                        other => panic!("the session is there, but the answer was {other:?}"),
                    }
                }
            }
        })
    };
    join(names.iter().map(handler).collect()).await;
    let expected: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "4")).collect();
    assert_eq!(fields(&fixture.record(&key).await), are(&expected));
}

/// Of many first commits at once, one creates the session.
pub(super) async fn p05_one_of_many_first_commits_creates(fixture: Fixture) {
    for round in 0..8 {
        let key = fixture.key(&format!("race.{round}"));
        let commits: Vec<Commit> = (0..8).map(|n: u8| fixture.creation(None).set("by", n.to_string())).collect();
        let handlers: Vec<_> = commits
            .into_iter()
            .map(|commit| {
                let (fixture, key) = (fixture.clone(), key.clone());
                tokio::spawn(async move { (commit.written().creates, fixture.commit(&key, &commit).await) })
            })
            .collect();
        let (mut created, mut told) = (Vec::new(), Vec::new());
        for handler in handlers {
            match handler.await.expect("a handler ends well") {
                (incarnation, Reply::Applied(_)) => created.push(incarnation),
                (_, Reply::Conflict(record)) => told.push(record.head.incarnation),
                (_, other) => panic!("the others are told a record, but the answer was {other:?}"),
            }
        }
        assert_eq!(created.len(), 1, "one creates");
        assert!(told.iter().all(|incarnation| *incarnation == created[0]), "and all are told of it");
    }
}

/// One of many renewals of a session that was never stored moves it, and the others are told that it was renewed.
pub(super) async fn p06_one_of_many_first_renewals_moves_the_session(fixture: Fixture) {
    for round in 0..6 {
        let key = fixture.key(&format!("race.{round}"));
        let renewals = (0..8).map(|n: u8| {
            let to = fixture.key(&format!("to.{round}.{n}"));
            let (fixture, key) = (fixture.clone(), key.clone());
            let renewal = fixture.creation(None).set("by", n.to_string()).renew(&to);
            tokio::spawn(async move { fixture.commit(&key, &renewal).await })
        });
        let mut moved = 0;
        for renewal in renewals.collect::<Vec<_>>() {
            match renewal.await.expect("a handler ends well") {
                Reply::Applied(_) => moved += 1,
                Reply::Ended(Ended::Renewed) => {}
                other => panic!("it was renewed, but the answer was {other:?}"),
            }
        }
        assert_eq!((moved, fixture.count().await), (1, round + 1), "one moves it");
    }
}

/// One of many sessions that move to a free key at once gets there, and the others stay where they are.
pub(super) async fn p06_one_of_many_sessions_moves_to_a_free_key(fixture: Fixture) {
    for round in 0..6 {
        let to = fixture.key(&format!("free.{round}"));
        let mut renewals = Vec::new();
        for n in 0..8 {
            let key = fixture.key(&format!("from.{round}.{n}"));
            let renewal = fixture.change(&fixture.create(&key, &[("a", "1")]).await).renew(&to);
            let fixture = fixture.clone();
            renewals.push(tokio::spawn(async move { fixture.commit(&key, &renewal).await }));
        }
        let mut moved = 0;
        for renewal in renewals {
            match renewal.await.expect("a handler ends well") {
                Reply::Applied(_) => moved += 1,
                Reply::Occupied => {}
                other => panic!("the key is taken, but the answer was {other:?}"),
            }
        }
        assert_eq!((moved, fixture.count().await), (1, 8 * (round + 1)), "one gets there");
    }
}

/// A reader never sees a part of a commit.
pub(super) async fn p04_a_reader_sees_commits_whole(fixture: Fixture) {
    const ROUNDS: u64 = 60;
    const FIELDS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
    let key = fixture.key("atomic");
    let all =
        |commit: Commit, value: u64| FIELDS.iter().fold(commit, |commit, name| commit.set(name, value.to_string()));
    let mut current = head(applied(fixture.commit(&key, &all(fixture.creation(None), 0)).await));
    let reader = {
        let (fixture, key) = (fixture.clone(), key.clone());
        tokio::spawn(async move {
            let mut last = 0;
            while last < ROUNDS {
                let record = fixture.record(&key).await;
                let seen: Vec<u64> = FIELDS.iter().map(|name| number(&record, name)).collect();
                assert!(seen.iter().all(|value| *value == seen[0]), "a part of a commit was seen: {seen:?}");
                assert_eq!(record.head.revision, seen[0] + 1, "header and fields belong together");
                assert!(seen[0] >= last, "time went backwards");
                last = seen[0];
            }
        })
    };
    for round in 1..=ROUNDS {
        current = head(applied(fixture.commit(&key, &all(fixture.change(&current), round)).await));
    }
    join(vec![reader]).await;
}

/// A session that moves between two keys is never at both: the key that it was told to is the only one that holds it.
pub(super) async fn p06_a_renewal_is_one_step(fixture: Fixture) {
    let keys = [fixture.key("here"), fixture.key("there")];
    let mut current = fixture.create(&keys[0], &[("visits", "1"), ("theme", "dark")]).await;
    let reader = {
        let (fixture, keys) = (fixture.clone(), keys.clone());
        tokio::spawn(async move {
            for round in 0..60 {
                if let Found::Record(record) = fixture.load(&keys[round % 2]).await.found {
                    assert_eq!(fields(&record), are(&[("visits", "1"), ("theme", "dark")]), "it moves whole");
                }
            }
        })
    };
    for round in 0..30 {
        let (from, to) = (&keys[round % 2], &keys[(round + 1) % 2]);
        current = head(applied(fixture.commit(from, &fixture.change(&current).renew(to)).await));
        assert_eq!(fixture.count().await, 1);
    }
    join(vec![reader]).await;
}

/// Of handlers that destroy and handlers that write, each is told the truth, and nothing comes back.
pub(super) async fn p06_a_destroy_races_with_writers(fixture: Fixture) {
    for round in 0..8 {
        let key = fixture.key(&format!("logout.{round}"));
        let created = fixture.create(&key, &[("visits", "0")]).await;
        let writer = |_| {
            let (fixture, key) = (fixture.clone(), key.clone());
            tokio::spawn(async move {
                let (started, mut base) = (Instant::now(), created);
                while started.elapsed() < PATIENCE {
                    match fixture.commit(&key, &fixture.change(&base).set("visits", "1")).await {
                        Reply::Applied(applied) => base = head(applied),
                        Reply::Conflict(record) => base = record.head,
                        Reply::Ended(_) => return,
                        Reply::Occupied | Reply::Unregistered => panic!("nothing moves, and all is agreed on"),
                    }
                }
                panic!("a writer must learn that the session was destroyed");
            })
        };
        let writers: Vec<_> = (0..3).map(writer).collect();
        count_up(&fixture, &key).await;
        fixture.destroy(&key, &created).await;
        assert_eq!(fixture.absence(&key).await, Some(created.incarnation));
        join(writers).await;
        assert_eq!(fixture.absence(&key).await, Some(created.incarnation));
    }
}

/// Two sessions that move to each other's keys, or to the same one, never block or overwrite each other.
pub(super) async fn p06_crossing_renewals_do_not_block(fixture: Fixture) {
    for round in 0..8 {
        let [one, two, three] = ["one", "two", "three"].map(|id| fixture.key(&format!("{id}.{round}")));
        let first = fixture.create(&one, &[("from", "one")]).await;
        let second = fixture.create(&two, &[("from", "two")]).await;
        let renew = |from: &Key, base: &Head, to: &Key| {
            let (fixture, from, commit) = (fixture.clone(), from.clone(), fixture.change(base).renew(to));
            tokio::spawn(async move { fixture.commit(&from, &commit).await })
        };
        let crossing = [renew(&one, &first, &two), renew(&two, &second, &one)];
        for handler in crossing {
            let reply = handler.await.expect("a handler ends well");
            assert!(matches!(reply, Reply::Occupied), "both keys hold sessions, but the answer was {reply:?}");
        }
        let mut moved = 0;
        for handler in [renew(&one, &first, &three), renew(&two, &second, &three)] {
            match handler.await.expect("a handler ends well") {
                Reply::Applied(_) => moved += 1,
                Reply::Occupied => {}
                other => panic!("the key is free or occupied, but the answer was {other:?}"),
            }
        }
        assert_eq!(moved, 1, "one of them gets the free key");
    }
    assert_eq!(fixture.count().await, 16, "all sessions are still there");
}

/// Polls a future so many times at most, then drops it.
pub(super) async fn drop_after<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            context.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await
}

/// A commit whose future is dropped half way is applied whole or not at all, and sending it again settles it.
pub(super) async fn p07_a_dropped_commit_is_all_or_nothing(fixture: Fixture) {
    let key = fixture.key("dropped");
    let mut current = fixture.create(&key, &[("a", "start"), ("b", "start")]).await;
    let mut before = "start".to_owned();
    for polls in [0, 0, 1, 1, 2, 3, 5, 8, 13, 21, 50, 100, 200, 500, 1_000] {
        let value = format!("after {polls} polls of {:?}", current.last_commit);
        let change = fixture.change(&current).set("a", &value).set("b", &value);
        drop_after(polls, fixture.commit(&key, &change)).await;

        let seen = fields(&fixture.record(&key).await);
        let (old, new) = (are(&[("a", &before), ("b", &before)]), are(&[("a", &value), ("b", &value)]));
        assert!(seen == old || seen == new, "a part was applied: {seen:?}");

        let settled = head(applied(fixture.commit(&key, &change).await));
        let record = fixture.record(&key).await;
        assert_eq!((record.head, fields(&record)), (settled, new));
        assert_eq!(settled.revision, current.revision + 1, "it is applied once");
        (current, before) = (settled, value);
    }
}

/// So is a first commit, and a renewal.
pub(super) async fn p07_a_dropped_renewal_is_all_or_nothing(fixture: Fixture) {
    let mut key = fixture.key("dropped.0");
    for (round, polls) in [0, 1, 2, 3, 5, 8, 13, 50, 200, 1_000].into_iter().enumerate() {
        let creation = fixture.creation(None).set("a", "1").set("b", "2");
        drop_after(polls, fixture.commit(&key, &creation)).await;
        let created = head(applied(fixture.commit(&key, &creation).await));
        assert_eq!((created.incarnation, created.revision), (creation.written().creates, 1));

        let to = fixture.key(&format!("moved.{round}"));
        let renewal = fixture.change(&created).renew(&to);
        drop_after(polls, fixture.commit(&key, &renewal)).await;
        let moved = head(applied(fixture.commit(&key, &renewal).await));
        // Not sooner: a count that goes by pages can miss what moves meanwhile, or meet it twice.
        assert_eq!(fixture.count().await, round as u64 + 1, "it is at one key, not at none and not at both");
        let record = fixture.record(&to).await;
        assert_eq!((record.head, fields(&record)), (moved, are(&[("a", "1"), ("b", "2")])));
        assert_eq!(fixture.absence(&key).await, Some(Incarnation(creation.written().creates.0)));
        key = fixture.key(&format!("dropped.{}", round + 1));
    }
}

/// A load that moves the end of a session takes back nothing that a commit stored meanwhile.
pub(super) async fn p05_a_load_that_touches_undoes_no_commit(fixture: Fixture) {
    const COMMITS: u64 = 100;
    let fixture = fixture.idle_for(DAY);
    let fixture = Fixture { lifetime: Lifetime { touch_after: 1, ..fixture.lifetime }, ..fixture };
    let key = fixture.key("touched");
    let mut current = fixture.create(&key, &[("visits", "1")]).await;
    let is_over = Arc::new(AtomicBool::new(false));
    let reader = |_| {
        let (fixture, key, is_over) = (fixture.clone(), key.clone(), is_over.clone());
        tokio::spawn(async move {
            while !is_over.load(Ordering::Relaxed) {
                fixture.record(&key).await;
                tokio::task::yield_now().await;
            }
        })
    };
    let readers: Vec<_> = (0..4).map(reader).collect();
    for visits in 2..=COMMITS {
        let change = fixture.change(&current).set("visits", visits.to_string());
        current = head(applied(fixture.commit(&key, &change).await));
    }
    is_over.store(true, Ordering::Relaxed);
    join(readers).await;
    let record = fixture.record(&key).await;
    assert_eq!((record.head.revision, record.head.last_commit), (COMMITS, current.last_commit));
    assert_eq!(number(&record, "visits"), COMMITS);
}
