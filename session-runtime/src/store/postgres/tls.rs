//! Whether and how connections are encrypted.

#[cfg(feature = "postgres-tls")]
use std::sync::Arc;

use deadpool_postgres::{Manager, ManagerConfig};
use tokio_postgres::config::SslMode;
use tokio_postgres::{CancelToken, Config, Error, NoTls};
#[cfg(feature = "postgres-tls")]
use tokio_postgres_rustls::MakeRustlsConnect;

use super::super::{StoreError, StoreErrorKind};

#[derive(Clone)]
pub(super) enum Tls {
    Off,
    #[cfg(feature = "postgres-tls")]
    Rustls(MakeRustlsConnect),
}

impl Tls {
    /// What an address with this `sslmode` asks for.
    #[cfg(not(feature = "postgres-tls"))]
    pub(super) fn new(mode: SslMode) -> Result<Self, StoreError> {
        match mode {
            SslMode::Disable | SslMode::Prefer => Ok(Self::Off),
            _ => Err(StoreError::new(
                StoreErrorKind::Configuration,
                "this build cannot encrypt connections to PostgreSQL; turn on the feature `postgres-tls`",
            )),
        }
    }

    /// What an address with this `sslmode` asks for. The server's certificate is checked against `client`'s roots, or
    /// else those of this machine.
    #[cfg(feature = "postgres-tls")]
    pub(super) fn new(mode: SslMode, client: Option<Arc<rustls::ClientConfig>>) -> Result<Self, StoreError> {
        if client.is_none() && matches!(mode, SslMode::Disable | SslMode::Prefer) {
            return Ok(Self::Off);
        }
        let client = match client {
            Some(client) => client,
            None => Arc::new(trusting_this_machine()?),
        };
        Ok(Self::Rustls(MakeRustlsConnect::new(rustls::ClientConfig::clone(&client))))
    }

    pub(super) fn manager(&self, config: Config, manager: ManagerConfig) -> Manager {
        match self {
            Self::Off => Manager::from_config(config, NoTls, manager),
            #[cfg(feature = "postgres-tls")]
            Self::Rustls(connect) => Manager::from_config(config, connect.clone(), manager),
        }
    }

    /// Asks the server to stop the statement that a connection runs.
    pub(super) async fn cancel(self, token: CancelToken) -> Result<(), Error> {
        match self {
            Self::Off => token.cancel_query(NoTls).await,
            #[cfg(feature = "postgres-tls")]
            Self::Rustls(connect) => token.cancel_query(connect).await,
        }
    }
}

#[cfg(feature = "postgres-tls")]
fn trusting_this_machine() -> Result<rustls::ClientConfig, StoreError> {
    let wrong = |message| StoreError::new(StoreErrorKind::Configuration, message);
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
