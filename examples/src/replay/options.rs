use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use super::log::FORMATS;
use super::stores::Place;
use crate::STORES;
use crate::command_line::option;

/// What a replay is asked to do.
#[derive(Debug, Clone)]
pub struct Options {
    /// The logs to replay, of which `-` is standard input; none for generated traffic.
    pub logs: Vec<PathBuf>,
    /// Where the sessions are kept.
    pub place: Place,
    /// How many requests, of different clients, are under way at a time.
    pub concurrency: usize,
    /// Whether the report is for machines.
    pub json: bool,
    /// Where to draw the report as a chart.
    pub svg: Option<PathBuf>,
    /// Where to write the report as a page with charts.
    pub html: Option<PathBuf>,
}

impl Options {
    /// Reads the command line. Ends the program with a message if that is no good, or asks for help.
    #[must_use]
    pub fn from_command_line() -> Self {
        Self::from(command().get_matches())
    }
}

impl From<ArgMatches> for Options {
    fn from(mut found: ArgMatches) -> Self {
        Self {
            logs: found.remove_many("log").into_iter().flatten().collect(),
            place: found.remove_one("store").unwrap_or_default(),
            concurrency: found.remove_one("concurrency").map_or(1, |workers: u16| workers.into()),
            json: found.get_flag("json"),
            svg: found.remove_one("svg"),
            html: found.remove_one("html"),
        }
    }
}

fn command() -> Command {
    let file = || value_parser!(PathBuf);
    Command::new("replay")
        .about("Replays traffic through the session runtime and shows what was saved")
        .arg(
            option("log", "FILE", file())
                .action(ArgAction::Append)
                .help(format!("A log to replay, or - for standard input; can be given several times [default: generated traffic]. Understood are {FORMATS}")),
        )
        .arg(
            option("store", "URL", str::parse::<Place>)
                .default_value("memory")
                .help(STORES),
        )
        .arg(
            option("concurrency", "N", value_parser!(u16).range(1..))
                .default_value("8")
                .help("How many requests, of different clients, are under way at a time"),
        )
        .arg(Arg::new("json").long("json").action(ArgAction::SetTrue).help("Reports as JSON"))
        .arg(option("svg", "FILE", file()).help("Draws the comparison as a bar chart"))
        .arg(option("html", "FILE", file()).help(
            "Writes the report, with charts, as one page of HTML that needs nothing else and loads nothing from elsewhere",
        ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(line: &str) -> Result<Options, clap::Error> {
        command().try_get_matches_from(line.split(' ')).map(Options::from)
    }

    #[test]
    fn the_command_line_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn without_options_generated_traffic_goes_to_memory() {
        let options = options("replay").expect("no option is needed");
        assert!(options.logs.is_empty());
        assert_eq!(options.place.to_string(), "memory");
        assert_eq!((options.concurrency, options.json, options.svg, options.html), (8, false, None, None));
    }

    #[test]
    fn logs_can_be_given_several_times() {
        let options = options("replay --log a.gz --log b --concurrency 3 --json --svg c.svg --html c.html");
        let options = options.expect("all are known");
        assert_eq!(options.logs, [PathBuf::from("a.gz"), "b".into()]);
        assert_eq!((options.concurrency, options.json), (3, true));
        assert_eq!((options.svg, options.html), (Some("c.svg".into()), Some("c.html".into())));
    }

    #[test]
    fn a_store_or_a_number_that_makes_no_sense_is_explained() {
        let error = options("replay --store paper").expect_err("there is no such store").to_string();
        assert!(error.contains("write memory:, sqlite:PATH, redis://host"), "{error}");
        assert!(options("replay --concurrency 0").is_err());
    }
}
