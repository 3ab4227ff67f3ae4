//! `sessionctl waste` as its users run it, beside traffic that is known.

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

#[test]
fn what_it_says_is_what_was_written() {
    if !redis_server::is_available() {
        return;
    }
    let server = RedisServer::start(&["appendonly no"]);
    let waste = Waste::begin(&[&server.url(), "--prefix", "s:", "--json"]);
    let light = br#"{"visits":1,"theme":"light"}"#;
    let dark = br#"{"theme":"dark","visits":1}"#;
    let both = br#"{"theme":"red","visits":2}"#;
    let bytes = b"\x00\xff\"\\\r\n\x07";
    send(
        &server,
        &[
            &[b"SET", b"s:1", light],
            &[b"SET", b"s:2", light],
            &[b"SET", b"s:1", light, b"EX", b"60"],
            &[b"SET", b"s:1", br#"{"theme":"light","visits":1}"#],
            &[b"SET", b"s:1", dark],
            &[b"SET", b"s:1", both],
            &[b"SET", b"other", both],
            &[b"SET", b"s:bytes", bytes],
            &[b"SET", b"s:bytes", bytes],
            &[b"SET", b"s:bytes", b"\x00\xfe"],
            &[b"GET", b"s:1"],
            &[b"EXPIRE", b"s:1", b"60"],
            &[b"DEL", b"s:2"],
            &[b"SET", b"s:2", dark, b"XX"],
            &[b"SETEX", b"s:2", b"60", dark],
            &[b"APPEND", b"s:2", b" "],
            &[b"EVAL", b"redis.call('SET', KEYS[1], ARGV[1])", b"1", b"s:3", both],
        ],
    );
    let mut said = waste.end_with_json();
    let length = |values: &[&[u8]]| values.iter().map(|value| value.len() as u64).sum::<u64>();
    let expected = json!({
        "writes": {
            "first": count(5, length(&[light, light, bytes, dark, both])),
            "nothing": count(3, length(&[light, light, bytes])),
            "only_expiry": count(0, 0),
            "one_part": count(1, length(&[dark])),
            "more_parts": count(1, length(&[both])),
            "something": count(1, 2),
        },
        "not_compared": { "no_room": count(0, 0), "value": count(1, 1), "condition": count(1, length(&[dark])) },
        "first_alike": 2,
        "most_alike": 2,
        "keys": 4,
        "reads": 1,
        "touches": 1,
        "removals": 1,
        "overlapped": 0,
        "seem_overlapped": 0,
        "commands_lost": 0,
        "lines_unreadable": 0,
        "ended_early": null,
    });
    let said = said.as_object_mut().expect("an object");
    for (name, expected) in expected.as_object().expect("an object") {
        assert_eq!(&said[name], expected, "{name}");
    }
}
