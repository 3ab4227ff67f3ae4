use std::iter;
use std::net::TcpListener;

/// A port of 127.0.0.1 on which nobody listens now, below 55,536: nodes of a Redis cluster talk to each other 10,000 above.
///
/// # Panics
/// When no loopback port is free.
#[must_use]
pub fn free_port() -> u16 {
    let port = || Some(TcpListener::bind(("127.0.0.1", 0)).ok()?.local_addr().ok()?.port());
    // Most of what the system hands out is below.
    iter::repeat_with(port).take(1000).flatten().find(|port| *port < 55_536).expect("a free loopback port")
}
