use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::ValueParser;
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Command, value_parser};

use serde_json::Value;

use super::text::unescape;
use super::waste;
use crate::command_line::option;

/// What `sessionctl` is asked to do, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The store's URL. Empty for a task that takes none.
    pub store: String,
    /// What to do.
    pub task: Task,
}

/// A task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// Print the keys of the stored sessions of a name.
    List {
        /// The session's name.
        name: String,
    },
    /// Print the keys of the sessions that have a value in an indexed field.
    Find {
        /// The sessions' name.
        name: String,
        /// The field and its value.
        condition: Condition,
    },
    /// Destroy the sessions that have a value in an indexed field.
    DestroyFound {
        /// The sessions' name.
        name: String,
        /// The field and its value.
        condition: Condition,
    },
    /// Make sessions found by a field.
    BuildIndex {
        /// The sessions' name.
        name: String,
        /// The stored name of the field.
        field: String,
    },
    /// Print a session.
    Show {
        /// The session's name.
        name: String,
        /// Its key.
        key: String,
    },
    /// Destroy sessions.
    Destroy {
        /// The sessions' name.
        name: String,
        /// Their keys.
        keys: Vec<String>,
    },
    /// Remove what ended.
    Purge,
    /// Print how many sessions are stored.
    Stats,
    /// Print the namespaces.
    Namespaces,
    /// Print the registered initial values.
    Registrations,
    /// Compare session types with what is registered.
    Check {
        /// The files of their snapshots.
        files: Vec<PathBuf>,
    },
    /// Watch what any session library writes.
    Waste(waste::Options),
    /// Remove a registration.
    Withdraw {
        /// The session's name.
        name: String,
        /// The version of its type.
        version: u32,
    },
}

/// A field and the value to look for, written as `field=value`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Condition {
    /// The stored name of the field.
    pub field: String,
    /// The value: JSON, or else a text without quotes.
    pub value: Value,
}

impl FromStr for Condition {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (field, value) = text.split_once('=').ok_or("write a field and its value, such as `user=7`")?;
        let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
        Ok(Self { field: field.to_owned(), value })
    }
}

impl Options {
    /// Reads the command line. Ends the program with a message if that is no good, or asks for help.
    #[must_use]
    pub fn from_command_line() -> Self {
        Self::try_from(command().get_matches()).unwrap_or_else(|error| error.exit())
    }
}

impl TryFrom<ArgMatches> for Options {
    type Error = clap::Error;

    fn try_from(mut found: ArgMatches) -> Result<Self, clap::Error> {
        let store = text(&mut found, "store");
        let task = match found.remove_subcommand() {
            Some((task, mut found)) => task_of(&task, &mut found),
            None => Task::Stats,
        };
        if store.is_empty() && !matches!(task, Task::Waste(_)) {
            return Err(
                command().error(ErrorKind::MissingRequiredArgument, "where the sessions are is missing: --store <URL>")
            );
        }
        Ok(Self { store, task })
    }
}

fn task_of(task: &str, found: &mut ArgMatches) -> Task {
    match task {
        "list" => Task::List { name: text(found, "name") },
        "show" => Task::Show { name: text(found, "name"), key: text(found, "key") },
        "find" => {
            Task::Find { name: text(found, "name"), condition: found.remove_one("condition").unwrap_or_default() }
        }
        "build-index" => Task::BuildIndex { name: text(found, "name"), field: text(found, "field") },
        "destroy" => {
            let (name, condition) = (text(found, "name"), found.remove_one("where"));
            let keys = found.remove_many("key").into_iter().flatten().collect();
            condition
                .map_or(Task::Destroy { name: name.clone(), keys }, |condition| Task::DestroyFound { name, condition })
        }
        "purge" => Task::Purge,
        "namespaces" => Task::Namespaces,
        "registrations" => Task::Registrations,
        "check" => Task::Check { files: found.remove_many("file").into_iter().flatten().collect() },
        "waste" => Task::Waste(waste::options::of(found)),
        "withdraw" => {
            Task::Withdraw { name: text(found, "name"), version: found.remove_one("version").unwrap_or_default() }
        }
        _ => Task::Stats,
    }
}

/// An argument that the command line requires.
fn text(found: &mut ArgMatches, argument: &str) -> String {
    found.remove_one(argument).unwrap_or_default()
}

