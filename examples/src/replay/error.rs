use std::io;
use std::path::PathBuf;

use session_runtime::store::StoreError;
use tokio::task::JoinError;

use super::log::LogError;

/// Why a replay could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// A log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The logs are empty.
    #[error("the logs hold no requests")]
    NoRequests,
    /// A session could not be loaded or committed.
    #[error("a session could not be loaded or committed")]
    Session(#[from] session_runtime::Error),
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// A whole record is not the JSON that was written.
    #[error("a whole record cannot be encoded or decoded")]
    Record(#[from] serde_json::Error),
    /// Somebody else wrote to the sessions of the replay.
    #[error("another program writes to the sessions of this replay")]
    Disturbed,
    /// A worker ended before its work.
    #[error("a worker of the replay ended before its work")]
    Worker(#[from] JoinError),
    /// A chart or a page cannot be written.
    #[error("cannot write the {what} {}", path.display())]
    Output {
        /// What it is.
        what: &'static str,
        /// Where it was to be.
        path: PathBuf,
        /// Why it is not there.
        source: io::Error,
    },
}
