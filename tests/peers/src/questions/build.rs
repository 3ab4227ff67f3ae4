//! How many crates does each side bring, how long does a clean build take, and what does the derive cost?

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::processes::cpu_of_ended_children;
use crate::say;

/// A program that depends on one side alone.
#[derive(Serialize, Deserialize, Debug, Clone)]
pub struct Build {
    pub side: String,
    pub crates: usize,
    /// Of processor time, on all cores together, of a clean release build; measured when asked for.
    pub seconds: Option<f64>,
}

/// The derive's build time divided by that of serde's two: `cargo check` and `cargo build`.
#[derive(Serialize, Deserialize, Debug, Clone, Copy)]
pub struct Derive {
    pub check: f64,
    pub build: f64,
}

/// Name, and the dependency as `Cargo.toml` has it; `OURS` is the path of this project's crate.
const PROGRAMS: &[(&str, &str)] = &[
    (
        "session-runtime, tracking and memory",
        r#"session-runtime = { path = "OURS", default-features = false, features = ["derive"] }"#,
    ),
    ("session-runtime, SQLite", r#"session-runtime = { path = "OURS" }"#),
    (
        "session-runtime, Redis",
        r#"session-runtime = { path = "OURS", default-features = false, features = ["derive", "redis"] }"#,
    ),
    (
        "session-runtime, PostgreSQL",
        r#"session-runtime = { path = "OURS", default-features = false, features = ["derive", "postgres"] }"#,
    ),
    ("tower-sessions, memory", r#"tower-sessions = "0.15""#),
    (
        "tower-sessions, SQLite by SQLx",
        "tower-sessions-core = \"0.14\"\ntower-sessions-sqlx-store = { version = \"0.15\", features = [\"sqlite\"] }",
    ),
    ("tower-sessions, Redis by fred", "tower-sessions-core = \"0.14\"\ntower-sessions-redis-store = \"0.16\""),
    (
        "tower-sessions, PostgreSQL by SQLx",
        "tower-sessions-core = \"0.14\"\ntower-sessions-sqlx-store = { version = \"0.15\", features = [\"postgres\"] }",
    ),
    (
        "actix-session, cookie only",
        r#"actix-session = { version = "0.11", default-features = false, features = ["cookie-session"] }"#,
    ),
    (
        "actix-session, Redis",
        r#"actix-session = { version = "0.11", default-features = false, features = ["redis-session"] }"#,
    ),
    ("axum_session, memory", r#"axum_session = "0.22""#),
];

pub fn ask(repository: &Path, folder: &Path, clean: bool) -> Vec<Build> {
    PROGRAMS
        .iter()
        .filter_map(|(side, dependency)| {
            say!("builds: {side}");
            let folder = folder.join("builds").join(side.replace([' ', ','], "-"));
            let manifest =
                program(&folder, &dependency.replace("OURS", &repository.join("session-runtime").to_string_lossy()));
            let build = crates(&manifest).map(|crates| Build {
                side: (*side).to_owned(),
                crates,
                seconds: clean.then(|| seconds(&manifest, &folder)).flatten(),
            });
            if build.is_none() {
                say!("LEFT OUT: {side}; cargo cannot resolve it");
            }
            build
        })
        .collect()
}

fn program(folder: &Path, dependency: &str) -> PathBuf {
    let manifest = folder.join("Cargo.toml");
    let text = format!(
        "[workspace]\n[package]\nname = \"program\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[dependencies]\n{dependency}\n"
    );
    fs::create_dir_all(folder.join("src")).expect("a folder for the program");
    fs::write(&manifest, text).expect("a manifest");
    fs::write(folder.join("src/main.rs"), "fn main() {}\n").expect("a program");
    manifest
}

/// How many crates cargo compiles, build scripts' and macros' included.
fn crates(manifest: &Path) -> Option<usize> {
    let output = Command::new("cargo")
        .args(["tree", "--quiet", "-e", "normal,build", "--prefix", "none", "--format", "{p}", "--manifest-path"])
        .arg(manifest)
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let text = String::from_utf8_lossy(&output.stdout);
    // A crate's second mention is marked with a star.
    let crates: std::collections::BTreeSet<&str> =
        text.lines().map(|line| line.trim_end_matches(" (*)")).filter(|line| !line.starts_with("program ")).collect();
    Some(crates.len())
}

fn seconds(manifest: &Path, folder: &Path) -> Option<f64> {
    let target = folder.join("target");
    let _ = fs::remove_dir_all(&target);
    let cargo = |verb: &str| {
        let mut cargo = Command::new("cargo");
        cargo.args([verb, "--quiet", "--manifest-path"]).arg(manifest).env("CARGO_TARGET_DIR", &target);
        cargo
    };
    // What has to be downloaded is, before the clock starts.
    cargo("fetch").status().ok().filter(std::process::ExitStatus::success)?;
    let before = cpu_of_ended_children();
    cargo("build").arg("--release").status().ok().filter(std::process::ExitStatus::success)?;
    let seconds = (cpu_of_ended_children() - before).as_secs_f64();
    let _ = fs::remove_dir_all(&target);
    Some(seconds)
}

/// What `scripts/build-cost` says of the shape that costs most.
pub fn derive(repository: &Path) -> Option<Derive> {
    say!("what the derive costs to build");
    let output = Command::new(repository.join("scripts/build-cost")).arg("5").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let ratios = text.lines().filter_map(|line| {
        let (check, rest) = line.strip_prefix("Session / Serialize + Deserialize: check ")?.split_once(", build ")?;
        Some(Derive { check: check.parse().ok()?, build: rest.split(';').next()?.parse().ok()? })
    });
    ratios.max_by(|one, other| one.build.total_cmp(&other.build))
}
