//! PostgreSQL servers for tests: each on a free loopback port, in a temporary folder, ended when it is dropped, and
//! also when the test program dies.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use tokio_postgres::{Client, NoTls};

use crate::free_port;
use crate::installed::leave_out;

/// The tests connect often, so only roles that a test makes are asked for a password.
const ACCESS: &str = "host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n";

/// How long a server may take to come up, or to go.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs the server and waits: for a line, or for the end of its input, which comes when the test program dies in
/// whatever way. Then the server, which may be stopped, is ended at once; without a line its folder goes too.
const KEEPER: &str = r#"
"$@" </dev/null & server=$!
read -r word
for process in $server $(ps -o pid= --ppid $server); do kill -CONT "$process" 2>/dev/null; done
kill -QUIT $server 2>/dev/null
wait $server
[ "$word" = keep ] || rm -rf "$FOLDER"
"#;

/// A server of one test, or of one test program.
#[derive(Debug)]
pub struct PostgresServer {
    folder: PathBuf,
    programs: PathBuf,
    user: Option<User>,
    port: u16,
    settings: Vec<(String, String)>,
    keeper: Child,
    /// Closing it ends the server.
    input: Option<ChildStdin>,
}

#[derive(Debug, Clone, Copy)]
struct User {
    id: u32,
    group: u32,
}

/// The folder that holds `initdb` and `postgres`: what `SESSION_TEST_POSTGRES_BIN` names, or in `PATH`, or where
/// systems put them.
#[must_use]
pub fn find() -> Option<PathBuf> {
    let holds = |folder: &PathBuf| folder.join("initdb").is_file() && folder.join("postgres").is_file();
    if let Some(named) = env::var_os("SESSION_TEST_POSTGRES_BIN") {
        return Some(named.into());
    }
    let path = env::var_os("PATH").unwrap_or_default();
    if let Some(found) = env::split_paths(&path).find(holds) {
        return Some(found);
    }
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    let mut versions: Vec<(u32, PathBuf)> = versions
        .filter_map(|version| Some(version.ok()?.path()))
        .filter_map(|version| Some((version.file_name()?.to_str()?.parse().ok()?, version.join("bin"))))
        .collect();
    versions.sort();
    versions.into_iter().rev().map(|(_, folder)| folder).find(holds)
}

/// A program that comes with the server, such as `pg_dump`: beside it, or in `PATH`.
#[must_use]
pub fn program(name: &str) -> Command {
    let beside = find().map(|folder| folder.join(name)).filter(|program| program.is_file());
    Command::new(beside.unwrap_or_else(|| name.into()))
}

/// Whether tests that need a server of their own can run; says so if not.
///
/// # Panics
/// When there is none and `SESSION_TEST_REQUIRE_SERVERS=1` says that there has to be one.
#[must_use]
pub fn is_available() -> bool {
    if find().is_some() {
        return true;
    }
    leave_out("PostgreSQL", "name its programs' folder in SESSION_TEST_POSTGRES_BIN");
    false
}

/// The address of a server that the tests of this program share: that of `SESSION_TEST_POSTGRES`, or else one of its
/// own. `None`, with a word about it, if there is none.
#[must_use]
pub fn shared() -> Option<String> {
    static SERVER: OnceLock<Option<PostgresServer>> = OnceLock::new();
    if let Ok(url) = env::var("SESSION_TEST_POSTGRES") {
        return Some(url);
    }
    // Nothing here is killed, so nothing has to reach the disk.
    let start = || is_available().then(|| PostgresServer::start(&[("fsync", "off"), ("max_connections", "300")]));
    SERVER.get_or_init(start).as_ref().map(PostgresServer::url)
}

/// A name for a schema that no other test uses.
#[must_use]
pub fn fresh_schema() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    format!("test_{:08x}_{}", rand::random::<u32>(), NUMBER.fetch_add(1, Ordering::Relaxed))
}

/// A connection of the test's own, to look behind the store.
///
/// # Panics
/// When the server cannot be reached.
pub async fn client(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("a server");
    tokio::spawn(connection);
    client
}

/// Makes a folder, with the files in it, the servers' own: they run as another user, and read no key that more can read.
///
/// # Panics
/// When it cannot be given away.
pub fn give(folder: &Path) {
    let files = fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").path());
    for (path, mode) in files.map(|file| (file, 0o600)).chain([(folder.to_owned(), 0o700)]) {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("a file of our own");
        if let Some(user) = other_user() {
            chown(&path, Some(user.id), Some(user.group)).expect("the right to give files away");
        }
    }
}

