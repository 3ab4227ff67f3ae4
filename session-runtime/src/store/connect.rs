//! A store by its URL.

use std::borrow::Cow;

use super::{AnyStore, MemoryStore, StoreError, StoreErrorKind};

/// Opens the store at `url`, connected and checked, with the default settings of its kind.
///
/// | URL | store | feature |
/// |---|---|---|
/// | `memory:` | a new [`MemoryStore`] | |
/// | `sqlite:PATH` | `SqliteStore`; `sqlite::memory:` for one in memory; a file that does not exist is made, unless `?mode=rw` or `?mode=ro` (for reading only) follows | `sqlite` |
/// | `redis://[user:password@]host[:port][/db]` | `RedisStore` on a server | `redis` |
/// | `rediss://…` | the same over TLS | `redis-tls` |
/// | `redis+cluster://host:port,host:port` | `RedisStore` on a cluster of which some nodes are named; `rediss+cluster://…` over TLS | `redis` |
/// | `redis+unix:///path` | `RedisStore` on a server of this machine | `redis` |
/// | `postgres://user:password@host/database` | `PostgresStore`; `postgresql://…` is the same | `postgres` |
///
/// ```
/// # async fn open() -> Result<(), session_runtime::store::StoreError> {
/// let store = session_runtime::store::connect("memory:").await?;
/// # drop(store); Ok(())
/// # }
/// ```
///
/// # Errors
/// [`StoreErrorKind::Configuration`] when the URL names no store, or one whose feature is not compiled in; whatever
/// opening the store meets. No message shows the URL, which can hold a password.
pub async fn connect(url: &str) -> Result<AnyStore, StoreError> {
    match url.split_once(':') {
        Some(("memory", "")) => Ok(AnyStore::new(MemoryStore::new())),
        Some(("sqlite", path)) => sqlite(path.strip_prefix("//").unwrap_or(path)).await,
        Some(("redis" | "rediss" | "redis+cluster" | "rediss+cluster" | "redis+unix", rest)) if has_slashes(rest) => {
            redis(url).await
        }
        Some(("postgres" | "postgresql", rest)) if has_slashes(rest) => postgres(url).await,
        _ => Err(configuration(
            "this is no URL of a session store; write memory:, sqlite:PATH, redis://host, rediss://host, \
             redis+cluster://host:port,host:port or postgres://user:password@host/database",
        )),
    }
}

fn has_slashes(rest: &str) -> bool {
    rest.starts_with("//")
}

fn configuration(message: impl Into<Cow<'static, str>>) -> StoreError {
    StoreError::new(StoreErrorKind::Configuration, message).not_applied()
}

#[cfg(feature = "sqlite")]
async fn sqlite(url: &str) -> Result<AnyStore, StoreError> {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    if path.is_empty() {
        return Err(configuration("this URL names no file; write sqlite:PATH"));
    }
    if path.starts_with("file:") {
        // A URI of SQLite's own, which reads its own options.
        return super::SqliteStore::open(url).await.map(AnyStore::new);
    }
    let mut options = super::SqliteOptions::new(path);
    for option in query.split('&').filter(|option| !option.is_empty()) {
        options = match option.split_once('=').unwrap_or((option, "")) {
            ("mode", "rwc") => options.read_only(false),
            ("mode", "rw") => options.existing_only(),
            ("mode", "ro") => options.read_only(true),
            ("mode", _) => {
                return Err(configuration(
                    "`mode` of an SQLite URL is `ro`, `rw` or `rwc`; write sqlite:PATH?mode=rwc",
                ));
            }
            (unknown, _) => {
                return Err(configuration(format!(
                    "SQLite URLs have no option `{unknown}`, only `mode`; leave it out"
                )));
            }
        };
    }
    options.open().await.map(AnyStore::new)
}

#[cfg(feature = "redis")]
async fn redis(url: &str) -> Result<AnyStore, StoreError> {
    super::RedisStore::open(url).await.map(AnyStore::new)
}

#[cfg(feature = "postgres")]
async fn postgres(url: &str) -> Result<AnyStore, StoreError> {
    super::PostgresOptions::new(url).open().await.map(AnyStore::new)
}

macro_rules! left_out {
    ($($feature:literal $store:ident $message:literal)*) => {
        $(
            #[cfg(not(feature = $feature))]
            async fn $store(_: &str) -> Result<AnyStore, StoreError> {
                Err(configuration(concat!($message, "; switch on the feature `", $feature, "` of session-runtime")))
            }
        )*
    };
}

