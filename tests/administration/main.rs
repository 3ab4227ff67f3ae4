//! What looks after sessions: listing, showing, destroying and purging them on every store, and counting what they cost.

mod background;
mod counting;
mod destroying;
mod indexing;
mod listing;
mod monitoring;
mod place;
mod purging;
mod showing;
mod spans;
mod tracing;
