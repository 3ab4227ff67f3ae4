//! A million sessions on each engine: stored, listed, counted, found, migrated and purged, with the time and the memory
//! that it took.

mod engines;
mod keys;
mod steps;

use std::process::ExitCode;
use std::time::Instant;

use session_endurance::resident;

use engines::{Engine, NAMES};
use steps::{Failure, Million};

const USAGE: &str = "\
usage: scripts/million [OPTION]...

Stores, lists, counts, finds, migrates and purges sessions, looks at each result, and says how long it took and how
much memory. The engines do not wait for the disk.

  --sessions N     how many (1000000)
  --on ENGINES     on which: sqlite, redis, postgresql, separated by commas (all)";

#[tokio::main]
async fn main() -> ExitCode {
    let (count, engines) = match options(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(message) => {
            eprintln!("{message}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    println!("| engine | step | sessions | seconds | per second | most memory here | the engine takes |");
    println!("|---|---|---:|---:|---:|---:|---|");
    for name in engines {
        if let Err(error) = on(&name, count).await {
            eprintln!("{name}: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// How many sessions, and on which engines.
fn options(mut arguments: impl Iterator<Item = String>) -> Result<(u32, Vec<String>), String> {
    let (mut count, mut engines) = (1_000_000, NAMES.map(str::to_owned).to_vec());
    while let Some(argument) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{argument} takes a value"))?;
        match &*argument {
            // A user has ten.
            "--sessions" => count = value.parse::<u32>().map_err(|_| "how many?")?.next_multiple_of(10).max(10),
            "--on" => engines = value.split(',').map(str::to_owned).collect(),
            _ => return Err(format!("{argument} is no option")),
        }
    }
    match engines.iter().find(|name| !NAMES.contains(&name.as_str())) {
        Some(unknown) => Err(format!("{unknown} is no engine")),
        None => Ok((count, engines)),
    }
}

async fn on(name: &str, count: u32) -> Result<(), Failure> {
    let engine = Engine::start(name).ok_or("the engine cannot be started")?;
    let million = Million::new(engine.open().await?, count);
    let step = async |step: &str, begin: Instant, done: u32| {
        let seconds = begin.elapsed().as_secs_f64();
        let (rate, most, takes) = (f64::from(done) / seconds, resident::most(), engine.takes().await);
        println!("| {name} | {step} | {done} | {seconds:.1} | {rate:.0} | {most:.0} MB | {takes} |");
    };
    let mut begin = Instant::now();
    step("stored", begin, million.store().await?).await;
    begin = Instant::now();
    step("listed", begin, million.list().await?).await;
    begin = Instant::now();
    step("counted", begin, million.count().await?).await;
    begin = Instant::now();
    let (found, half, most) = million.find().await?;
    step(&format!("found by user: 50 % {half:.2} ms, 99 % {most:.2} ms"), begin, found).await;
    begin = Instant::now();
    step("migrated", begin, million.migrate().await?).await;
    begin = Instant::now();
    step("purged", begin, million.purge().await?).await;
    Ok(())
}
