//! `sessionctl waste` as its users run it, beside traffic that is known.

mod files;
mod monitor;
mod postgres;
mod sessions;

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};
use session_tests::redis_server::{self, RedisServer};

/// `sessionctl waste`, which watches already.
struct Waste {
    program: Child,
    said: BufReader<std::process::ChildStderr>,
}

impl Waste {
    fn begin(arguments: &[&str]) -> Self {
        let mut program = command(arguments).spawn().expect("the program starts");
        let mut said = BufReader::new(program.stderr.take().expect("its standard error"));
        let mut line = String::new();
        while !line.starts_with("watching") {
            line.clear();
            assert_ne!(said.read_line(&mut line).expect("a line"), 0, "it ended");
        }
        Self { program, said }
    }

    /// Presses Ctrl-C, and returns the report.
    fn end(mut self) -> Output {
        let interrupted = Command::new("kill").args(["-INT", &self.program.id().to_string()]).status();
        assert!(interrupted.expect("kill").success());
        let mut rest = String::new();
        self.said.read_to_string(&mut rest).expect("UTF-8");
        assert_eq!(rest, "");
        self.program.wait_with_output().expect("an end")
    }

    fn end_with_json(self) -> Value {
        let output = self.end();
        assert!(output.status.success());
        serde_json::from_slice(&output.stdout).expect("JSON")
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sessionctl"));
    command.arg("waste").args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn count(writes: u64, bytes: u64) -> Value {
    json!({ "writes": writes, "bytes": bytes })
}

/// Sends commands, each on a connection of its own.
fn send(server: &RedisServer, commands: &[&[&[u8]]]) {
    for words in commands {
        let answer = server.command(words);
        assert!(!answer.starts_with(b"-"), "{}", answer.escape_ascii());
    }
}

/// What it complains of.
#[track_caller]
fn complains(arguments: &[&str]) -> String {
    let output = command(arguments).output().expect("the program starts");
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
    String::from_utf8(output.stderr).expect("UTF-8")
}

#[test]
fn what_it_cannot_watch_is_explained() {
    assert!(complains(&["rediss://localhost"]).contains("redis-cli --tls -u URL monitor | sessionctl waste -"));
    assert!(complains(&["redis+cluster://a:1,b:2"]).contains("watch one, as redis://host:port"));
    assert!(complains(&["mysql://localhost/x"]).contains("nothing can be watched at mysql://"));
    assert!(complains(&["/no/such/file"]).contains("cannot read /no/such/file"));
    let folder = tempfile::tempdir().expect("a folder");
    let empty = folder.path().to_str().expect("UTF-8");
    assert!(complains(&[empty]).contains("has no append-only file: a list of its parts"));
    if redis_server::is_available() {
        let server = RedisServer::start(&["appendonly no", "requirepass secret"]);
        let anonymous = format!("redis://{}", server.address());
        assert!(complains(&[&anonymous]).contains("put the password into the URL"));
        let _ = server.cli("ACL SETUSER guest on >guest ~* +info");
        let guest = format!("redis://guest:guest@{}", server.address());
        assert!(complains(&[&guest]).contains("`+monitor` and `+info`"));
    }
}
