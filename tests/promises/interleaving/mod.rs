//! Every interleaving of two and of three handlers, call by call, on the memory store.
//!
//! Each handler plays a program of steps in a process of its own (its own `Sessions`, so that nothing queues). It is
//! stopped before each call to the store; the test goes through all orders in which the calls can follow each other.
//! A [`Ledger`] keeps the truth: what was acknowledged must be stored, once, and what ended must stay ended.
//!
//! The check is checked as well: with any one of the four ingredients of the commit rule taken out it finds a
//! violation.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use session_runtime::{MemoryStore, Sessions};

use handler::{Handler, Tally};
use ledger::{KEYS, Ledger};
use program::Step;
use stage::{Control, Ingredient, Stage};

mod handler;
mod ledger;
mod program;
mod stage;

/// The handlers' stores and sessions, made once and used for all runs.
struct Theatre {
    store: MemoryStore,
    handlers: Vec<(Arc<Control>, Sessions<Tally, Stage>)>,
    observer: Sessions<Tally, MemoryStore>,
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

/// Polls once. The memory store answers at once, so a handler only ever waits for its turn.
fn poll<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn now<F: Future>(future: F) -> F::Output {
    match poll(std::pin::pin!(future)) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("nobody waits here"),
    }
}

impl Theatre {
    fn new(handlers: usize, without: Option<Ingredient>) -> Self {
        let store = MemoryStore::new();
        let handler = |_| {
            let control = Arc::new(Control::default());
            let sessions = Sessions::new(Stage::new(store.clone(), without, control.clone()));
            now(sessions.prepare()).expect("all agree");
            (control, sessions)
        };
        let handlers = (0..handlers).map(handler).collect();
        Self { observer: Sessions::new(store.clone()), store, handlers, runs: 0 }
    }

    /// Plays these programs in all orders.
    fn play_all(&mut self, programs: &[&[Step]]) -> Result<(), String> {
        let mut order = Order::default();
        loop {
            self.runs += 1;
            let played = self.play(programs, &mut order);
            if let Err(violation) = played {
                let calls: Vec<usize> = order.choices.iter().map(|(chosen, _)| *chosen).collect();
                return Err(format!("{violation}\nprograms: {programs:#?}\nchoices: {calls:?}"));
            }
            if !order.advance() {
                return Ok(());
            }
        }
    }

    fn play(&mut self, programs: &[&[Step]], order: &mut Order) -> Result<(), String> {
        let names: [String; KEYS] = std::array::from_fn(|place| format!("{}.{place}", self.runs));
        let ledger = Mutex::new(Ledger::default());
        let mut players: Vec<Pin<Box<dyn Future<Output = Handler<'_>>>>> = Vec::new();
        for (id, (program, (control, sessions))) in programs.iter().zip(&self.handlers).enumerate() {
            control.stop_at_calls(true);
            let handler = Handler::new(id, control, sessions, &names, &ledger);
            let mut player = Box::pin(handler.play(program));
            assert!(poll(player.as_mut()).is_pending(), "a program begins with a call");
            players.push(player);
        }
        let mut ended = Vec::new();
        while !players.is_empty() {
            let next = order.choose(players.len());
            if let Poll::Ready(handler) = poll(players[next].as_mut()) {
                drop(players.remove(next));
                ended.push(handler);
            }
        }
        for handler in ended {
            handler.control.stop_at_calls(false);
            now(handler.settle());
        }
        drop(players);
        let ledger = ledger.into_inner().expect("nobody panicked");
        let expected = ledger.verdict()?;
        for (place, name) in names.iter().enumerate().take(programs.len() + 1) {
            let session = now(self.observer.load(name)).map_err(|error| error.to_string())?;
            let found = [session.a, session.b];
            if found != expected[place] {
                return Err(format!("at key {place} {:?} was acknowledged, and {found:?} is stored", expected[place]));
            }
            drop(session);
            self.store.evict(&stage::key(name));
        }
        Ok(())
    }
}

/// Plays all ways to give handlers a program each, and counts the interleavings.
fn play(programs: &[Vec<Step>], handlers: usize, without: Option<Ingredient>) -> (u64, Result<(), String>) {
    let mut theatre = Theatre::new(handlers, without);
    let result = program::casts(programs, handlers).iter().try_for_each(|cast| theatre.play_all(cast));
    (theatre.runs, result)
}

#[test]
fn p07_two_handlers_lose_nothing_and_double_nothing() {
    let programs = program::all(4);
    let (runs, result) = play(&programs, 2, None);
    println!("{} programs, {runs} interleavings of two handlers", programs.len());
    assert_eq!(result, Ok(()));
    assert!(runs > 50_000, "only {runs} interleavings");
}

#[test]
fn p07_three_handlers_lose_nothing_and_double_nothing() {
    let programs = program::few();
    let (runs, result) = play(&programs, 3, None);
    println!("{} programs, {runs} interleavings of three handlers", programs.len());
    assert_eq!(result, Ok(()));
    assert!(runs > 50_000, "only {runs} interleavings");
}

/// Plays without an ingredient, and returns what goes wrong.
fn violation(programs: &[Vec<Step>], handlers: usize, without: Ingredient) -> String {
    let (runs, result) = play(programs, handlers, Some(without));
    let violation = result.expect_err("a violation must be found");
    println!("without {without:?}, interleaving {runs}: {violation}");
    violation
}

#[test]
fn the_check_notices_a_missing_revision() {
    let violation = violation(&program::all(2), 2, Ingredient::Revision);
    assert!(violation.contains("was acknowledged"), "{violation}");
}

#[test]
fn the_check_notices_missing_commit_ids() {
    let violation = violation(&program::all(3), 2, Ingredient::CommitIds);
    assert!(violation.contains("was acknowledged"), "{violation}");
}

#[test]
fn the_check_notices_a_missing_header_of_emptied_sessions() {
    let violation = violation(&program::all(4), 2, Ingredient::EmptiedHeader);
    assert!(violation.contains("nothing had ended"), "{violation}");
}

#[test]
fn the_check_notices_a_missing_origin() {
    let violation = violation(&program::few(), 3, Ingredient::Origin);
    assert!(violation.contains("came back"), "{violation}");
}
