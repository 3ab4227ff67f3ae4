//! Instances and handlers that go on while the network and the store fail, as a seed decides.
//!
//! A history is what happens from one seed: several instances, each with its own settings, share a store that delays,
//! loses, repeats and reorders requests and answers, and that stops and starts again. Time is virtual and everything
//! runs on one thread, so the same seed makes the same history. A judge then goes through the history and says whether
//! the promises were kept. That it notices a broken one is tested too, with stores that break them on purpose.
//!
//! `scripts/simulate` runs many more histories, and shows the one of a seed.

#![allow(missing_docs, unreachable_pub, reason = "a test's name says what it shows, and nobody imports it")]

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use engine::Ingredient;
use judge::judge;
use run::run;

mod engine;
mod handler;
mod history;
mod judge;
mod network;
mod random;
mod run;
mod visitor;

/// A seed whose history breaks a promise, and how.
type Wrong = (u64, String);

/// Judges the histories of these seeds, on all processors; one that is wrong, if there is one.
fn find_wrong(seeds: Range<u64>, without: Option<Ingredient>) -> Option<Wrong> {
    let (next, found) = (AtomicU64::new(seeds.start), AtomicBool::new(false));
    let shown_after = ((seeds.end - seeds.start) / 20).max(10_000);
    let search = || {
        while !found.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                break;
            }
            if let Err(wrong) = judge(&run(seed, without)) {
                found.store(true, Ordering::Relaxed);
                return Some((seed, wrong));
            }
            let done = seed + 1 - seeds.start;
            if done.is_multiple_of(shown_after) {
                println!("{done} of {} histories", seeds.end - seeds.start);
            }
        }
        None
    };
    thread::scope(|scope| {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let searches: Vec<_> = (0..threads).map(|_| scope.spawn(search)).collect();
        searches.into_iter().filter_map(|search| search.join().expect("no judge panics")).min()
    })
}

/// A number that the environment can set.
fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |value| value.parse().expect("a number"))
}

#[test]
fn simulated_histories_keep_the_promises() {
    let first = setting("SESSION_TEST_SEED", 0);
    let histories = setting("SESSION_TEST_HISTORIES", 10_000);
    if histories == 1 {
        println!("{}", run(first, None));
    }
    if let Some((seed, wrong)) = find_wrong(first..first + histories, None) {
        println!("{}\n{wrong}", run(seed, None));
        panic!("the history of seed {seed} breaks a promise: {wrong}\nscripts/simulate 1 {seed} shows it again");
    }
}

#[test]
fn the_same_seed_makes_the_same_history() {
    for seed in 0..50 {
        let (one, other) = (run(seed, None), run(seed, None));
        assert!(one == other, "{one}\n{other}");
    }
    assert!(run(0, None).events != run(1, None).events);
}

/// On a store without the ingredient the judge finds that this goes wrong.
#[track_caller]
fn notices(without: Ingredient, expected: &[&str]) {
    let (seed, wrong) = find_wrong(0..100_000, Some(without)).expect("a broken promise is noticed");
    println!("without {without:?}, seed {seed}: {wrong}");
    assert!(expected.iter().any(|expected| wrong.contains(expected)), "{wrong}");
}

#[test]
fn the_judge_notices_a_missing_revision() {
    notices(Ingredient::Revision, &["is overwritten", "ran on", "is added to the log", "and its handler is not told"]);
}

#[test]
fn the_judge_notices_a_missing_incarnation() {
    notices(Ingredient::Incarnation, &["comes back", "nothing has ended"]);
}

#[test]
fn the_judge_notices_missing_commit_ids() {
    notices(Ingredient::CommitIds, &["once more", "is added to the log"]);
}

#[test]
fn the_judge_notices_a_missing_origin() {
    notices(Ingredient::Origin, &["comes back"]);
}

#[test]
fn the_judge_notices_a_missing_header_of_emptied_sessions() {
    notices(Ingredient::EmptiedHeader, &["gone before its end"]);
}

#[test]
fn the_judge_notices_a_missing_header_of_destroyed_sessions() {
    notices(Ingredient::DestroyedHeader, &["comes back", "once more"]);
}

#[test]
fn the_judge_notices_a_missing_header_of_renewed_sessions() {
    notices(Ingredient::RenewedHeader, &["comes back", "once more"]);
}

#[test]
fn the_judge_notices_a_renewal_that_replaces_a_session() {
    notices(Ingredient::Occupied, &["replaces the session"]);
}

#[test]
fn the_judge_notices_a_session_that_does_not_expire() {
    notices(Ingredient::Expiry, &["still there after its end"]);
}

#[test]
fn the_judge_notices_a_session_that_is_not_stored_and_does_not_expire() {
    notices(Ingredient::ExpiryOfAbsent, &["not stored in time"]);
}

#[test]
fn the_judge_notices_a_session_that_expires_in_use() {
    notices(Ingredient::Touch, &["gone before its end"]);
}

#[test]
fn the_judge_notices_fields_that_a_commit_did_not_name() {
    notices(
        Ingredient::OtherFields,
        &["which nobody wanted", "the tally becomes", "the log, which was", "an update made"],
    );
}

#[test]
fn the_judge_notices_fields_that_a_commit_named_in_vain() {
    notices(Ingredient::AllFields, &["instead of", "to the log", "an update made"]);
}

#[test]
fn the_judge_notices_a_store_that_loses_what_it_acknowledged() {
    notices(Ingredient::Durability, &["what was acknowledged is lost"]);
}
