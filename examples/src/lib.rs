//! Example programs of the session toolkit; see `src/bin/`.
