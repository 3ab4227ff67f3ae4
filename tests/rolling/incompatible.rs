//! The newer build counts in cents what the older counted in coins: another version, which the older cannot read.

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use session_runtime::store::Store;
use session_runtime::{Error, Handle};
use session_tests::{Kept, is_stored, record};

const NAME: &str = "account";

mod v1 {
    #[derive(Debug, session_runtime::Session)]
    #[session(name = "account", version = 1)]
    pub struct Account {
        pub owner: String,
        #[session(initial = 5)]
        pub coins: u64,
    }
}

mod v2 {
    #[derive(Debug, session_runtime::Session)]
    #[session(name = "account", version = 2, from = super::v1::Account)]
    pub struct Account {
        pub owner: String,
        #[session(initial = 500)]
        pub cents: u64,
        pub currency: String,
    }

    impl From<super::v1::Account> for Account {
        fn from(old: super::v1::Account) -> Self {
            Self { owner: old.owner, cents: old.coins * 100, currency: String::new() }
        }
    }
}

/// What is stored of a user, in the form of the version that stored it.
#[derive(Debug, Clone, PartialEq)]
enum Stored {
    V1 { owner: String, coins: u64 },
    V2 { owner: String, cents: u64, currency: String },
}

impl Default for Stored {
    fn default() -> Self {
        Self::V1 { owner: String::new(), coins: 5 }
    }
}

impl Stored {
    /// What the newer build shows.
    fn migrated(&self) -> (String, u64, String) {
        match self {
            Self::V1 { owner, coins } => (owner.clone(), coins * 100, String::new()),
            Self::V2 { owner, cents, currency } => (owner.clone(), *cents, currency.clone()),
        }
    }

    fn is_initial(&self) -> bool {
        self.migrated() == (String::new(), 500, String::new())
    }
}

const USERS: u64 = 16;
const REQUESTS: usize = 120;

pub async fn run<S: Store>(store: S) {
    let older = Kept::<v1::Account, _>::new(store.clone());
    let newer = Kept::<v2::Account, _>::new(store.clone());
    older.prepare().await.expect("the older build was there first");
    let users: Vec<_> = (0..USERS)
        .map(|user| {
            let user = User { key: user.to_string(), stored: Stored::default(), random: SmallRng::seed_from_u64(user) };
            tokio::spawn(user.go(older.clone(), newer.clone()))
        })
        .collect();
    let mut migrated = 0;
    for user in users {
        migrated += u64::from(user.await.expect("no user lost anything"));
    }
    assert!(0 < migrated && migrated < USERS, "some were migrated and some were not: {migrated}");
}

struct User {
    key: String,
    stored: Stored,
    random: SmallRng,
}

impl User {
    /// Deploys the newer build beside the older one, rolls it back, and deploys it again. Returns whether the session
    /// was migrated when it was rolled back.
    async fn go<S: Store>(mut self, older: Kept<v1::Account, S>, newer: Kept<v2::Account, S>) -> bool {
        for _ in 0..REQUESTS {
            self.request_to_older(&older).await;
        }
        // The more of its share of the requests the newer build has, the more sessions are migrated.
        let share = self.random.random_range(0..3);
        for _ in 0..REQUESTS {
            match self.random.random_range(0..100) {
                0..10 => self.overlap(&older, &newer).await,
                percent if percent < 10 + share => self.request_to_newer(&newer).await,
                percent if percent < 50 => self.read_by_newer(&newer).await,
                _ => self.request_to_older(&older).await,
            }
        }
        let migrated = matches!(self.stored, Stored::V2 { .. });
        for _ in 0..REQUESTS {
            self.request_to_older(&older).await;
        }
        for _ in 0..REQUESTS {
            self.request_to_newer(&newer).await;
        }
        let (owner, cents, currency) = self.stored.migrated();
        let account = newer.load(&self.key).await.expect("a load");
        assert_eq!((&account.owner, account.cents, &account.currency), (&owner, cents, &currency));
        assert_eq!(is_stored(newer.store(), NAME, &self.key).await, !self.stored.is_initial());
        migrated
    }

