//! Each user meets both builds in turn and at once, and sees what the model says.

use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use session_runtime::Handle;
use session_runtime::store::{Housekeeping, Store};
use session_tests::{Kept, Shared, is_stored, stored};

use crate::builds::{Build, NAME, Part, State, newer, older, start};

/// How many users there are, and each one's requests.
const USERS: u64 = 16;
const REQUESTS: usize = 200;

/// The instances of both builds.
struct Fleet<S> {
    store: S,
    older: Kept<older::Visitor, Shared<S>>,
    newer: Kept<newer::Visitor, Shared<S>>,
}

impl<S: Store> Fleet<S> {
    fn restart(&mut self, random: &mut SmallRng) {
        if random.random() {
            self.older = start(&self.store);
        } else {
            self.newer = start(&self.store);
        }
    }
}

pub async fn run<S: Housekeeping>(store: S) {
    let older = start::<older::Visitor, _>(&store);
    older.prepare().await.expect("the older build was there first");
    let users: Vec<_> = (0..USERS)
        .map(|user| {
            let fleet = Fleet { store: store.clone(), older: older.clone(), newer: start(&store) };
            tokio::spawn(
                User { key: user.to_string(), state: State::default(), random: SmallRng::seed_from_u64(user) }
                    .go(fleet),
            )
        })
        .collect();
    for user in users {
        user.await.expect("no user saw another value");
    }
    let registrations = store.registrations().await.expect("a list").found;
    let names: Vec<_> = registrations.iter().flat_map(|known| &known.fields).map(|field| &*field.name).collect();
    assert_eq!(names, ["visits", "theme", "language", "coupon", "log", "prefs.font", "timezone"]);
}

/// A user, and the state that the session must show.
struct User {
    key: String,
    state: State,
    random: SmallRng,
}

impl User {
    async fn go<S: Store>(mut self, mut fleet: Fleet<S>) {
        for _ in 0..REQUESTS {
            match self.random.random_range(0..100) {
                0..2 => fleet.restart(&mut self.random),
                2..5 => self.destroy(&fleet).await,
                5..35 => self.overlap(&fleet).await,
                _ => self.request(&fleet).await,
            }
            let differs = self.state != State::default();
            assert_eq!(is_stored(&fleet.store, NAME, &self.key).await, differs, "stored if and only if it differs");
        }
        let fields = stored(&fleet.store, NAME, &self.key).await;
        let mut shown = State::default();
        for (name, value) in &fields {
            match name.as_str() {
                "visits" => shown.visits = value.parse().expect("a number"),
                "theme" => shown.theme = text(value),
                "language" => shown.language = text(value),
                "coupon" => shown.coupon = Some(text(value)),
                "log" => shown.log = serde_json::from_str(value).expect("a list"),
                "prefs.font" => shown.font = value.parse().expect("a number"),
                "timezone" => shown.timezone = text(value),
                name => panic!("nobody stores `{name}`"),
            }
        }
        assert_eq!(shown, self.state);
    }

    async fn request<S: Store>(&mut self, fleet: &Fleet<S>) {
        if self.random.random() { self.request_to(&fleet.older).await } else { self.request_to(&fleet.newer).await }
    }

    async fn request_to<B: Build, S: Store>(&mut self, sessions: &Kept<B, S>) {
        let mut session = self.load(sessions).await;
        let before = self.state.clone();
        self.change(&mut session);
        assert_eq!(seen(&session, &self.state), self.state);
        let changed = self.state != before;
        let committed = session.commit().await.expect("a commit");
        assert_eq!(!committed.fields().is_empty(), changed, "from {before:?} to {:?}", self.state);
    }

    async fn overlap<S: Store>(&mut self, fleet: &Fleet<S>) {
        let Fleet { older, newer, .. } = fleet;
        match self.random.random_range(0..3) {
            0 => self.overlap_of(older, newer).await,
            1 => self.overlap_of(newer, older).await,
            _ => self.overlap_of(newer, newer).await,
        }
    }

