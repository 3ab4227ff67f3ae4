//! What a Redis server repeats of its commands while they come, and what was kept of that.

use std::io::Read;

use serde_json::{Value, json};
use session_tests::redis_server::{self, RedisServer};

use crate::{Waste, command, count, send};

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

#[test]
fn a_write_over_what_another_client_changed_is_told() {
    if !redis_server::is_available() {
        return;
    }
    let server = RedisServer::start(&["appendonly no"]);
    let client = redis::Client::open(server.url()).expect("a URL");
    let connect = || client.get_connection().expect("a server");
    let (mut one, mut other) = (connect(), connect());
    let waste = Waste::begin(&[&server.url(), "--json"]);
    let get = || redis::cmd("GET").arg("sess:1").to_owned();
    let set = |value: &str| redis::cmd("SET").arg("sess:1").arg(value).to_owned();
    for (connection, command) in [
        (0, set("{\"n\":0}")),
        (0, get()),
        (1, get()),
        (0, set("{\"n\":1}")),
        (1, set("{\"n\":1}")),
        (1, get()),
        (1, set("{\"n\":2}")),
    ] {
        command.exec(if connection == 0 { &mut one } else { &mut other }).expect("an answer");
    }
    let said = waste.end_with_json();
    assert_eq!((&said["overlapped"], &said["seem_overlapped"]), (&json!(1), &json!(0)));
    assert_eq!(said["writes"]["nothing"]["writes"], json!(1), "the lost update wrote what was there");
}

#[test]
fn it_ends_by_itself_and_shows_a_chart() {
    if !redis_server::is_available() {
        return;
    }
    let server = RedisServer::start(&["appendonly no", "requirepass secret"]);
    let folder = tempfile::tempdir().expect("a folder");
    let chart = folder.path().join("chart.svg");
    let mut waste = Waste::begin(&[&server.url(), "--for", "1s", "--chart", chart.to_str().expect("UTF-8")]);
    send(&server, &[&[b"SET", b"k", b"{}"], &[b"SET", b"k", b"{}"], &[b"SET", b"k", b"{\"a\":1}"]]);
    let mut said = String::new();
    waste.program.stdout.take().expect("its output").read_to_string(&mut said).expect("UTF-8");
    assert!(waste.program.wait().expect("an end").success());
    assert!(said.contains("3 writes of 1 keys, 11 bytes") && said.contains("changed one part"), "{said}");
    assert_eq!(said.matches("██████████").count(), 3, "{said}");
    let drawn = std::fs::read_to_string(chart).expect("a chart");
    for shown in ["3 writes of 1 keys", "JSON: writes", "JSON: bytes", "changed nothing", "changed one part"] {
        assert!(drawn.contains(shown), "{shown}");
    }
    assert_eq!(drawn.matches(r#"class="ours""#).count(), 2, "what changed nothing stands out");
}

#[test]
fn the_output_of_monitor_is_read_from_a_file() {
    let lines = "OK\n1700000000.000000 [0 127.0.0.1:1] \"SET\" \"k\" \"{}\"\nwhat\n1700000002.500000 [0 127.0.0.1:1] \"SET\" \"k\" \"{}\"\n";
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("monitor.txt");
    std::fs::write(&file, lines).expect("a file");
    let output = command(&[file.to_str().expect("UTF-8"), "--json"]).output().expect("the program starts");
    let said: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((&said["seconds"], &said["lines_unreadable"]), (&json!(2.5), &json!(1)));
    assert_eq!((&said["writes"]["first"], &said["writes"]["nothing"]), (&count(1, 2), &count(1, 2)));
}
