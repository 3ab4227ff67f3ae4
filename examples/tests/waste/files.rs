//! What a Redis server appended to its files.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use session_tests::redis_server::{self, RedisServer};

use crate::{command, count, send};

/// What it says of a file or a folder.
fn read(path: &Path) -> Value {
    let output = command(&[path.to_str().expect("UTF-8"), "--prefix", "s:", "--json"]).output().expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// The folder where a server keeps what it is sent.
fn folder_of(server: &RedisServer) -> PathBuf {
    Path::new(server.cli("CONFIG GET dir").lines().nth(4).expect("a folder")).join("appendonlydir")
}

/// Lets a server begin its files anew, with what it holds now.
fn rewrite(server: &RedisServer) {
    let _ = server.cli("BGREWRITEAOF");
    loop {
        let state = server.cli("INFO persistence");
        if ["aof_rewrite_in_progress:0", "aof_rewrite_scheduled:0"].iter().all(|line| state.contains(line)) {
            return;
        }
        std::thread::yield_now();
    }
}

fn file_that_ends_with(folder: &Path, ending: &str) -> Vec<u8> {
    let files = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a file").path());
    let mut found = files.filter(|file| file.to_str().is_some_and(|name| name.ends_with(ending)));
    std::fs::read(found.next().expect("a file")).expect("its content")
}

#[test]
fn what_a_server_appended_to_its_files_is_read() {
    if !redis_server::is_available() {
        return;
    }
    let server = RedisServer::start(&["aof-timestamp-enabled yes"]);
    let light = br#"{"visits":1,"theme":"light"}"#;
    let dark = br#"{"theme":"dark","visits":1}"#;
    send(&server, &[&[b"SET", b"s:old", light]]);
    rewrite(&server);
    send(
        &server,
        &[
            &[b"SET", b"s:1", light, b"EX", b"60"],
            &[b"SET", b"s:1", light],
            &[b"SET", b"s:1", dark],
            &[b"SET", b"s:1", light, b"NX"],
            &[b"SET", b"s:2", light, b"NX"],
            &[b"SET", b"s:old", light],
            &[b"SET", b"other", light],
            &[b"EXPIRE", b"s:2", b"60"],
            &[b"GET", b"s:1"],
            &[b"DEL", b"s:2"],
            &[b"EVAL", b"redis.call('HSET', KEYS[1], 'a', 1) redis.call('HSET', KEYS[1], 'b', 2)", b"1", b"s:h"],
            &[b"HSET", b"s:h", b"a", b"1"],
            &[b"APPEND", b"s:text", b"abc"],
        ],
    );
    let client = redis::Client::open(format!("{}1", server.url())).expect("a URL");
    let mut other_database = client.get_connection().expect("a server");
    redis::cmd("SET").arg("s:1").arg(dark).exec(&mut other_database).expect("an answer");
    let folder = folder_of(&server);
    let said = read(&folder);
    let [of_light, of_dark] = [light.len() as u64, dark.len() as u64];
    for (name, expected) in [
        ("first", count(5, 3 * of_light + of_dark + 4)),
        ("nothing", count(2, of_light + 2)),
        ("one_part", count(1, of_dark)),
        ("more_parts", count(0, 0)),
    ] {
        assert_eq!(said["writes"][name], expected, "{name}");
    }
    assert_eq!((&said["not_compared"]["value"], &said["keys"]), (&count(1, 3), &json!(5)));
    assert_eq!((&said["touches"], &said["removals"]), (&json!(1), &json!(1)));
    assert_eq!((&said["reads"], &said["overlapped"], &said["ended_early"]), (&Value::Null, &Value::Null, &Value::Null));
    assert_eq!(said["base_unread"], json!(true));

    // As servers before version 7 keep it: one file, and the snapshot at its beginning.
    let (base, commands) = (file_that_ends_with(&folder, "base.rdb"), file_that_ends_with(&folder, "incr.aof"));
    let file = folder.join("together.aof");
    let [begin, end] = [b"#TS:1700000000\r\n", b"#TS:1700000002\r\n"];
    std::fs::write(&file, [&base[..], begin, &commands, end].concat()).expect("a file");
    let together = read(&file);
    assert_eq!((&together["formats"], &together["base_unread"]), (&said["formats"], &json!(true)));
    assert_eq!(together["seconds"], json!(2.0));

    std::fs::write(&file, &commands[..commands.len() - 3]).expect("a file");
    let torn = read(&file);
    let complaint = torn["ended_early"].as_str().expect("a complaint");
    assert!(complaint.contains("ends within a command, which begins at byte"), "{complaint}");
    assert_eq!(torn["all"]["writes"], json!(8), "all but the last");
}

#[test]
fn what_was_there_before_is_known_where_it_stands_as_commands() {
    if !redis_server::is_available() {
        return;
    }
    let server = RedisServer::start(&["aof-use-rdb-preamble no"]);
    send(&server, &[&[b"SET", b"s:1", b"{}"], &[b"HSET", b"s:h", b"a", b"1", b"b", b"2"]]);
    rewrite(&server);
    send(&server, &[&[b"SET", b"s:1", b"{}"], &[b"HSET", b"s:h", b"b", b"3", b"c", b"4"]]);
    let said = read(&folder_of(&server));
    assert_eq!((&said["writes"]["nothing"], &said["writes"]["more_parts"]), (&count(1, 2), &count(1, 4)));
    assert_eq!((&said["all"], &said["keys"]), (&count(2, 6), &json!(2)));
    assert_eq!((&said["base_unread"], &said["seconds"]), (&json!(false), &Value::Null));
}
