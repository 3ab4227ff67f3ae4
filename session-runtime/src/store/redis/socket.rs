//! How a server is reached: over TCP, over TLS, or by a socket of this machine.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;

use super::stream::Socket;
use super::tls::Tls;

/// A connection that went away without a word is noticed after a minute, also when nobody uses it.
const KEEPALIVE: TcpKeepalive = TcpKeepalive::new().with_time(Duration::from_secs(30));
const PROBE: Duration = Duration::from_secs(10);

/// Where a server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    Host(String, u16),
    File(PathBuf),
}

impl Place {
    /// Connects.
    pub(super) async fn connect(&self, tls: &Tls) -> io::Result<Socket> {
        match self {
            Self::Host(host, port) => {
                let stream = TcpStream::connect((host.as_str(), *port)).await?;
                // Commands are small and somebody waits for each.
                stream.set_nodelay(true)?;
                SockRef::from(&stream).set_tcp_keepalive(&KEEPALIVE.with_interval(PROBE))?;
                tls.wrap(host, stream).await
            }
            #[cfg(unix)]
            Self::File(path) => Ok(Box::new(UnixStream::connect(path).await?)),
            #[cfg(not(unix))]
            Self::File(_) => Err(io::Error::new(io::ErrorKind::Unsupported, "this system has no Unix sockets")),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(host, port) => write!(f, "{host}:{port}"),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}
