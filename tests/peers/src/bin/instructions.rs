//! What callgrind counts: each case runs a stated number of times inside a function of its own name.
//!
//! `instructions CASE COUNT` runs one case; `scripts/bench` runs each under callgrind with two counts and divides the
//! difference, so that start-up and the loop's set-up cancel out.

use std::hint::black_box;
use std::sync::Arc;

use session_peers::{ByHand, Visitor, filled};
use session_runtime::{MemoryStore, Sessions, Tracked};
use tower_sessions::MemoryStore as TowerStore;

fn main() {
    let mut args = std::env::args().skip(1);
    let case = args.next().unwrap_or_default();
    let count = args.next().and_then(|count| count.parse().ok()).unwrap_or(1000);
    match case.as_str() {
        "edit-session" => {
            let mut tracked = Tracked::<Visitor>::new().expect("a session");
            for round in 0..count {
                edit_session(black_box(&mut tracked), round);
            }
            black_box(tracked.visits);
        }
        "edit-by-hand" => {
            let mut by_hand = ByHand::new(filled(0));
            for round in 0..count {
                edit_by_hand(black_box(&mut by_hand), round);
            }
            black_box(by_hand.mask());
        }
        "untouched-commit" => {
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            let sessions = Sessions::<Visitor, _>::new(MemoryStore::new());
            runtime.block_on(async {
                let mut session = sessions.load("42").await.expect("a session");
                for _ in 0..count {
                    session.commit().await.expect("nothing to do");
                }
            });
        }
        "cycle" => {
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            let sessions = Sessions::<Visitor, _>::new(MemoryStore::new());
            runtime.block_on(async {
                let mut session = sessions.load("42").await.expect("a session");
                *session.edit_all() = filled(0);
                session.commit().await.expect("commits");
                for _ in 0..count {
                    let mut session = sessions.load("42").await.expect("loads");
                    *session.edit().visits() += 1;
                    session.commit().await.expect("commits");
                }
            });
        }
        "cycle-tower-sessions" => {
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            runtime.block_on(async {
                let store = Arc::new(TowerStore::default());
                let id = session_peers::fill_tower(&store, 0).await;
                for _ in 0..count {
                    session_peers::tower_cycle(&store, id).await;
                }
            });
        }
        other => {
            eprintln!(
                "unknown case `{other}`: edit-session, edit-by-hand, untouched-commit, cycle or cycle-tower-sessions"
            );
            std::process::exit(2);
        }
    }
}

#[inline(never)]
fn edit_session(tracked: &mut Tracked<Visitor>, visits: u32) {
    *tracked.edit().visits() = visits;
}

#[inline(never)]
fn edit_by_hand(by_hand: &mut ByHand, visits: u32) {
    by_hand.set_visits(visits);
}
