//! Runs a command beside servers that its tests share: `with_servers cargo nextest run`.
//!
//! Starts a Redis and a PostgreSQL server, each if it is installed and no address of one is given already, on free
//! loopback ports in temporary folders. They end with the command, whatever becomes of it.

use std::process::{Command, ExitCode};

use session_tests::postgres_server::{self, PostgresServer};
use session_tests::redis_server::{self, RedisServer};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let Some(program) = arguments.next() else {
        eprintln!("usage: with_servers PROGRAM [ARGUMENT]…");
        return ExitCode::from(2);
    };
    let mut command = Command::new(program);
    command.args(arguments);

    let wanted = |variable| std::env::var_os(variable).is_none();
    let redis = (wanted("SESSION_TEST_REDIS") && redis_server::is_available()).then(|| RedisServer::start(&[]));
    if let Some(redis) = &redis {
        eprintln!("Redis for the tests: {}", redis.url());
        command.env("SESSION_TEST_REDIS", redis.url());
    }
    let postgres = (wanted("SESSION_TEST_POSTGRES") && postgres_server::is_available())
        .then(|| PostgresServer::start(&[("max_connections", "400")]));
    if let Some(postgres) = &postgres {
        eprintln!("PostgreSQL for the tests: port of {}", postgres.address());
        command.env("SESSION_TEST_POSTGRES", postgres.url());
    }
    match command.status() {
        Ok(status) => status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from),
        Err(error) => {
            eprintln!("cannot run {command:?}: {error}");
            ExitCode::FAILURE
        }
    }
}
