//! A TCP proxy that counts bytes, cuts connections between a request and its answer, lets them fall silent, and leads
//! new ones elsewhere.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Passes connections on to a server, whatever they speak.
///
/// It listens on a free loopback port until it is dropped.
#[derive(Debug)]
pub struct Proxy {
    shared: Arc<Shared>,
    address: SocketAddr,
}

/// Instead of a number of requests before a cut.
const ALWAYS: i64 = i64::MAX;

#[derive(Debug)]
struct Shared {
    /// Where new connections lead.
    server: Mutex<String>,
    sent: AtomicU64,
    received: AtomicU64,
    requests: AtomicU64,
    /// How many more requests pass before one is passed on and its connection cut; negative if none is to be cut.
    until_cut: AtomicI64,
    cuts: AtomicU64,
    /// How many connections were made.
    connected: AtomicU64,
    /// The connections before this one are silent: what is sent on them goes nowhere.
    silent_before: AtomicU64,
    ended: AtomicBool,
    connections: Mutex<Vec<TcpStream>>,
}

impl Proxy {
    /// Starts a proxy to the server at `host:port`.
    ///
    /// # Panics
    /// When no loopback port is free.
    #[must_use]
    pub fn start(server: &str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free loopback port");
        let address = listener.local_addr().expect("the port just bound");
        let shared = Arc::new(Shared {
            server: Mutex::new(server.to_owned()),
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            until_cut: AtomicI64::new(-1),
            cuts: AtomicU64::new(0),
            connected: AtomicU64::new(0),
            silent_before: AtomicU64::new(0),
            ended: AtomicBool::new(false),
            connections: Mutex::default(),
        });
        let accepting = shared.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                if accepting.ended.load(Ordering::SeqCst) {
                    break;
                }
                if let Ok(client) = client {
                    accepting.connect(client);
                }
            }
        });
        Self { shared, address }
    }

    /// Where it listens, as `host:port`.
    #[must_use]
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Bytes that clients sent so far.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.shared.sent.load(Ordering::SeqCst)
    }

    /// Bytes that the server answered so far.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.shared.received.load(Ordering::SeqCst)
    }

    /// How often clients sent something: the number of round trips if they wait for each answer.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.shared.requests.load(Ordering::SeqCst)
    }

    /// Cuts a connection once: `after` more requests pass, then one is passed on to the server, and the connection is
    /// cut when the server begins to answer, so that the client never learns what became of it.
    pub fn cut_after(&self, after: u32) {
        self.shared.until_cut.store(i64::from(after), Ordering::SeqCst);
    }

    /// Cuts each connection when the server begins to answer its first request from now on.
    pub fn cut_always(&self) {
        self.shared.until_cut.store(ALWAYS, Ordering::SeqCst);
    }

    /// Cuts no connection from now on.
    pub fn cut_no_more(&self) {
        self.shared.until_cut.store(-1, Ordering::SeqCst);
    }

    /// How many connections were cut so far by [`Proxy::cut_after`].
    #[must_use]
    pub fn cuts(&self) -> u64 {
        self.shared.cuts.load(Ordering::SeqCst)
    }

    /// How many connections were made so far.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.shared.connected.load(Ordering::SeqCst)
    }

    /// Leads new connections to the server at `host:port`; those that are open stay where they are.
    pub fn lead_to(&self, server: &str) {
        server.clone_into(&mut self.shared.server.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Lets all connections that are open fall silent, as a network does that forgot them: nothing passes, and nobody
    /// is told.
    pub fn silence(&self) {
        self.shared.silent_before.store(self.connections(), Ordering::SeqCst);
    }

    /// Lets this one and all connections to come fall silent.
    pub fn silence_for_good(&self) {
        self.shared.silent_before.store(u64::MAX, Ordering::SeqCst);
    }

    /// Cuts all connections now.
    pub fn cut_all(&self) {
        for connection in self.shared.connections().drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        self.cut_all();
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn connections(&self) -> std::sync::MutexGuard<'_, Vec<TcpStream>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the two threads of a connection, one for each direction.
    fn connect(self: &Arc<Self>, client: TcpStream) {
        // Without a server the client's connection is closed at once.
        let address = self.server.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Ok(server) = TcpStream::connect(address) else { return };
        let number = self.connected.fetch_add(1, Ordering::SeqCst);
        let is_silent = move |shared: &Self| number < shared.silent_before.load(Ordering::SeqCst);
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        let (Ok(client_too), Ok(server_too)) = (client.try_clone(), server.try_clone()) else { return };
        self.connections().extend([client.try_clone(), server.try_clone()].into_iter().flatten());
        let cut = Arc::new(AtomicBool::new(false));
        let (upwards, cut_upwards) = (self.clone(), cut.clone());
        thread::spawn(move || {
            pass(client, &server, |bytes| {
                if is_silent(&upwards) {
                    return Fate::Swallowed;
                }
                upwards.sent.fetch_add(bytes as u64, Ordering::SeqCst);
                upwards.requests.fetch_add(1, Ordering::SeqCst);
                let count = |n: i64| (n >= 0).then(|| if n == ALWAYS { n } else { n - 1 });
                let cut = upwards.until_cut.fetch_update(Ordering::SeqCst, Ordering::SeqCst, count);
                if matches!(cut, Ok(0 | ALWAYS)) {
                    cut_upwards.store(true, Ordering::SeqCst);
                }
                Fate::Passed
            });
        });
        let downwards = self.clone();
        thread::spawn(move || {
            pass(server_too, &client_too, |bytes| {
                if cut.load(Ordering::SeqCst) {
                    downwards.cuts.fetch_add(1, Ordering::SeqCst);
                    return Fate::Cut;
                }
                if is_silent(&downwards) {
                    return Fate::Swallowed;
                }
                downwards.received.fetch_add(bytes as u64, Ordering::SeqCst);
                Fate::Passed
            });
        });
    }
}

/// What becomes of bytes.
enum Fate {
    Passed,
    Swallowed,
    Cut,
}

/// Passes bytes on as `fate` says, until one side closes or the connection is cut; then both are closed.
fn pass(mut from: TcpStream, mut to: &TcpStream, fate: impl Fn(usize) -> Fate) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(bytes @ 1..) = from.read(&mut buffer) {
        match fate(bytes) {
            Fate::Passed if to.write_all(&buffer[..bytes]).is_ok() => {}
            Fate::Swallowed => {}
            Fate::Passed | Fate::Cut => break,
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}
