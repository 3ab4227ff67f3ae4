//! Redis servers for tests: each on a free loopback port, in a temporary folder, ended when it is dropped.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use std::{env, fs, thread};

use crate::free_port;
use crate::installed;

/// Where `redis-server` (or `valkey-server`) is: what `SESSION_TEST_REDIS_SERVER` names, or in `PATH`, or in one of
/// the usual places.
#[must_use]
pub fn find() -> Option<PathBuf> {
    installed::find("SESSION_TEST_REDIS_SERVER", &["redis-server", "valkey-server"])
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
    installed::leave_out("redis-server", "name it in SESSION_TEST_REDIS_SERVER");
    false
}

/// The URL of a server that tests can share, each with a prefix or names of its own: what `SESSION_TEST_REDIS` says,
/// else one that is started now and ends with this process. Nothing if there is none; that is said then.
#[must_use]
pub fn shared() -> Option<String> {
    static SHARED: OnceLock<Option<RedisServer>> = OnceLock::new();
    if let Ok(url) = env::var("SESSION_TEST_REDIS") {
        return Some(url);
    }
    SHARED.get_or_init(|| is_available().then(|| RedisServer::start(&["appendonly no"]))).as_ref().map(RedisServer::url)
}

/// A server of one test.
#[derive(Debug)]
pub struct RedisServer {
    process: Process,
    program: PathBuf,
    folder: PathBuf,
    port: u16,
    password: Option<String>,
    has_tls: bool,
}

/// A running server.
///
/// A shell watches over it, which kills it when its own input ends: no server is left behind, however the test ends.
#[derive(Debug)]
struct Process {
    shell: Child,
    id: String,
}

const SHELL: &str = r#"exec 3<&0; "$0" "$1" & echo $!; read line <&3; kill -9 $! 2>/dev/null; wait $! 2>/dev/null"#;

impl RedisServer {
    /// Starts a server that keeps what it acknowledged (`appendonly`, `appendfsync always`), with these configuration
    /// lines in addition.
    ///
    /// # Panics
    /// When there is no server to start, or it does not come up.
    #[must_use]
    pub fn start(config: &[&str]) -> Self {
        Self::launch(config, false)
    }

    /// Starts a server that takes encrypted connections only, with this certificate and its key.
    ///
    /// # Panics
    /// When there is no server to start, or it does not come up.
    #[must_use]
    pub fn start_with_tls(certificate: &Path, key: &Path) -> Self {
        let certificate = format!("tls-cert-file {}", certificate.display());
        let key = format!("tls-key-file {}", key.display());
        Self::launch(&[&certificate, &key, "tls-auth-clients no"], true)
    }

