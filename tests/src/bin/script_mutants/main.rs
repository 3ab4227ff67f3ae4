//! Whether the tests notice each condition of the scripts that run inside of Redis and PostgreSQL: changes one place at
//! a time and runs the conformance suite, and on what that does not notice PostgreSQL's tests that look into the tables.
//!
//! Nothing is built anew: a proxy in front of the server puts the changed script in place of what the store sends.
//!
//!     script_mutants redis|postgres [--list] [--quick] [PART]…
//!
//! judges those whose name has one of these parts; with `--quick` by the quick cases of the suite alone.

use std::process::ExitCode;
use std::time::Instant;

use session_runtime::store::conformance::{CASES, Case};

use engine::{Engine, Verdict};
use mutants::Mutant;

mod engine;
mod mutants;
mod mutate;
mod proxy;
mod tokens;

#[tokio::main(worker_threads = 4)]
async fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut has = |flag| {
        let before = arguments.len();
        arguments.retain(|argument| argument != flag);
        arguments.len() < before
    };
    let (is_list, is_quick) = (has("--list"), has("--quick"));
    let Some(mut engine) = arguments.first().and_then(|name| Engine::start(name, !is_quick)) else {
        eprintln!("usage: script_mutants redis|postgres [--list] [--quick] [PART]…");
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
    if is_quick {
        cases.truncate(cases.len() * 9 / 10);
    }
    let parts = &arguments[1..];
    let mut mutants = engine.mutants(&statements);
    mutants.retain(|mutant| parts.is_empty() || parts.iter().any(|part| mutant.name.contains(part)));
    if is_list {
        for mutant in &mutants {
            println!("{}", mutant.name);
        }
        return ExitCode::SUCCESS;
    }
    let survived = judge(&mut engine, &mut cases, &mutants, parts.is_empty()).await;
    if survived == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Judges all, and says how many survived.
async fn judge(engine: &mut Engine, cases: &mut Vec<&Case>, mutants: &[Mutant], is_whole: bool) -> usize {
    let equivalent = mutants::equivalent(engine.name());
    let (mut invalid, mut caught, mut unnoticeable, mut survived) = (0, 0, 0, Vec::new());
    for (number, mutant) in mutants.iter().enumerate() {
        let begin = Instant::now();
        let verdict =
            if equivalent.contains(&&*mutant.name) { Verdict::Equivalent } else { engine.judge(mutant, cases).await };
        let seconds = begin.elapsed().as_secs_f32();
        println!("{}/{} {seconds:.1} s {verdict}: {}", number + 1, mutants.len(), mutant.name);
        match verdict {
            Verdict::Invalid => invalid += 1,
            Verdict::Equivalent => unnoticeable += 1,
            Verdict::Caught(_) => caught += 1,
            Verdict::Survived => survived.push(&mutant.name),
        }
    }
    let judged = mutants.len() - invalid;
    println!(
        "{}: {judged} changes, {caught} caught, {unnoticeable} equivalent, {} survived",
        engine.name(),
        survived.len()
    );
    for name in &survived {
        println!("survived: {name}");
    }
    let known = |name: &str| mutants.iter().any(|mutant| mutant.name == name);
    for name in equivalent.iter().filter(|name| is_whole && !known(name)) {
        println!("listed as equivalent, but there is no such change: {name}");
    }
    survived.len()
}
