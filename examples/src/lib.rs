//! Example programs of the session toolkit: `src/bin/quickstart.rs` is the shortest complete one, `src/bin/replay.rs`
//! replays traffic and shows what was saved, `src/bin/expiry.rs` shows how long sessions live, `src/bin/sessionctl.rs`
//! looks after the sessions in a store, `src/bin/bot.rs` is a bot, `src/bin/web.rs` is a shop.

mod bars;
pub mod bot;
pub mod command_line;
pub mod duration;
pub mod expiry;
pub mod replay;
pub mod sessionctl;
pub mod shop;

/// What an option says that takes the URL of a store.
const STORES: &str =
    "Where the sessions are kept: memory:, sqlite:PATH, redis://…, rediss://…, redis+cluster://… or postgres://…";
