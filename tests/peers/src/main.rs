//! This project beside its peers: `scripts/bench` builds and runs this program.
//!
//! [`questions`] are asked of [`peers`] on [`engines`], or of the libraries in [`web`] with their middleware and in
//! [`bots`] with their trees; the [`report`] shows what was found.

mod bots;
mod compare;
mod engines;
mod options;
mod peers;
mod processes;
mod programs;
mod questions;
mod report;
mod web;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::Instant;

use engines::{Engine, Place};
use options::Options;
use questions::{allocations, build, calls, growth, layer, lines, speed, tracking, traffic, users, waste, wire};
use report::{Found, Run};
use web::grammy::Grammy;

/// Says on standard error what is going on.
#[macro_export]
macro_rules! say {
    ($($words:tt)*) => {
        $crate::say_line(&format!($($words)*))
    };
}

static LEFT_OUT: std::sync::Mutex<Vec<String>> = std::sync::Mutex::new(Vec::new());

fn say_line(line: &str) {
    eprintln!("{line}");
    if let (Some(what), Ok(mut left_out)) = (line.strip_prefix("LEFT OUT: "), LEFT_OUT.lock()) {
        left_out.push(what.to_owned());
    }
}

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    if options.count {
        tracking::run_counted();
        return ExitCode::SUCCESS;
    }
    let found = ask(&options);
    print!("{}", found.summary());
    match found.write(&options.output) {
        Ok(()) => {
            say!("\nthe report is {}", options.output.join("report.md").display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("cannot write the report into {}: {error}", options.output.display());
            ExitCode::FAILURE
        }
    }
}

fn ask(options: &Options) -> Found {
    let (started, effort) = (Instant::now(), options.effort());
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let runtime = Arc::new(runtime);
    let work = options.output.join("work");
    let _ = std::fs::remove_dir_all(work.join("databases"));
    let place = Place { runtime: runtime.clone(), folder: work.join("databases"), sqlx: options.sqlx.clone() };
    if place.sqlx.is_none() {
        say!("LEFT OUT: tower-sessions on SQLite and PostgreSQL; scripts/bench passes --sqlx PROGRAM");
    }
    let mut found = Found::default();
    if options.add {
        match Found::read(&options.output) {
            Ok(earlier) => found = earlier,
            Err(error) => say!("nothing to add to in {}: {error}", options.output.display()),
        }
    }
    found.processors = std::thread::available_parallelism().map_or(0, usize::from);

    if options.asks("tracking") {
        found.tracking = tracking::ask(&work, effort.quick);
    }
    if options.asks("allocations") {
        found.allocations = allocations::ask();
    }
    let asks_one = |questions: &[&str]| questions.iter().any(|question| options.asks(question));
    let grammy = asks_one(&["calls", "traffic", "bots"]).then(|| Grammy::install(&work)).flatten();
    if asks_one(&["calls", "traffic"]) {
        // actix's services stay on their thread.
        let local = tokio::task::LocalSet::new();
        local.block_on(&alone(), async {
            if options.asks("calls") {
                found.calls = calls::ask(grammy.as_ref()).await;
            }
            if options.asks("traffic") {
                found.traffic = traffic::ask(&options.logs, grammy.as_ref()).await;
            }
        });
    }
    if options.asks("waste") {
        found.waste = tokio::task::LocalSet::new().block_on(&alone(), waste::ask(&work, options.sqlx.as_deref()));
    }
    if options.asks("bots") {
        found.bots = Some(alone().block_on(questions::bots::ask(&effort, grammy.as_ref())));
    }
    if options.asks("layer") {
        found.layers = tokio::task::LocalSet::new().block_on(&alone(), layer::ask(&effort));
    }
    if options.asks("lines") {
        found.lines = alone().block_on(lines::ask());
    }
    if asks_one(&["speed", "apart", "crowd", "wire", "growth", "users"]) {
        let engines = Engine::all(|name| options.is_on(name));
        if options.asks("speed") {
            found.requests = speed::requests(&engines, &place, &effort);
        }
        if options.asks("apart") {
            found.apart = speed::apart(&engines, &place, &effort);
        }
        if options.asks("wire") {
            found.wire = wire::ask(&engines, &place);
        }
        if options.asks("crowd") {
            found.crowd = speed::crowd(&engines, &place, &effort);
        }
        if options.asks("users") {
            found.users = users::ask(&engines, &place, &effort);
        }
        if options.asks("growth") {
            found.growth = growth::ask(&engines, &place, &effort);
        }
    }
    if options.asks("writers") && options.is_on("SQLite") {
        found.writers = Some(speed::writers(&place, &effort));
    }
    if options.asks("build") {
        found.builds = build::ask(&repository, &work, options.builds);
        found.derive = options.builds.then(|| build::derive(&repository)).flatten();
    }
    let _ = std::fs::remove_dir_all(work.join("databases"));
    found.runs.push(Run {
        command: std::iter::once("scripts/bench".to_owned()).chain(arguments()).collect::<Vec<_>>().join(" "),
        commit: commit(&repository),
        seconds: started.elapsed().as_secs_f64(),
    });
    for left_out in LEFT_OUT.lock().iter().flat_map(|left_out| left_out.iter()) {
        if !found.left_out.contains(left_out) {
            found.left_out.push(left_out.clone());
        }
    }
    found
}

/// A runtime of this thread alone.
fn alone() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// What the user wrote, without what the script adds.
fn arguments() -> impl Iterator<Item = String> {
    let mut arguments = std::env::args().skip(1);
    std::iter::from_fn(move || {
        let argument = arguments.next()?;
        if argument != "--sqlx" {
            return Some(argument);
        }
        arguments.next();
        arguments.next()
    })
}

fn commit(repository: &PathBuf) -> String {
    let output = Command::new("git").args(["describe", "--always", "--dirty"]).current_dir(repository).output();
    output.map_or("unknown".to_owned(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
