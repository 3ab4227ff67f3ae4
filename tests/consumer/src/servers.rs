//! Stores that need a server: where none is given, what a store says that finds none.

use session_runtime::{StoreErrorKind, connect};

pub(crate) async fn all() {
    #[cfg(feature = "redis")]
    server("SESSION_TEST_REDIS", "redis://127.0.0.1:1").await;
    #[cfg(feature = "redis-tls")]
    is_unavailable("rediss://127.0.0.1:1").await;
    #[cfg(feature = "postgres")]
    server("SESSION_TEST_POSTGRES", "postgres://nobody@127.0.0.1:1/nothing").await;
    #[cfg(feature = "postgres-tls")]
    is_unavailable("postgres://nobody@127.0.0.1:1/nothing?sslmode=require").await;
}

#[cfg(any(feature = "redis", feature = "postgres"))]
async fn server(variable: &str, nobody: &str) {
    #[cfg(feature = "derive")]
    if let Ok(url) = std::env::var(variable) {
        return crate::counting::server(&url).await;
    }
    is_unavailable(nobody).await;
    println!("no {variable}, so nothing was counted");
}

async fn is_unavailable(url: &str) {
    use session_runtime::Store;

    let told = match connect(url).await {
        Ok(store) => store.prepare().await.expect_err("nobody listens there"),
        Err(error) => error,
    };
    assert_eq!(told.kind(), StoreErrorKind::Unavailable, "{url}: {told}");
}
