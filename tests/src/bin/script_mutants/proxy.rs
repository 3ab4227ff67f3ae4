//! A proxy that gives a server other scripts than the client sends.

use std::collections::{BTreeSet, HashMap};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use sha1_smol::Sha1;

/// What the client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Postgres,
    Redis,
}

/// Whole texts, and what stands in their place.
pub(crate) type Texts = Vec<(String, String)>;

/// It listens on a free loopback port until it is dropped.
#[derive(Debug)]
pub(crate) struct Proxy {
    shared: Arc<Shared>,
    address: SocketAddr,
}

#[derive(Debug)]
struct Shared {
    protocol: Protocol,
    server: String,
    texts: Texts,
    /// The statements that were prepared.
    seen: Mutex<BTreeSet<String>>,
    /// The hashes of scripts that were sent, and of those that the server was given.
    hashes: Mutex<HashMap<Vec<u8>, Vec<u8>>>,
    ended: AtomicBool,
}

impl Proxy {
    pub(crate) fn start(protocol: Protocol, server: &str, texts: Texts) -> Self {
        Self::start_at(0, protocol, server, texts)
    }

    /// On this port, or, if that is zero, on a free one.
    pub(crate) fn start_at(port: u16, protocol: Protocol, server: &str, texts: Texts) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).expect("a free loopback port");
        let address = listener.local_addr().expect("the port just bound");
        let shared = Arc::new(Shared {
            protocol,
            server: server.to_owned(),
            texts,
            seen: Mutex::default(),
            hashes: Mutex::default(),
            ended: AtomicBool::new(false),
        });
        let accepting = shared.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                if accepting.ended.load(Ordering::SeqCst) {
                    break;
                }
                if let Ok(client) = client {
                    let connection = accepting.clone();
                    thread::spawn(move || connection.connect(&client));
                }
            }
        });
        Self { shared, address }
    }

    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// The statements that were prepared so far, written for the default schema.
    pub(crate) fn seen(&self) -> BTreeSet<String> {
        self.shared.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn connect(&self, client: &TcpStream) {
        let Ok(server) = TcpStream::connect(&self.server) else { return };
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        let (Ok(mut answers), Ok(mut to)) = (server.try_clone(), client.try_clone()) else { return };
        thread::spawn(move || {
            let _ = io::copy(&mut answers, &mut to);
            let _ = to.shutdown(Shutdown::Both);
        });
        let (from, to) = (BufReader::new(client), BufWriter::new(&server));
        let _ = match self.protocol {
            Protocol::Postgres => self.pass_messages(from, to),
            Protocol::Redis => self.pass_commands(from, to),
        };
        let _ = (client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
    }

    /// Passes on what a client says to PostgreSQL.
    fn pass_messages(&self, mut from: BufReader<&TcpStream>, mut to: BufWriter<&TcpStream>) -> io::Result<()> {
        // The first messages have no kind: perhaps a question for encryption, then the login.
        loop {
            let message = message(&mut from)?;
            put(&mut to, &message)?;
            to.flush()?;
            if !matches!(message.get(..4), Some([4, 210, 22, 47 | 48])) {
                break;
            }
        }
        loop {
            let mut kind = [0];
            from.read_exact(&mut kind)?;
            let content = message(&mut from)?;
            to.write_all(&kind)?;
            match kind[0] {
                b'Q' => put(&mut to, &self.rewritten(&content))?,
                b'P' => {
                    let name = content.iter().position(|byte| *byte == 0).map_or(0, |end| end + 1);
                    let text =
                        content[name..].iter().position(|byte| *byte == 0).map_or(content.len(), |end| name + end);
                    self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(of_default(&content[name..text]).1);
                    put(
                        &mut to,
                        &[&content[..name], &self.rewritten(&content[name..text]), &content[text..]].concat(),
                    )?;
                }
                _ => put(&mut to, &content)?,
            }
            if from.buffer().is_empty() {
                to.flush()?;
            }
        }
    }

    /// SQL with its texts replaced.
    fn rewritten(&self, sql: &[u8]) -> Vec<u8> {
        let (schema, text) = of_default(sql);
        match self.texts.iter().find(|(from, _)| text.contains(from)) {
            Some((from, to)) => text.replace(from, to).replace("sessions.", &schema).into_bytes(),
            None => sql.to_vec(),
        }
    }

    /// Passes on what a client says to Redis.
    fn pass_commands(&self, mut from: BufReader<&TcpStream>, mut to: BufWriter<&TcpStream>) -> io::Result<()> {
        loop {
            let count = number(&mut from, b'*')?;
            let mut words = Vec::new();
            for _ in 0..count {
                let length = number(&mut from, b'$')?;
                let mut word = vec![0; length + 2];
                from.read_exact(&mut word)?;
                word.truncate(length);
                words.push(word);
            }
            self.replace_script(&mut words);
            write!(to, "*{count}\r\n")?;
            for word in &words {
                write!(to, "${}\r\n", word.len())?;
                to.write_all(word)?;
                to.write_all(b"\r\n")?;
            }
            if from.buffer().is_empty() {
                to.flush()?;
            }
        }
    }

    fn replace_script(&self, words: &mut [Vec<u8>]) {
        let mut hashes = self.hashes.lock().unwrap_or_else(PoisonError::into_inner);
        let is = |word: &[u8], name: &str| word.eq_ignore_ascii_case(name.as_bytes());
        match words {
            [name, hash, ..] if is(name, "EVALSHA") => {
                if let Some(other) = hashes.get(hash) {
                    hash.clone_from(other);
                }
            }
            [name, script, ..] if is(name, "EVAL") => replace(&self.texts, script, &mut hashes),
            [name, verb, script, ..] if is(name, "SCRIPT") && is(verb, "LOAD") => {
                replace(&self.texts, script, &mut hashes);
            }
            _ => {}
        }
    }
}

fn replace(texts: &Texts, script: &mut Vec<u8>, hashes: &mut HashMap<Vec<u8>, Vec<u8>>) {
    let text = String::from_utf8_lossy(script).into_owned();
    let other = texts.iter().fold(text, |text, (from, to)| text.replace(from, to)).into_bytes();
    let hash = |bytes: &[u8]| Sha1::from(bytes).digest().to_string().into_bytes();
    hashes.insert(hash(script), hash(&other));
    *script = other;
}

/// The schema of a statement, and the statement as it is for the default one.
fn of_default(sql: &[u8]) -> (String, String) {
    let text = String::from_utf8_lossy(sql).into_owned();
    let schema = text.split('"').nth(1).map(|name| format!("\"{name}\".")).unwrap_or_default();
    if schema.is_empty() { (schema, text) } else { (schema.clone(), text.replace(&schema, "sessions.")) }
}

/// A message of PostgreSQL behind its length.
fn message(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length).checked_sub(4).ok_or(io::ErrorKind::InvalidData)?;
    let mut content = vec![0; length as usize];
    from.read_exact(&mut content)?;
    Ok(content)
}

fn put(to: &mut impl Write, content: &[u8]) -> io::Result<()> {
    let length = u32::try_from(content.len() + 4).map_err(io::Error::other)?;
    to.write_all(&length.to_be_bytes())?;
    to.write_all(content)
}

/// A line of Redis that announces how much follows.
fn number(from: &mut impl BufRead, sign: u8) -> io::Result<usize> {
    let mut line = String::new();
    from.read_line(&mut line)?;
    let digits = line.strip_prefix(sign as char).ok_or(io::ErrorKind::UnexpectedEof)?;
    digits.trim_end().parse().map_err(io::Error::other)
}
