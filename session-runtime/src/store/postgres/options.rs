use std::fmt;
#[cfg(feature = "postgres-tls")]
use std::sync::Arc;
use std::time::Duration;

/// How a [`PostgresStore`](super::PostgresStore) is reached and where it keeps its tables.
#[derive(Clone)]
#[must_use = "`open` makes the store"]
pub struct PostgresOptions {
    pub(super) url: String,
    pub(super) schema: String,
    pub(super) prefix: String,
    pub(super) connections: usize,
    pub(super) pool_timeout: Duration,
    pub(super) response_timeout: Duration,
    pub(super) behind_pooler: bool,
    #[cfg(feature = "postgres-tls")]
    pub(super) tls: Option<Arc<rustls::ClientConfig>>,
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
            connections: 10,
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

    /// How many connections are opened at most. Default: 10. What is short shares them where there are more operations:
    /// see [`PostgresStore`](super::PostgresStore).
    pub fn connections(self, connections: usize) -> Self {
        Self { connections, ..self }
    }

    /// How long an operation waits for a place on a connection before it fails as [`StoreErrorKind::Busy`](crate::store::StoreErrorKind::Busy). Default: 5 s.
    pub fn pool_timeout(self, timeout: Duration) -> Self {
        Self { pool_timeout: timeout, ..self }
    }

    /// How long an operation waits for the server, all in all, before it fails as [`StoreErrorKind::TimedOut`](crate::store::StoreErrorKind::TimedOut): an open
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
}
