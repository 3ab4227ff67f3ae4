//! Whether and how connections are encrypted.

use std::io;
#[cfg(feature = "redis-tls")]
use std::sync::Arc;

use tokio::net::TcpStream;

use super::stream::Socket;
use crate::store::{StoreError, StoreErrorKind};

#[derive(Clone)]
pub(super) enum Tls {
    Off,
    #[cfg(feature = "redis-tls")]
    On(tokio_rustls::TlsConnector),
}

impl Tls {
    /// Encrypts, and checks the server's certificate against `client`'s roots, or else those of this machine.
    #[cfg(feature = "redis-tls")]
    pub(super) fn on(client: Option<Arc<rustls::ClientConfig>>) -> Result<Self, StoreError> {
        let client = client.map_or_else(|| trusting_this_machine().map(Arc::new), Ok)?;
        Ok(Self::On(client.into()))
    }

    #[cfg(not(feature = "redis-tls"))]
    pub(super) fn on() -> Result<Self, StoreError> {
        Err(wrong("to reach Redis over TLS, switch on the feature `redis-tls` of session-runtime"))
    }

    #[cfg_attr(not(feature = "redis-tls"), expect(clippy::unused_async))]
    pub(super) async fn wrap(&self, host: &str, stream: TcpStream) -> io::Result<Socket> {
        match self {
            Self::Off => {
                let _ = host;
                Ok(Box::new(stream))
            }
            #[cfg(feature = "redis-tls")]
            Self::On(connector) => {
                let name = rustls::pki_types::ServerName::try_from(host.to_owned());
                let name = name.map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
                Ok(Box::new(connector.connect(name, stream).await?))
            }
        }
    }
}

#[cfg(feature = "redis-tls")]
fn trusting_this_machine() -> Result<rustls::ClientConfig, StoreError> {
    let mut roots = rustls::RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if added == 0 {
        return Err(wrong("this machine trusts no certificate authority; give the store its own with `tls`"));
    }
    // The provider is named, because another crate can have brought a second one.
    rustls::ClientConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .map_err(|source| wrong("TLS could not be set up; see the source of this error").with_source(source))
        .map(|builder| builder.with_root_certificates(roots).with_no_client_auth())
}

fn wrong(message: &'static str) -> StoreError {
    StoreError::new(StoreErrorKind::Configuration, message).not_applied()
}
