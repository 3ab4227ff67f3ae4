//! Visitors of the shops. Each keeps what was acknowledged, and looks whether it is there.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::http::{Answer, Response, send};
use crate::ledger::Ledger;
use crate::programs::Ports;
use crate::shopper::{Act, Shown, TEAS};

/// What visitors share.
#[derive(Debug)]
pub(crate) struct Visitors {
    ledger: Arc<Ledger>,
    ports: Arc<Ports>,
    /// Sessions to look at when all is over, each with what it can be.
    left: Mutex<Vec<Left>>,
    names: AtomicU64,
}

/// A token, and what its holder may find.
#[derive(Debug, Clone)]
struct Left {
    token: String,
    possible: Vec<Shown>,
}

/// What an act came to.
enum Done {
    Acknowledged,
    /// Nobody answered, or with an error of the server: it was done once, or not.
    InDoubt,
}

impl Visitors {
    pub(crate) fn new(ledger: Arc<Ledger>, ports: Arc<Ports>) -> Arc<Self> {
        Arc::new(Self { ledger, ports, left: Mutex::default(), names: AtomicU64::new(1) })
    }

    /// Visitors come one after the other until the run is over.
    pub(crate) async fn come(self: Arc<Self>, seed: u64) {
        let mut random = StdRng::seed_from_u64(seed);
        while !self.ledger.is_over() {
            let name = format!("v{}", self.names.fetch_add(1, Ordering::Relaxed));
            let steps = random.random_range(20..400);
            let visitor = Visitor { all: &self, random: &mut random, name, token: None, shown: Shown::default() };
            visitor.stay(steps).await;
        }
    }

    fn leave(&self, token: String, possible: Vec<Shown>) {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).push(Left { token, possible });
    }

    /// Sends a request to one of the shops, and to the other one if nobody listens there.
    async fn send(&self, shop: usize, path: &str, token: Option<&str>, form: Option<&str>) -> Option<Response> {
        for shop in [shop, 1 - shop] {
            let began = Instant::now();
            match send(self.ports.of(shop), path, token, form).await {
                Answer::NotSent => self.ledger.count("requests to a shop that was down"),
                Answer::Lost => {
                    self.ledger.count("requests without an answer");
                    return None;
                }
                Answer::Got(response) => {
                    self.ledger.shop_answered(began.elapsed());
                    self.ledger.count("requests answered");
                    return Some(response);
                }
            }
        }
        None
    }

    /// What a page shows to the holder of a token; nothing if the shop cannot say.
    async fn look(&self, shop: usize, token: Option<&str>) -> Option<Shown> {
        let response = self.send(shop, "/basket", token, None).await?;
        if response.status >= 500 {
            self.ledger.count("requests answered with an error");
            return None;
        }
        let shown = Shown::read(&response.body).filter(|_| response.status == 200);
        if shown.is_none() {
            self.ledger.wrong(format!("a basket that cannot be read, with the status {}", response.status));
        }
        shown
    }

    /// Looks at everything that is left: how many sessions were looked at.
    pub(crate) async fn check(self: Arc<Self>) -> usize {
        let left = self.left.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (count, turns) = (left.len(), Arc::new(Semaphore::new(8)));
        let mut looks = JoinSet::new();
        for (number, session) in left.into_iter().enumerate() {
            let (all, turns) = (Arc::clone(&self), Arc::clone(&turns));
            looks.spawn(async move {
                let _turn = turns.acquire().await;
                match all.look(number % 2, Some(&session.token)).await {
                    None => all.ledger.wrong("a session that cannot be looked at in the end".to_owned()),
                    Some(shown) if session.possible.contains(&shown) => {}
                    Some(shown) => all.ledger.wrong(format!("in the end {shown:?}, and not {:?}", session.possible)),
                }
            });
        }
        looks.join_all().await;
        count
    }
}

/// One visitor, whose session is known exactly.
struct Visitor<'a> {
    all: &'a Visitors,
    random: &'a mut StdRng,
    name: String,
    token: Option<String>,
    shown: Shown,
}

