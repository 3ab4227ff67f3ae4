//! Purging in the background, on a clock that stands still until everybody waits for it.

use std::time::Duration;

use session_runtime::store::StoreErrorKind;
use session_runtime::{Error, Expiry};
use session_tests::{Events, Fault, Kept};
use tokio::time::sleep;

use crate::place::{Place, Visitor, store_visits};

const HOUR: Duration = Duration::from_secs(3600);
const MOMENT: Duration = Duration::from_millis(1);

fn sessions() -> Kept<Visitor, Place> {
    let minute = Duration::from_secs(60);
    Kept::builder(Place::default()).expiry(Expiry::AfterInactivity(minute)).retention(HOUR).build()
}

#[tokio::test(start_paused = true)]
async fn what_ended_is_removed_at_once_and_then_once_every_period() {
    let sessions = sessions();
    store_visits(&sessions, &["1", "2"]).await;
    let faulty = sessions.store().clone();
    faulty.pass(HOUR * 2);
    let purger = sessions.purge_every(HOUR).expect("a runtime");
    sleep(MOMENT).await;
    assert_eq!((sessions.stats().purge_batches, sessions.stats().purged), (1, 2));
    store_visits(&sessions, &["3"]).await;
    faulty.pass(HOUR * 2);
    sleep(HOUR.saturating_sub(MOMENT * 2)).await;
    assert_eq!((sessions.stats().purge_batches, sessions.stats().purged), (1, 2), "the next turn is not due");
    sleep(MOMENT * 2).await;
    assert_eq!((sessions.stats().purge_batches, sessions.stats().purged), (2, 3));
    sleep(HOUR * 3).await;
    assert_eq!((sessions.stats().purge_batches, sessions.stats().purged), (5, 3));
    drop(purger);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_guard_stops_it() {
    let sessions = sessions();
    let purger = sessions.purge_every(HOUR).expect("a runtime");
    sleep(MOMENT).await;
    drop(purger);
    sleep(HOUR * 10).await;
    assert_eq!(sessions.stats().purge_batches, 1);
}

#[tokio::test(start_paused = true)]
async fn an_error_is_logged_and_the_next_turn_tries_again() {
    let (events, _guard) = Events::capture();
    let sessions = sessions();
    sessions.store().fail_purge(Fault::Refused);
    let purger = sessions.purge_every(HOUR).expect("a runtime");
    sleep(MOMENT).await;
    assert_eq!(sessions.stats().purge_batches, 0);
    let warnings: Vec<_> = events.take().into_iter().filter(|line| line.starts_with("WARN")).collect();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("sessions that ended could not be removed; the next turn tries again"));
    sleep(HOUR).await;
    assert_eq!(sessions.stats().purge_batches, 1);
    assert!(!events.take().iter().any(|line| line.starts_with("WARN")));
    drop(purger);
}

#[tokio::test(start_paused = true)]
async fn a_period_of_zero_does_no_harm() {
    let sessions = sessions();
    let purger = sessions.purge_every(Duration::ZERO).expect("a runtime");
    sleep(MOMENT).await;
    assert!(sessions.stats().purge_batches > 0);
    drop(purger);
}

#[test]
fn outside_of_a_runtime_it_says_what_is_missing() {
    match sessions().purge_every(HOUR) {
        Err(Error::Store(error)) => {
            assert_eq!(error.kind(), StoreErrorKind::Configuration);
            assert_eq!(error.to_string(), "purging in the background needs a Tokio runtime; start it from inside one");
        }
        other => panic!("{other:?}"),
    }
}
