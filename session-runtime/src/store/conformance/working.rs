//! Work that is delivered more than once.

use tokio::task::JoinSet;

use super::fixture::{Draft, Fixture, applied, conflict, head};
use super::racing::drop_after;
use super::visiting::{Visitor, load};
use crate::Once;
use crate::store::rule::Commits;
use crate::store::{CommitId, Found, Key};

async fn told(fixture: &Fixture, key: &Key) -> Vec<CommitId> {
    match fixture.load(key).await.found {
        Found::Record(record) => record.commits.iter().collect(),
        Found::Absent { saw } => saw.map(|past| past.commits.iter().collect()).unwrap_or_default(),
    }
}

/// A load tells the last eight commits, newest first, and so does a conflict.
pub(super) async fn p07_the_last_commits_of_a_key_are_told(fixture: Fixture) {
    let key = fixture.key("42");
    assert_eq!(told(&fixture, &key).await, []);
    let mut current = fixture.create(&key, &[("visits", "1")]).await;
    let first = current;
    let mut made = vec![current.last_commit];
    for count in 0..Commits::KEPT + 2 {
        assert_eq!(told(&fixture, &key).await, made);
        let change = fixture.change(&current).set("visits", count.to_string());
        current = head(applied(fixture.commit(&key, &change).await));
        made.insert(0, change.id);
        made.truncate(Commits::KEPT);
    }
    let refused = conflict(fixture.commit(&key, &fixture.change(&first).set("visits", "9")).await);
    assert_eq!(refused.commits.iter().collect::<Vec<_>>(), made);
}

/// So does what is left of a session that was emptied, destroyed or renewed.
pub(super) async fn p07_the_last_commits_of_a_key_are_told_after_its_session_ended(fixture: Fixture) {
    let key = fixture.key("emptied");
    let created = fixture.create(&key, &[("visits", "1")]).await;
    let emptying = fixture.change(&created).unset("visits");
    let emptied = head(applied(fixture.commit(&key, &emptying).await));
    assert_eq!(told(&fixture, &key).await, [emptying.id, created.last_commit]);
    let destruction = fixture.change(&emptied).destroy();
    applied(fixture.commit(&key, &destruction).await);
    let ended = vec![destruction.id, emptying.id, created.last_commit];
    assert_eq!(told(&fixture, &key).await, ended);
    let next = fixture.creation(Some(created.incarnation)).set("visits", "2");
    applied(fixture.commit(&key, &next).await);
    assert_eq!(told(&fixture, &key).await, [vec![next.id], ended].concat(), "the next life goes on with them");

    let (from, to) = (fixture.key("from"), fixture.key("to"));
    let created = fixture.create(&from, &[("visits", "1")]).await;
    let renewal = fixture.change(&created).renew(&to);
    applied(fixture.commit(&from, &renewal).await);
    assert_eq!(told(&fixture, &from).await, [renewal.id, created.last_commit]);
    assert_eq!(told(&fixture, &to).await, [renewal.id]);
}

/// A second delivery, in whatever process, learns so before it does anything.
pub(super) async fn p07_a_second_delivery_finds_the_work_done(fixture: Fixture) {
    let id = fixture.id("42");
    let (one, other) = (fixture.visitors(), fixture.visitors());
    let mut visitor = load(&one, &id).await;
    assert!(!visitor.has_done("a"));
    *visitor.edit().visits() += 1;
    assert!(visitor.commit_as("a").await.expect("a commit").done().is_some());
    assert!(visitor.has_done("a") && !visitor.has_done("b"));

    let mut again = load(&other, &id).await;
    assert!(again.has_done("a"));
    *again.edit().visits() += 1;
    assert_eq!(again.commit_as("a").await.expect("an answer"), Once::DoneBefore);
    assert_eq!(again.visits, 1, "what it changed is forgotten");
    let mut runs = 0;
    let updated = other.update_as(&id, "a", |visitor| {
        runs += 1;
        *visitor.edit().visits() += 1;
    });
    assert_eq!(updated.await.expect("an answer"), Once::DoneBefore);
    assert_eq!((runs, load(&one, &id).await.visits), (0, 1));
    assert_eq!(other.update_as(&id, "b", |visitor| visitor.visits).await.expect("a look"), Once::Done(1));
}

