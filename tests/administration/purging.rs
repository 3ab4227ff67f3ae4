use std::time::Duration;

use session_runtime::expiry::ClockOffset;
use session_runtime::{Expiry, MemoryStore};
use session_tests::{Kept, KeptBuilder, now};

use crate::place::{Visitor, store_visits, stores};

const MINUTE: Duration = Duration::from_secs(60);

/// Sessions that expire after a minute and are kept for an hour, which is the least.
fn short_lived<S: session_runtime::store::Store>(store: S) -> KeptBuilder<Visitor, S> {
    Kept::builder(store).expiry(Expiry::AfterInactivity(MINUTE)).retention(Duration::ZERO)
}

fn later(minutes: i64) -> ClockOffset {
    ClockOffset(minutes * 60_000)
}

#[tokio::test]
async fn what_expired_is_removed_once_its_retention_is_over() {
    for store in stores().await {
        let sessions = short_lived(store.clone()).build();
        store_visits(&sessions, &["1", "2", "3"]).await;
        assert_eq!(sessions.purge_expired().await.expect("a purge"), 0);
        let in_between = short_lived(store.clone()).clock_offset(ClockOffset(90_000)).build();
        assert_eq!(in_between.count().await.expect("a count"), 0, "they expired");
        assert_eq!(in_between.purge_expired().await.expect("a purge"), 0, "they are kept for a while");
        let afterwards = short_lived(store.clone()).clock_offset(later(65)).build();
        assert_eq!(afterwards.purge_expired().await.expect("a purge"), 3);
        assert_eq!(afterwards.purge_expired().await.expect("a purge"), 0);
    }
}

#[test]
fn a_large_purge_tells_how_far_it_is() {
    let memory = MemoryStore::new();
    let sessions = short_lived(memory.clone()).build();
    for key in 0..2500 {
        now(sessions.update(&key.to_string(), |visitor| *visitor.edit().visits() = 1)).expect("a commit");
    }
    let afterwards = short_lived(memory).clock_offset(later(65)).build();
    let mut purging = afterwards.purge_expired();
    let mut batches = Vec::new();
    while let Some(batch) = now(purging.next()) {
        let batch = batch.expect("a batch");
        batches.push((batch.removed, batch.more));
    }
    assert_eq!(batches, [(1000, true), (1000, true), (500, false)]);
    assert!(now(purging.next()).is_none(), "it has ended");
}

#[test]
fn a_purge_that_is_dropped_removes_nothing_more() {
    let memory = MemoryStore::new();
    let sessions = short_lived(memory.clone()).build();
    for key in 0..1500 {
        now(sessions.update(&key.to_string(), |visitor| *visitor.edit().visits() = 1)).expect("a commit");
    }
    let afterwards = short_lived(memory).clock_offset(later(65)).build();
    let mut purging = afterwards.purge_expired();
    assert_eq!(now(purging.next()).expect("a batch").expect("a batch").removed, 1000);
    drop(purging);
    assert_eq!(now(afterwards.purge_expired().into_future()).expect("a purge"), 500);
}
