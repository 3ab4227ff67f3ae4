//! `sessionctl waste` as its users run it, beside traffic that is known.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
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

#[derive(session_runtime::Session)]
struct Visitor {
    visits: u32,
    theme: String,
}

/// Does to a session what the test knows: it begins with two fields, then one changes, goes, nothing, and all ends.
async fn visit(sessions: &session_runtime::Sessions<Visitor>) {
    for visits in [1, 2, 0, 0] {
        let mut visitor = sessions.load("1").await.expect("a store");
        *visitor.edit().visits() = visits;
        "dark".clone_into(visitor.edit().theme());
        visitor.commit().await.expect("a store");
    }
    assert_eq!(sessions.destroy("1").await.expect("a store"), session_runtime::Outcome::Removed);
}

#[track_caller]
fn assert_visited(said: &Value) {
    let writes = |kind: &str| said["writes"][kind]["writes"].as_u64();
    assert_eq!((writes("first"), writes("one_part")), (Some(1), Some(2)), "{said}");
    assert_eq!((&said["all"]["writes"], &said["removals"]), (&json!(3), &json!(1)), "{said}");
}

#[tokio::test]
async fn sessions_of_this_project_are_told_by_their_fields() {
    if redis_server::is_available() {
        let server = RedisServer::start(&[]);
        let store = session_runtime::RedisStore::open(&server.url()).await.expect("a server");
        let sessions = session_runtime::Sessions::<Visitor>::new(store);
        sessions.prepare().await.expect("a store");
        let waste = Waste::begin(&[&server.url(), "--prefix", "session:Visitor:", "--json"]);
        visit(&sessions).await;
        assert_visited(&waste.end_with_json());
    }
    if postgres_server::is_available() {
        let server = PostgresServer::start(&[("fsync", "off"), ("wal_level", "logical")]);
        let store = session_runtime::PostgresStore::open(&server.url()).await.expect("a server");
        let sessions = session_runtime::Sessions::<Visitor>::new(store);
        sessions.prepare().await.expect("a store");
        let waste = Waste::begin(&[&server.url(), "--json"]);
        visit(&sessions).await;
        assert_visited(&waste.end_with_json());
    }
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
