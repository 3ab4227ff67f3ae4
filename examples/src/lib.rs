//! Example programs of the session toolkit: `src/bin/quickstart.rs` is the shortest complete one, `src/bin/replay.rs`
//! replays traffic and shows what was saved.

pub mod replay;
