//! `scripts/bench` runs this: each pair side by side, so that ratios mean something on a noisy machine.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use session_peers::{ByHand, Visitor, fill_tower, filled, tower_cycle, tower_visitor};
use session_runtime::codec::{Codec, Json, MessagePack};
use session_runtime::{MemoryStore, Sessions, Tracked};
use tokio::runtime::{Builder, Runtime};
use tower_sessions::{MemoryStore as TowerStore, Session as TowerSession};

fn edit(c: &mut Criterion) {
    let mut group = c.benchmark_group("edit one field");
    let mut tracked = Tracked::<Visitor>::new().expect("a session");
    group.bench_function("session", |b| b.iter(|| *black_box(&mut tracked).edit().visits() = black_box(7)));
    let mut by_hand = ByHand::new(filled(0));
    group.bench_function("by hand, with a mask", |b| b.iter(|| black_box(&mut by_hand).set_visits(black_box(7))));
    group.finish();
}

fn untouched(c: &mut Criterion) {
    let runtime = runtime();
    let sessions = Sessions::<Visitor, _>::new(MemoryStore::new());
    let mut session = runtime.block_on(sessions.load("42")).expect("a session");
    c.bench_function("commit, nothing touched", |b| {
        b.iter(|| runtime.block_on(async { black_box(&mut session).commit().await.expect("nothing to do") }));
    });
}

fn cycle(c: &mut Criterion) {
    let runtime = runtime();
    for (size, notes) in [("small", 0), ("with a 10 KB field", 10_240)] {
        let mut group = c.benchmark_group(format!("load, change one field, commit: {size}"));
        bench_sessions(&mut group, &runtime, "session, JSON", notes, Json);
        bench_sessions(&mut group, &runtime, "session, MessagePack", notes, MessagePack);

        let store = Arc::new(TowerStore::default());
        let id = runtime.block_on(fill_tower(&store, notes));
        group.bench_function("tower-sessions", |b| {
            b.iter(|| {
                runtime.block_on(tower_cycle(&store, id));
            });
        });
        group.bench_function("tower-sessions, all fields read", |b| {
            b.iter(|| {
                runtime.block_on(async {
                    let session = TowerSession::new(Some(id), store.clone(), None);
                    let mut visitor = tower_visitor(&session).await;
                    visitor.visits += 1;
                    session.insert("visits", visitor.visits).await.expect("encodes");
                    session.save().await.expect("saves");
                    visitor
                });
            });
        });
        group.finish();
    }
}

fn bench_sessions<C: Codec>(
    group: &mut criterion::BenchmarkGroup<'_, criterion::measurement::WallTime>,
    runtime: &Runtime,
    name: &str,
    notes: usize,
    codec: C,
) {
    let sessions = Sessions::<Visitor, _>::builder(MemoryStore::new()).codec(codec).build();
    runtime.block_on(async {
        let mut session = sessions.load("42").await.expect("loads");
        *session.edit_all() = filled(notes);
        session.commit().await.expect("commits");
    });
    group.bench_function(name, |b| {
        b.iter(|| {
            runtime.block_on(async {
                let mut session = sessions.load("42").await.expect("loads");
                *session.edit().visits() += 1;
                session.commit().await.expect("commits")
            })
        });
    });
}

fn runtime() -> Runtime {
    Builder::new_current_thread().build().expect("a runtime")
}

criterion_group!(benches, edit, untouched, cycle);
criterion_main!(benches);
