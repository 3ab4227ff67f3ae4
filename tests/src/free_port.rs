use std::iter;
use std::net::TcpListener;
use std::ops::Range;

/// The ports that are chosen from.
///
/// They end below the ports that systems hand out by themselves, and so do those 10,000 above them, by which nodes of a
/// Redis cluster talk to each other: a server that is killed and started again finds its port as it left it.
const PORTS: Range<u16> = 10_000..22_000;

/// A port of 127.0.0.1 on which nobody listens now, and which the system gives to nobody who does not ask for it.
///
/// # Panics
/// When no loopback port is free.
#[must_use]
pub fn free_port() -> u16 {
    let mut ports = iter::repeat_with(|| rand::random_range(PORTS)).take(1000);
    ports.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).expect("a free loopback port")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_free_port_is_none_that_the_system_hands_out() {
        let taken: Vec<_> =
            iter::repeat_with(|| TcpListener::bind(("127.0.0.1", 0)).expect("a port")).take(100).collect();
        let lowest = taken.iter().filter_map(|listener| Some(listener.local_addr().ok()?.port())).min();
        for _ in 0..100 {
            assert!(Some(free_port() + 10_000) < lowest, "{lowest:?}");
        }
    }
}
