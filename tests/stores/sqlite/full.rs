//! A disk that is really full: a file system of a megabyte, in a namespace of a child's own.
//!
//! A child is this test binary again, as in `crash`.

use std::path::PathBuf;
use std::process::Command;

use session_runtime::store::{Base, SqliteStore, Store, StoreErrorKind};

use super::{ABSENT, agree, applied, fields, key, write};

/// Where a child finds the folder of its file system.
const FOLDER: &str = "SESSION_TESTS_SQLITE_FULL";

/// Runs a test of this file again where a small disk is mounted. `false` where the system lets nobody but root mount
/// one; then the test says that it is left out.
fn runs_on_a_small_disk(test: &str) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let on_a_small_disk = |program: &mut Command| {
        let mount = r#"mount -t tmpfs -o size=1m tmpfs "$0" && exec "$@""#;
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--mount", "sh", "-c", mount]).arg(folder.path());
        command.arg(program.get_program()).args(program.get_args()).env(FOLDER, folder.path()).output()
    };
    if !on_a_small_disk(&mut Command::new("true")).is_ok_and(|output| output.status.success()) {
        eprintln!("LEFT OUT: this user may not mount a file system of its own");
        return false;
    }
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args(["--exact", &format!("sqlite::full::{test}"), "--nocapture", "--test-threads=1"]);
    let output = on_a_small_disk(&mut again).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    true
}

/// The folder of the small disk, if this is the child.
fn small_disk() -> Option<PathBuf> {
    std::env::var_os(FOLDER).map(PathBuf::from)
}

#[tokio::test]
async fn a_disk_that_is_full_of_old_changes_takes_new_ones() {
    let Some(folder) = small_disk() else {
        runs_on_a_small_disk("a_disk_that_is_full_of_old_changes_takes_new_ones");
        return;
    };
    let (file, mut base) = (folder.join("sessions.db"), ABSENT);
    let text = |n: u32| format!("{n:03}").repeat(5_000).into_bytes();
    let mut store = SqliteStore::open(&file).await.unwrap();
    agree(&store).await;
    // Ten times as much as there is room, but never more than a part of it at once.
    for n in 0..500 {
        let commit = write(base, &[("a", &text(n))]);
        base = Base::from(&applied(store.commit(&key("42"), &commit).await.unwrap()).head.unwrap());
        if n == 0 {
            // The database itself is as large as it will be once the log was moved into it.
            drop(store);
            store = SqliteStore::open(&file).await.unwrap();
        }
    }
    assert_eq!(fields(&store, &key("42")).await, [("a".to_owned(), text(499))]);
}

#[tokio::test]
async fn a_full_disk_is_told_and_left_behind_when_there_is_room_again() {
    let Some(folder) = small_disk() else {
        runs_on_a_small_disk("a_full_disk_is_told_and_left_behind_when_there_is_room_again");
        return;
    };
    let ballast = folder.join("ballast");
    std::fs::write(&ballast, vec![b'x'; 400_000]).unwrap();
    let store = SqliteStore::open(folder.join("sessions.db")).await.unwrap();
    agree(&store).await;
    let commit = write(ABSENT, &[("a", &vec![b'x'; 20_000])]);
    let mut stored = 0;
    let refused = loop {
        match store.commit(&key(&stored.to_string()), &commit).await {
            Ok(reply) => _ = applied(reply),
            Err(error) => break error,
        }
        stored += 1;
    };
    assert_eq!(refused.kind(), StoreErrorKind::Full);
    for _ in 0..3 {
        assert_eq!(store.commit(&key("full"), &commit).await.unwrap_err().kind(), StoreErrorKind::Full);
        assert_eq!(fields(&store, &key("0")).await.len(), 1, "what is there can be read");
    }
    std::fs::remove_file(ballast).unwrap();
    applied(store.commit(&key("full"), &commit).await.unwrap());
    assert_eq!(fields(&store, &key(&(stored - 1).to_string())).await.len(), 1);
}
