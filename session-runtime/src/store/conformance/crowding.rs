//! Many requests at once.

use std::time::Duration;

use tokio::task::JoinSet;

use super::fixture::Fixture;
use super::visiting::{Visitor, load};
use crate::{Outcome, Session};

/// A deadline that no machine meets.
const PATIENCE: Duration = Duration::from_secs(600);

/// A thousand writers of one key in one process: a counter that adds up ends exact.
pub(super) async fn p05_a_counter_of_a_thousand_writers_is_exact(fixture: Fixture) {
    const WRITERS: u64 = 1_000;
    // Each waits for all before it, on however slow a machine.
    let sessions = fixture.sessions_with::<Visitor, _>(|builder| builder.deadline(PATIENCE));
    let id = fixture.id("likes");
    let mut writers = JoinSet::new();
    for _ in 0..WRITERS {
        let (sessions, id) = (sessions.clone(), id.clone());
        writers.spawn(async move { sessions.update(&id, |visitor| *visitor.edit().likes() += 1).await });
    }
    for written in writers.join_all().await {
        written.expect("each writer is served");
    }
    assert_eq!(load(&sessions, &id).await.likes, WRITERS);
    let behind = fixture.behind();
    assert_eq!(behind.record(&behind.key(&id)).await.head.revision, WRITERS, "each was applied once");
}

/// Fifty tasks of five processes add to a field without a merge: each addition counts.
pub(super) async fn p05_updates_of_fifty_tasks_count_every_one(fixture: Fixture) {
    let id = fixture.id("visits");
    let processes: Vec<_> =
        (0..5).map(|_| fixture.sessions_with::<Visitor, _>(|builder| builder.deadline(PATIENCE))).collect();
    let mut tasks = JoinSet::new();
    for task in 0..50 {
        let (sessions, id) = (processes[task % processes.len()].clone(), id.clone());
        tasks.spawn(async move {
            let add = |visitor: &mut crate::Handle<Visitor>| {
                *visitor.edit().visits() += 1;
                visitor.visits
            };
            sessions.update(&id, add).await
        });
    }
    let mut seen: Vec<u32> = tasks.join_all().await.into_iter().map(|seen| seen.expect("an update")).collect();
    seen.sort_unstable();
    assert_eq!(seen, (1..=50).collect::<Vec<u32>>(), "each saw the addition before it, and its own");
    assert_eq!(load(&processes[0], &id).await.visits, 50);
}

/// Handlers of four processes that hold their sessions for long count exactly too.
pub(super) async fn p05_a_counter_of_long_handlers_is_exact(fixture: Fixture) {
    let id = fixture.id("likes");
    let mut handlers = JoinSet::new();
    for _ in 0..4 {
        let (sessions, id) = (fixture.visitors(), id.clone());
        handlers.spawn(async move {
            let mut visitor = load(&sessions, &id).await;
            for _ in 0..20 {
                *visitor.edit().likes() += 1;
                visitor.commit().await.expect("a commit");
            }
        });
    }
    handlers.join_all().await;
    assert_eq!(load(&fixture.visitors(), &id).await.likes, 80);
}

#[derive(Session)]
#[session(crate = crate, name = "conformance-board")]
struct Board {
    north: u32,
    east: u32,
    south: u32,
    west: u32,
}

/// Writers of different fields that never stop do not disturb each other.
pub(super) async fn p05_writers_of_different_fields_survive_a_crowd(fixture: Fixture) {
    const ROUNDS: u32 = 25;
    let id = fixture.id("board");
    let fields: [fn(&mut Board) -> &mut u32; 4] =
        [|board| &mut board.north, |board| &mut board.east, |board| &mut board.south, |board| &mut board.west];
    let mut writers = JoinSet::new();
    for field in fields {
        let (sessions, id) = (fixture.sessions::<Board>(), id.clone());
        writers.spawn(async move {
            for round in 1..=ROUNDS {
                let seen = sessions.update(&id, |board| {
                    let value = field(board.edit_all());
                    std::mem::replace(value, round)
                });
                assert_eq!(seen.await.expect("a commit"), round - 1, "nobody else writes this field");
            }
        });
    }
    writers.join_all().await;
    let board = load(&fixture.sessions::<Board>(), &id).await;
    assert_eq!([board.north, board.east, board.south, board.west], [ROUNDS; 4]);
}

/// Of many logouts and writers at once, none brings a session back.
pub(super) async fn p06_a_logout_in_a_crowd_is_one(fixture: Fixture) {
    for round in 0..4 {
        let id = fixture.id(&format!("logout {round}"));
        let sessions = fixture.visitors();
        sessions.update(&id, |visitor| *visitor.edit().visits() = 1).await.expect("a commit");
        // All of them loaded the session that is about to end.
        let mut visitors = Vec::new();
        for _ in 0..8 {
            visitors.push(load(&fixture.visitors(), &id).await);
        }
        let mut crowd = JoinSet::new();
        for (n, mut visitor) in visitors.into_iter().enumerate() {
            crowd.spawn(async move {
                *visitor.edit().likes() += 1;
                if n == 4 {
                    return visitor.destroy().await.map(|outcome| outcome == Outcome::Removed);
                }
                let written = visitor.commit().await.map(|_| false);
                visitor.discard();
                written
            });
        }
        let ended = crowd.join_all().await;
        assert_eq!(ended.iter().filter(|end| matches!(end, Ok(true))).count(), 1, "one logs out");
        let refused = |end: &Result<bool, crate::Error>| matches!(end, Ok(_) | Err(crate::Error::Destroyed));
        assert!(ended.iter().all(refused), "{ended:?}");
        fixture.is_not_stored(&id).await;
    }
}
