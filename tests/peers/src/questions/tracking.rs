//! What does it cost to know what changed, without any store?

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use session_peers_load::{Item, Visitor, filled};
use session_runtime::{Session, Tracked};
use structdiff::{Difference, StructDiff};

use crate::compare::Ratio;
use crate::say;

/// What one side takes for one thing.
#[derive(Serialize, Deserialize, Debug, Clone)]
pub struct Tracking {
    pub side: String,
    pub what: String,
    pub nanoseconds: f64,
    pub instructions: Option<f64>,
}

pub const SET: &str = "set a new value";
pub const CLEAN: &str = "collect, clean";
pub const BOTH: &str = "set and collect";
pub const VECTOR: &str = "vector of 32 borrowed, not changed, and collect";

/// The same with a vector of numbers.
pub const NUMBERS: &str = "vector of 32 numbers borrowed, not changed, and collect";

pub const LARGE: &str = "10 KB changed, found";
pub const LARGE_PATCH: &str = "10 KB changed, ready to be sent";
/// It is encoded to find that.
pub const LARGE_SAME: &str = "10 KB borrowed, not changed, found";
pub const LARGE_ENCODED: &str = "10 KB encoded by serde_json alone";

const COUNT: u32 = 200;

/// The function that callgrind counts, by its full name: patterns do not match it.
const COUNTED: &str = concat!(module_path!(), "::count_case");

struct Case {
    side: &'static str,
    what: &'static str,
    /// Does it so many times.
    run: Box<dyn FnMut(u32)>,
}

/// Nanoseconds of all cases, and their instructions if valgrind is there.
pub fn ask(folder: &Path, quick: bool) -> Vec<Tracking> {
    say!("tracking beside other crates");
    let counted = count(folder);
    let rounds = if quick { 5 } else { 15 };
    let timed = cases().into_iter().enumerate().map(|(place, mut case)| {
        (case.run)(10);
        let times = (0..rounds).map(|_| {
            let (started, mut done) = (Instant::now(), 0);
            while started.elapsed() < Duration::from_millis(5) {
                (case.run)(100);
                done += 100;
            }
            started.elapsed().as_nanos() as f64 / f64::from(done)
        });
        Tracking {
            side: case.side.to_owned(),
            what: case.what.to_owned(),
            nanoseconds: Ratio::of(times).least,
            instructions: counted.as_ref().and_then(|counted| counted.get(place).copied()),
        }
    });
    timed.collect()
}

/// Runs this program under callgrind, which writes a file per case.
fn count(folder: &Path) -> Option<Vec<f64>> {
    let folder = folder.join("callgrind");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).ok()?;
    let mut out = std::ffi::OsString::from("--callgrind-out-file=");
    out.push(folder.join("out"));
    let program = std::env::current_exe().ok()?;
    let status = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet"])
        .args([format!("--toggle-collect={COUNTED}"), format!("--dump-after={COUNTED}")])
        .arg(out)
        .arg(program)
        .arg("--count")
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status();
    if !status.is_ok_and(|status| status.success()) {
        say!("LEFT OUT: instructions; valgrind is not installed or failed");
        return None;
    }
    // Each case runs twice; the first run warms up what is done once.
    let file = |number: usize| -> PathBuf { folder.join(format!("out.{number}")) };
    let total = |number| {
        let text = std::fs::read_to_string(file(number)).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("totals: "))?;
        Some(line.split_whitespace().next()?.parse::<f64>().ok()? / f64::from(COUNT))
    };
    Some((0..cases().len()).map(|place| total(place * 2 + 2).unwrap_or(f64::NAN)).collect())
}

/// What `--count` does.
pub fn run_counted() {
    for mut case in cases() {
        count_case(&mut *case.run);
        count_case(&mut *case.run);
    }
}

#[inline(never)]
fn count_case(run: &mut dyn FnMut(u32)) {
    run(black_box(COUNT));
}

fn cases() -> Vec<Case> {
    let mut cases = ours();
    cases.extend(by_hand());
    cases.extend(by_tracker());
    cases.extend(by_trackr());
    cases.extend(by_clone());
    cases.extend(by_structdiff());
    cases
}

/// A case that repeats an expression on a state.
macro_rules! case {
    ($side:expr, $what:expr, $state:ident = $start:expr, $round:ident => $body:expr) => {{
        let mut $state = $start;
        let run = Box::new(move |count| {
            for $round in 0..count {
                let $state = black_box(&mut $state);
                $body;
            }
        });
        Case { side: $side, what: $what, run }
    }};
}

fn items() -> Vec<Item> {
    (0..32).map(|number| Item { sku: format!("A-{number}"), quantity: number }).collect()
}