left_out! {
    "sqlite" sqlite "this program was built without the SQLite store"
    "redis" redis "this program was built without the Redis store"
    "postgres" postgres "this program was built without the PostgreSQL store"
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;

    async fn refusal(url: &str) -> StoreError {
        connect(url).await.map(drop).expect_err("no store is there")
    }

    /// Everything that an error can show.
    fn shown(error: &StoreError) -> String {
        let sources = std::iter::successors(error.source(), |&cause| cause.source());
        sources.fold(format!("{error} {error:?}"), |text, source| format!("{text} {source} {source:?}"))
    }

    #[tokio::test]
    async fn memory_needs_nothing() {
        assert!(connect("memory:").await.is_ok());
    }

    #[tokio::test]
    async fn what_names_no_store_is_explained_and_not_repeated() {
        for url in
            ["", "memory", "memory:1", "sqlite", "mysql://root:hunter2@db/app", "redis:hunter2", "postgres:hunter2"]
        {
            let error = refusal(url).await;
            assert_eq!(error.kind(), StoreErrorKind::Configuration, "{url}");
            assert!(error.is_not_applied());
            assert!(error.to_string().contains("write memory:, sqlite:PATH, redis://host"), "{error}");
            assert!(!shown(&error).contains("hunter2"), "{error:?}");
        }
    }

    #[tokio::test]
    async fn a_url_that_a_store_does_not_understand_is_not_repeated() {
        for url in [
            "redis://:hunter2@db:port/",
            "redis+cluster://:hunter2@db:port,other:1",
            "rediss://:hunter2@db:port",
            "postgres://app:hunter2@db:port/app",
            "postgresql://app:hunter2@db/app?no_such_option=1",
            "postgres://app:hunter2@db/app?sslmode=hunter2",
        ] {
            let error = refusal(url).await;
            assert_eq!(error.kind(), StoreErrorKind::Configuration, "{url}");
            assert!(!shown(&error).contains("hunter2"), "{error:?}");
        }
    }

    #[cfg(feature = "sqlite")]
    #[tokio::test]
    async fn sqlite_takes_a_path_or_memory() {
        assert!(connect("sqlite::memory:").await.is_ok());
        assert!(connect("sqlite://:memory:").await.is_ok());
        for url in ["sqlite:", "sqlite://"] {
            let error = refusal(url).await;
            assert_eq!(error.kind(), StoreErrorKind::Configuration);
            assert_eq!(error.to_string(), "this URL names no file; write sqlite:PATH");
        }
    }

    #[cfg(feature = "sqlite")]
    #[tokio::test]
    async fn an_unknown_option_of_sqlite_is_named() {
        for (url, named) in [("sqlite:x.db?cache=shared", "no option `cache`"), ("sqlite:x.db?mode=w", "`mode`")] {
            let error = refusal(url).await;
            assert_eq!(error.kind(), StoreErrorKind::Configuration);
            assert!(error.to_string().contains(named), "{error}");
        }
    }

    #[cfg(not(feature = "sqlite"))]
    #[tokio::test]
    async fn without_its_feature_sqlite_says_which_one_to_switch_on() {
        let error = refusal("sqlite:sessions.db").await;
        assert_eq!(error.kind(), StoreErrorKind::Configuration);
        assert!(error.to_string().ends_with("switch on the feature `sqlite` of session-runtime"), "{error}");
    }

    #[cfg(not(feature = "redis"))]
    #[tokio::test]
    async fn without_its_feature_redis_says_which_one_to_switch_on() {
        for url in ["redis://localhost", "rediss://localhost", "redis+cluster://a:1,b:1"] {
            let error = refusal(url).await;
            assert_eq!(error.kind(), StoreErrorKind::Configuration);
            assert!(error.to_string().ends_with("switch on the feature `redis` of session-runtime"), "{error}");
        }
    }

    #[cfg(all(feature = "redis", not(feature = "redis-tls")))]
    #[tokio::test]
    async fn without_its_feature_tls_to_redis_says_which_one_to_switch_on() {
        let error = refusal("rediss://localhost").await;
        assert_eq!(error.kind(), StoreErrorKind::Configuration);
        assert!(error.to_string().contains("switch on the feature `redis-tls` of session-runtime"), "{error}");
    }

    #[cfg(not(feature = "postgres"))]
    #[tokio::test]
    async fn without_its_feature_postgres_says_which_one_to_switch_on() {
        for url in ["postgres://localhost/app", "postgresql://localhost/app"] {
            let error = refusal(url).await;
            assert_eq!(error.kind(), StoreErrorKind::Configuration);
            assert!(error.to_string().ends_with("switch on the feature `postgres` of session-runtime"), "{error}");
        }
    }
}
