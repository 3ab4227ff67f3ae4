//! The `expiry` program as its users run it.

use std::process::{Command, Output};

const LOG: &str = "\
0\t1\tGET\t/a.html\t200
120\t1\tGET\t/gone.html\t404
240\t1\tGET\t/gone.html\t404
2039\t1\tGET\t/gone.html\t404
3850\t1\tGET\t/gone.html\t404
";

fn expiry(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_expiry")).args(arguments).output().expect("the program starts")
}

#[test]
fn renewals_and_lives_are_shown_for_both_shares() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let log = folder.path().join("log");
    std::fs::write(&log, LOG).expect("room");
    let output = expiry(&["--log", log.to_str().expect("a path in UTF-8")]);
    let shown = String::from_utf8(output.stdout).expect("text");
    assert!(output.status.success(), "{shown}");
    let lines = [
        ("loads", "5", "5"),
        ("  that found a session, or an emptied one", "3", "3"),
        ("  that sent a renewal", "2", "3"),
        ("  that had no need to, by Sessions::stats", "1", "0"),
        ("sessions ended when their client came back", "1", "1"),
        ("  shortest time without use before an end", "30 min 11.000 s", "30 min 11.000 s"),
        ("  longest time without use survived", "29 min 59.000 s", "29 min 59.000 s"),
        ("ended earlier than the rule allows", "0", "0"),
        ("lived longer than the rule allows", "0", "0"),
        ("ended at another time than was told", "0", "0"),
    ];
    for (name, by_a_tenth, always) in lines {
        let line = format!("{name:42}{by_a_tenth:>20}{always:>20}\n");
        assert!(shown.contains(&line), "`{line}` is missing in\n{shown}");
    }
    assert!(shown.ends_with("\nEvery session lived as long as promised.\n"), "{shown}");
}

#[test]
fn a_log_that_is_missing_is_named() {
    let output = expiry(&["--log", "no/such/log"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no/such/log"));
}
