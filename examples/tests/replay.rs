//! The `replay` program as its users run it.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use session_tests::postgres_server::{self, PostgresServer};
use session_tests::redis_server::{self, RedisServer};

const LOG: &str = r#"# three clients, one of them a chat
t	client	verb	label	status
10	1	GET	/a/x.html	200
11	1	GET	/a/logo.gif	200
no request
9	2	say	6	-
13	2	say	5	-
14	1	GET	/gone.html	404
15	3	say	99	-
h - - [10/Oct/2000:13:55:36 -0700] "GET /a/x.html HTTP/1.0" 200 2326 "-" "a browser"
"#;

fn replay(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_replay")).args(arguments).output().expect("the program starts")
}

fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

#[test]
fn a_log_is_replayed_into_a_file_and_reported_for_machines() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (plain, gzipped) = (folder.path().join("plain.log"), folder.path().join("gzipped"));
    fs::write(&plain, LOG).expect("room");
    let mut encoder = GzEncoder::new(fs::File::create(&gzipped).expect("room"), Compression::fast());
    encoder.write_all(LOG.as_bytes()).and_then(|()| encoder.finish()).expect("room");
    let (store, chart) =
        (format!("sqlite:{}", text(&folder.path().join("replay.db"))), folder.path().join("chart.svg"));

    let (plain, gzipped) = (text(&plain), text(&gzipped));
    let arguments = ["--log", plain, "--log", gzipped, "--store", &store, "--json", "--svg", text(&chart)];
    let output = replay(&arguments);
    let report = report(&output);
    assert_eq!(output.status.code(), Some(0), "{report:#}");
    assert_eq!(report["verified"], json!(true));
    assert_eq!(report["source"], json!({ "logs": [plain, gzipped] }));
    // Numbered clients are others in each file, the host is the same.
    assert_eq!((&report["requests"], &report["clients"]), (&json!(14), &json!(7)));
    let bad = |file| json!({ "file": file, "line": 5, "reason": "it is in none of the formats" });
    let bad_lines = json!({ "count": 2, "first": [bad(plain), bad(gzipped)] });
    assert_eq!(report["bad_lines"], bad_lines);
    assert_eq!(report["back_in_time"], json!(3));
    assert_eq!(report["changes"], json!(6));
    let figures = |figure: &str| {
        report["policies"].as_array().expect("a list").iter().map(|policy| policy[figure].clone()).collect::<Vec<_>>()
    };
    assert_eq!(figures("reads"), [14, 12, 12]);
    assert_eq!(figures("writes"), [14, 8, 6]);
    assert_eq!(figures("records"), [7, 5, 5]);
    assert!(fs::read_to_string(chart).expect("it was drawn").starts_with("<svg "));

    let again = replay(&["--log", plain, "--store", &store, "--concurrency", "1"]);
    assert_eq!(again.status.code(), Some(0), "the sessions of the first replay are left alone");
    let table = String::from_utf8(again.stdout).expect("text");
    for part in [
        "write on every request",
        "one write for each request that left",
        "verified: ",
        "plain.log:5: it is in none of the formats",
    ] {
        assert!(table.contains(part), "{table}");
    }
}

/// What stands between two marks, each time.
fn between<'a>(text: &'a str, from: &str, to: &str) -> Vec<&'a str> {
    text.split(from).skip(1).filter_map(|rest| Some(rest.split_once(to)?.0)).collect()
}

