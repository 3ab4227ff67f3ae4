use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{ManagerConfig, Pool, RecyclingMethod, Runtime, Timeouts};
use tokio_postgres::Config;

use super::super::{Store, StoreError, StoreErrorKind};
use super::connection::Connections;
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
    named_statements: bool,
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
            response_timeout: Duration::from_secs(10),
            named_statements: false,
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

    /// How long an operation waits for the server, and how long it tries to connect, before it fails as
    /// [`StoreErrorKind::TimedOut`]. Default: 10 s.
    pub fn response_timeout(self, timeout: Duration) -> Self {
        Self { response_timeout: timeout, ..self }
    }

    /// Whether each connection prepares its statements once, under names, instead of sending them anew each time.
    ///
    /// That spares the server a few microseconds an operation, but must stay off, as it is by default, behind a proxy
    /// that lends connections out by the transaction and does not know prepared statements.
    pub fn named_statements(self, named: bool) -> Self {
        Self { named_statements: named, ..self }
    }

    /// Encrypts connections with this configuration, even where the address does not ask for it.
    ///
    /// Without it, `sslmode=require` in the address encrypts them and checks the server's certificate against the
    /// authorities that this machine trusts; any other mode does not encrypt.
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
        let wrong = |message| StoreError::new(StoreErrorKind::Configuration, message);
        let mut config: Config = self.url.parse().map_err(|source: tokio_postgres::Error| {
            wrong(
                "this is no address of a PostgreSQL server, which looks like `postgres://user:password@host/database`",
            )
            .with_source(source)
        })?;
        if config.get_application_name().is_none() {
            config.application_name("session-runtime");
        }
        #[cfg(not(feature = "postgres-tls"))]
        let tls = Tls::new(config.get_ssl_mode())?;
        #[cfg(feature = "postgres-tls")]
        let tls = {
            if self.tls.is_some() {
                config.ssl_mode(tokio_postgres::config::SslMode::Require);
            }
            Tls::new(config.get_ssl_mode(), self.tls)?
        };
        let names = Names::new(&self.schema, &self.prefix)?;
        let manager = tls.manager(config, ManagerConfig { recycling_method: RecyclingMethod::Fast });
        let pool = Pool::builder(manager)
            .max_size(self.connections.max(1))
            .timeouts(Timeouts {
                wait: Some(self.pool_timeout),
                create: Some(self.response_timeout),
                recycle: Some(self.response_timeout),
            })
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|source| wrong("the pool of connections could not be set up").with_source(source))?;
        let connections = Connections { pool, timeout: self.response_timeout, named: self.named_statements, tls };
        let statements = Statements::new(&names);
        Ok(PostgresStore { inner: Arc::new(Inner { connections, names, statements }) })
    }
}
