//! The programs `web` and `bot`, as processes.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;

/// Where the shops listen. A shop that is started again listens elsewhere.
#[derive(Debug, Default)]
pub(crate) struct Ports([AtomicU16; 2]);

impl Ports {
    pub(crate) fn of(&self, shop: usize) -> u16 {
        self.0[shop].load(Ordering::SeqCst)
    }
}

/// A program that can be killed, stopped and started again. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Program {
    command: Command,
    child: Child,
    /// Which shop it is, if it is one.
    shop: Option<(usize, Arc<Ports>)>,
}

impl Program {
    /// Starts a shop with its sessions at this URL.
    pub(crate) fn shop(number: usize, ports: &Arc<Ports>, folder: &Path, store: &str, log: File) -> io::Result<Self> {
        let mut command = Command::new(folder.join("web"));
        command.args(["--port", "0", "--store", store]).stdout(Stdio::piped()).stderr(log);
        Self::start(command, Some((number, Arc::clone(ports))))
    }

    /// Starts the bot with its sessions at this URL, on a stand-in for Telegram.
    pub(crate) fn bot(folder: &Path, store: &str, api: &str, token: &str, log: File) -> io::Result<Self> {
        let mut command = Command::new(folder.join("bot"));
        command.arg(store).env("TELOXIDE_TOKEN", token).env("TELOXIDE_API_URL", api);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        Self::start(command, None)
    }

    fn start(mut command: Command, shop: Option<(usize, Arc<Ports>)>) -> io::Result<Self> {
        let child = command.spawn()?;
        let mut program = Self { command, child, shop };
        program.listen()?;
        Ok(program)
    }

    /// Waits until a shop says where it listens.
    fn listen(&mut self) -> io::Result<()> {
        let Some((number, ports)) = &self.shop else { return Ok(()) };
        let mut output = BufReader::new(self.child.stdout.take().expect("it is piped"));
        let mut line = String::new();
        output.read_line(&mut line)?;
        let port = line.trim().rsplit(':').next().and_then(|port| port.parse().ok());
        let port = port.ok_or_else(|| io::Error::other("a shop that does not say where it is"))?;
        ports.0[*number].store(port, Ordering::SeqCst);
        thread::spawn(move || io::copy(&mut output, &mut io::sink()));
        Ok(())
    }

    pub(crate) fn kill(&mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(drop)
    }

    pub(crate) fn start_again(&mut self) -> io::Result<()> {
        self.child = self.command.spawn()?;
        self.listen()
    }

    /// Sends a signal, such as `-STOP`.
    pub(crate) fn signal(&self, signal: &str) -> io::Result<()> {
        let done = Command::new("kill").args([signal, &self.process()]).status()?;
        if done.success() { Ok(()) } else { Err(io::Error::other("no such process")) }
    }

    /// The id of its process.
    pub(crate) fn process(&self) -> String {
        self.child.id().to_string()
    }

    /// Whether it runs, or is stopped.
    pub(crate) fn is_there(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}
