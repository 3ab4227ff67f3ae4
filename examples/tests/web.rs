//! The program `web`, as its user meets it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

/// Ends the program with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn it_prints_where_to_look_and_is_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_web"));
    command.args(["--port", "0"]).current_dir(folder.path()).stdout(Stdio::piped());
    let mut running = Running(command.spawn().expect("the program runs"));
    let lines = BufReader::new(running.0.stdout.take().expect("its output")).lines();
    let told: Vec<_> = lines.take(2).map(|line| line.expect("a line")).collect();
    let (_, address) = told[0].split_once("http://localhost:").expect("an address");
    assert!(told[1].ends_with(&format!("http://localhost:{address}/panel")), "{told:?}");
    for (path, text) in
        [("/", "Good tea"), ("/panel", "What sessions cost"), ("/panel", "<code>Sessions::stats()</code>")]
    {
        let mut connection = TcpStream::connect(("127.0.0.1", address.parse().expect("a port"))).expect("a server");
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        connection.write_all(request.as_bytes()).expect("a request");
        let mut answer = String::new();
        connection.read_to_string(&mut answer).expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains(text), "{answer}");
    }
    assert!(folder.path().join("shop.db").is_file(), "its sessions are in a file");
}

#[test]
fn a_store_that_is_none_is_explained() {
    let output = Command::new(env!("CARGO_BIN_EXE_web")).args(["--store", "paper"]).output().expect("the program runs");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("this is no URL of a session store"), "{output:?}");
}
