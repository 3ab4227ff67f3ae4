//! This project with sessions that know their user: with an index of the users, and without.

use session_peers_load::Contender;
use session_runtime::store::Store;
use session_runtime::{Handle, Session, Sessions};

/// How many sessions a user has.
pub const EACH: u32 = 10;

#[derive(Session)]
pub struct Indexed {
    #[session(index)]
    user: Option<u64>,
    agent: String,
}

#[derive(Session)]
pub struct Plain {
    user: Option<u64>,
    agent: String,
}

/// A session that knows its user.
pub trait Account: Session {
    fn user(&self) -> Option<u64>;
    fn agent(&self) -> &str;
    fn log_in(handle: &mut Handle<Self>, user: u64);
    fn set_agent(handle: &mut Handle<Self>, agent: &str);
}

macro_rules! account {
    ($session:ty) => {
        impl Account for $session {
            fn user(&self) -> Option<u64> {
                self.user
            }

            fn agent(&self) -> &str {
                &self.agent
            }

            fn log_in(handle: &mut Handle<Self>, user: u64) {
                *handle.edit().user() = Some(user);
            }

            fn set_agent(handle: &mut Handle<Self>, agent: &str) {
                agent.clone_into(handle.edit().agent());
            }
        }
    };
}

account!(Indexed);
account!(Plain);

pub struct Accounts<T: Account> {
    sessions: Sessions<T>,
}

impl<T: Account> Clone for Accounts<T> {
    fn clone(&self) -> Self {
        Self { sessions: self.sessions.clone() }
    }
}

impl<T: Account> Accounts<T> {
    pub fn new(store: impl Store) -> Self {
        Self { sessions: Sessions::builder(store).build() }
    }
}

impl Accounts<Indexed> {
    /// Finds all sessions of a user.
    pub async fn find(&self, user: u32) {
        let (mut found, mut count) = (self.sessions.find(IndexedIndex::User(&Some(user.into()))), 0);
        while let Some(session) = found.next().await {
            session.expect("finds");
            count += 1;
        }
        assert_eq!(count, EACH, "the user's sessions are stored");
    }
}

impl<T: Account> Contender for Accounts<T> {
    type Held = Handle<T>;

    async fn fill(&self, key: u32, _: usize) {
        let mut account = self.hold(key).await;
        T::log_in(&mut account, (key / EACH).into());
        T::set_agent(&mut account, "a browser on a phone");
        account.commit().await.expect("commits");
    }

    async fn read(&self, key: u32) {
        let account = self.hold(key).await;
        assert!(!account.agent().is_empty(), "the session is stored");
    }

    async fn change(&self, key: u32) {
        let mut account = self.hold(key).await;
        self.write(&mut account).await;
    }

    async fn hold(&self, key: u32) -> Self::Held {
        self.sessions.load(&format!("account-{key}")).await.expect("loads")
    }

    /// Goes from one user to another and back, so that an index changes with each commit.
    async fn write(&self, account: &mut Self::Held) {
        let user = account.user().expect("the session is stored") ^ (1 << 40);
        T::log_in(account, user);
        account.commit().await.expect("commits");
    }
}
