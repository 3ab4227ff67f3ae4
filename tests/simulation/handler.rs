//! One handler at work: it loads, changes, commits and ends sessions, and gives up or tries again when it must.

use std::time::Duration;

use session_runtime::{Error, Handle, Sessions};
use tokio::time::{sleep, timeout};

use super::history::{Answer, Change, Failure, Verb, What};
use super::network::World;
use super::random::Random;
use super::visitor::{Edits, OWNER, REGISTERS, View, Visitor, VisitorField};

pub struct Handler {
    pub number: usize,
    pub world: World,
    pub sessions: Sessions<Visitor>,
    pub random: Random,
    pub keys: usize,
    /// How long it thinks at most between two calls, in milliseconds; now and then ten times as long.
    pub pause: u64,
    /// Whether it thinks for an hour sometimes, in which the store forgets what ended.
    pub is_slow: bool,
    pub session: Option<Handle<Visitor>>,
    /// Whether an answer is missing.
    pub unanswered: bool,
}

impl Handler {
    pub async fn run(mut self, steps: u64) -> Self {
        for _ in 0..steps {
            let pause = match self.random.below(100) {
                0..4 if self.is_slow => self.random.between(1_000_000, 6_000_000),
                0..10 => 10 * self.random.between(0, self.pause),
                _ => self.random.between(0, self.pause),
            };
            sleep(Duration::from_millis(pause)).await;
            self.step().await;
        }
        self
    }

    async fn step(&mut self) {
        let chance = self.random.below(100);
        if self.session.is_none() {
            return if chance < 70 { self.load().await } else { self.update().await };
        }
        if self.unanswered && self.random.chance(70) {
            return self.commit(Edits::default()).await;
        }
        match chance {
            0..52 => {
                let edits = self.edits();
                self.commit(edits).await;
            }
            52..62 => self.renew().await,
            62..70 => self.destroy().await,
            70..82 => self.load().await,
            _ => self.update().await,
        }
    }

    /// Asks for an answer that is still missing; whatever was not sent is dropped.
    pub async fn settle(mut self) {
        for _ in 0..3 {
            if self.unanswered && self.session.is_some() {
                self.commit(Edits::default()).await;
            }
        }
        self.leave();
    }

    /// Looks at a session.
    pub async fn load_key(&mut self, key: usize) {
        self.leave();
        let call = self.world.call(self.number, Verb::Load { key });
        let loaded = self.sessions.load(&key.to_string()).await;
        let answer = match &loaded {
            Ok(session) => Answer::Loaded { view: View::of(session) },
            Err(error) => Answer::Failed(error.into()),
        };
        self.session = loaded.ok();
        self.world.note(What::Returned { call, answer });
    }

    pub fn leave(&mut self) {
        if let Some(session) = self.session.take() {
            session.discard();
        }
        self.unanswered = false;
    }

    async fn load(&mut self) {
        let key = self.key();
        self.load_key(key).await;
    }

    /// Mostly the first key, so that handlers meet.
    fn key(&mut self) -> usize {
        if self.random.chance(60) { 0 } else { self.random.index(self.keys) }
    }

    fn registers(&mut self) -> [Option<u32>; REGISTERS] {
        let mut registers = [None; REGISTERS];
        for (field, value) in registers.iter_mut().enumerate() {
            if self.random.chance(if field == OWNER { 12 } else { 35 }) {
                *value = Some(self.world.number());
            }
        }
        registers
    }

    fn edits(&mut self) -> Edits {
        match self.random.below(100) {
            // All goes back to what it was initially.
            0..12 => Edits { registers: [Some(0); REGISTERS], logged: None },
            12..20 => Edits { registers: [Some(0), None, None], logged: None },
            _ => {
                let logged = self.random.chance(40).then(|| self.world.number());
                Edits { registers: self.registers(), logged }
            }
        }
    }

    /// How long it waits for an answer, if it does not wait for ever.
    fn patience(&mut self) -> Option<Duration> {
        self.random.chance(8).then(|| Duration::from_millis(self.random.between(0, 40)))
    }

