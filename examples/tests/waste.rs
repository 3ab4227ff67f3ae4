//! `sessionctl waste` as its users run it, beside traffic that is known.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};
use session_tests::postgres_server::{self, PostgresServer};
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

/// What it complains of.
#[track_caller]
fn complains(arguments: &[&str]) -> String {
    let output = command(arguments).output().expect("the program starts");
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
    String::from_utf8(output.stderr).expect("UTF-8")
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
    let mut waste = Waste::begin(&[&server.url(), "--for", "1s"]);
    send(&server, &[&[b"SET", b"k", b"{}"], &[b"SET", b"k", b"{}"], &[b"SET", b"k", b"{\"a\":1}"]]);
    let mut said = String::new();
    waste.program.stdout.take().expect("its output").read_to_string(&mut said).expect("UTF-8");
    assert!(waste.program.wait().expect("an end").success());
    assert!(said.contains("3 writes of 1 keys, 11 bytes") && said.contains("changed one part"), "{said}");
    assert_eq!(said.matches("██████████").count(), 3, "{said}");
}

#[test]
fn what_it_cannot_watch_is_explained() {
    assert!(complains(&["rediss://localhost"]).contains("redis-cli --tls -u URL monitor | sessionctl waste -"));
    assert!(complains(&["redis+cluster://a:1,b:2"]).contains("watch one, as redis://host:port"));
    assert!(complains(&["mysql://localhost/x"]).contains("nothing can be watched at mysql://"));
    assert!(complains(&["/no/such/file"]).contains("cannot read /no/such/file"));
    if redis_server::is_available() {
        let server = RedisServer::start(&["appendonly no", "requirepass secret"]);
        let anonymous = format!("redis://{}", server.address());
        assert!(complains(&[&anonymous]).contains("put the password into the URL"));
        let _ = server.cli("ACL SETUSER guest on >guest ~* +info");
        let guest = format!("redis://guest:guest@{}", server.address());
        assert!(complains(&[&guest]).contains("`+monitor` and `+info`"));
    }
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

#[tokio::test]
async fn postgres_tells_what_was_written_and_no_slot_is_left() {
    if !postgres_server::is_available() {
        return;
    }
    let server = PostgresServer::start(&[("fsync", "off"), ("wal_level", "logical")]);
    let client = postgres_server::client(&server.url()).await;
    let tables = "CREATE ROLE watcher LOGIN REPLICATION PASSWORD 'watch';
        CREATE TABLE django_session (session_key varchar(40) PRIMARY KEY, session_data text, expire_date timestamptz);
        CREATE TABLE session (sid text PRIMARY KEY, sess json, expire timestamp);
        CREATE TABLE blob_sessions (id text PRIMARY KEY, data bytea);
        CREATE TABLE orders (id int PRIMARY KEY, note text)";
    client.batch_execute(tables).await.expect("tables");
    let url = server.url().replace("postgres@", "watcher:watch@");
    let waste = Waste::begin(&[&url, "--json"]);
    let statements = r#"
        INSERT INTO session VALUES ('1', '{"visits":1,"theme":"it''s"}', '2030-01-01');
        UPDATE session SET sess = '{"visits":1,"theme":"it''s"}';
        UPDATE session SET sess = '{"theme":"it''s","visits":1}', expire = '2030-01-02';
        UPDATE session SET sess = '{"theme":"it''s","visits":2}', expire = '2030-01-03';
        INSERT INTO django_session VALUES ('a', 'eyJ2aXNpdHMiOjEsInVzZXIiOnsiaWQiOjd9fQ:1xWfFi:TTAc', now());
        UPDATE django_session SET session_data = 'eyJ2aXNpdHMiOjEsInVzZXIiOnsiaWQiOjd9fQ:1xWfFj:TTAd', expire_date = now();
        DELETE FROM django_session;
        INSERT INTO blob_sessions VALUES ('a', '\x00ff');
        UPDATE blob_sessions SET data = '\x00fe';
        INSERT INTO orders VALUES (1, 'no session');"#;
    client.batch_execute(statements).await.expect("statements");
    client.batch_execute("BEGIN; UPDATE session SET sess = '{}'; ROLLBACK").await.expect("nothing in the end");
    let said = waste.end_with_json();
    let writes = |kind: &str| said["writes"][kind]["writes"].as_u64();
    assert_eq!((writes("first"), writes("nothing")), (Some(3), Some(1)), "{said}");
    assert_eq!(
        (writes("only_expiry"), writes("one_part"), writes("more_parts")),
        (Some(2), Some(2), Some(0)),
        "{said}"
    );
    assert_eq!((&said["removals"], &said["overlapped"], &said["keys"]), (&json!(1), &Value::Null, &json!(3)));
    let slots = "SELECT count(*) FROM pg_replication_slots";
    assert_eq!(client.query_one(slots, &[]).await.expect("a count").get::<_, i64>(0), 0);

    // Killed without warning, it leaves none either.
    let mut killed = Waste::begin(&[&url]);
    assert_eq!(client.query_one(slots, &[]).await.expect("a count").get::<_, i64>(0), 1);
    killed.program.kill().expect("a running program");
    killed.program.wait().expect("an end");
    let gone = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'sessionctl waste'";
    while client.query_one(gone, &[]).await.expect("a count").get::<_, i64>(0) > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(client.query_one(slots, &[]).await.expect("a count").get::<_, i64>(0), 0);

    client.batch_execute("CREATE ROLE guest LOGIN PASSWORD 'guest'").await.expect("a role");
    let guest = server.url().replace("postgres@", "guest:guest@");
    assert!(complains(&[&guest]).contains("a role with the attribute REPLICATION, and no right on any table"));
}

#[test]
fn a_postgres_that_cannot_be_watched_says_what_it_takes() {
    if let Some(url) = postgres_server::shared() {
        assert!(complains(&[&url]).contains("ALTER SYSTEM SET wal_level = logical"));
    }
}
