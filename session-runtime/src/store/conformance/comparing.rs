//! Long random histories, on the store and on a memory store beside it: every answer must be the same.
//!
//! A history that is answered differently is printed with its seed. `SESSION_CONFORMANCE_SEED` runs it again, and
//! `SESSION_CONFORMANCE_HISTORIES` runs more than the few that every run has time for.
//!
//! The clocks of both stores run on while a history runs, so the answers' times are never exactly the same. All
//! that a history does happens at full hours, all lifetimes end on the half hour, and times are compared to the quarter
//! of an hour: no answer depends on which store was faster.

use super::fixture::{Fixture, MINUTE};
use crate::expiry::{ClockOffset, Lifetime, Timestamp};
use crate::store::{
    Action, AnyStore, Applied, Base, Change, Commit, CommitId, ExpiryChange, Found, Head, Housekeeping, Incarnation,
    Key, Load, Loaded, MemoryStore, Record, RegistrationId, Reply, Store, StoredField, Write,
};

const QUARTER: i64 = 15 * MINUTE;
const HALF: i64 = 2 * QUARTER;
const HOUR: i64 = 4 * QUARTER;

/// How many histories a run compares.
const HISTORIES: u64 = 12;

/// How many steps a history has. With at most half a day for each it stays within the retention of what has ended.
const STEPS: usize = 60;

/// Few enough that they meet often.
const KEYS: [&str; 4] = ["a", "b", "c", "d"];
const FIELDS: [&str; 3] = ["visits", "theme", "cart.items"];

/// Every history of loads, commits, renewals, destructions and expiries is answered as the memory store answers it.
pub(super) async fn p06_every_history_is_answered_as_in_memory(fixture: Fixture) {
    let (first, histories) = match number("SESSION_CONFORMANCE_SEED") {
        Some(seed) => (seed, 1),
        None => (rand::random(), number("SESSION_CONFORMANCE_HISTORIES").unwrap_or(HISTORIES)),
    };
    for seed in (0..histories).map(|step| first.wrapping_add(step)) {
        History::begin(&fixture, seed).await.unfold().await;
    }
}

/// The number that the environment gives.
fn number(variable: &str) -> Option<u64> {
    let value = std::env::var(variable).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{variable} must be a number, not {value:?}")))
}

/// Random numbers from a seed, the same in every build (this is `SplitMix64`).
struct Dice(u64);

impl Dice {
    fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.throw() % end as u64).unwrap_or_default()
    }

    /// True once in so many times.
    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn one_of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }

    /// One, two or more hours and a half.
    fn half_past(&mut self, hours: usize) -> i64 {
        HOUR * self.up_to(hours) + HALF
    }

    /// From one to this many.
    fn up_to(&mut self, most: usize) -> i64 {
        1 + i64::try_from(self.below(most)).unwrap_or_default()
    }
}

/// A store, and what its clock showed when the history began. Times of a history count from there.
struct Side {
    store: AnyStore,
    beginning: i64,
}

impl Side {
    async fn new(store: AnyStore, key: &Key) -> Self {
        let load = Load::look(ClockOffset(0));
        let loaded = store.load(key, load).await.expect("a session can be loaded");
        Self { store, beginning: loaded.now.as_millis() }
    }

    async fn load(&self, key: &Key, load: Load) -> Loaded {
        let Loaded { now, touched, found } = self.store.load(key, load).await.expect("a session can be loaded");
        let found = match found {
            Found::Record(record) => Found::Record(self.told(record)),
            absent @ Found::Absent { .. } => absent,
        };
        Loaded { now: self.rounded(now), touched, found }
    }

    async fn commit(&self, key: &Key, commit: &Commit) -> Reply {
        let commit = self.dated(commit.clone());
        match self.store.commit(key, &commit).await.expect("a change can be committed") {
            Reply::Applied(applied) => {
                Reply::Applied(Applied { head: applied.head.map(|head| self.told_head(head)), ..applied })
            }
            Reply::Conflict(record) => Reply::Conflict(self.told(record)),
            other @ (Reply::Ended(_) | Reply::Occupied | Reply::Unregistered) => other,
        }
    }