    async fn request_to_older<S: Store>(&mut self, older: &Kept<v1::Account, S>) {
        let before = record(older.store(), NAME, &self.key).await;
        let loaded = older.load(&self.key).await;
        let Stored::V1 { owner, coins } = &mut self.stored else {
            let refused = loaded.expect_err("it is migrated");
            assert!(matches!(refused, Error::NewerVersion { stored: 2, supported: 1 }), "{refused:?}");
            let after = record(older.store(), NAME, &self.key).await;
            let kept =
                |record: Option<session_runtime::store::Record>| record.map(|record| (record.head, record.fields));
            assert_eq!(kept(after), kept(before), "what cannot be read is kept as it is");
            return;
        };
        let mut account = loaded.expect("it is not migrated");
        assert_eq!((&account.owner, account.coins), (&*owner, *coins));
        match self.random.random_range(0..4) {
            0 => {}
            1 => *owner = if owner.is_empty() { "Ada".to_owned() } else { String::new() },
            2 => *coins = 5,
            _ => *coins += 1,
        }
        account.edit().owner().clone_from(owner);
        *account.edit().coins() = *coins;
        account.commit().await.expect("a commit");
    }

    async fn read_by_newer<S: Store>(&mut self, newer: &Kept<v2::Account, S>) {
        let mut account = self.load_by_newer(newer).await;
        account.edit_all();
        account.commit().await.expect("a commit");
    }

    async fn request_to_newer<S: Store>(&mut self, newer: &Kept<v2::Account, S>) {
        let mut account = self.load_by_newer(newer).await;
        self.change(&mut account);
        account.commit().await.expect("a commit");
        self.settle();
    }

    /// A handler of the older build has loaded the session, and then one of the newer build; whoever commits first,
    /// nothing is lost.
    async fn overlap<S: Store>(&mut self, older: &Kept<v1::Account, S>, newer: &Kept<v2::Account, S>) {
        let Stored::V1 { owner, coins } = self.stored.clone() else { return self.read_by_newer(newer).await };
        let mut late = older.load(&self.key).await.expect("it is not migrated");
        let mut account = self.load_by_newer(newer).await;
        *late.edit().coins() += 1;
        if self.random.random_range(0..10) > 0 {
            late.commit().await.expect("nobody was there before");
            self.stored = Stored::V1 { owner, coins: coins + 1 };
            // Only reads, so the session is not migrated.
            account.edit_all();
            account.commit().await.expect("a commit");
            return;
        }
        account.edit().currency().push_str("EUR");
        self.stored = Stored::V2 { owner, cents: coins * 100, currency: "EUR".to_owned() };
        account.commit().await.expect("nobody was there before");
        let refused = late.commit().await.expect_err("it is migrated");
        assert!(matches!(refused, Error::NewerVersion { stored: 2, supported: 1 }), "{refused:?}");
        assert_eq!(late.coins, coins + 1, "the handler keeps what it could not store");
        late.discard();
        self.load_by_newer(newer).await;
    }

    async fn load_by_newer<S: Store>(&self, newer: &Kept<v2::Account, S>) -> Handle<v2::Account> {
        let account = newer.load(&self.key).await.expect("the newer build reads both");
        let (owner, cents, currency) = self.stored.migrated();
        assert_eq!((&account.owner, account.cents, &account.currency), (&owner, cents, &currency));
        account
    }

    fn change(&mut self, account: &mut Handle<v2::Account>) {
        let before = self.stored.migrated();
        let (mut owner, mut cents, mut currency) = before.clone();
        match self.random.random_range(0..5) {
            0 => {}
            1 => owner = if owner.is_empty() { "Eve".to_owned() } else { String::new() },
            2 => cents += 1,
            3 => currency = if currency.is_empty() { "EUR".to_owned() } else { String::new() },
            _ => (owner, cents, currency) = (String::new(), 500, String::new()),
        }
        account.edit().owner().clone_from(&owner);
        *account.edit().cents() = cents;
        account.edit().currency().clone_from(&currency);
        if (&owner, cents, &currency) != (&before.0, before.1, &before.2) {
            self.stored = Stored::V2 { owner, cents, currency };
        }
    }

    /// A session that is back where it began is not stored, so no version has a claim on it.
    fn settle(&mut self) {
        if self.stored.is_initial() {
            self.stored = Stored::default();
        }
    }
}