fn start() -> Visitor {
    Visitor { cart: items(), ..filled(0) }
}

fn ours() -> Vec<Case> {
    const SIDE: &str = "session-runtime";
    fn tracked() -> Tracked<Visitor> {
        let mut tracked = Tracked::<Visitor>::new().expect("a session");
        *tracked.edit_all() = start();
        let patch = tracked.patch().expect("encodes");
        tracked.saved(&patch);
        tracked
    }
    vec![
        case!(SIDE, SET, state = tracked(), round => *state.edit().visits() = round),
        case!(SIDE, CLEAN, state = tracked(), _round => drop(black_box(state.dirty().expect("encodes")))),
        case!(SIDE, BOTH, state = tracked(), round => {
            *state.edit().visits() = round;
            let patch = state.patch().expect("encodes");
            state.saved(&patch);
        }),
        case!(SIDE, VECTOR, state = tracked(), _round => {
            black_box(state.edit().cart());
            drop(black_box(state.dirty().expect("encodes")));
        }),
        case!(SIDE, NUMBERS, state = numbers(), _round => {
            black_box(state.edit().numbers());
            drop(black_box(state.dirty().expect("encodes")));
        }),
        case!(SIDE, LARGE_SAME, state = large(), _round => drop(black_box(state.dirty().expect("encodes")))),
        case!(SIDE, LARGE, state = large_changed(), _round => drop(black_box(state.dirty().expect("encodes")))),
        case!(SIDE, LARGE_PATCH, state = large_changed(), _round => drop(black_box(state.patch().expect("encodes")))),
        case!(SIDE, LARGE_ENCODED, state = large(), _round => {
            drop(black_box(serde_json::to_vec(&state.cart).expect("encodes")));
        }),
    ]
}

#[derive(Session)]
struct Numbers {
    numbers: Vec<u32>,
}

fn numbers() -> Tracked<Numbers> {
    let mut tracked = Tracked::<Numbers>::new().expect("a session");
    *tracked.edit().numbers() = (0..32).collect();
    let patch = tracked.patch().expect("encodes");
    tracked.saved(&patch);
    tracked
}

/// A cart of 10 KB, borrowed.
fn large() -> Tracked<Visitor> {
    let mut tracked = Tracked::<Visitor>::new().expect("a session");
    *tracked.edit().cart() = (0..300).map(|number| Item { sku: format!("A-{number:05}"), quantity: number }).collect();
    let patch = tracked.patch().expect("encodes");
    tracked.saved(&patch);
    tracked.edit().cart();
    tracked
}

/// The same, of which one line has changed.
fn large_changed() -> Tracked<Visitor> {
    let mut tracked = large();
    if let Some(item) = tracked.edit().cart().last_mut() {
        item.quantity += 1;
    }
    tracked
}

/// What somebody who writes the tracking by hand would write: the limit that the derive is held to.
struct ByHand {
    visitor: Visitor,
    mask: u16,
}

impl ByHand {
    fn set_visits(&mut self, visits: u32) {
        self.mask |= 1;
        self.visitor.visits = visits;
    }

    fn cart(&mut self) -> &mut Vec<Item> {
        self.mask |= 1 << 3;
        &mut self.visitor.cart
    }

    fn collect(&mut self) -> u16 {
        std::mem::take(&mut self.mask)
    }
}

fn by_hand() -> Vec<Case> {
    const SIDE: &str = "mask by hand";
    let by_hand = || ByHand { visitor: start(), mask: 0 };
    vec![
        case!(SIDE, SET, state = by_hand(), round => state.set_visits(round)),
        case!(SIDE, CLEAN, state = by_hand(), _round => black_box(state.collect())),
        case!(SIDE, BOTH, state = by_hand(), round => {
            state.set_visits(round);
            black_box(state.collect());
        }),
        case!(SIDE, VECTOR, state = by_hand(), _round => {
            black_box(state.cart());
            black_box(state.collect());
        }),
    ]
}

mod for_tracker {
    use super::Item;

    #[tracker::track]
    #[derive(Default)]
    pub struct Small {
        pub visits: u32,
        pub theme: String,
        pub locale: String,
        pub cart: Vec<Item>,
        pub last_page: String,
        pub user: Option<u64>,
        pub flash: Option<String>,
        pub step: u8,
        pub score: f64,
        pub notes: String,
    }
}

