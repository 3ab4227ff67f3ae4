//! Random handlers against a plain model: after each step the store holds what the model says, and so does every
//! handle.

use std::sync::LazyLock;

use proptest::prelude::*;
use session_runtime::expiry::ClockOffset;
use session_runtime::store::Housekeeping;
use session_runtime::{Error, Handle, MemoryStore, Session, SqliteStore, merge};
use session_tests::{Fault, FaultyStore, Kept, stored};
use tokio::runtime::{Builder, Runtime};

use self::truth::{Base, Truth, Values};

#[path = "model_truth.rs"]
mod truth;

#[derive(Session, Debug)]
#[session(name = "model")]
struct Model {
    plain: i64,
    #[session(initial = 7)]
    seven: i64,
    #[session(merge = merge::add)]
    sum: i64,
    #[session(conflict = "reject")]
    owner: i64,
}

impl Model {
    fn values(&self) -> Values {
        [self.plain, self.seven, self.sum, self.owner]
    }

    fn field(&mut self, place: usize) -> &mut i64 {
        match place {
            0 => &mut self.plain,
            1 => &mut self.seven,
            2 => &mut self.sum,
            _ => &mut self.owner,
        }
    }
}

const NAMES: [&str; 4] = ["plain", "seven", "sum", "owner"];
const FIELDS: [ModelField; 4] = [ModelField::Plain, ModelField::Seven, ModelField::Sum, ModelField::Owner];
const HANDLERS: usize = 3;

/// What one of the actors does next.
#[derive(Debug, Clone)]
enum Step {
    Load,
    LoadInVain,
    Set {
        place: usize,
        value: i64,
    },
    /// Back to the value that was loaded or committed last.
    Revert {
        place: usize,
    },
    /// Borrows everything and changes nothing.
    Touch,
    Commit {
        fault: Option<Fault>,
    },
    Destroy {
        fault: Option<Fault>,
    },
}

fn step() -> impl Strategy<Value = (usize, Step)> {
    let faults = vec![Fault::Refused, Fault::LostBefore, Fault::LostAfter, Fault::StuckBefore, Fault::StuckAfter];
    let fault = || proptest::option::weighted(0.4, proptest::sample::select(faults.clone()));
    let step = prop_oneof![
        3 => Just(Step::Load),
        1 => Just(Step::LoadInVain),
        8 => (0..4_usize, prop_oneof![0..4_i64, Just(7)]).prop_map(|(place, value)| Step::Set { place, value }),
        2 => (0..4_usize).prop_map(|place| Step::Revert { place }),
        1 => Just(Step::Touch),
        8 => fault().prop_map(|fault| Step::Commit { fault }),
        1 => fault().prop_map(|fault| Step::Destroy { fault }),
    ];
    (0..HANDLERS, step)
}

/// A handler, and what the model knows of it.
struct Actor {
    handle: Handle<Model>,
    model: truth::Actor,
}

struct Play<S: Housekeeping> {
    sessions: Kept<Model, FaultyStore<S>>,
    truth: Truth,
    actors: [Option<Actor>; HANDLERS],
}

impl<S: Housekeeping> Play<S> {
    fn faulty(&self) -> &FaultyStore<S> {
        self.sessions.store()
    }

    async fn play(&mut self, who: usize, step: Step) {
        match step {
            Step::Load => {
                self.leave(who);
                let handle = self.sessions.load("42").await.expect("a load");
                let model = self.truth.load();
                self.actors[who] = Some(Actor { handle, model });
            }
            Step::LoadInVain => {
                self.faulty().fail_load(Fault::LostBefore);
                assert!(matches!(self.sessions.load("42").await, Err(Error::Store(_))));
            }
            Step::Set { place, value } => self.set(who, place, |_| value),
            Step::Revert { place } => self.set(who, place, |actor| actor.model.old[place]),
            Step::Touch => {
                if let Some(actor) = &mut self.actors[who] {
                    actor.handle.edit_all();
                }
            }
            Step::Commit { fault } => self.commit(who, fault).await,
            Step::Destroy { fault } => self.destroy(who, fault).await,
        }
    }

    fn leave(&mut self, who: usize) {
        if let Some(actor) = self.actors[who].take() {
            actor.handle.discard();
        }
    }

    fn set(&mut self, who: usize, place: usize, value: impl FnOnce(&Actor) -> i64) {
        let Some(actor) = &mut self.actors[who] else { return };
        let value = value(actor);
        actor.model.now[place] = value;
        match place {
            0 => *actor.handle.edit().plain() = value,
            1 => *actor.handle.edit().seven() = value,
            2 => *actor.handle.edit().sum() = value,
            _ => *actor.handle.edit_all().field(place) = value,
        }
    }