    /// The keys of stored sessions.
    async fn listed(&self, fixture: &Fixture) -> Vec<String> {
        Fixture { store: self.store.clone(), ..fixture.clone() }.listed(100).await
    }

    async fn count(&self, fixture: &Fixture) -> u64 {
        self.store.count(&fixture.name, fixture.clock).await.expect("sessions can be counted")
    }

    /// The commit with its dates by this store's clock.
    fn dated(&self, mut commit: Commit) -> Commit {
        let date = |time: Timestamp| time.plus(self.beginning);
        if let Base::Absent { valid_until: Some(until), .. } = &mut commit.base {
            *until = date(*until);
        }
        if let Action::Write(write) | Action::Renew { write, .. } = &mut commit.action
            && let ExpiryChange::At(end) = write.expiry
        {
            write.expiry = ExpiryChange::At(date(end));
        }
        commit
    }

    /// A time since the beginning, to the quarter of an hour.
    fn rounded(&self, time: Timestamp) -> Timestamp {
        let since = time.as_millis() - self.beginning;
        Timestamp::from_millis((since + QUARTER / 2).div_euclid(QUARTER) * QUARTER)
    }

    fn told_head(&self, head: Head) -> Head {
        Head {
            created_at: self.rounded(head.created_at),
            fixed_end: head.fixed_end.map(|time| self.rounded(time)),
            expires_at: head.expires_at.map(|time| self.rounded(time)),
            ..head
        }
    }

    fn told(&self, record: Record) -> Record {
        let mut fields: Vec<StoredField> = record.fields;
        fields.sort_by(|one, other| one.name.cmp(&other.name));
        Record { head: self.told_head(record.head), commits: record.commits, fields }
    }
}

/// A history under way.
struct History {
    seed: u64,
    dice: Dice,
    fixture: Fixture,
    tested: Side,
    memory: Side,
    /// What handlers of each key have seen, the latest last.
    seen: Vec<(Key, Base)>,
    /// What was sent, the latest last: its answer may have been lost.
    sent: Vec<(Key, Commit)>,
    /// What happened, to be read when something is answered differently.
    told: Vec<String>,
}

impl History {
    async fn begin(fixture: &Fixture, seed: u64) -> Self {
        let fixture = fixture.named(format!("{}-{seed:x}", fixture.name));
        let key = fixture.key("beginning");
        let tested = Side::new(fixture.store.clone(), &key).await;
        let memory = Side::new(AnyStore::new(MemoryStore::new()), &key).await;
        for side in [&tested, &memory] {
            let fixture = Fixture { store: side.store.clone(), ..fixture.clone() };
            for version in [1, 2] {
                fixture.agree(version, RegistrationId(version.into())).await;
            }
        }
        Self { seed, dice: Dice(seed), fixture, tested, memory, seen: Vec::new(), sent: Vec::new(), told: Vec::new() }
    }

    async fn unfold(mut self) {
        for _ in 0..STEPS {
            if self.dice.once_in(4) {
                // A clock may also go back: an hour, so that nothing ends twice.
                let hours = if self.dice.once_in(8) { -1 } else { self.dice.up_to(12) };
                self.fixture = self.fixture.after(hours * HOUR);
            }
            match self.dice.below(10) {
                0..4 => self.load().await,
                4 if !self.sent.is_empty() => {
                    let (key, commit) = self.dice.one_of(&self.sent);
                    self.commit(&key, commit).await;
                }
                _ => {
                    let (key, commit) = self.draft();
                    self.commit(&key, commit).await;
                }
            }
        }
        let (tested, memory) = (self.tested.listed(&self.fixture).await, self.memory.listed(&self.fixture).await);
        self.compare("the keys are listed", &tested, &memory);
        let (tested, memory) = (self.tested.count(&self.fixture).await, self.memory.count(&self.fixture).await);
        self.compare("the sessions are counted", &tested, &memory);
    }

    fn key(&mut self) -> Key {
        let id = self.dice.one_of(&KEYS);
        self.fixture.key(id)
    }

