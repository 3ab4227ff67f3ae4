//! The stores, each on the real engine: the conformance suite, and what only that store promises.

mod connect;
mod example;
mod golden;
mod memory;
mod postgres;
mod processes;
mod redis;
mod redis_cluster;
mod redis_histories;
mod redis_index;
mod redis_scan;
mod sqlite;
mod tls;
