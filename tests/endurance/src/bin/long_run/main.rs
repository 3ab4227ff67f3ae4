//! The examples `web` and `bot` under load, while their servers and they themselves are killed, stopped and started
//! again. See [`options::USAGE`].

mod charts;
mod chat;
mod chats;
mod faults;
mod http;
mod ledger;
mod memory;
mod options;
mod place;
mod programs;
mod report;
mod schedule;
mod shopper;
mod visitors;

use std::error::Error;
use std::fs;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use session_examples::bot::BotApi;
use tokio::task::JoinSet;
use tokio::time::sleep;

use chats::Chats;
use ledger::Ledger;
use memory::Memory;
use options::Options;
use place::Place;
use programs::Ports;
use report::Found;
use visitors::Visitors;

#[tokio::main]
async fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(2);
        }
    };
    match run(&options).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("the run could not be made: {error}");
            ExitCode::from(2)
        }
    }
}

/// Whether all was well.
async fn run(options: &Options) -> Result<bool, Box<dyn Error>> {
    fs::create_dir_all(&options.output)?;
    let schedule = schedule::schedule(options.seed, options.time);
    eprintln!("seed {}; to come:", options.seed);
    for fault in &schedule {
        eprintln!("{:8.1} s  {fault}", fault.at.as_secs_f64());
    }
    let (api, ports) = (BotApi::start().await?, Arc::new(Ports::default()));
    let place = Arc::new(Place::start(options, &ports, &api)?);
    let ledger = Arc::new(Ledger::new());
    let visitors = Visitors::new(Arc::clone(&ledger), ports);
    let chats = Chats::new(Arc::clone(&ledger), api);
    let passing_on = tokio::spawn(Arc::clone(&chats).pass_on());

    let mut load = JoinSet::new();
    for number in 0..options.visitors {
        load.spawn(Arc::clone(&visitors).come(options.seed ^ (number << 32)));
    }
    for number in 0..options.chats {
        load.spawn(Arc::clone(&chats).come(options.seed ^ (number << 32)));
    }
    let faults = {
        let (place, ledger) = (Arc::clone(&place), Arc::clone(&ledger));
        tokio::spawn(async move { faults::carry_out(&schedule, &place, &ledger).await })
    };
    let memory = watch(options, &place, &ledger).await;
    let faults = faults.await?;
    let seconds = ledger.elapsed().as_secs_f64();
    ledger.end();
    load.join_all().await;
    for target in place.ended() {
        ledger.wrong(format!("{target} ended by itself"));
    }
    let (redis, seen) = (place.redis_holds(), ledger.seen());
    eprintln!("looking at what is stored");
    let (sessions, chats) = tokio::join!(visitors.check(), chats.check());
    passing_on.abort();
    let seen = ledger::Seen { wrong: ledger.seen().wrong, ..seen };
    let found = Found { seen, memory, faults, sessions, chats, redis, seconds };
    found.write(options)?;
    let (grew, wrong) = (found.grew(), found.seen.wrong.len());
    eprintln!("{sessions} sessions and {chats} chats looked at, {wrong} wrong; memory grew: {grew:?}");
    eprintln!("the report is {}", options.output.join("report.md").display());
    Ok(grew.is_empty() && wrong == 0)
}

/// Takes samples of the memory until the time is over, and says how it goes.
async fn watch(options: &Options, place: &Arc<Place>, ledger: &Ledger) -> Memory {
    let mut memory = Memory::new();
    let mut next = Duration::ZERO;
    while ledger.elapsed() < options.time {
        memory::sample(&mut memory, place, ledger.elapsed().as_secs_f64());
        if ledger.elapsed() >= next {
            next += Duration::from_secs(5);
            let (mut last, counts, wrong) = ledger.progress();
            last.sort_unstable_by(f32::total_cmp);
            let share = |share| charts::quantile(&last, share).unwrap_or_default();
            let count = |what| counts.get(what).copied().unwrap_or_default();
            eprintln!(
                "{:8.1} s  {} answers in 5 s, 50 % {:.1} ms, 99 % {:.1} ms; {} acts acknowledged, {} in doubt, {} messages, \
                 {} chats in doubt, {wrong} wrong",
                ledger.elapsed().as_secs_f64(),
                last.len(),
                share(500),
                share(990),
                count("acts acknowledged"),
                count("acts in doubt"),
                count("messages to the bot"),
                count("chats in doubt"),
            );
        }
        sleep(Duration::from_secs(2).min(options.time.saturating_sub(ledger.elapsed()))).await;
    }
    memory
}
