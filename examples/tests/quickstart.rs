//! The program `quickstart`, as its user meets it.

use std::process::Command;

#[test]
fn it_ends_with_what_all_of_it_cost() {
    let output = Command::new(env!("CARGO_BIN_EXE_quickstart")).output().expect("the program runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    assert!(text.contains("both are kept: 2 visits, and it is dark\n"), "{text}");
    assert!(
        text.ends_with("\nin all: 3 reads, 4 writes of 6 fields, and 2 commits that had nothing to write\n"),
        "{text}"
    );
}
