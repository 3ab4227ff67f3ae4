//! Waiting has an end: one deadline bounds an operation, whatever it waits for.

use std::time::Duration;

use session_runtime::store::{Call, StoreErrorKind};
use session_runtime::{Error, Outcome};
use session_tests::{Fault, stored};
use tokio::time::Instant;

use crate::visitor::{Visitor, builder, fields};

const DEADLINE: Duration = Duration::from_secs(10);

fn timed_out(error: &Error) -> bool {
    matches!(error, Error::Store(error) if error.kind() == StoreErrorKind::TimedOut) && error.is_transient()
}

#[tokio::test(start_paused = true)]
async fn p12_each_operation_on_a_store_that_never_answers_ends_at_the_deadline() {
    let sessions = builder::<Visitor>().deadline(DEADLINE).build();
    let faulty = sessions.store().inner().clone();
    sessions.update("42", |visitor| *visitor.edit().visits() = 1).await.expect("a commit");

    for operation in ["load", "commit", "renew", "destroy", "update"] {
        let mut visitor = sessions.load("42").await.expect("a load");
        match operation {
            "load" => faulty.fail_load(Fault::StuckBefore),
            _ => faulty.fail_commit(Fault::StuckBefore),
        }
        *visitor.edit().visits() += 1;
        let started = Instant::now();
        let error = match operation {
            "load" => sessions.load("42").await.map(drop),
            "commit" => visitor.commit().await.map(drop),
            "renew" => visitor.renew("43").await.map(drop),
            "destroy" => visitor.destroy().await.map(drop),
            _ => sessions.update("42", |visitor| *visitor.edit().visits() += 1).await,
        };
        let error = error.expect_err("nobody answers");
        assert!(timed_out(&error), "{operation}: {error}");
        assert_eq!(started.elapsed(), DEADLINE, "{operation}");
        visitor.discard();
        assert_eq!(stored(sessions.store(), "visitor", "42").await, fields(&[("visits", "1")]), "{operation}");
    }
}

#[tokio::test(start_paused = true)]
async fn p12_those_who_wait_behind_a_store_that_never_answers_end_with_the_first() {
    let sessions = builder::<Visitor>().deadline(DEADLINE).build();
    let faulty = sessions.store().inner().clone();
    let mut visitors = Vec::new();
    for _ in 0..6 {
        let mut visitor = sessions.load("42").await.expect("a load");
        visitor.edit().cart().push(crate::visitor::Item::new("A1", 1));
        visitors.push(visitor);
    }
    (0..6).for_each(|_| faulty.fail_commit(Fault::StuckBefore));
    let started = Instant::now();
    let waiting: Vec<_> = visitors
        .into_iter()
        .map(|mut visitor| {
            tokio::spawn(async move {
                let error = visitor.commit().await.expect_err("nobody answers");
                assert!(timed_out(&error), "{error}");
                (visitor, Instant::now())
            })
        })
        .collect();
    let mut visitors = Vec::new();
    for waiting in waiting {
        let (visitor, ended) = waiting.await.expect("no panic");
        assert_eq!(ended - started, DEADLINE, "not one deadline after the other");
        visitors.push(visitor);
    }
    faulty.heal();
    let outcome = visitors[0].commit().await.expect("the store is back").outcome();
    assert_eq!(outcome, Outcome::Created, "the change was kept");
    visitors.into_iter().skip(1).for_each(session_runtime::Handle::discard);
}

#[tokio::test(start_paused = true)]
async fn p12_an_update_whose_answers_are_lost_is_sent_again_more_and_more_seldom_until_the_deadline() {
    let sessions = builder::<Visitor>().deadline(Duration::from_millis(200)).build();
    (0..100_000).for_each(|_| sessions.store().inner().fail_commit(Fault::LostBefore));
    let error = sessions.update("42", |visitor| *visitor.edit().visits() += 1).await.expect_err("no answer comes");
    assert!(matches!(&error, Error::Store(_)) && error.is_transient(), "{error:?}");
    let sent = sessions.store().take().iter().filter(|call| matches!(call, Call::Commit { .. })).count();
    assert!((3..=10).contains(&sent), "it was sent {sent} times");
}
