//! How fast is a request, on each engine, alone and among others?

use std::ops::Range;

use session_peers_load::{Load, Side, Verb};
use session_runtime::store::Synchronous;

use crate::compare::{Comparison, compare};
use crate::engines::{Engine, Place, sqlite};
use crate::options::Effort;
use crate::processes::Apart;
use crate::say;

const FEW: u32 = 64;

/// The first of the sessions that servers keep which are apart from their clients.
const APART: u32 = 9_000_000;

/// Stores the sessions of a load on every side.
pub fn fill(sides: &mut [Box<dyn Side>], keys: Range<u32>, untouched: usize) {
    let load =
        Load { verb: Verb::Fill(untouched), tasks: 16.min(keys.end - keys.start), keys, duration: Default::default() };
    for side in sides {
        side.run(&load);
    }
}

/// Reads and changes at 1, 8 and 32 tasks, with small and with large sessions.
pub fn requests(engines: &[Engine], place: &Place, effort: &Effort) -> Vec<Comparison> {
    let mut comparisons = Vec::new();
    for engine in engines {
        let mut sides = engine.sides(place);
        for (number, untouched) in (1..).zip(effort.untouched(engine)) {
            say!("requests on {}, {untouched} untouched bytes", engine.name());
            let first = number * 1_000_000;
            let keys = first..first + FEW;
            fill(&mut sides, keys.clone(), untouched);
            comparisons.extend(among_others(engine, &mut sides, keys, untouched, effort));
        }
    }
    comparisons
}

/// The same of small sessions while the server has a processor for itself and its clients another one. Where they share
/// all processors, the system decides which of them waits, and that differs from round to round.
pub fn apart(engines: &[Engine], place: &Place, effort: &Effort) -> Vec<Comparison> {
    let mut comparisons = Vec::new();
    for engine in engines.iter().filter(|engine| engine.address().is_some()) {
        let Some(_apart) = Apart::put(engine.processes()) else {
            say!("LEFT OUT: requests on {} with a processor for each; it takes two, and taskset", engine.name());
            continue;
        };
        say!("requests on {}, a processor for the server and one for its clients", engine.name());
        let mut sides = engine.sides(place);
        let keys = APART..APART + FEW;
        fill(&mut sides, keys.clone(), 0);
        comparisons.extend(among_others(engine, &mut sides, keys, 0, effort));
    }
    comparisons
}

fn among_others(
    engine: &Engine,
    sides: &mut [Box<dyn Side>],
    keys: Range<u32>,
    untouched: usize,
    effort: &Effort,
) -> Vec<Comparison> {
    let mut comparisons = Vec::new();
    for tasks in [1, 8, 32] {
        for verb in [Verb::Read, Verb::Change] {
            let load = Load { verb, keys: keys.clone(), tasks, duration: effort.turn };
            comparisons.push(compare(engine, sides, &load, untouched, effort.rounds));
        }
    }
    comparisons
}

/// Five reads to three changes of many sessions, of which few are busy, by 32 tasks.
pub fn crowd(engines: &[Engine], place: &Place, effort: &Effort) -> Vec<Comparison> {
    let mut comparisons = Vec::new();
    for engine in engines {
        let sessions = if matches!(engine, Engine::Memory) { 100_000 } else { effort.crowd };
        say!("a crowd of {sessions} sessions on {}", engine.name());
        let mut sides = engine.sides(place);
        fill(&mut sides, 0..sessions, 0);
        let load = Load { verb: Verb::Mix, keys: 0..sessions, tasks: 32, duration: effort.turn * 3 };
        comparisons.push(compare(engine, &mut sides, &load, 0, effort.rounds));
    }
    comparisons
}

/// 32 tasks that only write, on SQLite that waits for the disk.
pub fn writers(place: &Place, effort: &Effort) -> Comparison {
    say!("32 writers on SQLite, synchronous = FULL");
    let mut sides = sqlite(place, Synchronous::Full);
    fill(&mut sides, 0..FEW, 0);
    let load = Load { verb: Verb::Write, keys: 0..FEW, tasks: 32, duration: effort.turn * 6 };
    compare(&Engine::Sqlite, &mut sides, &load, 0, effort.rounds.min(5))
}
