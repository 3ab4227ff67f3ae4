use clap::{ArgMatches, Command, value_parser};

use crate::STORES;
use crate::command_line::option;

/// Where the shop is, and where its sessions are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The store's URL.
    pub store: String,
    /// The port on this machine.
    pub port: u16,
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
            store: found.remove_one("store").unwrap_or_default(),
            port: found.remove_one("port").unwrap_or_default(),
        }
    }
}

fn command() -> Command {
    Command::new("web")
        .about("A small shop with sessions, and a panel that shows what they cost")
        .arg(option("store", "URL", value_parser!(String)).default_value("sqlite:shop.db").help(STORES))
        .arg(
            option("port", "PORT", value_parser!(u16))
                .default_value("3000")
                .help("The port on this machine, which is the only one that reaches it; 0 for any that is free"),
        )
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
    fn no_option_is_needed() {
        assert_eq!(options("web").expect("none"), Options { store: "sqlite:shop.db".to_owned(), port: 3000 });
        let other = options("web --store redis://localhost --port 0").expect("all are known");
        assert_eq!(other, Options { store: "redis://localhost".to_owned(), port: 0 });
        assert!(options("web --port 70000").is_err());
    }
}
