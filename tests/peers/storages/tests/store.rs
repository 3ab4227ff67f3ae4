//! The SQLite store, on the SQLite of `sqlx`: an older one than the project's own build has.

use session_runtime::SqliteStore;
use tempfile::TempDir;
use tokio::sync::OnceCell;

static STORE: OnceCell<(TempDir, SqliteStore)> = OnceCell::const_new();

async fn open() -> (TempDir, SqliteStore) {
    // Nothing drops a static, so its folder stays where the build's own files are.
    let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let store = SqliteStore::open(folder.path().join("sessions.db")).await.expect("a file");
    (folder, store)
}

session_runtime::conformance!(async { STORE.get_or_init(open).await.1.clone() });
