use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::super::{Store, StoreError};
use super::address;
use super::pool::{Limits, Pool};
use super::sql::{Names, Statements};
use super::tls::Tls;
use super::{Inner, PostgresStore};

/// How a [`PostgresStore`] is reached and where it keeps its tables.
#[derive(Clone)]
#[must_use = "`open` makes the store"]
pub struct PostgresOptions {
    url: String,
    schema: String,
    prefix: String,
    connections: usize,
    pool_timeout: Duration,
    response_timeout: Duration,
    behind_pooler: bool,
    #[cfg(feature = "postgres-tls")]
    tls: Option<Arc<rustls::ClientConfig>>,
}

/// Leaves out the address, which holds the password.
impl fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresOptions")
            .field("schema", &self.schema)
            .field("prefix", &self.prefix)
            .field("connections", &self.connections)
            .finish_non_exhaustive()
    }
}

impl PostgresOptions {
    /// The defaults, for the server at this address: `postgres://user:password@host/database`, or
    /// `host=/run/postgresql user=app dbname=app`.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            schema: "sessions".to_owned(),
            prefix: String::new(),
            connections: 16,
            pool_timeout: Duration::from_secs(5),
            response_timeout: Duration::from_secs(8),
            behind_pooler: false,
            #[cfg(feature = "postgres-tls")]
            tls: None,
        }
    }

    /// The schema that holds the tables and functions. Default: `sessions`.
    pub fn schema(self, schema: impl Into<String>) -> Self {
        Self { schema: schema.into(), ..self }
    }

    /// Stands before the name of each table and function. Default: nothing.
    pub fn prefix(self, prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into(), ..self }
    }

    /// How many connections are opened at most. Default: 16.
    pub fn connections(self, connections: usize) -> Self {
        Self { connections, ..self }
    }

    /// How long an operation waits for a free connection before it fails as [`StoreErrorKind::Busy`]. Default: 5 s.
    pub fn pool_timeout(self, timeout: Duration) -> Self {
        Self { pool_timeout: timeout, ..self }
    }

    /// How long an operation waits for the server, all in all, before it fails as [`StoreErrorKind::TimedOut`]: an open
    /// connection that does not answer has half of that, then a new one is opened and the operation sent again.
    /// Default: 8 s, which is less than the deadline of [`Sessions`](crate::Sessions).
    pub fn response_timeout(self, timeout: Duration) -> Self {
        Self { response_timeout: timeout, ..self }
    }

    /// Whether a proxy stands in between that lends connections out by the transaction, as `PgBouncer` can.
    ///
    /// Without one, each connection prepares its statements once, under names, and is about twice as fast. A proxy that
    /// carries prepared statements along, as `PgBouncer` does from version 1.21 on if `max_prepared_statements` is set,
    /// needs no word about it. Default: no.
    pub fn behind_pooler(self, behind_pooler: bool) -> Self {
        Self { behind_pooler, ..self }
    }

    /// Encrypts connections with this configuration, even where the address does not ask for it.
    ///
    /// Without it, `sslmode` in the address decides:
    ///
    /// | `sslmode` | |
    /// |---|---|
    /// | `disable` | does not encrypt |
    /// | `prefer`, the default | encrypts if the server can, and takes any certificate: this keeps out who listens, and not who takes the server's place |
    /// | `verify-ca` | encrypts, and takes a certificate of an authority that this machine trusts |
    /// | `verify-full`, `require` | encrypts, and takes such a certificate for this very host |
    #[cfg(feature = "postgres-tls")]
    pub fn tls(self, client: rustls::ClientConfig) -> Self {
        Self { tls: Some(Arc::new(client)), ..self }
    }

    /// Makes the store, connects it, and creates the tables if they are not there.
    ///
    /// # Errors
    /// [`StoreErrorKind::Configuration`] when the address or a name cannot be used, and whatever [`Store::prepare`]
    /// meets.
    pub async fn open(self) -> Result<PostgresStore, StoreError> {
        let store = self.build()?;
        store.prepare().await?;
        Ok(store)
    }

    /// Makes the store without asking the server anything: it connects when it is first used.
    ///
    /// # Errors
    /// [`StoreErrorKind::Configuration`] when the address or a name cannot be used.
    pub fn build(self) -> Result<PostgresStore, StoreError> {
        let (mut config, encryption) = address::parse(&self.url)?;
        #[cfg(not(feature = "postgres-tls"))]
        let tls = Tls::new(encryption, &mut config)?;
        #[cfg(feature = "postgres-tls")]
        let tls = Tls::new(encryption, self.tls, &mut config)?;
        let names = Names::new(&self.schema, &self.prefix)?;
        let limits = Limits {
            connections: self.connections,
            pool_timeout: self.pool_timeout,
            response_timeout: self.response_timeout,
            behind_pooler: self.behind_pooler,
        };
        let pool = Pool::new(config, tls, limits);
        let statements = Statements::new(&names);
        Ok(PostgresStore { inner: Arc::new(Inner { pool, names, statements }) })
    }
}
