//! The way between the toolkit and the store: requests and answers are delayed, lost, repeated and overtaken.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use session_runtime::expiry::Timestamp;
use session_runtime::store::rule::Commits;
use session_runtime::store::{
    Action, Applied, Commit, CommitId, Key, Load, Loaded, Reply, Store, StoreError, StoreErrorKind,
};
use session_runtime::{MemoryStore, delegate_store};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

use super::engine::{Engine, Ingredient, Sessions};
use super::history::{Done, Event, History, Settings, Verb, What};
use super::random::Random;
use super::visitor::View;

/// When histories begin by the store's clock. It lies in the future, so that nothing in them depends on today's date.
const BEGINNING: i64 = 4_000_000_000_000;

tokio::task_local! {
    /// Which handler a request comes from.
    pub static HANDLER: usize;
}

/// The store as an instance sees it.
#[derive(Debug, Clone)]
pub struct RemoteStore {
    world: World,
    /// What instances agreed on is no part of this simulation: it is always there, at once.
    agreements: MemoryStore,
}

/// All that a simulation consists of, besides its handlers.
#[derive(Debug, Clone)]
pub struct World(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    random: Random,
    engine: Engine,
    history: History,
    began: Instant,
    /// The call that each handler is making.
    current: Vec<usize>,
    calls: usize,
    requests: usize,
    /// Which request the commits of these ids are.
    ids: HashMap<CommitId, usize>,
    /// The last number that somebody wrote.
    number: u32,
    /// How often the store was started again: what travelled before is lost.
    starts: u32,
    down_until: i64,
    /// The last event whose answer somebody has.
    acknowledged: usize,
    /// The renewals that were refused because their key was taken. A copy that arrives when the key is free by then
    /// would move the session after all, which the rule does not prevent, and no history shows: a fresh key is never
    /// taken.
    occupied: HashSet<usize>,
    /// What was stored before an event that nobody has the answer of.
    before: Vec<(usize, Sessions)>,
    /// Nothing goes wrong any more.
    calm: bool,
}

#[derive(Debug, Clone)]
enum Asked {
    Load(Load),
    Commit(Commit),
}

#[derive(Debug)]
enum Told {
    Loaded(Loaded),
    Reply(Reply),
}

/// The one who waits for an answer.
type Waiting = oneshot::Sender<Result<Told, StoreError>>;

/// One request on its way.
#[derive(Debug, Clone)]
struct Message {
    world: World,
    call: usize,
    request: usize,
    key: Key,
    asked: Asked,
    starts: u32,
    /// Whether it is the only one that travels.
    alone: bool,
    waiting: Arc<Mutex<Option<Waiting>>>,
}

impl World {
    pub fn new(random: Random, seed: u64, settings: Settings, without: Option<Ingredient>) -> Self {
        let current = vec![0; settings.handlers + 1];
        Self(Arc::new(Mutex::new(State {
            random,
            engine: Engine::new(without),
            history: History { seed, settings, events: Vec::new() },
            began: Instant::now(),
            current,
            calls: 0,
            requests: 0,
            ids: HashMap::new(),
            number: 0,
            starts: 0,
            down_until: 0,
            acknowledged: 0,
            occupied: HashSet::new(),
            before: Vec::new(),
            calm: false,
        })))
    }

    pub fn store(&self, agreements: &MemoryStore) -> RemoteStore {
        RemoteStore { world: self.clone(), agreements: agreements.clone() }
    }

    /// A handler begins a call; its number.
    pub fn call(&self, handler: usize, verb: Verb) -> usize {
        let mut state = self.state();
        let call = state.calls;
        state.calls += 1;
        state.current[handler] = call;
        state.note(What::Called { call, handler, verb });
        call
    }

    pub fn note(&self, what: What) {
        self.state().note(what);
    }

    /// A number that nobody wrote before.
    pub fn number(&self) -> u32 {
        let mut state = self.state();
        state.number += 1;
        state.number
    }

    /// From now on nothing goes wrong.
    pub fn calm_down(&self) {
        let mut state = self.state();
        state.calm = true;
        state.down_until = 0;
    }

    /// The store stops and starts again now and then.
    pub async fn restart_often(self, mut random: Random, times: u64) {
        for _ in 0..times {
            sleep(Duration::from_millis(random.between(1, 1_500))).await;
            self.state().restart();
        }
    }

