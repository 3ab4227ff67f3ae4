//! Every interleaving of two and of three handlers, call by call, on the memory store.
//!
//! Each handler runs a program of steps in a process of its own (its own `Sessions`, so that nothing queues). It is
//! stopped before each call to the store; the test goes through all orders in which the calls can follow each other.
//! A [`Ledger`] keeps the truth: what was acknowledged must be stored, once, and what ended must stay ended.
//!
//! The check is checked as well: with any one of the four ingredients of the commit rule taken out it finds a
//! violation.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use session_runtime::MemoryStore;
use session_tests::{Kept, begin, now};

use handler::{Handler, Tally};
use ledger::{KEYS, Ledger};
use program::Step;
use stopped::{Control, Ingredient, StoppedStore};

mod handler;
mod ledger;
mod program;
mod stopped;

/// The handlers' stores and sessions, made once and used for all runs.
struct Explorer {
    store: MemoryStore,
    handlers: Vec<(Arc<Control>, Kept<Tally, StoppedStore>)>,
    observer: Kept<Tally, MemoryStore>,
    runs: u64,
}

/// The order of calls: at each point, which of how many handlers went on. Orders are gone through one by one.
#[derive(Default)]
struct Order {
    choices: Vec<(usize, usize)>,
    place: usize,
}

impl Order {
    fn choose(&mut self, of: usize) -> usize {
        if self.place == self.choices.len() {
            self.choices.push((0, of));
        }
        self.place += 1;
        self.choices[self.place - 1].0
    }

    /// Moves on to the next order; there is none after the last.
    fn advance(&mut self) -> bool {
        self.place = 0;
        while let Some((chosen, of)) = self.choices.pop() {
            if chosen + 1 < of {
                self.choices.push((chosen + 1, of));
                return true;
            }
        }
        false
    }
}

impl Explorer {
    fn new(handlers: usize, without: Option<Ingredient>) -> Self {
        let store = MemoryStore::new();
        let origins = Arc::default();
        let handler = |_| {
            let control = Arc::new(Control::default());
            let store = StoppedStore::new(store.clone(), without, control.clone(), Arc::clone(&origins));
            let sessions = Kept::new(store);
            now(sessions.prepare()).expect("all agree");
            (control, sessions)
        };
        let handlers = (0..handlers).map(handler).collect();
        Self { observer: Kept::new(store.clone()), store, handlers, runs: 0 }
    }

    /// Runs these programs in all orders.
    fn run_all(&mut self, programs: &[&[Step]]) -> Result<(), String> {
        let mut order = Order::default();
        loop {
            self.runs += 1;
            let explored = self.explore(programs, &mut order);
            if let Err(violation) = explored {
                let calls: Vec<usize> = order.choices.iter().map(|(chosen, _)| *chosen).collect();
                return Err(format!("{violation}\nprograms: {programs:#?}\nchoices: {calls:?}"));
            }
            if !order.advance() {
                return Ok(());
            }
        }
    }

    fn explore(&mut self, programs: &[&[Step]], order: &mut Order) -> Result<(), String> {
        let names: [String; KEYS] = std::array::from_fn(|place| format!("{}.{place}", self.runs));
        let ledger = Mutex::new(Ledger::default());
        let mut running: Vec<Pin<Box<dyn Future<Output = Handler<'_>>>>> = Vec::new();
        for (id, (program, (control, sessions))) in programs.iter().zip(&self.handlers).enumerate() {
            control.stop_at_calls(true);
            let handler = Handler::new(id, control, sessions, &names, &ledger);
            let mut run = Box::pin(handler.run(program));
            assert!(begin(run.as_mut()).is_pending(), "a program begins with a call");
            running.push(run);
        }
        let mut ended = Vec::new();
        while !running.is_empty() {
            let next = order.choose(running.len());
            if let Poll::Ready(handler) = begin(running[next].as_mut()) {
                drop(running.remove(next));
                ended.push(handler);
            }
        }
        for handler in ended {
            handler.control.stop_at_calls(false);
            now(handler.settle());
        }
        drop(running);
        let ledger = ledger.into_inner().expect("nobody panicked");
        let expected = ledger.verdict()?;
        for (place, name) in names.iter().enumerate().take(programs.len() + 1) {
            let session = now(self.observer.load(name)).map_err(|error| error.to_string())?;
            let found = [session.a, session.b];
            if found != expected[place] {
                return Err(format!("at key {place} {:?} was acknowledged, and {found:?} is stored", expected[place]));
            }
            drop(session);
            self.store.evict(&stopped::key(name));
        }
        Ok(())
    }
}

/// Explores all ways to give handlers programs of these lists, and counts the interleavings.
fn explore(lists: &[&[Vec<Step>]], without: Option<Ingredient>) -> (u64, Result<(), String>) {
    let mut explorer = Explorer::new(lists.len(), without);
    let result = program::assignments(lists).iter().try_for_each(|assignment| explorer.run_all(assignment));
    (explorer.runs, result)
}

/// Explores with all ingredients.
fn holds(lists: &[&[Vec<Step>]], at_least: u64) {
    let (runs, result) = explore(lists, None);
    println!("{runs} interleavings of {} handlers", lists.len());
    assert_eq!(result, Ok(()));
    assert!(runs > at_least, "only {runs} interleavings");
}

#[test]
fn p07_two_handlers_lose_nothing_and_double_nothing() {
    let (longer, long) = (program::answered(4), program::all(3));
    holds(&[&long, &long], 5_000);
    holds(&[&long, &longer], 20_000);
}

#[test]
fn p07_three_handlers_lose_nothing_and_double_nothing() {
    let short = program::short();
    holds(&[&short, &short, &short], 20_000);
    let shortest = program::shortest();
    holds(&[&program::lost_ends(), &shortest, &shortest], 10_000);
}

/// Explores without an ingredient, and returns what goes wrong.
fn violation(lists: &[&[Vec<Step>]], without: Ingredient) -> String {
    let (runs, result) = explore(lists, Some(without));
    let violation = result.expect_err("a violation must be found");
    println!("without {without:?}, interleaving {runs}: {violation}");
    violation
}

#[test]
fn the_check_notices_a_missing_revision() {
    let violation = violation(&[&program::all(3), &program::all(4)], Ingredient::Revision);
    assert!(violation.contains("was acknowledged"), "{violation}");
}

#[test]
fn the_check_notices_missing_commit_ids() {
    let violation = violation(&[&program::all(3), &program::all(4)], Ingredient::CommitIds);
    assert!(violation.contains("was acknowledged"), "{violation}");
}

#[test]
fn the_check_notices_a_missing_header_of_emptied_sessions() {
    let violation = violation(&[&program::all(3), &program::all(4)], Ingredient::EmptiedHeader);
    assert!(violation.contains("nothing had ended"), "{violation}");
}

#[test]
fn the_check_notices_a_missing_origin() {
    let short = program::short();
    let violation = violation(&[&short, &short, &short], Ingredient::Origin);
    // A handler that saw nothing destroys what took the place of a session that was renewed to another key.
    assert!(violation.contains("lives on at another"), "{violation}");
}