    fn launch(config: &[&str], has_tls: bool) -> Self {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let program = find().expect("redis-server");
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("session-redis-{}-{number}", std::process::id()));
        // A process of the same number that was killed can have left one.
        let _ = fs::remove_dir_all(&folder);
        let password =
            config.iter().find_map(|line| line.strip_prefix("requirepass ")).map(|word| word.trim().to_owned());
        let mut log = String::new();
        // Another program can take a port between its choice and its use.
        for _ in 0..20 {
            fs::create_dir_all(&folder).expect("a temporary folder");
            let port = free_port();
            let listen = if has_tls { format!("port 0\ntls-port {port}") } else { format!("port {port}") };
            let lines = format!(
                "{listen}\nbind 127.0.0.1\ndir {}\nsave \"\"\nappendonly yes\nappendfsync always\n{}\n",
                folder.display(),
                config.join("\n")
            );
            fs::write(folder.join("redis.conf"), lines).expect("a writable temporary folder");
            match Process::start(&program, &folder) {
                Ok(process) => return Self { process, program, folder, port, password, has_tls },
                Err(said) => log = said,
            }
        }
        let _ = fs::remove_dir_all(&folder);
        panic!("redis-server did not come up: {log}");
    }

    /// Where it is, as `host:port`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Its URL, with the password if it has one.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_at(&self.address())
    }

    /// Its URL by way of another address: that of a proxy.
    #[must_use]
    pub fn url_at(&self, address: &str) -> String {
        let login = self.password.as_ref().map(|password| format!(":{password}@")).unwrap_or_default();
        let scheme = if self.has_tls { "rediss" } else { "redis" };
        format!("{scheme}://{login}{address}/")
    }

    /// The id of its process.
    #[must_use]
    pub fn process(&self) -> &str {
        &self.process.id
    }

    /// Kills it without warning.
    pub fn kill9(&mut self) {
        drop(self.process.shell.stdin.take());
        let _ = self.process.shell.wait();
    }

    /// Starts it again where it was, with what it kept.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn restart(&mut self) {
        self.kill9();
        self.process = Process::start(&self.program, &self.folder).expect("redis-server comes up again");
    }

    /// Makes it stop working on anything, without closing its connections.
    pub fn stop(&self) {
        self.signal("-STOP");
    }

    /// Makes it work again.
    pub fn cont(&self) {
        self.signal("-CONT");
    }

    /// Sends a command, each word as it is, and returns the answer as the engine writes it.
    ///
    /// # Panics
    /// When the server cannot be reached.
    pub fn command(&self, words: &[&[u8]]) -> Vec<u8> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("a running server");
        stream.set_read_timeout(Some(Duration::from_secs(5))).expect("a timeout");
        let mut request = Vec::new();
        if let Some(password) = &self.password {
            write_words(&mut request, &[b"AUTH", password.as_bytes()]);
        }
        write_words(&mut request, words);
        write_words(&mut request, &[b"QUIT"]);
        stream.write_all(&request).expect("a running server");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        let answer = answer.strip_suffix(b"+OK\r\n").unwrap_or(&answer);
        match &self.password {
            Some(_) => answer.strip_prefix(b"+OK\r\n").unwrap_or(answer).to_vec(),
            None => answer.to_vec(),
        }
    }

    /// As [`RedisServer::command`], for words and answers that are text.
    #[must_use]
    pub fn cli(&self, line: &str) -> String {
        let words: Vec<&[u8]> = line.split_whitespace().map(str::as_bytes).collect();
        String::from_utf8_lossy(&self.command(&words)).into_owned()
    }

    /// When it removes a key, by its own clock: between these two times, in milliseconds; `None` if it never does.
    ///
    /// # Panics
    /// When the server cannot be reached, or there is no such key.
    #[must_use]
    pub fn removes(&self, key: &str) -> Option<RangeInclusive<i64>> {
        let (before, left, after) = (self.now(), self.cli(&format!("PTTL {key}")), self.now());
        let left: i64 = left.trim_start_matches(':').trim().parse().expect("a number");
        assert_ne!(left, -2, "there is no {key}");
        (left >= 0).then(|| before + left..=after + left)
    }

    /// Its clock, in milliseconds.
    fn now(&self) -> i64 {
        let answer = self.cli("TIME");
        let numbers: Vec<i64> = answer.lines().filter_map(|line| line.parse().ok()).collect();
        let [seconds, micros] = numbers[..] else { panic!("{answer}") };
        seconds * 1000 + micros / 1000
    }

    fn signal(&self, signal: &str) {
        let done = Command::new("kill").args([signal, &self.process.id]).status();
        assert!(done.is_ok_and(|status| status.success()), "kill {signal}");
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill9();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Process {
    /// Starts a server and waits until it is ready; else says what it logged.
    fn start(program: &Path, folder: &Path) -> Result<Self, String> {
        let mut shell = Command::new("sh")
            .args(["-c", SHELL])
            .args([program, &folder.join("redis.conf")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| error.to_string())?;
        let mut log = BufReader::new(shell.stdout.take().expect("a piped output"));
        let mut id = String::new();
        let _ = log.read_line(&mut id);
        let mut said = String::new();
        while !said.contains("Ready to accept connections") {
            // A server that could not start says why before it ends.
            if said.contains("# Failed") || said.contains("Fatal") || !log.read_line(&mut said).is_ok_and(|n| n > 0) {
                drop(shell.stdin.take());
                let _ = shell.wait();
                return Err(said);
            }
        }
        // A server that nobody reads from would stop at the next line it logs.
        thread::spawn(move || io::copy(&mut log, &mut io::sink()));
        Ok(Self { shell, id: id.trim().to_owned() })
    }
}

fn write_words(out: &mut Vec<u8>, words: &[&[u8]]) {
    out.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
    for word in words {
        out.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        out.extend_from_slice(word);
        out.extend_from_slice(b"\r\n");
    }
}
