//! Whether and how connections are encrypted.

#[cfg(feature = "postgres-tls")]
use std::sync::Arc;

use tokio_postgres::config::SslMode;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{CancelToken, Client, Config, Error, NoTls, Socket};
#[cfg(feature = "postgres-tls")]
use tokio_postgres_rustls::MakeRustlsConnect;

use super::super::StoreError;
#[cfg(not(feature = "postgres-tls"))]
use super::super::StoreErrorKind;
use super::address::Encryption;
#[cfg(feature = "postgres-tls")]
use super::certificate;
use super::drive::Line;

#[derive(Clone)]
pub(super) enum Tls {
    Off,
    #[cfg(feature = "postgres-tls")]
    Rustls(MakeRustlsConnect),
}

impl Tls {
    /// What an address asks for, which is told to the driver in `config`.
    #[cfg(not(feature = "postgres-tls"))]
    pub(super) fn new(encryption: Encryption, config: &mut Config) -> Result<Self, StoreError> {
        if matches!(encryption, Encryption::Off | Encryption::Preferred) {
            config.ssl_mode(SslMode::Disable);
            return Ok(Self::Off);
        }
        Err(StoreError::new(
            StoreErrorKind::Configuration,
            "this build cannot encrypt connections to PostgreSQL; turn on the feature `postgres-tls`",
        ))
    }

    /// What an address asks for, which is told to the driver in `config`. `client`, if there is one, takes the place of
    /// all that.
    #[cfg(feature = "postgres-tls")]
    pub(super) fn new(
        encryption: Encryption,
        client: Option<Arc<rustls::ClientConfig>>,
        config: &mut Config,
    ) -> Result<Self, StoreError> {
        let client = match (client, encryption) {
            (Some(client), _) => rustls::ClientConfig::clone(&client),
            (None, Encryption::Off) => {
                config.ssl_mode(SslMode::Disable);
                return Ok(Self::Off);
            }
            (None, Encryption::Preferred) => {
                config.ssl_mode(SslMode::Prefer);
                return Ok(Self::Rustls(MakeRustlsConnect::new(certificate::of_anybody()?)));
            }
            (None, Encryption::ByAuthority) => certificate::of_an_authority()?,
            (None, Encryption::ByName) => certificate::of_this_host()?,
        };
        config.ssl_mode(SslMode::Require);
        Ok(Self::Rustls(MakeRustlsConnect::new(client)))
    }

    /// Opens a connection.
    pub(super) async fn connect(&self, config: &Config) -> Result<(Client, Line), Error> {
        match self {
            Self::Off => connect(config, NoTls).await,
            #[cfg(feature = "postgres-tls")]
            Self::Rustls(tls) => connect(config, tls.clone()).await,
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

async fn connect<T>(config: &Config, tls: T) -> Result<(Client, Line), Error>
where
    T: MakeTlsConnect<Socket, Stream: Send + 'static>,
{
    let (client, line) = config.connect(tls).await?;
    Ok((client, Box::pin(line)))
}
