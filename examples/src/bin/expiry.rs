//! `expiry [--log FILE]… [--minutes N] [--store memory|sqlite:PATH]`: replays traffic with sessions that end after
//! some time without use, and shows how many renewals that takes and that none ends earlier than the rule allows.
//!
//! Its status is 0 when every session lived as long as promised, 1 when one did not, and 2 when the replay could not
//! be carried out.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{ArgAction, ArgMatches, Command, value_parser};
use session_examples::command_line::{explain, option};
use session_examples::expiry::{Report, play};
use session_examples::replay::generate::Distribution;
use session_examples::replay::log::Traffic;
use session_examples::replay::stores::Place;

#[tokio::main]
async fn main() -> ExitCode {
    match run(command().get_matches()).await {
        Ok(report) => {
            print!("{report}");
            ExitCode::from(u8::from(!report.is_kept()))
        }
        Err(error) => {
            eprintln!("error: {}", explain(&*error));
            ExitCode::from(2)
        }
    }
}

async fn run(mut options: ArgMatches) -> Result<Report, Box<dyn Error>> {
    let logs: Vec<PathBuf> = options.remove_many("log").into_iter().flatten().collect();
    let minutes = options.remove_one("minutes").map_or(30, |minutes: u32| minutes.into());
    let place: Place = options.remove_one("store").unwrap_or_default();
    let traffic = if logs.is_empty() { Distribution::default().traffic() } else { Traffic::read(&logs)? };
    let ttl = Duration::from_secs(60 * minutes);
    Ok(Report {
        requests: traffic.requests.len(),
        clients: traffic.clients.len(),
        minutes,
        by_a_tenth: play(&traffic, place.connect().await?, ttl, 0.1).await?,
        always: play(&traffic, place.connect().await?, ttl, 0.0).await?,
    })
}

fn command() -> Command {
    Command::new("expiry")
        .about("Replays traffic with sessions that end after some time without use, and shows how long each lived")
        .arg(
            option("log", "FILE", value_parser!(PathBuf))
                .action(ArgAction::Append)
                .help("A log to replay, as `replay` reads it; can be given several times [default: generated traffic]"),
        )
        .arg(
            option("minutes", "N", value_parser!(u32).range(1..))
                .default_value("30")
                .help("After how many minutes without use a session ends"),
        )
        .arg(
            option("store", "memory|sqlite:PATH", str::parse::<Place>)
                .default_value("memory")
                .help("Where the sessions are kept"),
        )
}