#[test]
fn the_page_tells_what_the_terminal_tells() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (log, page) = (folder.path().join("some.log"), folder.path().join("report.html"));
    fs::write(&log, LOG).expect("room");
    let store = format!("sqlite:{}", text(&folder.path().join("replay.db")));
    let output = replay(&["--log", text(&log), "--store", &store, "--html", text(&page)]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let terminal = String::from_utf8(output.stdout).expect("text");
    let page = fs::read_to_string(page).expect("it was written");

    let policies = [
        "write on every request",
        "write the whole record when borrowed",
        "write the changed fields (session-runtime)",
    ];
    let rows = between(&page, "<th scope=\"row\">", "</tr>");
    for (policy, row) in policies.iter().zip(rows) {
        // First the table, then what the engine saw.
        let of_policy = terminal.lines().filter_map(|line| line.strip_prefix(policy)).flat_map(str::split_whitespace);
        assert_eq!(between(row, "<td>", "</td>"), of_policy.collect::<Vec<_>>(), "{policy}");
    }
    let titles = ["reads", "writes", "bytes written", "records stored", "WAL bytes", "requests"];
    assert_eq!(between(&page, "<figcaption>", "</figcaption>"), titles);
    let drawn: Vec<_> = between(&page, "<svg", "</svg>")
        .iter()
        .map(|svg| between(svg, "class=\"ink\"", "</text>"))
        .map(|texts| texts.into_iter().map(|text| text.split_once('>').expect("a text").1).collect::<Vec<_>>())
        .collect();
    assert_eq!(drawn[1], [policies[0], "7", policies[1], "4", policies[2], "3"], "names and figures, writes");
    assert_eq!(drawn[5], ["all", "7", "use their session", "6", "touch it", "4", "leave it different", "3"]);
    let told = between(&page, "<desc id=\"told1\">", "</desc>");
    assert_eq!(
        told,
        [
            "write on every request: 7; write the whole record when borrowed: 4; write the changed fields (session-runtime): 3"
        ]
    );
    for sentence in [
        "7 requests of 4 clients, at most 3 of one; 1 times go back",
        "6 requests use their session, 4 touch it, 3 leave it different",
        "exact: one write for each request that left a session different, and no other",
        "verified: read back through a new connection, all ",
        "1 lines are no requests, the first of them:",
    ] {
        assert!(terminal.contains(sentence) && page.contains(sentence), "{sentence} is missing in\n{terminal}\n{page}");
    }
}

#[test]
fn the_page_loads_nothing_and_a_log_cannot_write_into_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (log, page, chart) = ("<script>alert(1)<img src=x>&\u{202e}.log", "report.html", "chart.svg");
    fs::write(folder.path().join(log), LOG).expect("room");
    let output = Command::new(env!("CARGO_BIN_EXE_replay"))
        .args(["--log", log, "--html", page, "--svg", chart])
        .current_dir(folder.path())
        .output()
        .expect("the program starts");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    for file in [page, chart] {
        let text = fs::read_to_string(folder.path().join(file)).expect("it was written");
        assert!(text.contains("&lt;script&gt;alert(1)&lt;img src=x&gt;&amp;\u{fffd}.log, memory store"), "{text}");
        for part in ["<script", "<img", "<link", "<iframe", "href=", "src=\"", "url(", "@import", "\u{202e}"] {
            assert!(!text.contains(part), "{part} is in {text}");
        }
    }
    let page = fs::read_to_string(folder.path().join(page)).expect("it was written");
    assert!(
        page.contains("Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'"),
        "{page}"
    );
    assert!(page.contains("<li><bdi>&lt;script&gt;"), "the bad line, by its file");
}

#[test]
fn standard_input_is_replayed_compressed_or_not() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(LOG.as_bytes()).expect("memory takes it");
    let compressed = encoder.finish().expect("memory takes it");
    for input in [LOG.as_bytes(), &compressed] {
        let mut program = Command::new(env!("CARGO_BIN_EXE_replay"))
            .args(["--log", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        program.stdin.take().expect("it was asked for").write_all(input).expect("it is read");
        let output = program.wait_with_output().expect("it ends");
        let table = String::from_utf8(output.stdout).expect("text");
        for part in ["log      standard input\n", "7 requests of 4 clients", "    standard input:5: it is in none"] {
            assert!(table.contains(part), "{part} in {table}");
        }
        assert_eq!(output.status.code(), Some(0));
    }
}

/// Replays the log into a store, and returns what its engine saw of each policy.
fn replayed_into(store: &str) -> Vec<Value> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let log = folder.path().join("some.log");
    fs::write(&log, LOG).expect("room");
    let arguments = ["--log", text(&log), "--store", store, "--concurrency", "3"];
    let table = replay(&arguments);
    assert_eq!(table.status.code(), Some(0), "{}", String::from_utf8_lossy(&table.stderr));
    let table = String::from_utf8(table.stdout).expect("text");
    assert_eq!(table.contains("what the engine saw"), store != "memory:", "{table}");

    let output = replay(&[&arguments[..], &["--json"]].concat());
    let report = report(&output);
    assert_eq!((output.status.code(), &report["verified"]), (Some(0), &json!(true)), "{report:#}");
    report["policies"].as_array().expect("a list").iter().map(|policy| policy["engine"].clone()).collect()
}

