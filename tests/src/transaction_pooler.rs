//! A proxy that pools PostgreSQL connections by the transaction, as old ones do: each transaction of a client runs on
//! another server connection, and prepared statements are not carried along.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// The only version of the protocol.
const VERSION: u32 = 196_608;

/// What a client sends that would like to encrypt.
const TLS: u32 = 80_877_103;

/// Lends out a few server connections, until it is dropped.
#[derive(Debug)]
pub struct TransactionPooler {
    address: SocketAddr,
    ended: Arc<AtomicBool>,
}

/// What a server connection said at its start: a new client is told the same.
struct Server {
    stream: TcpStream,
    greeting: Vec<u8>,
}

struct Pool {
    servers: Vec<Mutex<Server>>,
    turn: AtomicUsize,
}

impl TransactionPooler {
    /// Pools `connections` to the server at `host:port`, which trusts the user `postgres`.
    ///
    /// # Panics
    /// When the server cannot be reached.
    #[must_use]
    pub fn start(server: &str, connections: usize) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free loopback port");
        let address = listener.local_addr().expect("the port just bound");
        let servers = (0..connections).map(|_| Mutex::new(greet(server).expect("a server that trusts"))).collect();
        let pool = Arc::new(Pool { servers, turn: AtomicUsize::new(0) });
        let ended = Arc::new(AtomicBool::new(false));
        let accepting = ended.clone();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if accepting.load(Ordering::SeqCst) {
                    break;
                }
                let pool = pool.clone();
                thread::spawn(move || pool.serve(client));
            }
        });
        Self { address, ended }
    }

    /// Where it listens, as `host:port`.
    #[must_use]
    pub fn address(&self) -> String {
        self.address.to_string()
    }
}

impl Drop for TransactionPooler {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
    }
}

impl Pool {
    /// Serves one client until it leaves.
    fn serve(&self, mut client: TcpStream) -> io::Result<()> {
        let (_, mut start) = message(&mut client, false)?;
        if start.get(4..8) == Some(&TLS.to_be_bytes()) {
            client.write_all(b"N")?;
            (_, start) = message(&mut client, false)?;
        }
        if start.get(4..8) != Some(&VERSION.to_be_bytes()) {
            return Ok(()); // A request to cancel.
        }
        client.write_all(&self.next().lock().unwrap_or_else(PoisonError::into_inner).greeting)?;
        loop {
            let mut asked = request(&mut client)?;
            let mut server = self.next().lock().unwrap_or_else(PoisonError::into_inner);
            server.stream.write_all(&asked)?;
            // Until the end of the transaction, the same one.
            while !relay(&mut server.stream, &mut client)? {
                asked = request(&mut client)?;
                server.stream.write_all(&asked)?;
            }
        }
    }

    fn next(&self) -> &Mutex<Server> {
        &self.servers[self.turn.fetch_add(1, Ordering::SeqCst) % self.servers.len()]
    }
}

/// Connects to the server and notes what it says.
fn greet(address: &str) -> io::Result<Server> {
    let mut stream = TcpStream::connect(address)?;
    let parameters = b"user\0postgres\0database\0postgres\0\0";
    let length = u32::try_from(parameters.len() + 8).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes(), &VERSION.to_be_bytes(), &parameters[..]].concat())?;
    let mut greeting = Vec::new();
    relay(&mut stream, &mut greeting)?;
    Ok(Server { stream, greeting })
}

/// The messages of a client up to the one that asks for answers.
fn request(client: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut request = Vec::new();
    loop {
        let (kind, message) = message(client, true)?;
        request.extend(message);
        match kind {
            b'S' | b'Q' => return Ok(request),
            b'X' => return Err(io::ErrorKind::ConnectionAborted.into()),
            _ => {}
        }
    }
}

/// Passes on the server's messages up to the one that ends its answer; tells whether it is in no transaction then.
fn relay(server: &mut TcpStream, client: &mut impl Write) -> io::Result<bool> {
    loop {
        let (kind, message) = message(server, true)?;
        client.write_all(&message)?;
        if kind == b'Z' {
            return Ok(message.last() == Some(&b'I'));
        }
    }
}

/// One message with its kind, if it has one, and its length.
fn message(from: &mut TcpStream, has_kind: bool) -> io::Result<(u8, Vec<u8>)> {
    let mut head = vec![0; if has_kind { 5 } else { 4 }];
    from.read_exact(&mut head)?;
    let kind = head[0];
    let length = head.last_chunk::<4>().map_or(0, |length| u32::from_be_bytes(*length));
    let mut rest = vec![0; (length as usize).saturating_sub(4)];
    from.read_exact(&mut rest)?;
    head.extend(rest);
    Ok((kind, head))
}