impl Visitor<'_> {
    async fn stay(mut self, steps: u32) {
        for _ in 0..steps {
            sleep(Duration::from_millis(self.random.random_range(100..500))).await;
            if self.all.ledger.is_over() {
                break;
            }
            if !self.step().await {
                return;
            }
        }
        // Some go without logging out.
        if self.all.ledger.is_over() || self.random.random_bool(0.3) {
            if let Some(token) = self.token {
                self.all.leave(token, vec![self.shown]);
            }
        } else if self.random.random_bool(0.5) {
            self.log_out_while_it_is_busy().await;
        } else {
            self.act(&Act::Logout).await;
        }
    }

    /// Whether the session is still known exactly.
    async fn step(&mut self) -> bool {
        let tea = self.random.random_range(0..TEAS.len());
        let act = match self.random.random_range(0..100) {
            0..50 => return self.look().await,
            50..58 if self.shown.user.is_some() => return self.overlap(tea).await,
            58..64 => Act::Theme(!self.shown.dark),
            64..72 => Act::Remove(tea),
            72..76 if self.shown.user.is_none() => Act::Login(self.name.clone()),
            _ => Act::Add(tea),
        };
        self.act(&act).await
    }

    /// Pages show what was acknowledged.
    async fn look(&mut self) -> bool {
        let shop = self.random.random_range(0..2);
        let Some(shown) = self.all.look(shop, self.token.as_deref()).await else {
            sleep(Duration::from_millis(200)).await;
            return true;
        };
        self.all.ledger.count("looks");
        if shown == self.shown {
            return true;
        }
        self.all.ledger.wrong(format!("{}: a page shows {shown:?}, and not {:?}", self.name, self.shown));
        false
    }

    async fn act(&mut self, act: &Act) -> bool {
        let shop = self.random.random_range(0..2);
        let (done, cookie) = self.attempt(shop, act).await;
        match done {
            Done::InDoubt => {
                if let Some(token) = self.token.take() {
                    self.all.leave(token, act.in_doubt(&self.shown));
                }
                false
            }
            Done::Acknowledged => {
                self.shown = act.on(&self.shown);
                self.take(cookie).await;
                true
            }
        }
    }

    /// Another token comes with a login, none is left after a logout, and the one before opens nothing any more.
    async fn take(&mut self, cookie: Option<String>) {
        let Some(cookie) = cookie else { return };
        let before = self.token.take();
        self.token = Some(cookie).filter(|cookie| !cookie.is_empty());
        if let Some(before) = before.filter(|before| self.token.as_ref() != Some(before)) {
            self.is_dead(before).await;
        }
    }

    async fn is_dead(&mut self, token: String) {
        let shop = self.random.random_range(0..2);
        match self.all.look(shop, Some(&token)).await {
            Some(shown) if shown != Shown::default() => {
                self.all.ledger.wrong(format!("{}: a token that ended shows {shown:?}", self.name));
            }
            _ => self.all.leave(token, vec![Shown::default()]),
        }
    }

    async fn attempt(&self, shop: usize, act: &Act) -> (Done, Option<String>) {
        let (path, form) = act.request();
        let Some(response) = self.all.send(shop, path, self.token.as_deref(), Some(&form)).await else {
            self.all.ledger.count("acts in doubt");
            return (Done::InDoubt, None);
        };
        match response.status {
            303 => {
                self.all.ledger.count("acts acknowledged");
                return (Done::Acknowledged, response.cookie);
            }
            500.. => self.all.ledger.count("requests answered with an error"),
            status => self.all.ledger.wrong(format!("{}: {act:?} was answered with {status}", self.name)),
        }
        self.all.ledger.count("acts in doubt");
        (Done::InDoubt, None)
    }

    /// Two requests at once, one to each shop, that change different fields: both are stored.
    async fn overlap(&mut self, tea: usize) -> bool {
        let acts = [Act::Add(tea), Act::Theme(!self.shown.dark)];
        let shop = self.random.random_range(0..2);
        let done = tokio::join!(self.attempt(shop, &acts[0]), self.attempt(1 - shop, &acts[1]));
        self.all.ledger.count("overlapping acts");
        let mut possible = vec![self.shown.clone()];
        for (act, (done, _)) in acts.iter().zip([done.0, done.1]) {
            possible = match done {
                Done::Acknowledged => possible.iter().map(|shown| act.on(shown)).collect(),
                Done::InDoubt => possible.iter().flat_map(|shown| act.in_doubt(shown)).collect(),
            };
        }
        match (&*possible, &self.token) {
            ([shown], _) => {
                self.shown = shown.clone();
                true
            }
            (_, Some(token)) => {
                self.all.leave(token.clone(), possible);
                false
            }
            (_, None) => false,
        }
    }

    /// A request is under way while the session ends: nothing brings it back.
    async fn log_out_while_it_is_busy(mut self) {
        let Some(token) = self.token.clone() else { return };
        let shop = self.random.random_range(0..2);
        let (path, form) = Act::Add(0).request();
        let (ended, _) =
            tokio::join!(self.attempt(shop, &Act::Logout), self.all.send(1 - shop, path, Some(&token), Some(&form)));
        self.all.ledger.count("overlapping acts");
        match ended.0 {
            Done::Acknowledged => self.is_dead(token).await,
            Done::InDoubt => {
                let possible = vec![self.shown.clone(), Act::Add(0).on(&self.shown), Shown::default()];
                self.all.leave(token, possible);
            }
        }
    }
}
