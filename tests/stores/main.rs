//! The stores, each on the real engine.

mod sqlite;
