//! Counts allocations and bytes, which only a program with an allocator of its own can: a line of JSON.
//!
//! `session-peers` runs it and puts what it says into the report.

use std::hint::black_box;

use allocation_counter::{AllocationInfo, measure};
use serde_json::json;
use session_peers_load::{Contender, filled};
use session_runtime::{Handle, MemoryStore, Session, Sessions, Tracked};

session_peers_load::tower!(tower, tower_sessions);

type Visitor = session_peers_load::Visitor;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let sessions = runtime.block_on(stored());
    let unmarked = runtime.block_on(async {
        let mut visitor = sessions.load("0").await.expect("loads");
        visitor.commit().await.expect("nothing to do");
        measure(|| {
            futures_util::FutureExt::now_or_never(visitor.commit()).expect("waits for nothing").expect("nothing to do");
        })
    });
    const MANY: u32 = 10_000;
    let of_sessions = measure(|| {
        runtime.block_on(async {
            for key in 1..=MANY {
                fill(&sessions, key).await;
            }
        });
    });
    let mut handles: Vec<Handle<Visitor>> = Vec::with_capacity(MANY as usize);
    let of_handles = measure(|| {
        runtime.block_on(async {
            for key in 1..=MANY {
                handles.push(sessions.load(&key.to_string()).await.expect("loads"));
            }
        });
    });
    let tower = tower::Tower::new(tower_sessions::MemoryStore::default());
    let of_tower = measure(|| {
        runtime.block_on(async {
            for key in 1..=MANY {
                tower.fill(key, 0).await;
            }
        });
    });
    let mut held = Vec::with_capacity(MANY as usize);
    let of_held = measure(|| {
        runtime.block_on(async {
            for key in 1..=MANY {
                held.push(tower.hold(key).await);
            }
        });
    });
    let each = |info: AllocationInfo| info.bytes_current as f64 / f64::from(MANY);
    println!(
        "{}",
        json!({
            "unmarked_commit": unmarked.count_total,
            "vector": vector().count_total,
            "session": [each(of_sessions), each(of_tower)],
            "handle": [each(of_handles), each(of_held)],
        })
    );
}

async fn stored() -> Sessions<Visitor> {
    let sessions = Sessions::<Visitor>::new(MemoryStore::new());
    fill(&sessions, 0).await;
    sessions
}

async fn fill(sessions: &Sessions<Visitor>, key: u32) {
    let mut visitor = sessions.load(&key.to_string()).await.expect("loads");
    *visitor.edit_all() = filled(0);
    visitor.commit().await.expect("commits");
}

#[derive(Session)]
struct Numbers {
    numbers: Vec<u32>,
}

/// What it takes to find that a vector of 32 was borrowed and not changed.
fn vector() -> AllocationInfo {
    let mut tracked = Tracked::<Numbers>::new().expect("a session");
    *tracked.edit().numbers() = (0..32).collect();
    let patch = tracked.patch().expect("encodes");
    tracked.saved(&patch);
    black_box(tracked.edit().numbers());
    measure(|| drop(black_box(tracked.dirty().expect("encodes"))))
}
