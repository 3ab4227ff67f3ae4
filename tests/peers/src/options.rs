//! What the command line says.

use std::path::PathBuf;
use std::time::Duration;

use crate::engines::Engine;

pub const USAGE: &str = "\
usage: scripts/bench [OPTION]...

Compares session-runtime with its peers and writes report.md, report.json and charts.

  --quick          everything, in at most three minutes
  --million        growth up to a million sessions
  --builds         clean builds of each side too, and what the derive costs; takes half an hour
  --log PATH       replays a log beside the generated traffic; can be repeated
  --only WORDS     asks only these questions, separated by commas:
                   calls, traffic, bots, speed, apart, crowd, writers, wire, users, layer, lines, waste,
                   growth, tracking, allocations, build
  --on ENGINES     on these engines only: memory, sqlite, redis, postgresql
  --add            keeps what the report in the folder says of questions that are not asked now
  --output FOLDER  where the report goes (target/bench)";

#[derive(Debug, Default)]
pub struct Options {
    pub quick: bool,
    pub million: bool,
    pub builds: bool,
    pub logs: Vec<PathBuf>,
    only: Option<Vec<String>>,
    on: Option<Vec<String>>,
    pub add: bool,
    pub output: PathBuf,
    pub sqlx: Option<PathBuf>,
    /// Runs the cases of the question `tracking` once each, for callgrind to count.
    pub count: bool,
}

impl Options {
    pub fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self { output: "target/bench".into(), ..Self::default() };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{argument} takes a value\n\n{USAGE}"));
            match &*argument {
                "--quick" => options.quick = true,
                "--million" => options.million = true,
                "--builds" => options.builds = true,
                "--log" => options.logs.push(value()?.into()),
                "--only" => options.only = Some(value()?.split(',').map(str::to_owned).collect()),
                "--on" => options.on = Some(value()?.split(',').map(str::to_lowercase).collect()),
                "--add" => options.add = true,
                "--output" => options.output = value()?.into(),
                "--sqlx" => options.sqlx = Some(value()?.into()),
                "--count" => options.count = true,
                _ => return Err(format!("{argument} is no option\n\n{USAGE}")),
            }
        }
        Ok(options)
    }

    pub fn asks(&self, question: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only.iter().any(|word| word == question))
    }

    /// Whether the engine of this name is asked for.
    pub fn is_on(&self, engine: &str) -> bool {
        self.on.as_ref().is_none_or(|on| on.contains(&engine.to_lowercase()))
    }

    pub fn effort(&self) -> Effort {
        let sessions = match (self.quick, self.million) {
            (_, true) => 1_000_000,
            (true, _) => 10_000,
            _ => 100_000,
        };
        if self.quick {
            Effort { quick: true, rounds: 5, turn: Duration::from_millis(40), crowd: 5_000, sessions }
        } else {
            Effort { quick: false, rounds: 9, turn: Duration::from_millis(250), crowd: 100_000, sessions }
        }
    }
}

/// How long a run takes its time.
#[derive(Debug)]
pub struct Effort {
    pub quick: bool,
    pub rounds: usize,
    /// How long a side's turn is.
    pub turn: Duration,
    /// How many sessions a crowd has on a server.
    pub crowd: u32,
    /// Up to how many sessions a store grows.
    pub sessions: u32,
}

impl Effort {
    /// Bytes of untouched data.
    pub fn untouched(&self, engine: &Engine) -> Vec<usize> {
        match (self.quick, engine) {
            (true, Engine::Memory) => vec![0, 10_240],
            (true, _) => vec![0],
            (false, _) => vec![0, 10_240, 102_400],
        }
    }
}
