//! A user's program: keeps a session by what the features offer that it is built with, and says what it tried.

#[cfg(feature = "derive")]
mod counting;
#[cfg(any(feature = "redis", feature = "postgres"))]
mod servers;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    #[cfg(not(feature = "derive"))]
    without_derive().await;
    #[cfg(feature = "derive")]
    counting::all().await;
    #[cfg(any(feature = "redis", feature = "postgres"))]
    servers::all().await;
}

/// Looks into a store: a type of session needs the derive.
#[cfg(not(feature = "derive"))]
async fn without_derive() {
    use session_runtime::{Admin, MemoryStore};

    let registered = Admin::new(MemoryStore::new()).registrations().await.expect("a listing");
    assert!(registered.found.is_empty());
    println!("looked into a store");
}