    async fn commit(&mut self, who: usize, fault: Option<Fault>) {
        let Some(mut actor) = self.actors[who].take() else { return };
        self.faulty().heal();
        if let Some(fault) = fault {
            self.faulty().fail_commit(fault);
        }
        let expected = self.truth.commit(&mut actor.model, fault);
        let found = tokio::select! {
             committed = actor.handle.commit() => truth::Answer::of(committed.map(drop)),
             () = self.sessions.store().stuck() => truth::Answer::Lost,
        };
        assert_eq!(found, expected);
        self.faulty().heal();
        self.actors[who] = Some(actor);
    }

    async fn destroy(&mut self, who: usize, fault: Option<Fault>) {
        let Some(mut actor) = self.actors[who].take() else { return };
        self.faulty().heal();
        if let Some(fault) = fault {
            self.faulty().fail_commit(fault);
            tokio::select! {
                // Whatever it says, it is tried again.
                _ = actor.handle.destroy() => {},
                () = self.sessions.store().stuck() => {},
            }
        }
        self.faulty().heal();
        let destroyed = match actor.handle.destroy().await {
            // What was pending before is settled first, and can be refused; it is void now, and the rest goes on.
            Err(Error::Conflict { .. }) => actor.handle.destroy().await,
            destroyed => destroyed,
        };
        match destroyed {
            Ok(_) => {
                self.truth.destroy(&mut actor.model);
                assert!(!self.is_stored_for(actor.model.base).await);
            }
            // Nobody can tell any more how the session ended that the handler knew.
            Err(Error::OutcomeUnknown) => {
                assert!(self.truth.is_long_ago(&actor.model) || !self.truth.is_live_for(actor.model.base));
            }
            Err(error) => panic!("a removal that can be tried again: {error:?}"),
        }
        actor.handle.discard();
    }

    async fn is_stored_for(&self, base: Base) -> bool {
        self.truth.is_live_for(base) && !stored(self.sessions.store(), "model", "42").await.is_empty()
    }

    /// The store and the handles are as the model says.
    async fn check(&self) {
        let initial = Model::initial().values();
        let differs = |place: &usize| self.truth.values[*place] != initial[*place];
        let mut expected: Vec<_> = (0..NAMES.len())
            .filter(differs)
            .map(|place| (NAMES[place].to_owned(), self.truth.values[place].to_string()))
            .collect();
        expected.sort();
        assert_eq!(stored(self.faulty(), "model", "42").await, expected, "stored is what differs, and nothing else");
        let count = self.faulty().count("model", ClockOffset::default()).await.expect("a count");
        assert_eq!(count, u64::from(!expected.is_empty()), "a session without differences is not stored");
        for actor in self.actors.iter().flatten() {
            assert_eq!(actor.handle.values(), actor.model.now, "what a handler sees");
            let dirty = actor.handle.dirty().expect("numbers can be encoded");
            let expected: Vec<_> =
                (0..4).filter(|&place| actor.model.is_dirty(place)).map(|place| FIELDS[place]).collect();
            assert_eq!(dirty.iter().collect::<Vec<_>>(), expected, "dirty is exact");
        }
    }
}

async fn run<S: Housekeeping>(store: S, steps: Vec<(usize, Step)>) {
    let sessions = Kept::new(FaultyStore::new(store));
    let truth = Truth::new(Model::initial().values());
    let mut play = Play { sessions, truth, actors: [None, None, None] };
    for (who, step) in steps {
        play.play(who, step).await;
        play.check().await;
    }
    for who in 0..HANDLERS {
        play.leave(who);
    }
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime"));

proptest! {
    #![proptest_config(config(512))]

    #[test]
    fn model_of_random_handlers_holds_on_the_memory_store(steps in proptest::collection::vec(step(), 1..60)) {
        RUNTIME.block_on(run(MemoryStore::new(), steps));
    }
}

proptest! {
    #![proptest_config(config(48))]

    #[test]
    fn model_of_random_handlers_holds_on_the_sqlite_store(steps in proptest::collection::vec(step(), 1..60)) {
        RUNTIME.block_on(async { run(SqliteStore::memory().await.expect("a database"), steps).await });
    }
}

/// The life that the first handler knows had more commits than the one that is there.
#[test]
fn a_change_that_was_lost_in_an_earlier_life_ends_nothing_of_a_later_one() {
    let (load, commit, destroy) = (Step::Load, Step::Commit { fault: None }, Step::Destroy { fault: None });
    let set = |value| Step::Set { place: 0, value };
    let steps = vec![
        (0, load.clone()),
        (0, set(1)),
        (0, commit.clone()),
        (1, load.clone()),
        (0, set(2)),
        (0, commit.clone()),
        (1, destroy.clone()),
        (0, set(0)),
        (0, Step::Commit { fault: Some(Fault::LostBefore) }),
        (2, load),
        (2, set(1)),
        (2, commit),
        (0, destroy),
    ];
    RUNTIME.block_on(run(MemoryStore::new(), steps));
}