/// Of two that run at the same time the later one learns from its commit that the work is done. A `merge` adds nothing.
pub(super) async fn p07_of_two_deliveries_at_once_one_is_stored(fixture: Fixture) {
    for is_new in [true, false] {
        let id = fixture.id(&format!("new.{is_new}"));
        let (one, other) = (fixture.visitors(), fixture.visitors());
        if !is_new {
            one.update(&id, |visitor| *visitor.edit().theme() = "dark".into()).await.expect("a commit");
        }
        let (mut first, mut second) = (load(&one, &id).await, load(&other, &id).await);
        *first.edit().likes() += 1;
        *second.edit().likes() += 10;
        second.edit().cart().push("tea".to_owned());
        assert!(matches!(first.commit_as(7_u64).await, Ok(Once::Done(_))));
        assert!(!second.has_done(7_u64), "it was loaded before");
        assert_eq!(second.commit_as(7_u64).await.expect("an answer"), Once::DoneBefore);
        assert_eq!((second.likes, second.cart.len()), (1, 0), "it holds what is stored");
        assert!(second.commit().await.expect("nothing is left").fields().is_empty());
        assert_eq!(load(&one, &id).await.likes, 1);
    }
}

pub(super) async fn p07_work_is_remembered_for_eight_commits(fixture: Fixture) {
    let (id, sessions) = (fixture.id("42"), fixture.visitors());
    for work in 0..20_u64 {
        let done = sessions.update_as(&id, work, |visitor| *visitor.edit().likes() += 1).await;
        assert_eq!(done.expect("a commit"), Once::Done(()));
        let visitor = load(&sessions, &id).await;
        for before in 0..=work {
            assert_eq!(visitor.has_done(before), work - before < Commits::KEPT as u64, "{before} after {work}");
        }
    }
}

pub(super) async fn p07_work_is_remembered_after_its_session_ended(fixture: Fixture) {
    let (id, sessions) = (fixture.id("42"), fixture.visitors());
    let change = |likes| sessions.update_as(&id, likes, move |visitor| *visitor.edit().likes() = likes);
    for likes in [1, 0] {
        assert_eq!(change(likes).await.expect("a commit"), Once::Done(()));
    }
    assert_eq!(change(1).await.expect("an answer"), Once::DoneBefore, "it was emptied since");
    assert_eq!(change(2).await.expect("a commit"), Once::Done(()));
    sessions.destroy(&id).await.expect("a removal");
    for likes in [2, 1, 0] {
        assert_eq!(change(likes).await.expect("an answer"), Once::DoneBefore, "it was destroyed since");
    }
    assert_eq!(load(&sessions, &id).await.likes, 0, "nothing was created anew");
}

/// Five processes get each piece of work five times, all at once.
pub(super) async fn p07_a_crowd_of_deliveries_does_each_work_once(fixture: Fixture) {
    let id = fixture.id("42");
    for work in 0..10_u64 {
        let mut deliveries = JoinSet::new();
        for _ in 0..5 {
            let (sessions, id) = (fixture.visitors(), id.clone());
            deliveries.spawn(async move {
                for _ in 0..2 {
                    let mut visitor = load(&sessions, &id).await;
                    *visitor.edit().visits() += 1;
                    *visitor.edit().likes() += 1;
                    if visitor.commit_as(work).await.expect("a commit").done().is_some() {
                        return 1;
                    }
                }
                0
            });
        }
        assert_eq!(deliveries.join_all().await.into_iter().sum::<u32>(), 1, "one of them did it");
    }
    let visitor = load(&fixture.visitors(), &id).await;
    assert_eq!((visitor.visits, visitor.likes), (10, 10));
}

/// A delivery that is dropped somewhere on its way is made again, by itself and by another.
pub(super) async fn p07_a_delivery_that_was_cut_off_is_done_once(fixture: Fixture) {
    for polls in [0, 1, 2, 3, 5, 8, 13, 50, 200, 1_000] {
        let id = fixture.id(&format!("dropped.{polls}"));
        let (one, other) = (fixture.visitors(), fixture.visitors());
        let mut visitor: crate::Handle<Visitor> = load(&one, &id).await;
        *visitor.edit().likes() += 1;
        drop_after(polls, visitor.commit_as("a")).await;
        let redelivered = other.update_as(&id, "a", |visitor| *visitor.edit().likes() += 1).await.expect("an update");
        let again = visitor.commit_as("a").await.expect("a commit");
        // Its own commit is known by its id, whatever others did since.
        assert!(again == Once::DoneBefore || redelivered == Once::DoneBefore, "after {polls} polls");
        assert_eq!(load(&one, &id).await.likes, 1, "after {polls} polls");
    }
}
