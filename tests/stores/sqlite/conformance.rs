//! The suite that every store passes: on one file that all cases share, and on a memory of each case's own.

mod file {
    use session_runtime::store::{SqliteOptions, SqliteStore};
    use tempfile::TempDir;
    use tokio::sync::OnceCell;

    static STORE: OnceCell<(TempDir, SqliteStore)> = OnceCell::const_new();

    async fn open() -> (TempDir, SqliteStore) {
        // Nothing drops a static, so its folder stays where the build's own files are.
        let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let store = SqliteOptions::new(folder.path().join("sessions.db")).readers(2).open().await.unwrap();
        (folder, store)
    }

    session_runtime::conformance!(async { STORE.get_or_init(open).await.1.clone() });
}

mod memory {
    use session_runtime::store::SqliteStore;

    session_runtime::conformance!(async { SqliteStore::memory().await.unwrap() });
}