    pub fn into_history(self) -> History {
        std::mem::take(&mut self.state().history)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn at(&self) -> i64 {
        i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    fn note(&mut self, what: What) {
        let at = self.at();
        self.history.events.push(Event { at, what });
    }

    /// Whether something goes wrong that happens so many times of a hundred.
    fn fails(&mut self, percent: u64) -> bool {
        !self.calm && percent > 0 && self.random.chance(percent)
    }

    /// How long a message travels, in milliseconds.
    fn delay(&mut self) -> u64 {
        if self.calm {
            return 1;
        }
        match self.random.below(100) {
            0..80 => self.random.between(1, 8),
            80..97 => self.random.between(5, 60),
            _ => self.random.between(50, 600),
        }
    }

    /// How long a late message travels, in milliseconds: perhaps longer than anybody waits for its answer.
    fn late(&mut self) -> u64 {
        let longest = self.history.settings.deadlines.iter().max().copied().unwrap_or(1_000);
        self.random.between(50, 3 * longest)
    }

    fn restart(&mut self) {
        self.starts += 1;
        self.down_until = self.at() + self.random.between(0, 150).cast_signed();
        let undone_from = if self.before.is_empty() || self.random.chance(50) {
            None
        } else {
            let place = self.random.index(self.before.len());
            let (event, sessions) = self.before.swap_remove(place);
            self.before.truncate(place);
            self.engine.sessions = sessions;
            Some(event)
        };
        self.note(What::Restarted { undone_from });
    }

    /// The store does what a request asks for. Returns the event that this is.
    fn handle(&mut self, message: &Message) -> (usize, Told) {
        let now = Timestamp::from_millis(BEGINNING + self.at());
        let key = index(&message.key);
        let live = self.engine.is_live(&message.key, now);
        let before = (self.history.settings.network.restarts > 0).then(|| self.engine.sessions.clone());
        let (done, told) = match &message.asked {
            Asked::Load(load) => {
                let loaded = self.engine.load(&message.key, *load, now);
                let fields = if live { self.engine.fields(&message.key) } else { &[] };
                let view = View::stored(fields);
                let done =
                    if load.lifetime.is_some() { Done::Loaded { key, view } } else { Done::Looked { key, view } };
                (done, Told::Loaded(loaded))
            }
            Asked::Commit(commit) => {
                let to = match &commit.action {
                    Action::Renew { to, .. } => Some((index(to), to.clone(), self.engine.is_live(to, now))),
                    _ => None,
                };
                let reply = self.engine.commit(&message.key, commit, now);
                let view = |key| View::stored(self.engine.fields(key));
                let done = match (&reply, to) {
                    (Reply::Applied(Applied { repeated: true, .. }), _) => Done::Repeated { key },
                    (Reply::Applied(_), Some((to, name, to_live))) => {
                        Done::Moved { key, to, to_live, view: view(&name) }
                    }
                    (Reply::Applied(_), None) if !commit.is_destruction() => {
                        Done::Wrote { key, view: view(&message.key) }
                    }
                    (Reply::Applied(_), None) if live => Done::Destroyed { key },
                    (Reply::Applied(_), None) => Done::Nothing { key },
                    (Reply::Conflict(record), _) if commit.is_destruction() => {
                        Done::Found { key, view: View::stored(&record.fields) }
                    }
                    (Reply::Conflict(record), _) => Done::Conflict { key, view: View::stored(&record.fields) },
                    (Reply::Ended(_), _) => Done::Ended { key },
                    (Reply::Unregistered, _) => unreachable!("this store forgets no registration"),
                    (Reply::Occupied, to) => {
                        let (to, _, to_live) = to.expect("only a renewal finds its key occupied");
                        Done::Occupied { to, to_live }
                    }
                };
                (done, Told::Reply(reply))
            }
        };
        if matches!(done, Done::Occupied { .. }) {
            self.occupied.insert(message.request);
        }
        let event = self.history.events.len();
        self.note(What::Handled { request: message.request, live, done });
        self.before.extend(before.map(|before| (event, before)));
        if matches!(message.asked, Asked::Commit(_)) && self.random.chance(50) {
            for key in self.engine.purge(now) {
                self.note(What::Purged { key: index(&key) });
            }
        }
        (event, told)
    }

    /// Somebody has the answer of an event, so the store must not undo it.
    fn acknowledge(&mut self, event: usize) {
        self.acknowledged = self.acknowledged.max(event);
        if !self.engine.is_without(Ingredient::Durability) {
            let acknowledged = self.acknowledged;
            self.before.retain(|(event, _)| *event > acknowledged);
        }
    }
}

/// Keys are called by their numbers.
fn index(key: &Key) -> usize {
    key.id().parse().expect("a number")
}

fn broken() -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, "the connection broke")
}

