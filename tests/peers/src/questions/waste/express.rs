//! express-session with connect-redis, which run in node, from npm.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use super::{Act, Library};
use crate::say;

const SCRIPT: &str = include_str!("express.mjs");
/// The versions whose figures the report is about.
const PACKAGES: [&str; 4] = ["express@5", "express-session@1", "connect-redis@9", "redis@6"];

pub(super) struct Express {
    instances: Vec<Node>,
    careful: bool,
    cookies: Vec<Value>,
}

struct Node {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Express {
    /// Starts two, with the settings that its documentation advises or those it has by default.
    pub(super) fn start(folder: &Path, url: &str, careful: bool) -> Option<Self> {
        let folder = install(folder)?;
        let instances = (0..2).map(|_| Node::start(&folder, url, careful)).collect::<Option<_>>()?;
        Some(Self { instances, careful, cookies: vec![Value::Null; super::CLIENTS] })
    }

    fn keep(&mut self, client: usize, answer: &Value) {
        if answer["cookie"].is_string() {
            self.cookies[client] = answer["cookie"].clone();
        }
    }
}

/// Installs the packages into a folder, unless they are there.
fn install(folder: &Path) -> Option<PathBuf> {
    let folder = folder.join("express");
    if !folder.join("node_modules/connect-redis/package.json").is_file() {
        say!("installs express-session and connect-redis");
        std::fs::create_dir_all(&folder).ok()?;
        let arguments = ["install", "--no-audit", "--no-fund", "--silent", "--prefix", "."];
        let npm = Command::new("npm").args(arguments).args(PACKAGES).current_dir(&folder).stdin(Stdio::null()).status();
        if !npm.is_ok_and(|status| status.success()) {
            say!("LEFT OUT: express-session; npm is not installed, or cannot reach its registry");
            return None;
        }
    }
    std::fs::write(folder.join("express.mjs"), SCRIPT).ok()?;
    Some(folder)
}

impl Node {
    fn start(folder: &Path, url: &str, careful: bool) -> Option<Self> {
        let mut process = Command::new("node")
            .args(["express.mjs", url, if careful { "careful" } else { "default" }])
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .ok()?;
        let (input, output) = (process.stdin.take()?, BufReader::new(process.stdout.take()?));
        let mut node = Self { process, input, output };
        (node.answer()["event"] == "ready").then_some(node)
    }

    fn say(&mut self, words: &Value) {
        writeln!(self.input, "{words}").expect("node reads");
    }

    fn answer(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("node answers");
        serde_json::from_str(&line).unwrap_or_default()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Library for Express {
    fn name(&self) -> String {
        let settings = if self.careful { "resave: false" } else { "its defaults" };
        format!("express-session 1.19, connect-redis 9.0, {settings}")
    }

    fn keeps_its_end(&self) -> bool {
        true
    }

    async fn request(&mut self, instance: usize, client: usize, act: Act) {
        let cookie = self.cookies[client].clone();
        let node = &mut self.instances[instance];
        node.say(&json!({ "act": act, "cookie": cookie }));
        let answer = node.answer();
        self.keep(client, &answer);
    }

    async fn meet(&mut self, client: usize) {
        let cookie = self.cookies[client].clone();
        for (node, act) in self.instances.iter_mut().zip([Act::Visit, Act::Turn]) {
            node.say(&json!({ "act": act, "cookie": cookie, "meets": true }));
            assert_eq!(node.answer()["event"], "loaded");
        }
        for node in &mut self.instances {
            node.say(&json!({ "go": true }));
            node.answer();
        }
    }
}