impl PostgresServer {
    /// Starts a server that keeps what it acknowledged, unless these settings say otherwise.
    ///
    /// # Panics
    /// When there is no server to start, or it does not come up.
    #[must_use]
    pub fn start(settings: &[(&str, &str)]) -> Self {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let programs = find().expect("PostgreSQL");
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("session-postgres-{}-{number}", std::process::id()));
        // A process of the same number that was killed can have left one.
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a temporary folder");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).expect("a folder of our own");
        let user = other_user();
        if let Some(user) = user {
            chown(&folder, Some(user.id), Some(user.group)).expect("the right to give files away");
        }
        let mut initdb = Command::new(programs.join("initdb"));
        initdb.arg("-D").arg(folder.join("data")).args([
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        ]);
        let output = as_user(&mut initdb, user, &folder).output().expect("initdb");
        assert!(output.status.success(), "initdb failed: {}", String::from_utf8_lossy(&output.stderr));
        fs::write(folder.join("data/pg_hba.conf"), ACCESS).expect("a writable temporary folder");
        let settings: Vec<_> = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        // Another program can take a port between its choice and its use.
        for _ in 0..20 {
            let port = free_port();
            if let Some((keeper, input)) = run(&programs, &folder, user, port, &settings) {
                return Self { folder, programs, user, port, settings, keeper, input: Some(input) };
            }
        }
        panic!("PostgreSQL did not come up");
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_at(&self.address())
    }

    /// Where it is, as `host:port`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Its address when it is reached at another `host:port`.
    #[must_use]
    pub fn url_at(&self, address: &str) -> String {
        format!("postgres://postgres@{address}/postgres")
    }

    /// Kills all its processes, as a power cut would.
    ///
    /// # Panics
    /// When it does not end.
    pub fn kill9(&mut self) {
        let processes = self.processes();
        signal("-KILL", &processes);
        wait_until("the killed server is gone", || processes.iter().all(|process| !is_alive(process)));
    }

    /// Stops all its processes: connections stay open, and nothing answers.
    pub fn stop(&self) {
        signal("-STOP", &self.processes());
    }

    /// Lets a stopped server go on.
    pub fn cont(&self) {
        signal("-CONT", &self.processes());
    }

    /// Ends it if it runs, and starts it anew on the same data and port, with these settings in addition.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn restart(&mut self, settings: &[(&str, &str)]) {
        if let Some(mut input) = self.input.take() {
            let _ = input.write_all(b"keep\n");
        }
        let _ = self.keeper.wait();
        self.settings.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let (keeper, input) = run(&self.programs, &self.folder, self.user, self.port, &self.settings)
            .expect("a server that comes up again");
        (self.keeper, self.input) = (keeper, Some(input));
    }

    /// The folder of its data.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// The ids of the server process and its children.
    ///
    /// # Panics
    /// Where there is no `ps`.
    #[must_use]
    pub fn processes(&self) -> Vec<String> {
        let pid = fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
        let Some(server) = pid.lines().next().map(str::to_owned) else { return Vec::new() };
        let children = Command::new("ps").args(["-o", "pid=", "--ppid", &server]).output().expect("ps");
        let children = String::from_utf8_lossy(&children.stdout);
        // The server comes first: one that is stopped makes no new child.
        std::iter::once(server).chain(children.split_whitespace().map(str::to_owned)).collect()
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.keeper.wait();
    }
}

/// Starts the server and waits until it takes connections; `None` if it ends instead.
#[expect(clippy::zombie_processes, reason = "the keeper of a server that does not come up ends with its input")]
fn run(
    programs: &Path,
    folder: &Path,
    user: Option<User>,
    port: u16,
    settings: &[(String, String)],
) -> Option<(Child, ChildStdin)> {
    let mut command = Command::new("sh");
    command.args(["-c", KEEPER, "sh"]).arg(programs.join("postgres")).env("FOLDER", folder);
    command.arg("-D").arg(folder.join("data")).args(["-p", &port.to_string()]);
    let fixed = [("listen_addresses", "127.0.0.1"), ("unix_socket_directories", ""), ("logging_collector", "off")];
    for (name, value) in fixed.into_iter().chain(settings.iter().map(|(name, value)| (&**name, &**value))) {
        command.arg("-c").arg(format!("{name}={value}"));
    }
    as_user(&mut command, user, folder).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut keeper = command.spawn().expect("a shell");
    let input = keeper.stdin.take()?;
    let log = follow(keeper.stderr.take()?);
    let deadline = Instant::now() + PATIENCE;
    let mut said = Vec::new();
    while let Ok(line) = log.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        if line.contains("ready to accept connections") {
            return Some((keeper, input));
        }
        // What it tells clients that come too early is no reason to end.
        let ended = line.contains("FATAL") && !line.contains("the database system is ");
        said.push(line);
        if ended {
            break;
        }
    }
    eprintln!("PostgreSQL did not come up: {said:?}");
    let mut input = input;
    let _ = input.write_all(b"keep\n");
    let _ = keeper.wait();
    None
}

/// The lines of a log, which goes on being read so that its writer never waits.
fn follow(log: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (lines, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(log).lines().map_while(Result::ok) {
            let _ = lines.send(line);
        }
    });
    receiver
}

/// PostgreSQL refuses to run as root: then, the user that its package made, or nobody.
fn other_user() -> Option<User> {
    if fs::metadata("/proc/self").is_ok_and(|process| process.uid() != 0) {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let user = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut ids = line.split(':').skip(2).map(str::parse);
        Some(User { id: ids.next()?.ok()?, group: ids.next()?.ok()? })
    };
    user("postgres").or_else(|| user("nobody"))
}

fn as_user<'a>(command: &'a mut Command, user: Option<User>, folder: &Path) -> &'a mut Command {
    if let Some(user) = user {
        command.uid(user.id).gid(user.group);
    }
    command.current_dir(folder)
}

fn signal(signal: &str, processes: &[String]) {
    let _ = Command::new("kill").arg(signal).args(processes).stderr(Stdio::null()).status();
}

/// Whether a process runs: one that nobody has waited for yet does not.
fn is_alive(process: &str) -> bool {
    let status = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    status.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.trim_start().starts_with('Z'))
}

#[expect(clippy::disallowed_methods, reason = "another process's state tells nobody when it changes")]
fn wait_until(what: &str, done: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        thread::sleep(Duration::from_millis(2));
    }
}
