//! Whether the tests notice each condition of the scripts that run inside of Redis and PostgreSQL: changes one place at
//! a time and runs the conformance suite, and on what that does not notice the tests that look into the engine.
//!
//! Nothing is built anew: a proxy in front of the server puts the changed script in place of what the store sends.
//!
//!     script_mutants redis|postgres [--list] [--quick] [--again] [PART]…
//!
//! judges those whose name has one of these parts; with `--quick` by the quick cases of the suite alone. What became of
//! each stands in `target/script-mutants` and is not asked again; `--again` asks again what survived.

use std::process::ExitCode;
use std::time::Instant;

use session_runtime::store::conformance::{CASES, Case};

use engine::{Engine, Stage, Verdict};
use memory::Memory;
use mutants::Mutant;

mod engine;
mod in_front;
mod memory;
mod mutants;
mod mutate;
mod proxy;
mod tokens;

#[tokio::main(worker_threads = 4)]
async fn main() -> ExitCode {
    if let Some(code) = in_front::serve() {
        return code;
    }
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut has = |flag| {
        let before = arguments.len();
        arguments.retain(|argument| argument != flag);
        arguments.len() < before
    };
    let (is_list, is_quick, is_again) = (has("--list"), has("--quick"), has("--again"));
    let Some(mut engine) = arguments.first().and_then(|name| Engine::start(name)) else {
        eprintln!("usage: script_mutants redis|postgres [--list] [--quick] [--again] [PART]…");
        return ExitCode::from(2);
    };
    let mut cases: Vec<&Case> = CASES.iter().collect();
    let statements = match engine.measure(&mut cases).await {
        Ok(statements) => statements,
        Err(case) => {
            eprintln!("without a change fails: {case}");
            return ExitCode::FAILURE;
        }
    };
    // From here on a case that fails is no news.
    std::panic::set_hook(Box::new(|_| {}));
    let parts = &arguments[1..];
    let mut mutants = engine.mutants(&statements);
    mutants.retain(|mutant| parts.is_empty() || parts.iter().any(|part| mutant.name.contains(part)));
    if is_list {
        for mutant in &mutants {
            println!("{}", mutant.name);
        }
        return ExitCode::SUCCESS;
    }
    let mut memory = Memory::of(engine.name());
    if is_again {
        for mutant in &mutants {
            memory.forget_survivor(&mutant.name);
        }
    }
    let last = if is_quick { Stage::Quick } else { Stage::Slow };
    let equivalent = mutants::equivalent(engine.name());
    if parts.is_empty() {
        let known = |name: &str| mutants.iter().any(|mutant| mutant.name == name);
        for name in equivalent.iter().filter(|name| !known(name)) {
            println!("listed as equivalent, but there is no such change: {name}");
        }
    }
    let mut judged = mutants.clone();
    judged.retain(|mutant| !equivalent.contains(&&*mutant.name));
    judge(&mut engine, cases, &judged, last, &mut memory).await;
    if report(engine.name(), mutants.len(), &judged, &memory) == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Asks one stage after the other what it notices.
async fn judge(engine: &mut Engine, mut cases: Vec<&Case>, mutants: &[Mutant], last: Stage, memory: &mut Memory) {
    let mut slow = cases.split_off(cases.len() * 9 / 10);
    for stage in Stage::ALL.into_iter().filter(|stage| *stage <= last) {
        let is_left = |mutant: &&Mutant| match memory.of_change(&mutant.name) {
            None => true,
            Some(Verdict::Survived(before)) => *before < stage,
            Some(_) => false,
        };
        let left: Vec<&Mutant> = mutants.iter().filter(is_left).collect();
        for (number, mutant) in left.iter().enumerate() {
            let begin = Instant::now();
            let asked = if stage == Stage::Quick { &mut cases } else { &mut slow };
            let verdict = engine.judge(mutant, stage, asked).await;
            let seconds = begin.elapsed().as_secs_f32();
            println!("{}/{} {seconds:.1} s {verdict}: {}", number + 1, left.len(), mutant.name);
            memory.put(&mutant.name, verdict);
        }
    }
}

/// Says what became of all, and how many survived.
fn report(engine: &str, generated: usize, judged: &[Mutant], memory: &Memory) -> usize {
    let (mut invalid, mut caught, mut survived) = (0, 0, Vec::new());
    for mutant in judged {
        match memory.of_change(&mutant.name) {
            Some(Verdict::Invalid) => invalid += 1,
            Some(Verdict::Caught(_)) => caught += 1,
            Some(Verdict::Survived(stage)) => survived.push((&mutant.name, stage.name())),
            None => survived.push((&mutant.name, "nothing, for nothing was asked")),
        }
    }
    println!(
        "{engine}: {generated} changes, {invalid} refused by the engine, {caught} caught, {} equivalent, {} survived",
        generated - judged.len(),
        survived.len()
    );
    for (name, stage) in &survived {
        println!("survived {stage}: {name}");
    }
    survived.len()
}
