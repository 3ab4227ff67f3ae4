use rusqlite::Connection;

/// Which file a connection has open, on systems where another one can take its name meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OpenFile {
    id: Option<(u64, u64)>,
}

impl OpenFile {
    /// The file that is found now where this connection found its own.
    pub(super) fn at_the_path_of(connection: &Connection) -> Self {
        let path = connection.path().filter(|path| !path.is_empty());
        Self { id: path.and_then(id) }
    }
}

#[cfg(unix)]
fn id(path: &str) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;

    std::fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

/// Elsewhere a file that is open keeps its name.
#[cfg(not(unix))]
const fn id(_: &str) -> Option<(u64, u64)> {
    None
}