    async fn commit(&mut self, edits: Edits) {
        let patience = self.patience();
        let Some(session) = &mut self.session else { return };
        let shown = View::of(session);
        edits.make(session);
        let call = self.world.call(self.number, Verb::Commit { edits, shown });
        let committed = patient(patience, session.commit()).await;
        let answer = committed.map(|committed| committed.map(|committed| overlapped(committed.overlapped())));
        self.committed(call, answer);
    }

    async fn renew(&mut self) {
        let to = self.random.index(self.keys);
        let edits = if self.random.chance(50) { self.edits() } else { Edits::default() };
        let patience = self.patience();
        let Some(session) = &mut self.session else { return };
        let shown = View::of(session);
        edits.make(session);
        let call = self.world.call(self.number, Verb::Renew { to, edits, shown });
        let renewed = patient(patience, session.renew(&to.to_string())).await;
        let answer = renewed.map(|renewed| renewed.map(|renewed| overlapped(renewed.overlapped())));
        self.committed(call, answer);
    }

    /// Goes on, tries again or gives up after a commit.
    fn committed(&mut self, call: usize, answer: Option<Result<Vec<usize>, Error>>) {
        let Some(session) = &self.session else { return };
        let answer = match answer {
            None => Answer::Dropped,
            Some(Ok(overlapped)) => Answer::Committed { overlapped, view: View::of(session) },
            Some(Err(error)) => Answer::Failed((&error).into()),
        };
        let gives_up = match &answer {
            Answer::Committed { .. } => false,
            Answer::Dropped | Answer::Failed(Failure::Store | Failure::Contended | Failure::Occupied) => {
                self.random.chance(15)
            }
            _ => true,
        };
        self.unanswered = !matches!(answer, Answer::Committed { .. });
        self.world.note(What::Returned { call, answer });
        if gives_up {
            self.leave();
        }
    }

    async fn destroy(&mut self) {
        let patience = self.patience();
        let Some(session) = &mut self.session else { return };
        let call = self.world.call(self.number, Verb::Destroy);
        let answer = match patient(patience, session.destroy()).await {
            None => Answer::Dropped,
            Some(Ok(_)) => Answer::Destroyed,
            Some(Err(error)) => Answer::Failed((&error).into()),
        };
        let tries_again = matches!(answer, Answer::Dropped | Answer::Failed(Failure::Store)) && self.random.chance(80);
        self.world.note(What::Returned { call, answer });
        if !tries_again {
            self.leave();
        }
    }

    async fn update(&mut self) {
        let key = self.key();
        let change = if self.random.chance(20) {
            Change::Clear
        } else {
            let registers = if self.random.chance(30) { self.registers() } else { [None; REGISTERS] };
            Change::Add { number: self.world.number(), registers }
        };
        let call = self.world.call(self.number, Verb::Update { key, change: change.clone() });
        let patience = self.patience();
        let (world, name) = (self.world.clone(), key.to_string());
        let updated = self.sessions.update(&name, |visitor| {
            let saw = View::of(visitor);
            match &change {
                Change::Clear => {
                    *visitor.edit_all() = Visitor { left: 0, right: 0, owner: 0, log: vec![], tally: vec![] }
                }
                Change::Add { number, registers } => {
                    Edits { registers: *registers, logged: None }.make(visitor);
                    visitor.edit().tally().push(*number);
                }
            }
            world.note(What::Ran { call, saw, made: View::of(visitor) });
        });
        let answer = match patient(patience, updated).await {
            None => Answer::Dropped,
            Some(Ok(())) => Answer::Updated,
            Some(Err(error)) => Answer::Failed((&error).into()),
        };
        self.world.note(What::Returned { call, answer });
    }
}

/// Waits for a call, perhaps not until it is over.
async fn patient<R>(patience: Option<Duration>, call: impl Future<Output = R>) -> Option<R> {
    match patience {
        None => Some(call.await),
        Some(patience) => timeout(patience, call).await.ok(),
    }
}

fn overlapped(fields: &session_runtime::Fields<Visitor>) -> Vec<usize> {
    let place = |field| match field {
        VisitorField::Left => Some(0),
        VisitorField::Right => Some(1),
        VisitorField::Owner => Some(OWNER),
        VisitorField::Log | VisitorField::Tally => None,
    };
    fields.iter().filter_map(place).collect()
}
