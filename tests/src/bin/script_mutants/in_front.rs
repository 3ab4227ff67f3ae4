//! A `redis-server` with changed scripts, for the tests that start servers of their own.
//!
//! The tests run this program in place of the server: `SESSION_TEST_REDIS_SERVER` names it. It starts the server on
//! another port, and a proxy on the one that the tests know.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::{env, fs};

use session_tests::{free_port, redis_server};

use crate::mutants;
use crate::proxy::{Protocol, Proxy};

/// The name of the change.
const CHANGE: &str = "SCRIPT_MUTANT";

/// Where the server is.
const SERVER: &str = "SCRIPT_MUTANT_SERVER";

/// Ends with the program that waits for it, however that ends: its input is a pipe from there.
const KEEPER: &str = r#""$0" "$1" & read line; kill -9 $! 2>/dev/null; wait $!"#;

/// Lets a command run its tests on this change.
pub(crate) fn prepare(command: &mut Command, change: &str) {
    let server = redis_server::find().expect("redis-server");
    let this = env::current_exe().expect("the path of this program");
    command.env("SESSION_TEST_REDIS_SERVER", this).env(SERVER, server).env(CHANGE, change);
}

/// What this program does in place of the server; nothing if it was not asked to.
pub(crate) fn serve() -> Option<ExitCode> {
    let (change, server) = (env::var(CHANGE).ok()?, env::var_os(SERVER)?);
    let configuration = env::args().nth(1)?;
    let text = fs::read_to_string(&configuration).expect("the server's configuration");
    let port = text.lines().find_map(|line| line.strip_prefix("port ")?.trim().parse::<u16>().ok());
    let mutant = mutants::of_redis().into_iter().find(|mutant| mutant.name == change).expect("a known change");

    // A server that takes encrypted connections only is none of those whose scripts are tried.
    let port = port.filter(|port| *port != 0)?;
    let inner = free_port();
    let other = Path::new(&configuration).with_extension("behind");
    let mut behind = text.replace(&format!("port {port}\n"), &format!("port {inner}\n"));
    if text.contains("cluster-enabled yes") {
        // The other nodes, and clients, know the proxy.
        let bus = port + 10_000;
        let _ = write!(behind, "cluster-port {bus}\ncluster-announce-port {port}\ncluster-announce-bus-port {bus}\n");
    }
    fs::write(&other, behind).expect("a folder");
    let mut keeper = Command::new("sh")
        .args(["-c", KEEPER])
        .args([server.as_os_str(), other.as_os_str()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a shell");
    let _proxy = Proxy::start_at(port, Protocol::Redis, &format!("127.0.0.1:{inner}"), mutant.texts);
    let log = BufReader::new(keeper.stdout.take().expect("a piped output"));
    for line in log.lines().map_while(Result::ok) {
        println!("{line}");
    }
    let _ = keeper.wait();
    Some(ExitCode::SUCCESS)
}