impl Message {
    /// Travels to the store, and the answer back.
    async fn travel(self, there: u64, back: u64, answer_lost: bool) {
        sleep(Duration::from_millis(there)).await;
        let (event, told) = {
            let mut state = self.world.state();
            if state.starts != self.starts && state.random.chance(70) {
                drop(state);
                return self.fail(broken());
            }
            if state.at() < state.down_until {
                let error = StoreError::new(state.random.pick(&UNUSABLE), "the store takes no requests yet");
                drop(state);
                return self.fail(if self.alone { error.not_applied() } else { error });
            }
            if state.occupied.contains(&self.request) {
                return;
            }
            state.handle(&self)
        };
        let starts = self.world.state().starts;
        sleep(Duration::from_millis(back)).await;
        if answer_lost {
            return;
        }
        if self.world.state().starts != starts {
            return self.fail(broken());
        }
        if let Some(waiting) = self.waiting().filter(|waiting| !waiting.is_closed()) {
            let mut state = self.world.state();
            state.note(What::Answered { call: self.call, request: self.request, event });
            state.acknowledge(event);
            drop(waiting.send(Ok(told)));
        }
    }

    /// The connection breaks after a while, if no answer came before.
    async fn break_off(self, after: u64) {
        sleep(Duration::from_millis(after)).await;
        self.fail(broken());
    }

    fn fail(&self, error: StoreError) {
        if let Some(waiting) = self.waiting() {
            drop(waiting.send(Err(error)));
        }
    }

    /// The one who waits, if nothing was answered before.
    fn waiting(&self) -> Option<Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// What a store says that has not taken over yet.
const UNUSABLE: [StoreErrorKind; 2] = [StoreErrorKind::Unavailable, StoreErrorKind::ReadOnly];

/// What becomes of a request.
enum Way {
    /// It is refused, after so many milliseconds.
    Refused { after: u64 },
    /// It was sent so many times, since a store sends again what seems to be lost.
    Sent { times: u32 },
}

impl RemoteStore {
    /// Sends a request and waits for its answer, and says whether it was sent more than once.
    async fn ask(&self, key: &Key, asked: Asked) -> Result<(Told, bool), StoreError> {
        let (sender, answer) = oneshot::channel();
        match self.send(key, asked, sender) {
            Way::Refused { after } => {
                sleep(Duration::from_millis(after)).await;
                Err(StoreError::new(StoreErrorKind::Busy, "the store is busy").not_applied())
            }
            Way::Sent { times } => match answer.await {
                Ok(told) => Ok((told?, times > 1)),
                // Nobody will ever answer.
                Err(_) => std::future::pending().await,
            },
        }
    }

    /// Sends a request on its way, and decides what will become of it.
    fn send(&self, key: &Key, asked: Asked, sender: Waiting) -> Way {
        let mut state = self.world.state();
        let call = state.current[HANDLER.with(|handler| *handler)];
        let next = state.requests;
        let request = match &asked {
            Asked::Load(_) => next,
            Asked::Commit(commit) => *state.ids.entry(commit.id).or_insert(next),
        };
        let again = request != next;
        state.requests += usize::from(!again);
        state.note(What::Sent { call, request, again });

        let network = state.history.settings.network.clone();
        if state.fails(network.refused) {
            return Way::Refused { after: state.delay() };
        }
        let times = if state.fails(network.lost) {
            0
        } else if state.fails(network.repeated) {
            2
        } else {
            1
        };
        let message = Message {
            world: self.world.clone(),
            call,
            request,
            key: key.clone(),
            asked,
            starts: state.starts,
            alone: times == 1 && !again,
            waiting: Arc::new(Mutex::new(Some(sender))),
        };
        let mut answers = 0;
        for copy in 0..times {
            let late = state.fails(network.late) || copy > 0 && state.random.chance(50);
            let (there, back) = (if late { state.late() } else { state.delay() }, state.delay());
            let answer_lost = state.fails(network.answer_lost);
            answers += u32::from(!answer_lost && !late);
            tokio::spawn(message.clone().travel(there, back, answer_lost));
        }
        if answers == 0 && state.random.chance(70) {
            let after = state.delay();
            tokio::spawn(message.break_off(after));
        }
        Way::Sent { times }
    }
}

impl Store for RemoteStore {
    async fn load(&self, key: &Key, load: Load) -> Result<Loaded, StoreError> {
        match self.ask(key, Asked::Load(load)).await? {
            (Told::Loaded(loaded), _) => Ok(loaded),
            (Told::Reply(_), _) => unreachable!("a load is answered by what was loaded"),
        }
    }

    async fn commit(&self, key: &Key, commit: &Commit) -> Result<Reply, StoreError> {
        match self.ask(key, Asked::Commit(commit.clone())).await? {
            // Like every store that sends again: the first time can have been so many commits ago that nobody knows.
            (Told::Reply(Reply::Conflict(record)), true) if Commits::have_forgotten(commit, &record.head) => {
                Err(broken())
            }
            (Told::Reply(reply), _) => Ok(reply),
            (Told::Loaded(_), _) => unreachable!("a commit is answered by a reply"),
        }
    }

    delegate_store!(agreements: prepare find registration register);
}