fn by_tracker() -> Vec<Case> {
    use for_tracker::Small;
    const SIDE: &str = "tracker 0.2";
    let small = || {
        let mut small = Small::default();
        small.cart = items();
        small
    };
    vec![
        case!(SIDE, SET, state = small(), round => *state.get_mut_visits() = round),
        case!(SIDE, CLEAN, state = small(), _round => {
            black_box(state.changed(Small::track_all()));
            state.reset();
        }),
        case!(SIDE, BOTH, state = small(), round => {
            *state.get_mut_visits() = round;
            black_box(state.changed(Small::track_all()));
            state.reset();
        }),
        case!(SIDE, VECTOR, state = small(), _round => {
            black_box(state.get_mut_cart());
            black_box(state.changed(Small::track_all()));
            state.reset();
        }),
    ]
}

#[allow(dead_code, reason = "fields are there to be tracked, and the lint misses the generated uses")]
mod for_trackr {
    use super::Item;

    #[derive(trackr::Tracked, Default)]
    pub struct Small {
        #[track(flag)]
        flags: SmallFlags,
        pub visits: u32,
        pub theme: String,
        pub locale: String,
        pub cart: Vec<Item>,
        pub last_page: String,
        pub user: Option<u64>,
        pub flash: Option<String>,
        pub step: u8,
        pub score: f64,
        pub notes: String,
    }
}

fn by_trackr() -> Vec<Case> {
    use for_trackr::Small;
    use trackr::TrackedStruct;
    const SIDE: &str = "trackr 0.3";
    let small = || {
        let mut small = Small::default();
        small.cart = items();
        small
    };
    vec![
        case!(SIDE, SET, state = small(), round => *state.visits_mut() += round),
        case!(SIDE, CLEAN, state = small(), _round => black_box(state.take_updates())),
        case!(SIDE, BOTH, state = small(), round => {
            *state.visits_mut() += round;
            black_box(state.take_updates());
        }),
        case!(SIDE, VECTOR, state = small(), _round => {
            black_box(&mut **state.cart_mut());
            black_box(state.take_updates());
        }),
    ]
}

/// A copy from before, compared field by field.
struct Copied {
    before: Visitor,
    now: Visitor,
}

impl Copied {
    fn collect(&mut self) -> u16 {
        let (before, now) = (&self.before, &self.now);
        let differ = [
            before.visits != now.visits,
            before.theme != now.theme,
            before.locale != now.locale,
            before.cart != now.cart,
            before.last_page != now.last_page,
            before.user != now.user,
            before.flash != now.flash,
            before.step != now.step,
            before.score.to_bits() != now.score.to_bits(),
            before.notes != now.notes,
        ];
        let mask = differ.iter().rev().fold(0, |mask, differs| mask << 1 | u16::from(*differs));
        if mask != 0 {
            self.before = self.now.clone();
        }
        mask
    }
}

fn by_clone() -> Vec<Case> {
    const SIDE: &str = "clone and compare";
    let copied = || Copied { before: start(), now: start() };
    vec![
        case!(SIDE, SET, state = copied(), round => state.now.visits = round),
        case!(SIDE, CLEAN, state = copied(), _round => black_box(state.collect())),
        case!(SIDE, BOTH, state = copied(), round => {
            state.now.visits = round;
            black_box(state.collect());
        }),
        case!(SIDE, VECTOR, state = copied(), _round => {
            black_box(&mut state.now.cart);
            black_box(state.collect());
        }),
        case!(SIDE, NUMBERS, state = [(0..32).collect::<Vec<u32>>(), (0..32).collect()], _round => {
            black_box(&mut state[1]);
            black_box(state[0] != state[1]);
        }),
    ]
}

#[derive(Difference, Clone, PartialEq, Debug)]
struct Diffed {
    visits: u32,
    theme: String,
    locale: String,
    cart: Vec<Item>,
    last_page: String,
    user: Option<u64>,
    flash: Option<String>,
    step: u8,
    score: f64,
    notes: String,
}

struct Both {
    before: Diffed,
    now: Diffed,
}

impl Both {
    fn collect(&mut self) {
        let differences = self.before.diff(&self.now);
        if !differences.is_empty() {
            self.before = self.before.clone().apply(differences);
        }
    }
}

fn by_structdiff() -> Vec<Case> {
    const SIDE: &str = "structdiff 0.7";
    let both = || {
        let Visitor { visits, theme, locale, cart, last_page, user, flash, step, score, notes } = start();
        let before = Diffed { visits, theme, locale, cart, last_page, user, flash, step, score, notes };
        Both { now: before.clone(), before }
    };
    vec![
        case!(SIDE, SET, state = both(), round => state.now.visits = round),
        case!(SIDE, CLEAN, state = both(), _round => state.collect()),
        case!(SIDE, BOTH, state = both(), round => {
            state.now.visits = round;
            state.collect();
        }),
        case!(SIDE, VECTOR, state = both(), _round => {
            black_box(&mut state.now.cart);
            state.collect();
        }),
    ]
}