    /// Two handlers start from the same session; the second commits first.
    async fn overlap_of<A: Build, B: Build, S: Store>(&mut self, one: &Kept<A, S>, other: &Kept<B, S>) {
        let base = self.state.clone();
        let mut first = self.load(one).await;
        let mut second = self.load(other).await;
        self.change(&mut first);
        let mine = std::mem::replace(&mut self.state, base.clone());
        self.change(&mut second);
        second.commit().await.expect("nobody was there before");
        let theirs = self.state.clone();
        self.state = merged(&base, &mine, theirs);
        first.commit().await.expect("it goes on top");
        // A handler that changed nothing did not ask the store, and goes on seeing what it loaded.
        let shown = if mine == base { &base } else { &self.state };
        assert_eq!(seen(&first, shown), *shown, "a handler that changed something sees both changes");
        self.load(one).await;
        self.load(other).await;
    }

    async fn destroy<S: Store>(&mut self, fleet: &Fleet<S>) {
        if self.random.random() {
            self.load(&fleet.older).await.destroy().await.expect("an end");
        } else {
            self.load(&fleet.newer).await.destroy().await.expect("an end");
        }
        self.state = State::default();
    }

    async fn load<B: Build, S: Store>(&self, sessions: &Kept<B, S>) -> Handle<B> {
        let session = sessions.load(&self.key).await.expect("a load");
        assert_eq!(seen(&session, &self.state), self.state, "user {}", self.key);
        session
    }

    /// Changes some parts of the session, and what it must show.
    fn change<B: Build>(&mut self, session: &mut Handle<B>) {
        for _ in 0..self.random.random_range(0..3) {
            let part = *Part::ALL.choose(&mut self.random).expect("parts");
            let mut next = self.state.clone();
            self.draw(part, &mut next);
            B::set(session, part, &next);
            // Builds leave alone what they do not know.
            session.show(&mut self.state);
        }
    }

    fn draw(&mut self, part: Part, state: &mut State) {
        let random = &mut self.random;
        let mut word = |words: &[&str]| (*words.choose(random).expect("words")).to_owned();
        match part {
            Part::Visits => state.visits += 1,
            Part::Theme => state.theme = word(&["light", "dark", "blue"]),
            Part::Language => state.language = word(&["en", "de", "fr"]),
            Part::Timezone => state.timezone = word(&["", "UTC", "CET"]),
            Part::Coupon => state.coupon = Some(word(&["", "half", "free"])).filter(|coupon| !coupon.is_empty()),
            Part::Font => state.font = 10 + 2 * random.random_range(0..3),
            Part::Log if state.log.len() > 8 => state.log.clear(),
            Part::Log => state.log.push(random.random_range(0..1000)),
        }
        // Now and then everything but the log goes back to where it began.
        if random.random_range(0..8) == 0 && part == Part::Visits {
            state.visits = 0;
        }
    }
}

/// What a user sees; `known` says the rest.
fn seen<B: Build>(session: &Handle<B>, known: &State) -> State {
    let mut seen = known.clone();
    session.show(&mut seen);
    seen
}

fn text(json: &str) -> String {
    serde_json::from_str(json).expect("a text")
}

/// What is to become of a session that two handlers changed: `theirs` is stored, and `mine` goes on top.
fn merged(base: &State, mine: &State, theirs: State) -> State {
    fn later<V: PartialEq + Clone>(base: &V, mine: &V, theirs: V) -> V {
        if mine == base { theirs } else { mine.clone() }
    }
    let log = match mine.log.strip_prefix(base.log.as_slice()) {
        Some(added) => [&theirs.log, added].concat(),
        None => mine.log.clone(),
    };
    State {
        // No user has so many visits that a difference is negative and does not fit.
        visits: (theirs.visits + mine.visits).saturating_sub(base.visits),
        theme: later(&base.theme, &mine.theme, theirs.theme),
        language: later(&base.language, &mine.language, theirs.language),
        font: later(&base.font, &mine.font, theirs.font),
        log,
        coupon: later(&base.coupon, &mine.coupon, theirs.coupon),
        timezone: later(&base.timezone, &mine.timezone, theirs.timezone),
    }
}