/// A figure of each policy.
fn each(seen: &[Value], engine: &str, figure: &str) -> [u64; 3] {
    let figures: Vec<_> = seen.iter().map(|seen| seen[engine][figure].as_u64().expect("a number")).collect();
    figures.try_into().expect("three policies")
}

#[test]
fn memory_has_no_engine_that_sees_anything() {
    assert_eq!(replayed_into("memory:"), [const { Value::Null }; 3]);
}

#[test]
fn the_growth_of_the_log_of_sqlite_is_reported() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let seen = replayed_into(&format!("sqlite:{}", text(&folder.path().join("replay.db"))));
    for bytes in each(&seen, "sqlite", "wal_bytes") {
        assert!(bytes > 0 && bytes % (4096 + 24) == 0, "whole frames: {seen:?}");
    }
}

#[test]
fn what_redis_counted_is_reported() {
    if redis_server::is_available() {
        let server = RedisServer::start(&["appendonly no", "requirepass hunter2"]);
        let seen = replayed_into(&server.url());
        // One for each write, after two that look at the server and register; reads are plain commands.
        assert_eq!(each(&seen, "redis", "script_calls"), [7 + 2, 4 + 2, 3 + 1], "{seen:?}");
        let [every, borrowed, ours] = each(&seen, "redis", "commands");
        assert!(10 < ours && ours < borrowed && borrowed < every, "{seen:?}");
        let [every, borrowed, ours] = each(&seen, "redis", "bytes_received");
        assert!(0 < ours && ours < borrowed && borrowed < every, "{seen:?}");
        assert!(each(&seen, "redis", "bytes_sent").iter().all(|sent| (1..10_000).contains(sent)), "{seen:?}");
    }
}

#[test]
fn the_growth_of_the_log_of_postgresql_is_reported() {
    if postgres_server::is_available() {
        let server = PostgresServer::start(&[("autovacuum", "off")]);
        let seen = replayed_into(&server.url());
        let bytes = each(&seen, "postgres", "wal_bytes");
        assert!(bytes.iter().all(|bytes| (1..1_000_000).contains(bytes)), "{seen:?}");
    }
}

#[test]
fn what_cannot_be_read_or_written_is_a_clear_error() {
    let missing = replay(&["--log", "no/such.log"]);
    assert_eq!(missing.status.code(), Some(2));
    let message = String::from_utf8_lossy(&missing.stderr);
    assert!(message.starts_with("error: cannot read the log no/such.log: "), "{message}");
    assert!(missing.stdout.is_empty());

    let log = tempfile::NamedTempFile::new().expect("a temporary file");
    fs::write(log.path(), "neither\nnor\n").expect("room");
    let output = replay(&["--log", text(log.path())]);
    assert_eq!(output.status.code(), Some(2));
    let message = String::from_utf8_lossy(&output.stderr);
    let expected = format!("error: nothing in the log {} can be read, its line 1 because it is", text(log.path()));
    assert!(message.starts_with(&expected) && message.contains("JSON lines like those of Caddy"), "{message}");

    fs::write(log.path(), "# a comment\n").expect("room");
    let output = replay(&["--log", text(log.path())]);
    assert_eq!((output.status.code(), &*output.stderr), (Some(2), &b"error: the logs hold no requests\n"[..]));

    let folder = replay(&["--log", "."]);
    assert_eq!(folder.status.code(), Some(2));

    for (option, file, what) in [("--svg", "no/such.svg", "chart"), ("--html", "no/such.html", "page")] {
        let output = replay(&[option, file]);
        assert_eq!(output.status.code(), Some(2));
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(message.starts_with(&format!("error: cannot write the {what} {file}: ")), "{message}");
    }

    let store = replay(&["--store", "sqlite:no/such/folder/replay.db"]);
    assert_eq!(store.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&store.stderr).starts_with("error: the store failed: "));

    let store = replay(&["--log", "no/such.log", "--store", "paper:1"]);
    assert_eq!(store.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&store.stderr).contains("write memory:, sqlite:PATH, redis://host"));

    let store = replay(&["--store", "redis://:hunter2@127.0.0.1:1/"]);
    assert_eq!(store.status.code(), Some(2));
    let message = String::from_utf8_lossy(&store.stderr);
    assert!(message.starts_with("error: the store failed: ") && !message.contains("hunter2"), "{message}");
}
