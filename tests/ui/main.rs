//! What compiles, what does not, and what the compiler says then.
//!
//! Each attribute has a passing case in `pass` and a failing one of the same name in `attributes`. The failing cases are
//! grouped by the pass that finds the mistake: the parser of attributes, the checks across attributes and fields, the
//! compiler's own checks of types. `TRYBUILD=overwrite scripts/test ui` records their messages.

use std::process::Command;
use std::{env, str};

/// The compiler whose messages are recorded. Record them all anew when this changes.
const RECORDED_WITH: &str = "1.95";

#[test]
fn sessions_that_compile() {
    trybuild::TestCases::new().pass("pass/*.rs");
}

#[test]
fn mistakes_in_attributes_and_types() {
    let compiler = compiler();
    if !compiler.contains(&format!("rustc {RECORDED_WITH}.")) {
        eprintln!(
            "the messages are recorded with Rust {RECORDED_WITH}, and this is {compiler}: where only the compiler's own \
             words differ, nothing is wrong; run this test with Rust {RECORDED_WITH}"
        );
    }
    let cases = trybuild::TestCases::new();
    cases.compile_fail("attributes/*.rs");
    cases.compile_fail("check/*.rs");
    cases.compile_fail("types/*.rs");
}

/// What the compiler of this build calls itself.
fn compiler() -> String {
    let program = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let said = Command::new(program).arg("--version").output().expect("the compiler says its version");
    str::from_utf8(&said.stdout).expect("a version").trim().to_owned()
}
