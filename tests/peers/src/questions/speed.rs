//! How fast is a request, on each engine, alone and among others?

use session_peers_load::{Load, Side, Verb};
use session_runtime::store::Synchronous;

use crate::compare::{Comparison, compare};
use crate::engines::{Engine, Place, sqlite};
use crate::options::Effort;
use crate::say;

const FEW: u32 = 64;

/// Stores the sessions of a load on every side.
pub fn fill(sides: &mut [Box<dyn Side>], keys: std::ops::Range<u32>, untouched: usize) {
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
            for tasks in [1, 8, 32] {
                for verb in [Verb::Read, Verb::Change] {
                    let load = Load { verb, keys: keys.clone(), tasks, duration: effort.turn };
                    comparisons.push(compare(engine, &mut sides, &load, untouched, effort.rounds));
                }
            }
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
