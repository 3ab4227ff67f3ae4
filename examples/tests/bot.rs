//! The program `bot`, as its user meets it.

use std::process::{Command, Output};

fn bot(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bot"));
    command.args(arguments).env_remove("TELOXIDE_TOKEN").output().expect("the program runs")
}

#[test]
fn the_demo_shows_a_counter_a_dialogue_and_a_chat_that_leaves_nothing() {
    let output = bot(&["--demo"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    for line in [
        "7: /count\n   That is 2.\n",
        "7: Rust\n   At which hour may I write to you?\n",
        "7: hello\n   You counted to 2, and speak Rust at 9.\n",
        "8: hello\n   Send /count, /settings, /forget or /stats.\n",
        "7: /stats\n   9 reads, 5 writes since I run.\n",
        "Of chat 8, which only said hello, nothing is stored.\n",
    ] {
        assert!(text.contains(line), "{line:?} is missing in\n{text}");
    }
}

#[test]
fn without_a_token_it_says_where_to_get_one() {
    let output = bot(&[]);
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("TELOXIDE_TOKEN"), "{output:?}");
}
