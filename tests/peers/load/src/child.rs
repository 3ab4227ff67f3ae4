//! Contenders of another process, for what cannot be linked into one program.

use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child as Process, ChildStdin, ChildStdout, Command, Stdio};

use crate::{Figures, Load, Side};

/// A contender of a process that answers loads: a line of JSON each.
pub struct Child {
    name: String,
    process: Process,
    loads: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Child {
    /// Starts the program, which calls [`serve`].
    pub fn boxed(name: impl Into<String>, program: &Path, arguments: &[&str]) -> Box<dyn Side> {
        let mut process = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {}: {error}", program.display()));
        let loads = process.stdin.take();
        let answers = BufReader::new(process.stdout.take().expect("a piped output"));
        Box::new(Self { name: name.into(), process, loads, answers })
    }
}

impl Side for Child {
    fn name(&self) -> &str {
        &self.name
    }

    fn run(&mut self, load: &Load) -> Figures {
        let line = serde_json::to_string(load).expect("a load is data");
        let loads = self.loads.as_mut().expect("open until it is dropped");
        writeln!(loads, "{line}").and_then(|()| loads.flush()).expect("a running process");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("an answer");
        serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{} ended: {error}", self.name))
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        drop(self.loads.take());
        let _ = self.process.wait();
    }
}

/// Answers loads until there are no more.
pub fn serve(side: &mut dyn Side) {
    for line in io::stdin().lines().map_while(Result::ok) {
        let load = serde_json::from_str(&line).expect("a load");
        let figures = serde_json::to_string(&side.run(&load)).expect("figures are data");
        println!("{figures}");
    }
}
