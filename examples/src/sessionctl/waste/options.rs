use std::path::PathBuf;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use super::{Options, Source};
use crate::command_line::option;
use crate::duration;

/// For how long a server is watched at most.
const LONGEST: Duration = Duration::from_secs(3600);

const ABOUT: &str = "Watches what a server is sent by any session library, and says how much of it changed nothing";

const LONG_ABOUT: &str = "\
Watches what a server is sent by any session library for a time, compares each written value with the one before, and \
says how many writes and bytes changed nothing, only the expiry, one part, or more, and how often two writers \
overlapped.

It reads, and writes nothing. It knows what tower-sessions, actix-session, express-session (connect-redis), Django and \
grammY write, and this project; of the rest, JSON and MessagePack are taken apart, and other values are compared as \
bytes. A part is a field of a session, or where that is an object, a field of it. The values themselves are not kept: \
of each key at most 1 KB of hashes.

Redis or Valkey: with MONITOR, which makes the server send a copy of every command that it carries out. While it \
lasts, a command takes the server several times the processor time. When more than 5,000 commands a second come in, it asks for \
--yes first. A server sees the commands of all its databases; with a number in the URL (redis://host/2), only those of \
one are looked at.

PostgreSQL: by decoding its log through a temporary slot with the plugin test_decoding. This takes wal_level = logical, \
a role with the attribute REPLICATION, and no right on any table. Of the ways to see what is written it needs the least: \
a log of statements takes access to the server's files, and costs more. The slot goes with the connection. It looks at \
tables named after sessions, or with --prefix at those that are named so, if they have a primary key. Reads are not \
logged, so that it cannot tell who overlapped.

An append-only file of Redis, or its folder (appendonlydir), tells the same of a server that writes one, and costs it \
nothing. It has no reads, and no times unless aof-timestamp-enabled is on. A snapshot that it begins with is not read: \
what stands there is first seen when it is written again.

For an encrypted Redis server: timeout 60 redis-cli --tls -u URL monitor | sessionctl waste -";

/// The task on the command line.
pub(crate) fn command() -> Command {
    Command::new("waste")
        .about(ABOUT)
        .long_about(LONG_ABOUT)
        .arg(
            Arg::new("source")
                .value_name("URL")
                .required(true)
                .value_parser(|text: &str| text.parse::<Source>())
                .help("What to watch: redis://host or postgres://user@host/database; or a file: the output of MONITOR, appendonly.aof, or its folder; or - for standard input"),
        )
        .arg(
            option("for", "TIME", time)
                .default_value("60s")
                .help("For how long: 30s, 5m, at most 1h. A file is read to its end"),
        )
        .arg(
            option("prefix", "TEXT", value_parser!(String)).help("Looks only at keys that begin with this, or at tables: sess: or public.django_session"),
        )
        .arg(
            option("keys", "N", value_parser!(u32).range(1..=10_000_000))
                .default_value("100000")
                .help("Remembers at most so many keys, in about 300 bytes each. Writes of others are not compared"),
        )
        .arg(Arg::new("yes").long("yes").action(ArgAction::SetTrue).help("Watches a busy server too"))
        .arg(Arg::new("json").long("json").action(ArgAction::SetTrue).help("Reports as JSON"))
        .arg(
            option("chart", "FILE", value_parser!(PathBuf)).help("Draws the report into a file too, as SVG"),
        )
}

/// What the command line asks for.
pub(crate) fn of(found: &mut ArgMatches) -> Options {
    Options {
        // The command line requires it.
        source: found.remove_one("source").unwrap_or_else(|| Source::File("-".into())),
        time: found.remove_one("for").unwrap_or(Duration::from_secs(60)),
        prefix: found.remove_one("prefix").unwrap_or_default(),
        keys: found.remove_one::<u32>("keys").and_then(|keys| keys.try_into().ok()).unwrap_or(100_000),
        yes: found.get_flag("yes"),
        json: found.get_flag("json"),
        chart: found.remove_one("chart"),
    }
}

fn time(text: &str) -> Result<Duration, &'static str> {
    let time = duration::parse(text).filter(|time| *time <= LONGEST);
    time.ok_or("write a time from 1s to 1h, such as 60s or 5m")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_watched_for_more_than_an_hour() {
        assert_eq!(time("1h"), Ok(Duration::from_secs(3600)));
        for wrong in ["61m", "0s", "1d"] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
    }
}
