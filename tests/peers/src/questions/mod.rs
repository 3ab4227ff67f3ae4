//! One question per file. Each is asked of all sides, and answers with figures.

pub mod allocations;
pub mod bots;
pub mod build;
pub mod calls;
pub mod growth;
pub mod layer;
pub mod lines;
pub mod speed;
pub mod tracking;
pub mod traffic;
pub mod users;
pub mod waste;
pub mod wire;