    /// One that most steps of the history share, or, as if instances were configured differently, another.
    fn lifetime(&mut self) -> Lifetime {
        let kind = if self.dice.once_in(5) { self.dice.below(4) } else { (self.seed % 4) as usize };
        let inactivity = (kind & 1 != 0).then(|| self.dice.half_past(4));
        let creation = (kind & 2 != 0).then(|| self.dice.half_past(24));
        Lifetime { inactivity, creation, touch_after: HALF, ..self.fixture.lifetime }
    }

    async fn load(&mut self) {
        let key = self.key();
        let load = if self.dice.once_in(5) {
            Load::look(self.fixture.clock)
        } else {
            Load::touch(self.lifetime(), self.fixture.clock)
        };
        let (tested, memory) = (self.tested.load(&key, load).await, self.memory.load(&key, load).await);
        self.compare(&format!("`{}` is loaded: {load:?}", key.id()), &tested, &memory);
        let base = match memory.found {
            Found::Record(record) => Base::from(&record.head),
            Found::Absent { saw } => {
                let until = self.dice.once_in(3).then(|| self.dice.half_past(8));
                Base::Absent {
                    saw: saw.map(|past| past.incarnation),
                    valid_until: until.map(|until| memory.now.plus(until)),
                }
            }
        };
        self.seen.push((key, base));
    }

    /// What a handler may send that saw the session lately, or long ago, or never.
    fn draft(&mut self) -> (Key, Commit) {
        let recent = self.seen.len().min(if self.dice.once_in(3) { 12 } else { 3 });
        let (key, base) = match recent {
            0 => (self.key(), Base::Absent { saw: None, valid_until: None }),
            _ => self.dice.one_of(&self.seen[self.seen.len() - recent..]),
        };
        let action = match self.dice.below(8) {
            0 => Action::Destroy,
            1 | 2 => Action::Renew { to: self.key(), write: self.write() },
            _ => Action::Write(self.write()),
        };
        let mut commit = Commit::new(base, action, self.lifetime(), self.fixture.clock);
        commit.id = CommitId(self.dice.throw());
        (key, commit)
    }

    fn write(&mut self) -> Write {
        let mut changes = Vec::new();
        for name in FIELDS {
            let value = match self.dice.below(4) {
                0 => Some(self.dice.below(1_000).to_string().into()),
                1 => None,
                _ => continue,
            };
            changes.push(Change { name: name.into(), value });
        }
        let version = 1 + u32::from(self.dice.once_in(8));
        let mut write = Write::new(version, RegistrationId(version.into()), changes);
        write.creates = Incarnation(self.dice.throw());
        write.replace = self.dice.once_in(8);
        write.keep_empty = self.dice.once_in(8);
        write.expiry = match self.dice.below(12) {
            0 => ExpiryChange::ByRule,
            1 => {
                let end = self.fixture.clock.0 + self.dice.half_past(12);
                ExpiryChange::At(Timestamp::from_millis(end))
            }
            2 => ExpiryChange::After(self.dice.half_past(12)),
            _ => ExpiryChange::Keep,
        };
        write
    }

    async fn commit(&mut self, key: &Key, mut commit: Commit) {
        commit.clock = self.fixture.clock;
        let (tested, memory) = (self.tested.commit(key, &commit).await, self.memory.commit(key, &commit).await);
        self.compare(&format!("`{}` is committed: {commit:?}", key.id()), &tested, &memory);
        if let Reply::Applied(Applied { head: Some(head), .. }) | Reply::Conflict(Record { head, .. }) = &memory {
            let at = match (&commit.action, &memory) {
                (Action::Renew { to, .. }, Reply::Applied(_)) => to,
                _ => key,
            };
            self.seen.push((at.clone(), Base::from(head)));
        }
        self.sent.push((key.clone(), commit));
        if self.sent.len() > 12 {
            self.sent.remove(0);
        }
    }

    #[track_caller]
    fn compare<T: PartialEq + std::fmt::Debug>(&mut self, step: &str, tested: &T, memory: &T) {
        self.told.push(format!("{step}\n    {memory:?}"));
        assert!(
            tested == memory,
            "the store answers this history otherwise than the memory store:\n{}\n  but the store answers\n    {tested:?}\n\
             run it again with SESSION_CONFORMANCE_SEED={}",
            self.told.join("\n"),
            self.seed,
        );
    }
}
