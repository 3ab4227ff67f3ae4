//! What is done with the sessions, step by step.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use session_runtime::{Admin, AnyStore, ClockOffset, Expiry, KeyStream, Outcome, Session, Sessions, WriteMigrated};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use crate::keys::{Met, key, number};

pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// How many tasks store and migrate.
const TASKS: usize = 64;

/// How many sessions a user has.
const EACH: u32 = 10;

/// How many users are looked for.
const LOOKED_FOR: u32 = 1000;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// A session of before.
#[derive(Debug, Session)]
#[session(name = "visitor", version = 1)]
struct Older {
    #[session(index)]
    user: Option<u64>,
    agent: String,
    coins: u32,
}

/// A session whose amounts are in cents.
#[derive(Debug, Session)]
#[session(name = "visitor", version = 2, from = Older)]
struct Visitor {
    #[session(index)]
    user: Option<u64>,
    agent: String,
    cents: u64,
}

impl From<Older> for Visitor {
    fn from(Older { user, agent, coins }: Older) -> Self {
        Self { user, agent, cents: u64::from(coins) * 100 }
    }
}

fn coins(number: u32) -> u32 {
    1 + number % 1000
}

/// A store with numbered sessions.
#[derive(Debug, Clone)]
pub(crate) struct Million {
    store: AnyStore,
    count: u32,
}

impl Million {
    pub(crate) fn new(store: AnyStore, count: u32) -> Self {
        Self { store, count }
    }

    fn of<T: Session>(&self) -> Sessions<T> {
        let builder = Sessions::builder(self.store.clone()).expiry(Expiry::AfterInactivity(DAY));
        builder.write_migrated(WriteMigrated::WithNextCommit).build()
    }

    /// Stores all sessions, each by a commit of its own.
    pub(crate) async fn store(&self) -> Result<u32, Failure> {
        let sessions = self.of::<Older>();
        sessions.prepare().await?;
        let mut tasks = JoinSet::new();
        for first in (0..self.count).take(TASKS) {
            let (sessions, count) = (sessions.clone(), self.count);
            tasks.spawn(async move {
                for number in (first..count).step_by(TASKS) {
                    let mut visitor = sessions.start(&key(number)).await?;
                    *visitor.edit().user() = Some(u64::from(number / EACH));
                    visitor.edit().agent().push_str("Firefox on Linux");
                    *visitor.edit().coins() = coins(number);
                    visitor.commit().await?;
                }
                Ok::<_, Failure>(())
            });
        }
        all(tasks).await?;
        Ok(self.count)
    }

    /// Lists all keys: each is met once.
    pub(crate) async fn list(&self) -> Result<u32, Failure> {
        let (mut keys, mut met, mut count) = (Admin::new(self.store.clone()).keys("visitor"), Met::none(self.count), 0);
        while let Some(key) = keys.next().await {
            let key = key?;
            if !met.meet(key.id()) {
                return Err(format!("{key:?} is listed twice, or is no key of ours").into());
            }
            count += 1;
        }
        if met.are_all() { Ok(count) } else { Err(format!("{count} of {} are listed", self.count).into()) }
    }

    /// Counts them.
    pub(crate) async fn count(&self) -> Result<u32, Failure> {
        let count = Admin::new(self.store.clone()).count("visitor").await?;
        if count == u64::from(self.count) {
            Ok(self.count)
        } else {
            Err(format!("{count} of {} are counted", self.count).into())
        }
    }

    /// Finds the sessions of some users: how many, and milliseconds of the median and the 99th percentile of a search.
    pub(crate) async fn find(&self) -> Result<(u32, f64, f64), Failure> {
        let (sessions, users) = (self.of::<Visitor>(), self.count / EACH);
        let (mut took, mut count) = (Vec::new(), 0);
        for turn in 0..LOOKED_FOR.min(users) {
            let user = turn.wrapping_mul(7919) % users;
            let began = Instant::now();
            let mut found = sessions.find(VisitorIndex::User(&Some(u64::from(user))));
            let mut here = 0;
            while let Some(session) = found.next().await {
                let is_his = number(session?.key()).is_some_and(|number| number / EACH == user);
                here += u32::from(is_his);
            }
            took.push(began.elapsed().as_secs_f64() * 1e3);
            if here != EACH {
                return Err(format!("{here} sessions of user {user} are found").into());
            }
            count += here;
        }
        took.sort_unstable_by(f64::total_cmp);
        let share = |hundredths: usize| took.get(took.len() * hundredths / 100).copied().unwrap_or_default();
        Ok((count, share(50), share(99)))
    }

    /// Loads each session as its newer type, and stores it so.
    pub(crate) async fn migrate(&self) -> Result<u32, Failure> {
        let sessions = self.of::<Visitor>();
        let keys = Arc::new(Mutex::new(Admin::new(self.store.clone()).keys("visitor")));
        let mut tasks = JoinSet::new();
        for _ in 0..TASKS {
            tasks.spawn(migrate_some(sessions.clone(), Arc::clone(&keys)));
        }
        let migrated = all(tasks).await?.into_iter().sum();
        if migrated == self.count { Ok(migrated) } else { Err(format!("{migrated} are migrated").into()) }
    }

    /// Removes all, as if they had expired and their retention was over.
    pub(crate) async fn purge(&self) -> Result<u32, Failure> {
        let later = ClockOffset(26 * 3_600_000);
        let removed = Admin::new(self.store.clone()).clock_offset(later).purge().await?;
        let left = Admin::new(self.store.clone()).count("visitor").await?;
        let is_right = removed == u64::from(self.count) && left == 0;
        if is_right { Ok(self.count) } else { Err(format!("{removed} are removed, {left} are left").into()) }
    }
}

async fn migrate_some(sessions: Sessions<Visitor>, keys: Arc<Mutex<KeyStream<AnyStore>>>) -> Result<u32, Failure> {
    let mut migrated = 0;
    loop {
        let next = keys.lock().await.next().await;
        let Some(key) = next else { return Ok(migrated) };
        let key = key?;
        let mut visitor = sessions.load(key.id()).await?;
        let number = number(key.id()).ok_or("a key that is none of ours")?;
        if visitor.cents != u64::from(coins(number)) * 100 || visitor.user != Some(u64::from(number / EACH)) {
            return Err(format!("session {number} is {:?} after its migration", *visitor).into());
        }
        if visitor.commit().await?.outcome() != Outcome::Updated {
            return Err(format!("session {number} was not stored anew").into());
        }
        migrated += 1;
    }
}

/// What all tasks returned, or the first error.
async fn all<R: Send + 'static>(mut tasks: JoinSet<Result<R, Failure>>) -> Result<Vec<R>, Failure> {
    let mut results = Vec::new();
    while let Some(result) = tasks.join_next().await {
        results.push(result??);
    }
    Ok(results)
}
