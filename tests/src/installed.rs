//! Programs that tests run, where they are installed.

use std::env;
use std::path::PathBuf;

/// Where a program is: what a variable names, or the first of these names that is in `PATH` or in one of the usual
/// places.
#[must_use]
pub fn find(variable: &str, names: &[&str]) -> Option<PathBuf> {
    if let Some(named) = env::var_os(variable) {
        return Some(named.into());
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/bin", "/usr/local/bin", "/usr/sbin", "/opt/homebrew/bin"].map(PathBuf::from);
    let folders: Vec<PathBuf> = env::split_paths(&path).chain(usual).collect();
    let found = |name: &&str| folders.iter().map(|folder| folder.join(name)).find(|file| file.is_file());
    names.iter().find_map(found)
}

/// Says that tests are left out because a program is not installed, and what can be done but to install it.
///
/// # Panics
/// When `SESSION_TEST_REQUIRE_SERVERS=1` says that it has to be.
pub fn leave_out(program: &str, otherwise: &str) {
    let required = env::var("SESSION_TEST_REQUIRE_SERVERS").is_ok_and(|value| value == "1");
    assert!(!required, "{program} is not installed, and SESSION_TEST_REQUIRE_SERVERS=1 asks for it");
    eprintln!("LEFT OUT: {program} is not installed; install it, or {otherwise}");
}
