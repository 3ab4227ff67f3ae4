//! What the command line says.

use std::path::PathBuf;
use std::time::Duration;

use session_examples::duration;

pub(crate) const USAGE: &str = "\
usage: scripts/long-run [OPTION]...

Runs two shops on Redis and a bot on PostgreSQL under load, while servers and programs are killed, stopped and started
again, and checks that nothing acknowledged is lost and nothing is done twice. Writes report.md and charts.

  --for TIME       how long: 20s, 60m, 2h (20s)
  --seed NUMBER    decides which faults come when, and for how long (1)
  --visitors N     how many visitors are in the shop at a time (50)
  --chats N        how many chats the bot has at a time (16)
  --output FOLDER  where the report goes (target/long-run)";

#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) time: Duration,
    pub(crate) seed: u64,
    pub(crate) visitors: u64,
    pub(crate) chats: u64,
    /// The folder of the programs `web` and `bot`.
    pub(crate) programs: PathBuf,
    pub(crate) output: PathBuf,
}

impl Options {
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            time: Duration::from_secs(20),
            seed: 1,
            visitors: 50,
            chats: 16,
            programs: "target/release".into(),
            output: "target/long-run".into(),
        };
        while let Some(argument) = arguments.next() {
            let value = arguments.next().ok_or_else(|| format!("{argument} takes a value\n\n{USAGE}"))?;
            let wrong = || format!("{value} is no value of {argument}\n\n{USAGE}");
            let number = || value.parse().map_err(|_| wrong());
            match &*argument {
                "--for" => options.time = duration::parse(&value).ok_or_else(wrong)?,
                "--seed" => options.seed = number()?,
                "--visitors" => options.visitors = number()?,
                "--chats" => options.chats = number()?,
                "--programs" => options.programs = value.into(),
                "--output" => options.output = value.into(),
                _ => return Err(format!("{argument} is no option\n\n{USAGE}")),
            }
        }
        Ok(options)
    }
}