fn command() -> Command {
    let name = || Arg::new("name").value_name("NAME").required(true).help("The session's name");
    let key =
        || {
            Arg::new("key").value_name("KEY").required(true).value_parser(ValueParser::new(unescape)).help(
                r"The session's key, as `list` prints it: `\\` is a backslash, `\u{1b}` a character by its number",
            )
        };
    let condition = |name: &'static str| {
        Arg::new(name)
            .value_name("FIELD=VALUE")
            .value_parser(|text: &str| text.parse::<Condition>())
            .help("A field and its value, as JSON or as a text without quotes: `user=7`")
    };
    let task = |name: &'static str, about: &'static str| Command::new(name).about(about);
    Command::new("sessionctl")
        .about("Looks after the sessions in a store")
        .after_help("The status is 0 when it is done, 1 when there is no such session or registration or a check found something, and 2 when it failed.")
        .arg(option("store", "URL", value_parser!(String)).help(
            "Where the sessions are: sqlite:PATH, redis://host, rediss://host, redis+cluster://host:port,host:port or postgres://user:password@host/database; with ?namespace=NAME, only those of a namespace",
        ))
        .subcommand_required(true)
        .subcommand(task("list", "Prints the keys of the stored sessions of a name").arg(name()))
        .subcommand(
            task("show", "Prints a session as JSON; values of sensitive fields are redacted").arg(name()).arg(key()),
        )
        .subcommand(
            task("find", "Prints the keys of the sessions that have a value in a field marked `index`")
                .arg(name())
                .arg(condition("condition").required(true)),
        )
        .subcommand(
            task("build-index", "Makes sessions found that were stored before their field was marked `index`")
                .arg(name())
                .arg(Arg::new("field").value_name("FIELD").required(true).help("The stored name of the field")),
        )
        .subcommand(
            task("destroy", "Destroys sessions: who still holds one can no longer store it")
                .arg(name())
                .arg(key().required(false).num_args(1..).action(ArgAction::Append))
                .arg(condition("where").long("where").help("All sessions that have this value in a field marked `index`"))
                .group(ArgGroup::new("which").args(["key", "where"]).required(true)),
        )
        .subcommand(task("purge", "Removes what ended, once its retention is over"))
        .subcommand(task("stats", "Prints how many sessions of each registered name are stored"))
        .subcommand(task("namespaces", "Prints the namespaces in the store, and which sessions each has"))
        .subcommand(task("registrations", "Prints the initial values that all programs agreed on"))
        .subcommand(
            task("check", "Tells before a build goes out whether it gets on with what is registered").arg(
                Arg::new("file")
                    .value_name("FILE")
                    .required(true)
                    .num_args(1..)
                    .value_parser(value_parser!(PathBuf))
                    .help("The files that `session_runtime::check::snapshot` keeps of the build's session types"),
            ),
        )
        .subcommand(waste::options::command())
        .subcommand(
            task("withdraw", "Removes a registration; sessions that refer to it can no longer be read")
                .arg(name())
                .arg(Arg::new("version").value_name("VERSION").required(true).value_parser(value_parser!(u32)).help(
                    "The version of the session's type",
                )),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(line: &[&str]) -> Result<Task, String> {
        let line = ["sessionctl", "--store", "memory:"].iter().chain(line);
        let found = command().try_get_matches_from(line).and_then(Options::try_from);
        found.map(|options| options.task).map_err(|error| error.to_string())
    }

    #[test]
    fn the_command_line_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn each_task_has_its_arguments() {
        let owned = str::to_owned;
        assert_eq!(task(&["list", "visitor"]), Ok(Task::List { name: owned("visitor") }));
        assert_eq!(task(&["show", "visitor", "42"]), Ok(Task::Show { name: owned("visitor"), key: owned("42") }));
        assert_eq!(
            task(&["destroy", "visitor", "42", r"a\u{a}b"]),
            Ok(Task::Destroy { name: owned("visitor"), keys: vec![owned("42"), owned("a\nb")] })
        );
        assert_eq!(
            task(&["build-index", "visitor", "user"]),
            Ok(Task::BuildIndex { name: owned("visitor"), field: owned("user") })
        );
        let user = |value: Value| Condition { field: owned("user"), value };
        for (text, value) in [("user=7", 7.into()), ("user=\"7\"", "7".into()), ("user=a=b", "a=b".into())] {
            let found = Task::Find { name: owned("visitor"), condition: user(value) };
            assert_eq!(task(&["find", "visitor", text]), Ok(found));
        }
        assert_eq!(
            task(&["destroy", "visitor", "--where", "user=7"]),
            Ok(Task::DestroyFound { name: owned("visitor"), condition: user(7.into()) })
        );
        assert_eq!(task(&["purge"]), Ok(Task::Purge));
        assert_eq!(task(&["stats"]), Ok(Task::Stats));
        assert_eq!(task(&["namespaces"]), Ok(Task::Namespaces));
        assert_eq!(task(&["registrations"]), Ok(Task::Registrations));
        let files = vec!["one.session".into(), "two.session".into()];
        assert_eq!(task(&["check", "one.session", "two.session"]), Ok(Task::Check { files }));
        assert_eq!(task(&["withdraw", "visitor", "3"]), Ok(Task::Withdraw { name: owned("visitor"), version: 3 }));
    }

    #[test]
    fn what_is_missing_or_makes_no_sense_is_explained() {
        let missing = task(&["show", "visitor"]).expect_err("no key");
        assert!(missing.contains("<KEY>"), "{missing}");
        let version = task(&["withdraw", "visitor", "new"]).expect_err("no number");
        assert!(version.contains("invalid value 'new' for '<VERSION>'"), "{version}");
        let escape = task(&["show", "visitor", r"a\b"]).expect_err("no escape");
        assert!(escape.contains(r"write `\\` for a backslash"), "{escape}");
        let condition = task(&["find", "visitor", "user"]).expect_err("no value");
        assert!(condition.contains("write a field and its value, such as `user=7`"), "{condition}");
        assert!(
            task(&["destroy", "visitor"]).is_err() && task(&["destroy", "visitor", "1", "--where", "a=1"]).is_err()
        );
        assert!(task(&["check"]).expect_err("no file").contains("<FILE>"));
        assert!(task(&[]).is_err() && task(&["explode"]).is_err());
    }
}
