//! A store by its URL.

use std::borrow::Cow;

use super::{AnyStore, MemoryStore, Namespaced, StoreError, StoreErrorKind};

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
/// Each can end in the option `namespace=NAME`, after `?` or, behind other options, `&`: applications with different
/// namespaces share the store, and nothing in it: see [`Namespaced`].
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
    let (url, namespace) = without_namespace(url)?;
    let store = open(&url).await?;
    let Some(namespace) = namespace else { return Ok(store) };
    let namespaced = Namespaced::new(store, namespace).map_err(|error| configuration(error.to_string()))?;
    Ok(AnyStore::new(namespaced))
}

/// Takes the option `namespace` out of a URL.
fn without_namespace(url: &str) -> Result<(Cow<'_, str>, Option<&str>), StoreError> {
    let Some((place, query)) = url.split_once('?') else { return Ok((url.into(), None)) };
    let is_other = |option: &&str| !option.starts_with("namespace=");
    let mut namespaces = query.split('&').filter_map(|option| option.strip_prefix("namespace="));
    let Some(namespace) = namespaces.next() else { return Ok((url.into(), None)) };
    if namespaces.next().is_some() {
        return Err(configuration("this URL names two namespaces; write `namespace=NAME` once"));
    }
    let others: Vec<_> = query.split('&').filter(is_other).collect();
    let rest = if others.is_empty() { place.to_owned() } else { format!("{place}?{}", others.join("&")) };
    Ok((rest.into(), Some(namespace)))
}

async fn open(url: &str) -> Result<AnyStore, StoreError> {
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
                    "SQLite URLs have no option `{unknown}`, only `mode` and `namespace`; leave it out"
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

    #[test]
    fn a_namespace_stands_anywhere_among_the_options_and_is_no_option_of_the_store() {
        for (url, rest, namespace) in [
            ("memory:", "memory:", None),
            ("memory:?namespace=shop", "memory:", Some("shop")),
            ("redis://h/2?a=1&namespace=shop&b=2", "redis://h/2?a=1&b=2", Some("shop")),
            ("redis://h?my_namespace=shop", "redis://h?my_namespace=shop", None),
            ("sqlite:x.db?namespace=", "sqlite:x.db", Some("")),
        ] {
            let (found, name) = without_namespace(url).expect("one namespace at most");
            assert_eq!((&*found, name), (rest, namespace), "{url}");
        }
    }

    #[tokio::test]
    async fn a_namespace_is_a_name_and_there_is_one() {
        for (url, says) in [
            ("memory:?namespace=", "`` cannot be a name: write 1 to 64 of the characters"),
            ("memory:?namespace=a/b", "`a/b` cannot be a name"),
            ("memory:?namespace=a&namespace=b", "names two namespaces"),
        ] {
            let error = refusal(url).await;
            assert_eq!(error.kind(), StoreErrorKind::Configuration);
            assert!(error.to_string().contains(says), "{error}");
        }
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
